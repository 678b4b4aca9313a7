//! How series are told apart in a chart: by shape first, by colour beside.
//!
//! Colours are the style sheet's, for light and for dark. plotters only knows fixed ones, so
//! each stands for a variable, and [`themed`] puts the variable in its place.

use plotters::style::RGBColor;

/// Text and axes.
pub const INK: RGBColor = RGBColor(0, 0, 1);
/// What explains: labels, ticks.
pub const MUTED: RGBColor = RGBColor(0, 0, 2);
/// Grid lines.
pub const LINE: RGBColor = RGBColor(0, 0, 3);

/// How many colours the style sheet has for series.
const COLOURS: usize = 7;

/// The colour of the series at this place.
pub fn colour(series: usize) -> RGBColor {
    RGBColor(0, 1, (series % COLOURS) as u8)
}

/// The colour of a line that has that shape, dashed by the series' place: lines that cross are
/// told apart without colour.
pub fn line(shape: usize, series: usize) -> RGBColor {
    RGBColor(0, 2 + (series % DASHES.len()) as u8, (shape % COLOURS) as u8)
}

/// How lines are dashed.
const DASHES: [&str; 5] = ["", "24 12", "6 10", "36 10 6 10", "14 6"];

/// Puts the style sheet's colours into a drawing, and drops what says nothing.
pub fn themed(svg: &str) -> String {
    let mut svg = svg.replace(" opacity=\"1\"", "").replace(" font-family=\"sans-serif\"", "");
    let spelt = |c: RGBColor| format!("\"#{:02X}{:02X}{:02X}\"", c.0, c.1, c.2);
    for (colour, name) in [(INK, "ink"), (MUTED, "muted"), (LINE, "line")] {
        svg = svg.replace(&spelt(colour), &format!("\"var(--{name})\""));
    }
    for series in 0..COLOURS {
        svg = svg.replace(&spelt(colour(series)), &format!("\"var(--series-{series})\""));
    }
    for (dash, series) in (0..DASHES.len()).flat_map(|dash| (0..COLOURS).map(move |s| (dash, s))) {
        let dashed = match DASHES[dash] {
            "" => String::new(),
            spelt => format!(" stroke-dasharray=\"{spelt}\""),
        };
        let themed = format!("\"var(--series-{series})\"{dashed}");
        svg = svg.replace(&spelt(line(series, dash)), &themed);
    }
    svg
}

/// The outline of the shape of the series at this place, about (0, 0), `radius` large.
pub fn outline(series: usize, radius: f64) -> Vec<(i32, i32)> {
    let unit = SHAPES[series % SHAPES.len()]();
    let scale = |(x, y): (f64, f64)| ((x * radius).round() as i32, (y * radius).round() as i32);
    unit.into_iter().map(scale).collect()
}

/// Corners about (0, 0), about one away.
type Shape = Vec<(f64, f64)>;

/// Fifteen shapes. After them they come again, in other colours: fifteen and seven have no
/// common divisor.
const SHAPES: [fn() -> Shape; 15] = [
    || polygon(14, 0.0),
    || polygon(4, 45.0),
    || polygon(3, 0.0),
    || polygon(4, 0.0),
    || polygon(3, 180.0),
    || star(5, 0.45),
    || bars(0.0),
    || bars(45.0),
    || polygon(5, 0.0),
    || star(4, 0.35),
    || polygon(3, 90.0),
    || polygon(6, 0.0),
    || polygon(3, 270.0),
    || star(3, 0.4),
    || polygon(5, 180.0),
];

/// A point at an angle in degrees from the top, clockwise.
fn at(degrees: f64, radius: f64) -> (f64, f64) {
    let angle = degrees.to_radians();
    (radius * angle.sin(), -radius * angle.cos())
}

/// A regular polygon; those with few corners are made larger, so that all weigh the same.
fn polygon(corners: usize, turned: f64) -> Shape {
    let radius = match corners {
        3 => 1.25,
        4 => 1.15,
        _ => 1.0,
    };
    let step = 360.0 / corners as f64;
    (0..corners).map(|i| at(turned + step * i as f64, radius)).collect()
}

fn star(points: usize, waist: f64) -> Shape {
    let step = 180.0 / points as f64;
    let radius = |i: usize| {
        if i.is_multiple_of(2) { 1.35 } else { 1.35 * waist }
    };
    (0..2 * points).map(|i| at(step * i as f64, radius(i))).collect()
}

/// Two crossed bars: a plus, turned by so many degrees.
fn bars(turned: f64) -> Shape {
    let half = 0.34;
    let arm = |i: usize| {
        let corners = [(-half, -1.15), (half, -1.15), (half, -half)];
        corners.map(|(x, y): (f64, f64)| {
            let (sin, cos) = (turned + 90.0 * i as f64).to_radians().sin_cos();
            (x * cos - y * sin, x * sin + y * cos)
        })
    };
    (0..4).flat_map(arm).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_of_fifteen_series_share_a_shape() {
        let mut outlines: Vec<_> = (0..15).map(|series| outline(series, 40.0)).collect();
        outlines.sort();
        outlines.dedup();
        assert_eq!(outlines.len(), 15);
    }

    #[test]
    fn a_colour_in_a_text_is_left_alone() {
        let svg = "<text fill=\"#000001\">#000001 &quot;#000001&quot;</text>";
        let themed = themed(svg);
        assert_eq!(themed, "<text fill=\"var(--ink)\">#000001 &quot;#000001&quot;</text>");
    }
}
