//! The stall charts: how long a bystander waits, against how late the next client comes.

use plotters::coord::Shift;
use plotters::coord::combinators::{LogCoord, WithKeyPoints};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::marks::{self, INK, LINE, MUTED};
use super::series::{Side, side};
use super::{ReportError, number};
use crate::record::{Group, Status};

/// plotters draws in whole pixels: so it draws this much larger.
pub const SCALE: i32 = 4;

/// How many trials of a cell are drawn at most: more would lie on each other.
pub const SHOWN: usize = 8;

/// The height of a title, in CSS pixels.
const TITLE: i32 = 24;

/// The trials of one group of stalls, as points.
#[derive(Debug)]
pub struct Trials<'a> {
    /// What is written above the plot: on which modelled kernel the trials were. A drawing
    /// must not lose that where it is cut out of the page.
    title: Option<String>,
    /// The backends, in the order of the registry.
    pub backends: Vec<&'a str>,
    points: Vec<Point>,
}

#[derive(Debug)]
struct Point {
    backend: usize,
    side: Side,
    /// From the byte to the rescue, measured or asked for; in nanoseconds.
    delay: f64,
    /// Whether a rescue came, and was measured.
    rescued: bool,
    /// The bystander's latency in nanoseconds.
    latency: f64,
}

impl<'a> Trials<'a> {
    /// Of a group; `None` where there are none.
    pub fn of(group: &'a Group) -> Option<Trials<'a>> {
        let title = group.is_modelled().then(|| format!("modelled: {}", group.kernel));
        let mut trials = Trials { title, backends: Vec::new(), points: Vec::new() };
        let collections = group.collections.iter();
        for (collection, cell) in
            collections.flat_map(|c| c.cells.iter().map(move |cell| (c, cell)))
        {
            let Some((name, side)) = side(&cell.series) else {
                continue;
            };
            if cell.status != Status::Measured {
                continue;
            }
            let known = trials.backends.iter().position(|backend| *backend == name);
            let backend = known.unwrap_or_else(|| {
                trials.backends.push(name);
                trials.backends.len() - 1
            });
            // The parameter of such a group is the delay that was asked for, in milliseconds.
            let asked = collection.parameter.as_deref().and_then(|p| p.parse::<f64>().ok());
            for &(rescue, latency) in cell.stalls.iter().take(SHOWN) {
                let rescued = rescue > 0;
                let asked = asked.map(|ms| ms * 1e6).filter(|ns| *ns > 0.0 && ns.is_finite());
                let delay = if rescued { Some(rescue as f64) } else { asked };
                let (Some(delay), true) = (delay, latency > 0) else {
                    continue;
                };
                trials.points.push(Point {
                    backend,
                    side,
                    delay,
                    rescued,
                    latency: latency as f64,
                });
            }
        }
        (!trials.points.is_empty()).then_some(trials)
    }

    /// What the chart shows, in words.
    pub fn description(&self) -> String {
        let median = |side: Side, rescued: bool| {
            let chosen = self.points.iter().filter(|p| p.side == side && p.rescued == rescued);
            let latencies: Vec<f64> = chosen.map(|p| p.latency).collect();
            let range = latencies.iter().copied().fold(None, |range, latency| {
                let (low, high) = range.unwrap_or((latency, latency));
                Some((latency.min(low), latency.max(high)))
            });
            (latencies.len(), range)
        };
        let told = |what: &str, (n, range): (usize, Option<(f64, f64)>)| {
            let (low, high) = range?;
            Some(format!(
                "{}: {what}, latency {}.",
                number::of(n, "trial"),
                number::span(low, high)
            ))
        };
        let parts = [
            told("blocking listener, served by the next client", median(Side::Blocking, true)),
            told("blocking listener, no next client needed", median(Side::Blocking, false)),
            told(
                "non-blocking listener, served by the next client",
                median(Side::NonBlocking, true),
            ),
            told("non-blocking listener, no next client needed", median(Side::NonBlocking, false)),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }

    /// Where a point stands on the x axis. Those that needed no rescue have no measured delay:
    /// they stand about the one that was asked for, side by side by backend.
    fn x(&self, point: &Point) -> f64 {
        let n = self.backends.len() as f64;
        let place = (point.backend as f64 + 0.5) / n - 0.5;
        if point.rescued { point.delay } else { point.delay * 1.6f64.powf(place) }
    }

    fn extent(&self, of: impl Fn(&Point) -> f64) -> (f64, f64) {
        let values = self.points.iter().map(of);
        values.fold((f64::MAX, 0.0), |(low, high), value| (value.min(low), value.max(high)))
    }
}

/// How large a drawing is, in CSS pixels, and where its legend stands.
#[derive(Clone, Copy, Debug)]
pub struct Frame {
    /// Its width.
    pub width: i32,
    /// Its height, the legend included.
    pub height: i32,
    /// To the right of the plot, or else below it.
    pub legend_right: bool,
}

/// Draws the trials: the inside of an SVG element whose view box is [`SCALE`] times the frame.
///
/// # Errors
///
/// Whatever plotters gives.
pub fn stall(trials: &Trials<'_>, frame: Frame) -> Result<Drawing, ReportError> {
    drawing((frame.width, frame.height), |area| draw(trials, frame, area))
}

/// A drawing of that width and height in CSS pixels, [`SCALE`] times as large inside.
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
    Ok(Drawing { view_box: format!("0 0 {} {}", size.0, size.1), inside: inside(&svg) })
}

/// An SVG drawing without its outermost element, which the page writes.
#[derive(Debug)]
pub struct Drawing {
    /// The view box.
    pub view_box: String,
    /// Markup: shapes, and texts that plotters has escaped.
    pub inside: String,
}

fn inside(svg: &str) -> String {
    let body = svg.trim().split_once('>').map_or("", |(_, rest)| rest);
    marks::themed(body.trim_end().trim_end_matches("</svg>").trim())
}

/// Where a chart is drawn.
pub type Canvas<'a> = DrawingArea<SVGBackend<'a>, Shift>;
/// Why it could not be.
pub type Failure<'a> = DrawingAreaErrorKind<<SVGBackend<'a> as DrawingBackend>::ErrorType>;
type Axis = WithKeyPoints<LogCoord<f64>>;
type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<Axis, Axis>>;

/// Text of that size in CSS pixels.
pub fn text(size: i32, colour: &RGBColor) -> TextStyle<'static> {
    // plotters' SVG makes fonts smaller by 1.24.
    ("sans-serif", f64::from(size * SCALE) * 1.24).into_font().color(colour)
}

