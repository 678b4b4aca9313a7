//! Latency by percentile up to the maximum, one line a series: both axes are logarithmic, the
//! percentile's in the share of samples beyond, as HdrHistogram plots it.

use plotters::prelude::*;

use super::drawing::{self, Canvas, Drawing, Failure, ROW, SCALE, decades, extent, mark, text};
use super::findings::missing;
use super::marks::{self, INK};
use super::series::{self, Side};
use super::{ReportError, number};
use crate::record::{Collection, Latency};

/// How wide a chart is, in CSS pixels, its legend included.
const WIDTH: i32 = 800;

/// How wide the legend is.
const LEGEND: i32 = 235;

/// How high a chart is at least.
const HEIGHT: i32 = 320;

/// One series: its place in the collection, its shape, its name and its points.
#[derive(Debug)]
struct Line<'a> {
    series: usize,
    shape: (usize, Side),
    name: &'a str,
    /// One over the share beyond, and the latency in nanoseconds.
    points: Vec<(f64, f64)>,
    /// How many of them have ten samples beyond them.
    carried: usize,
}

/// The latencies of a collection.
#[derive(Debug)]
pub struct Percentiles<'a> {
    /// What is written above the plot.
    title: String,
    lines: Vec<Line<'a>>,
}

impl<'a> Percentiles<'a> {
    /// Of a collection; `None` where no cell has latencies.
    pub fn of(title: String, collection: &'a Collection) -> Option<Percentiles<'a>> {
        let names: Vec<&str> = collection.cells.iter().map(|cell| cell.series.as_str()).collect();
        let shapes = series::shapes(&names);
        let cells = collection.cells.iter().zip(shapes).enumerate();
        let mut lines: Vec<Line<'_>> = cells
            .filter(|(_, (cell, _))| missing(&cell.status).is_none())
            .filter_map(|(series, (cell, shape))| {
                let (points, carried) = points(cell.latency.as_ref()?);
                let name = &cell.series;
                (points.len() > 1).then_some(Line { series, shape, name, points, carried })
            })
            .collect();
        // The legend has the order in which the lines end.
        let end = |line: &Line<'_>| line.points.last().map_or(0.0, |(_, latency)| *latency);
        lines.sort_by(|a, b| end(b).total_cmp(&end(a)));
        (!lines.is_empty()).then_some(Percentiles { title, lines })
    }

    /// What the chart shows, in words.
    pub fn description(&self) -> String {
        let one = |line: &Line<'_>| {
            let max = line.points.last().map_or(0.0, |(_, latency)| *latency);
            format!("{} {}", line.name, number::time(max))
        };
        let maxima: Vec<String> = self.lines.iter().map(one).collect();
        format!("The maxima: {}.", maxima.join(", "))
    }

    /// Draws it.
    ///
    /// # Errors
    ///
    /// Whatever plotters gives.
    pub fn draw(&self) -> Result<Drawing, ReportError> {
        let rows = self.lines.len().min(100) as i32;
        drawing::drawing((WIDTH, HEIGHT.max(44 + ROW * rows)), |area| self.plot(area))
    }

