//! What all charts of a page share: their canvas, their marks and legends, and an SVG that is
//! small. plotters (MIT licence) draws them.

use plotters::chart::MeshStyle;
use plotters::coord::Shift;
use plotters::coord::combinators::{LogCoord, WithKeyPoints};
use plotters::coord::ranged1d::Ranged;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::marks::{self, INK, LINE, MUTED};
use super::series::Side;
use super::{ReportError, compact};

/// plotters draws in whole pixels: so it draws this much larger.
pub const SCALE: i32 = 4;

/// The height of a row of a legend, in CSS pixels.
pub const ROW: i32 = 18;

/// An area to draw on.
pub type Canvas<'a> = DrawingArea<SVGBackend<'a>, Shift>;
/// What goes wrong there.
pub type Failure<'a> = DrawingAreaErrorKind<<SVGBackend<'a> as DrawingBackend>::ErrorType>;
/// A logarithmic axis with ticks of its own.
pub type Axis = WithKeyPoints<LogCoord<f64>>;

/// An SVG drawing without its outermost element, which the page writes.
#[derive(Debug)]
pub struct Drawing {
    /// The view box.
    pub view_box: String,
    /// Markup: shapes, and texts that plotters has escaped.
    pub inside: String,
}

/// Draws something so many CSS pixels wide and high: the inside of an SVG element whose view
/// box is [`SCALE`] times as large.
///
/// # Errors
///
/// Whatever plotters gives.
pub fn drawing(
    (width, height): (i32, i32),
    draw: impl for<'a> FnOnce(&Canvas<'a>) -> Result<(), Failure<'a>>,
) -> Result<Drawing, ReportError> {
    let mut svg = String::new();
    let size = ((width * SCALE) as u32, (height * SCALE) as u32);
    {
        let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        draw(&area).map_err(|error| ReportError::chart(&error))?;
        area.present().map_err(|error| ReportError::chart(&error))?;
    }
    let body = svg.trim().split_once('>').map_or("", |(_, rest)| rest);
    let body = body.trim_end().trim_end_matches("</svg>").trim();
    let inside = marks::themed(&compact::paths(body));
    Ok(Drawing { view_box: format!("0 0 {} {}", size.0, size.1), inside })
}

/// Text of so many CSS pixels.
pub fn text(size: i32, colour: &RGBColor) -> TextStyle<'static> {
    // plotters' SVG makes fonts smaller by 1.24.
    ("sans-serif", f64::from(size * SCALE) * 1.24).into_font().color(colour)
}

/// The same, about a point at its left or its right, half above it.
pub fn beside(size: i32, colour: &RGBColor, side: HPos) -> TextStyle<'static> {
    text(size, colour).pos(Pos::new(side, VPos::Center))
}

/// The grid, the axes and their labels, as every chart of a page has them.
pub fn grid<'s, 'a, 'b, 'c, X: Ranged, Y: Ranged>(
    mesh: &'s mut MeshStyle<'a, 'b, X, Y, SVGBackend<'c>>,
) -> &'s mut MeshStyle<'a, 'b, X, Y, SVGBackend<'c>> {
    mesh.light_line_style(TRANSPARENT)
        .bold_line_style(LINE.stroke_width(SCALE as u32))
        .axis_style(MUTED.stroke_width(SCALE as u32))
        .set_all_tick_mark_size(4 * SCALE)
        .label_style(text(12, &MUTED))
        .axis_desc_style(text(13, &INK))
}

/// A series' shape: filled for a blocking listener, hollow for a non-blocking one.
pub fn mark<'a>(
    area: &Canvas<'a>,
    (x, y): (i32, i32),
    series: usize,
    radius: f64,
    side: Side,
) -> Result<(), Failure<'a>> {
    let outline = marks::outline(series, radius * f64::from(SCALE));
    let mut outline: Vec<(i32, i32)> =
        outline.into_iter().map(|(dx, dy)| (x + dx, y + dy)).collect();
    let colour = marks::colour(series);
    match side {
        Side::Blocking => area.draw(&Polygon::new(outline, colour.mix(0.8).filled())),
        Side::NonBlocking => {
            outline.extend(outline.first().copied());
            area.draw(&PathElement::new(outline, colour.stroke_width(SCALE as u32 * 3 / 2)))
        }
    }
}

/// A name of a legend, right of a place in CSS pixels.
pub fn name<'a>(
    area: &Canvas<'a>,
    name: &str,
    (x, y): (i32, i32),
    size: i32,
) -> Result<(), Failure<'a>> {
    let style = beside(size, &INK, HPos::Left);
    area.draw(&Text::new(name.to_owned(), (x * SCALE, y * SCALE), style))
}

/// The ticks of a logarithmic axis: the powers of ten in its range, or rounder before less round
/// multiples of them where there are hardly any; its lower end where there is none.
pub fn decades((low, high): (f64, f64)) -> Vec<f64> {
    let multiples: [&[f64]; 3] =
        [&[1.0], &[1.0, 2.0, 5.0], &[1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]];
    let found = multiples.into_iter().map(|multiples| {
        let powers = (0..12).map(|power| 10f64.powi(power));
        let ticks = powers.flat_map(|power| multiples.iter().map(move |of| of * power));
        ticks.filter(|tick| (low..=high).contains(tick)).collect::<Vec<f64>>()
    });
    found.into_iter().find(|ticks| ticks.len() > 1).unwrap_or_else(|| vec![low])
}

/// The lowest and the highest of some values that are above nothing; `None` of none.
pub fn extent(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    let values = values.filter(|value| *value > 0.0 && value.is_finite());
    values.fold(None, |range, value| {
        let (low, high) = range.unwrap_or((value, value));
        Some((value.min(low), value.max(high)))
    })
}
