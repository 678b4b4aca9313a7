//! The medians of a group with their intervals, one mark a series at each parameter.

use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::drawing::{self, Canvas, Drawing, Failure, ROW, SCALE, decades, extent, mark, text};
use super::findings::missing;
use super::marks::{self, INK, LINE};
use super::series::{self, Side};
use super::{ReportError, number};
use crate::record::Group;
use crate::stats::Estimate;

/// How wide a chart is, in CSS pixels, its legend included.
const WIDTH: i32 = 800;

/// How wide the legend is.
const LEGEND: i32 = 230;

/// How high a chart is at least.
const HEIGHT: i32 = 300;

/// The medians of a group.
#[derive(Debug)]
pub struct Medians<'a> {
    title: String,
    parameters: Vec<&'a str>,
    series: Vec<&'a str>,
    /// The shape of each series.
    shapes: Vec<(usize, Side)>,
    /// The place of the parameter and of the series, and the median.
    points: Vec<(usize, usize, Estimate)>,
}

impl<'a> Medians<'a> {
    /// Of a group; `None` where it has no median.
    pub fn of(title: String, group: &'a Group) -> Option<Medians<'a>> {
        let (parameters, series) = (Vec::new(), Vec::new());
        let (shapes, points) = (Vec::new(), Vec::new());
        let mut medians = Medians { title, parameters, series, shapes, points };
        for collection in &group.collections {
            let mut measured =
                collection.cells.iter().filter(|cell| missing(&cell.status).is_none()).peekable();
            if measured.peek().is_none() {
                continue;
            }
            medians.parameters.push(collection.parameter.as_deref().unwrap_or(""));
            for cell in measured {
                let drawable = |e: &Estimate| {
                    e.low > 0.0 && e.low <= e.point && e.point <= e.high && e.high.is_finite()
                };
                let Some(median) = cell.median.filter(drawable) else { continue };
                let known = medians.series.iter().position(|name| *name == cell.series);
                let series = known.unwrap_or_else(|| {
                    medians.series.push(&cell.series);
                    medians.series.len() - 1
                });
                medians.points.push((medians.parameters.len() - 1, series, median));
            }
        }
        // As in the group's other charts: what was not measured has its shape too.
        let all = group.collections.iter().flat_map(|collection| &collection.cells);
        let all: Vec<&str> = all.map(|cell| cell.series.as_str()).collect();
        let shapes = series::shapes(&all);
        let shape = |name: &&str| all.iter().position(|one| one == name).map(|at| shapes[at]);
        medians.shapes = medians.series.iter().filter_map(shape).collect();
        (!medians.points.is_empty()).then_some(medians)
    }

    /// What the chart shows, in words.
    pub fn description(&self) -> String {
        let (n, series) = (number::of(self.points.len(), "median"), self.series.len());
        format!("{n} of {series} series, each with its 95 % interval. The tables have them all.")
    }

    /// Draws it.
    ///
    /// # Errors
    ///
    /// Whatever plotters gives.
    pub fn draw(&self) -> Result<Drawing, ReportError> {
        let rows = self.series.len().min(100) as i32;
        drawing::drawing((WIDTH, HEIGHT.max(44 + ROW * rows)), |area| self.plot(area))
    }

    fn plot<'b>(&self, area: &Canvas<'b>) -> Result<(), Failure<'b>> {
        let ends = self.points.iter().flat_map(|(_, _, median)| [median.low, median.high]);
        let y = extent(ends).unwrap_or((1.0, 10.0));
        let y = (y.0 / 1.3, y.1 * 1.3);
        area.draw(&Text::new(self.title.clone(), (8 * SCALE, 2 * SCALE), text(14, &INK)))?;
        let (_, below) = area.split_vertically(22 * SCALE);
        let (plot, legend) = below.split_horizontally((WIDTH - LEGEND) * SCALE);
        let parameters = self.parameters.len();
        let mut chart = ChartBuilder::on(&plot)
            .margin(4 * SCALE)
            .x_label_area_size(24 * SCALE)
            .y_label_area_size(62 * SCALE)
            .build_cartesian_2d(
                0f64..parameters as f64,
                (y.0..y.1).log_scale().with_key_points(decades(y)),
            )?;
        drawing::grid(&mut chart.configure_mesh())
            .disable_x_mesh()
            .disable_x_axis()
            .y_label_formatter(&|ns| number::tick(*ns))
            .y_desc("median")
            .draw()?;
        let at = |x: f64, y: f64| chart.plotting_area().map_coordinate(&(x, y));
        for (place, name) in self.parameters.iter().enumerate() {
            let style = drawing::beside(13, &INK, HPos::Center);
            let (left, bottom) = at(place as f64 + 0.5, y.0);
            area.draw(&Text::new((*name).to_owned(), (left, bottom + 12 * SCALE), style))?;
            if place > 0 {
                let line = vec![at(place as f64, y.0), at(place as f64, y.1)];
                area.draw(&PathElement::new(line, LINE.stroke_width(SCALE as u32)))?;
            }
        }
        let step = 0.86 / self.series.len().max(1) as f64;
        for (parameter, series, median) in &self.points {
            let x = *parameter as f64 + 0.07 + step * (*series as f64 + 0.5);
            let style = marks::colour(self.shapes[*series].0).stroke_width(SCALE as u32 * 3 / 2);
            area.draw(&PathElement::new(vec![at(x, median.low), at(x, median.high)], style))?;
            let (shape, side) = self.shapes[*series];
            mark(area, at(x, median.point), shape, 4.0, side)?;
        }
        for (series, name) in self.series.iter().enumerate() {
            let y = 12 + ROW * series as i32;
            let (shape, side) = self.shapes[series];
            mark(&legend, (14 * SCALE, y * SCALE), shape, 4.4, side)?;
            drawing::name(&legend, name, (28, y), 12)?;
        }
        Ok(())
    }
}