    fn plot<'b>(&self, area: &Canvas<'b>) -> Result<(), Failure<'b>> {
        let all = || self.lines.iter().flat_map(|line| line.points.iter().copied());
        let x = extent(all().map(|(x, _)| x)).unwrap_or((1.0, 10.0));
        let y = extent(all().map(|(_, y)| y)).unwrap_or((1.0, 10.0));
        let (x, y) = ((1.0, (x.1 * 1.15).max(2.0)), (y.0 / 1.2, y.1 * 1.2));
        area.draw(&Text::new(self.title.clone(), (8 * SCALE, 2 * SCALE), text(14, &INK)))?;
        let (_, below) = area.split_vertically(22 * SCALE);
        let (plot, legend) = below.split_horizontally((WIDTH - LEGEND) * SCALE);
        let mut chart = ChartBuilder::on(&plot)
            .margin(4 * SCALE)
            .x_label_area_size(40 * SCALE)
            .y_label_area_size(62 * SCALE)
            .build_cartesian_2d(
                (x.0..x.1).log_scale().with_key_points(ticks(x.1)),
                (y.0..y.1).log_scale().with_key_points(decades(y)),
            )?;
        drawing::grid(&mut chart.configure_mesh())
            .x_label_formatter(&|beyond| percent(*beyond))
            .y_label_formatter(&|ns| number::tick(*ns))
            .x_desc("percentile")
            .y_desc("latency")
            .draw()?;
        for (row, line) in self.lines.iter().enumerate() {
            let at = |(x, y): &(f64, f64)| chart.plotting_area().map_coordinate(&(*x, *y));
            let places: Vec<(i32, i32)> = line.points.iter().map(at).collect();
            let (body, tail) = places.split_at(line.carried.min(places.len()));
            let style = marks::line(line.shape.0, line.series).stroke_width(SCALE as u32 * 3 / 2);
            area.draw(&PathElement::new(body.to_vec(), style))?;
            // What too few samples lie beyond is thin.
            let thin: Vec<(i32, i32)> = body.last().into_iter().chain(tail).copied().collect();
            area.draw(&PathElement::new(
                thin,
                marks::line(line.shape.0, line.series).stroke_width(2),
            ))?;
            for place in places.last().into_iter().chain(places.get(places.len() / 2)) {
                mark(area, *place, line.shape.0, 3.4, line.shape.1)?;
            }
            let y = 12 + ROW * row as i32;
            let key = vec![(4 * SCALE, y * SCALE), (34 * SCALE, y * SCALE)];
            legend.draw(&PathElement::new(key, style))?;
            mark(&legend, (19 * SCALE, y * SCALE), line.shape.0, 4.4, line.shape.1)?;
            drawing::name(&legend, line.name, (42, y), 12)?;
        }
        Ok(())
    }
}

/// The quantiles of a distribution as points, and how many of them have ten samples beyond.
fn points(latency: &Latency) -> (Vec<(f64, f64)>, usize) {
    let count = latency.count.max(1) as f64;
    let kept =
        latency.quantiles.iter().filter(|(quantile, ns)| (0.0..=1.0).contains(quantile) && *ns > 0);
    let mut points: Vec<(f64, f64)> = kept
        // Beyond the maximum there is nothing: it stands where one sample of all is.
        .map(|(quantile, ns)| (1.0 / (1.0 - quantile).max(1.0 / count), *ns as f64))
        .collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    points.dedup();
    let carried = points.iter().filter(|(beyond, _)| count / beyond >= 10.0 - 1e-6).count();
    (points, carried)
}

/// One over the share beyond, at p0, p50, p90, p99 and so on.
fn ticks(high: f64) -> Vec<f64> {
    let ticks = [1.0, 2.0].into_iter().chain((1..10).map(|nines| 10f64.powi(nines)));
    ticks.filter(|tick| *tick <= high).collect()
}

/// A tick as a percentile: `p99.9`.
fn percent(beyond: f64) -> String {
    let percent = 100.0 * (1.0 - 1.0 / beyond);
    let spelt = format!("{percent:.7}");
    format!("p{}", spelt.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_maximum_stands_where_one_of_all_samples_is() {
        let quantiles = vec![(0.0, 5), (0.5, 7), (0.99, 9), (1.0, 20)];
        let (points, carried) = points(&Latency { count: 1_000, quantiles });
        let expected = [(1.0, 5.0), (2.0, 7.0), (100.0, 9.0), (1_000.0, 20.0)];
        for (point, expected) in points.iter().zip(expected) {
            assert!((point.0 - expected.0).abs() < 1e-6 && point.1 == expected.1, "{points:?}");
        }
        assert_eq!((points.len(), carried), (4, 3), "one sample lies beyond none");
    }

    #[test]
    fn ticks_are_percentiles() {
        let spelt: Vec<String> = ticks(2_000.0).into_iter().map(percent).collect();
        assert_eq!(spelt, ["p0", "p50", "p90", "p99", "p99.9"]);
    }
}
