//! Latency by percentile, up to the maximum: for the groups that keep single latencies.
//!
//! Both axes are logarithmic. The horizontal one is one in how many: 10 is p90, 100 is p99, and
//! each decade has the same room, so that a tail is seen and not only its beginning.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::charts::{self, Drawing, SCALE};
use super::marks::{self, INK, LINE, MUTED};
use super::{ReportError, number};
use crate::record::{Collection, Latency};

/// How large a drawing is, in CSS pixels.
const WIDTH: i32 = 1120;
const PLOT: i32 = 400;
/// Fewer latencies have no tail to speak of.
const FEWEST: u64 = 100;
/// A row of the legend.
const ROW: i32 = 20;

/// The latencies of one collection.
#[derive(Debug)]
pub struct Percentiles<'a> {
    series: Vec<(&'a str, Vec<(f64, f64)>)>,
}

impl<'a> Percentiles<'a> {
    /// Of a collection; `None` where it kept hardly a single latency.
    pub fn of(collection: &'a Collection) -> Option<Percentiles<'a>> {
        let series: Vec<(&str, Vec<(f64, f64)>)> = collection
            .cells
            .iter()
            .filter_map(|cell| Some((cell.series.as_str(), cell.latency.as_ref()?)))
            .filter(|(_, latency)| latency.count >= FEWEST)
            .map(|(series, latency)| (series, curve(latency)))
            .filter(|(_, curve)| curve.len() > 1)
            .collect();
        (!series.is_empty()).then_some(Percentiles { series })
    }

    /// What the chart shows, in words.
    pub fn description(&self) -> String {
        let worst = |(name, curve): &(&str, Vec<(f64, f64)>)| {
            let most = curve.last().map_or(0.0, |&(_, latency)| latency);
            format!("{name} at most {}", number::time(most))
        };
        self.series.iter().map(worst).collect::<Vec<_>>().join("; ")
    }

    /// Draws them.
    ///
    /// # Errors
    ///
    /// Whatever plotters gives.
    pub fn draw(&self) -> Result<Drawing, ReportError> {
        let columns = 4;
        let rows = self.series.len().div_ceil(columns) as i32;
        charts::drawing((WIDTH, PLOT + 16 + ROW * rows), |area| {
            let (plot, legend) = area.split_vertically(PLOT * SCALE);
            let points = || self.series.iter().flat_map(|(_, curve)| curve);
            let most = |of: fn(&(f64, f64)) -> f64| points().map(of).fold(1.0, f64::max);
            let least = points().map(|point| point.1).fold(f64::MAX, f64::min);
            let (x, y) = ((1.0, most(|p| p.0) * 1.3), (least / 1.3, most(|p| p.1) * 1.3));
            let mut chart = ChartBuilder::on(&plot)
                .margin(10 * SCALE)
                .x_label_area_size(46 * SCALE)
                .y_label_area_size(66 * SCALE)
                .build_cartesian_2d(
                    (x.0..x.1).log_scale().with_key_points(charts::decades(x)),
                    (y.0..y.1).log_scale().with_key_points(charts::decades(y)),
                )?;
            chart
                .configure_mesh()
                .light_line_style(TRANSPARENT)
                .bold_line_style(LINE.stroke_width(SCALE as u32))
                .axis_style(MUTED.stroke_width(SCALE as u32))
                .set_all_tick_mark_size(4 * SCALE)
                .label_style(charts::text(12, &MUTED))
                .axis_desc_style(charts::text(13, &INK))
                .x_label_formatter(&|n| percentile(*n))
                .y_label_formatter(&|ns| number::tick(*ns))
                .x_desc("percentile, the last of each series its maximum")
                .y_desc("latency")
                .draw()?;
            for (at, (name, curve)) in self.series.iter().enumerate() {
                let colour = marks::colour(at);
                let style = colour.stroke_width((SCALE * 3 / 2) as u32);
                chart.draw_series(LineSeries::new(curve.iter().copied(), style))?;
                for (place, point) in curve.iter().enumerate() {
                    // Shapes, as colours alone tell nobody apart; the last is the maximum.
                    if place % 8 == at % 8 || place + 1 == curve.len() {
                        let at_pixel = chart.plotting_area().map_coordinate(point);
                        shape(area, at_pixel, at)?;
                    }
                }
                let (column, row) = ((at % columns) as i32, (at / columns) as i32);
                let (left, top) = (24 + column * (WIDTH - 40) / columns as i32, 10 + ROW * row);
                shape(&legend, (left * SCALE, top * SCALE), at)?;
                let left_centre = Pos::new(HPos::Left, VPos::Center);
                let style = charts::text(13, &INK).pos(left_centre);
                let label = ((left + 12) * SCALE, top * SCALE);
                legend.draw(&Text::new((*name).to_owned(), label, style))?;
            }
            Ok(())
        })
    }
}

/// A distribution as one in how many, and the latency there; the maximum at the count.
fn curve(latency: &Latency) -> Vec<(f64, f64)> {
    let most = latency.count.max(1) as f64;
    let mut curve: Vec<(f64, f64)> = Vec::new();
    for &(quantile, ns) in latency.quantiles.iter().filter(|(_, ns)| *ns > 0) {
        let one_in = if quantile < 1.0 { 1.0 / (1.0 - quantile) } else { most };
        // Beyond the count there is nothing but the maximum.
        let is_known = quantile.is_finite() && (1.0..=most).contains(&one_in);
        if is_known && curve.last().is_none_or(|&(before, _)| one_in > before) {
            curve.push((one_in, ns as f64));
        }
    }
    curve
}

fn percentile(one_in: f64) -> String {
    match 1.0 - 1.0 / one_in {
        share if share <= 0.0 => "p0".to_owned(),
        share => format!("p{}", number::each((share * 1e8).round() / 1e6)),
    }
}

fn shape<'a>(
    area: &charts::Canvas<'a>,
    (x, y): (i32, i32),
    series: usize,
) -> Result<(), charts::Failure<'a>> {
    let outline = marks::outline(series, 4.0 * f64::from(SCALE));
    let corners: Vec<(i32, i32)> = outline.into_iter().map(|(dx, dy)| (x + dx, y + dy)).collect();
    area.draw(&Polygon::new(corners, marks::colour(series).filled()))
}
