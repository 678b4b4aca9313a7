//! The stall charts: how long a bystander waits, against how late the next client comes.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::drawing::{self, Axis, Canvas, Drawing, Failure, ROW, SCALE, decades, mark, text};
use super::marks::{INK, MUTED};
use super::series::{Side, side};
use super::{ReportError, number};
use crate::record::{Group, Status};

/// How wide a panel is, in CSS pixels.
const WIDTH: i32 = 460;

/// How high its plot is, axes and title included.
const HEIGHT: i32 = 330;

/// The height of the title.
const TITLE: i32 = 22;

/// How many names stand side by side in the legend.
const ACROSS: usize = 3;

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
            for &(rescue, latency) in &cell.stalls {
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

/// Draws the trials, their legend below them.
///
/// # Errors
///
/// Whatever plotters gives.
pub fn stall(trials: &Trials<'_>) -> Result<Drawing, ReportError> {
    let rows = trials.backends.len().div_ceil(ACROSS).min(100) as i32;
    drawing::drawing((WIDTH, HEIGHT + ROW * rows + 8), |area| draw(trials, area))
}

type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<Axis, Axis>>;

fn draw<'a>(trials: &Trials<'_>, area: &Canvas<'a>) -> Result<(), Failure<'a>> {
    let title = trials.title.as_deref().unwrap_or("this machine's own kernel");
    area.draw(&Text::new(title.to_owned(), (8 * SCALE, 2 * SCALE), text(14, &INK)))?;
    let (_, below) = area.split_vertically(TITLE * SCALE);
    let (plot, legend) = below.split_vertically((HEIGHT - TITLE) * SCALE);
    let (x, y) = (trials.extent(|p| trials.x(p)), trials.extent(|p| p.latency));
    // Room for the notes: above the points at the left, and below them.
    let (x, y) = ((x.0 / 1.15, x.1 * 1.25), (y.0 / 2.6, y.1 * 5.0));
    let mut chart = ChartBuilder::on(&plot)
        .margin(4 * SCALE)
        .x_label_area_size(40 * SCALE)
        .y_label_area_size(62 * SCALE)
        .build_cartesian_2d(
            (x.0..x.1).log_scale().with_key_points(delays(trials)),
            (y.0..y.1).log_scale().with_key_points(decades(y)),
        )?;
    drawing::grid(&mut chart.configure_mesh())
        .x_label_formatter(&|ns| number::tick(*ns))
        .y_label_formatter(&|ns| number::tick(*ns))
        .x_desc("from the byte to the next client's connect")
        .y_desc("bystander latency")
        .draw()?;
    diagonal(&mut chart, x, y)?;
    for point in &trials.points {
        let at = chart.plotting_area().map_coordinate(&(trials.x(point), point.latency));
        mark(area, at, point.backend, 3.6, point.side)?;
    }
    notes(trials, &chart, area)?;
    key(trials, &legend)
}

/// The delays that were asked for: the ticks of the x axis.
fn delays(trials: &Trials<'_>) -> Vec<f64> {
    let mut delays: Vec<f64> =
        trials.points.iter().filter(|p| !p.rescued).map(|p| p.delay).collect();
    delays.sort_by(f64::total_cmp);
    delays.dedup();
    if delays.is_empty() { decades(trials.extent(|p| p.delay)) } else { delays }
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

/// What the two bands of points are, written beside them.
fn notes<'b>(
    trials: &Trials<'_>,
    chart: &Chart<'_, 'b>,
    area: &Canvas<'b>,
) -> Result<(), Failure<'b>> {
    let (across, down) = chart.plotting_area().get_pixel_range();
    let has = |side: Side| trials.points.iter().any(|point| point.side == side);
    if has(Side::Blocking) {
        let lines = ["filled: a blocking listener,", "served by the next client: y = x"];
        for (line, words) in lines.into_iter().enumerate() {
            let at = (across.start + 8 * SCALE, down.start + (5 + 16 * line as i32) * SCALE);
            area.draw(&Text::new(words, at, text(13, &INK)))?;
        }
    }
    if has(Side::NonBlocking) {
        let style = text(13, &INK).pos(Pos::new(HPos::Right, VPos::Bottom));
        let words = "hollow: non-blocking, served at once";
        area.draw(&Text::new(words, (across.end - 8 * SCALE, down.end - 6 * SCALE), style))?;
    }
    Ok(())
}

/// The legend: each backend's shape in its colour, and its name.
fn key<'a>(trials: &Trials<'_>, area: &Canvas<'a>) -> Result<(), Failure<'a>> {
    for (series, name) in trials.backends.iter().enumerate() {
        let (column, row) = ((series % ACROSS) as i32, (series / ACROSS) as i32);
        let (x, y) = (10 + column * (WIDTH / ACROSS as i32), 10 + ROW * row);
        let at = |dx: i32| ((x + dx) * SCALE, y * SCALE);
        mark(area, at(0), series, 4.4, Side::Blocking)?;
        mark(area, at(12), series, 4.4, Side::NonBlocking)?;
        drawing::name(area, name, (x + 22, y), 12)?;
    }
    Ok(())
}