fn draw<'a>(trials: &Trials<'_>, frame: Frame, area: &Canvas<'a>) -> Result<(), Failure<'a>> {
    let rows = trials.backends.len().div_ceil(2) as i32;
    let top = title(trials, area)?;
    let (_, below) = area.split_vertically(top * SCALE);
    let (plot, legend) = if frame.legend_right {
        below.split_horizontally((frame.width - 160) * SCALE)
    } else {
        below.split_vertically((frame.height - top - 20 - 20 * rows) * SCALE)
    };
    let (x, y) = (trials.extent(|p| trials.x(p)), trials.extent(|p| p.latency));
    // Room for the notes: above the points at the left, and below them.
    let above = if frame.legend_right { 2.2 } else { 6.0 };
    let (x, y) = ((x.0 / 1.15, x.1 * 1.25), (y.0 / 2.6, y.1 * above));
    let mut chart = ChartBuilder::on(&plot)
        .margin(if frame.legend_right { 10 } else { 4 } * SCALE)
        .x_label_area_size(46 * SCALE)
        .y_label_area_size(if frame.legend_right { 66 } else { 60 } * SCALE)
        .build_cartesian_2d(
            (x.0..x.1).log_scale().with_key_points(delays(trials)),
            (y.0..y.1).log_scale().with_key_points(decades(y)),
        )?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(LINE.stroke_width(SCALE as u32))
        .axis_style(MUTED.stroke_width(SCALE as u32))
        .set_all_tick_mark_size(4 * SCALE)
        .label_style(text(12, &MUTED))
        .axis_desc_style(text(13, &INK))
        .x_label_formatter(&|ns| number::tick(*ns))
        .y_label_formatter(&|ns| number::tick(*ns))
        .x_desc(if frame.legend_right {
            "from the bystander's byte to the next client's connect"
        } else {
            "from the byte to the next client"
        })
        .y_desc("bystander latency")
        .draw()?;
    diagonal(&mut chart, x, y)?;
    for point in &trials.points {
        let at = chart.plotting_area().map_coordinate(&(trials.x(point), point.latency));
        let radius = if frame.legend_right { 4.2 } else { 3.4 };
        mark(area, at, point.backend, radius, point.side)?;
    }
    notes(trials, frame, &chart, area)?;
    key(trials, frame, &legend)
}

/// Writes the title, and returns the height that it takes.
fn title<'a>(trials: &Trials<'_>, area: &Canvas<'a>) -> Result<i32, Failure<'a>> {
    let Some(title) = &trials.title else {
        return Ok(0);
    };
    area.draw(&Text::new(title.clone(), (10 * SCALE, 6 * SCALE), text(15, &INK)))?;
    Ok(TITLE)
}

/// The delays that were asked for: the ticks of the x axis.
fn delays(trials: &Trials<'_>) -> Vec<f64> {
    let mut delays: Vec<f64> =
        trials.points.iter().filter(|p| !p.rescued).map(|p| p.delay).collect();
    delays.sort_by(f64::total_cmp);
    delays.dedup();
    if delays.is_empty() { decades(trials.extent(|p| p.delay)) } else { delays }
}

/// The powers of ten in a range; its lower end where there is none.
pub fn decades((low, high): (f64, f64)) -> Vec<f64> {
    let powers = (0..12).map(|power| 10f64.powi(power));
    let found: Vec<f64> = powers.filter(|power| (low..=high).contains(power)).collect();
    if found.is_empty() { vec![low] } else { found }
}

/// The line y = x, as far as both axes reach.
fn diagonal<'b>(
    chart: &mut Chart<'_, 'b>,
    x: (f64, f64),
    y: (f64, f64),
) -> Result<(), Failure<'b>> {
    let (low, high) = (x.0.max(y.0), x.1.min(y.1));
    if low < high {
        let line = [(low, low), (high, high)];
        chart.draw_series(LineSeries::new(line, MUTED.stroke_width(SCALE as u32)))?;
    }
    Ok(())
}

/// A series' shape: filled for a blocking listener, hollow for a non-blocking one.
fn mark<'a>(
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

/// What the two bands of points are, written beside them.
fn notes<'b>(
    trials: &Trials<'_>,
    frame: Frame,
    chart: &Chart<'_, 'b>,
    area: &Canvas<'b>,
) -> Result<(), Failure<'b>> {
    let (across, down) = chart.plotting_area().get_pixel_range();
    let has = |side: Side| trials.points.iter().any(|point| point.side == side);
    if has(Side::Blocking) {
        let lines: &[&str] = if frame.legend_right {
            &[
                "filled: a blocking listener. Its bystander is served when the next client comes: y = x",
            ]
        } else {
            &["filled: a blocking listener,", "served by the next client: y = x"]
        };
        for (line, words) in lines.iter().enumerate() {
            let at = (across.start + 10 * SCALE, down.start + (6 + 16 * line as i32) * SCALE);
            area.draw(&Text::new(*words, at, text(13, &INK)))?;
        }
    }
    if has(Side::NonBlocking) {
        let style = text(13, &INK).pos(Pos::new(HPos::Right, VPos::Bottom));
        let words = if frame.legend_right {
            "hollow: a non-blocking listener. Its bystander is served at once"
        } else {
            "hollow: non-blocking, served at once"
        };
        area.draw(&Text::new(words, (across.end - 8 * SCALE, down.end - 8 * SCALE), style))?;
    }
    Ok(())
}

/// The legend: each backend's shape in its colour, and its name.
fn key<'a>(trials: &Trials<'_>, frame: Frame, area: &Canvas<'a>) -> Result<(), Failure<'a>> {
    for (series, name) in trials.backends.iter().enumerate() {
        let row = series as i32;
        let (x, y) = if frame.legend_right {
            (10, 24 + 24 * row)
        } else {
            (24 + (row % 2) * (frame.width / 2), 8 + 20 * (row / 2))
        };
        let at = |dx: i32| ((x + dx) * SCALE, y * SCALE);
        mark(area, at(0), series, 5.0, Side::Blocking)?;
        mark(area, at(14), series, 5.0, Side::NonBlocking)?;
        let style = text(13, &INK).pos(Pos::new(HPos::Left, VPos::Center));
        area.draw(&Text::new((*name).to_owned(), at(26), style))?;
    }
    Ok(())
}
