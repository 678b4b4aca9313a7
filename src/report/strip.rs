//! A ratio as a dot and its interval, on a log axis that all rows of a table share.

use super::findings::Verdict;
use crate::record::{Cell, Collection, Group};
use crate::stats::Estimate;

/// How wide a strip is, in CSS pixels.
pub const WIDTH: f64 = 150.0;

/// What is left free on either side, for the labels of the outermost ticks.
const MARGIN: f64 = 14.0;

/// How far apart the middles of two labels are at least.
const LABEL: f64 = 32.0;

/// The axis of one table.
#[derive(Debug)]
pub struct Axis {
    /// The logarithms of its ends.
    low: f64,
    high: f64,
    /// What the reference differs from itself, from and to.
    floor: (f64, f64),
}

/// A tick of the axis: where, and what it says.
#[derive(Debug)]
pub struct Tick {
    /// From the left.
    pub x: String,
    /// The ratio.
    pub label: String,
}

/// One row's drawing; all positions from the left.
#[derive(Debug)]
pub struct Strip {
    /// The noise floor: where it begins, and its width.
    pub floor: (String, String),
    /// Where the ratio is one.
    pub one: String,
    /// The judged interval.
    pub judged: (String, String),
    /// The interval before it was widened.
    pub raw: (String, String),
    /// The ratio itself.
    pub point: String,
    /// `tie`, `slower`, `faster` or `reference`, for the style sheet.
    pub verdict: &'static str,
}

impl Axis {
    /// An axis that holds every ratio of a collection; `None` where there is nothing to show.
    pub fn of(group: &Group, collection: &Collection) -> Option<Axis> {
        let control = collection.control.unwrap_or(Estimate { point: 1.0, low: 1.0, high: 1.0 });
        // As Ratio::judge widens: the control counts in both directions.
        let floor = (
            control.low.min(1.0 / control.high).min(1.0),
            control.high.max(1.0 / control.low).max(1.0),
        );
        let compared = collection.cells.iter().filter(|cell| Verdict::of(group, cell).is_some());
        let intervals: Vec<Estimate> =
            compared.filter_map(|cell| cell.ratio.map(|ratio| ratio.judged)).collect();
        let low = intervals.iter().map(|i| i.low).fold(floor.0, f64::min);
        let high = intervals.iter().map(|i| i.high).fold(floor.1, f64::max);
        let drawable = low > 0.0 && low.is_finite() && high.is_finite() && low < high;
        (drawable && !intervals.is_empty()).then(|| Axis { low: low.ln(), high: high.ln(), floor })
    }

    fn x(&self, ratio: f64) -> f64 {
        let part = (ratio.ln() - self.low) / (self.high - self.low);
        MARGIN + part.clamp(0.0, 1.0) * (WIDTH - 2.0 * MARGIN)
    }

    /// Its ticks: one first, then powers of ten, then rounder before less round numbers, each
    /// where there is room.
    pub fn ticks(&self) -> Vec<Tick> {
        let decades = (1..=6).flat_map(|power| [10f64.powi(power), 10f64.powi(-power)]);
        let between = [2.0, 0.5, 5.0, 0.2, 1.5, 0.7, 1.2, 0.8, 1.1, 0.9, 3.0, 0.3, 1.05, 0.95];
        let mut placed: Vec<(f64, f64)> = Vec::new();
        for ratio in std::iter::once(1.0).chain(decades).chain(between) {
            let inside = (self.low..=self.high).contains(&f64::ln(ratio));
            let x = self.x(ratio);
            if inside && placed.iter().all(|(other, _)| (other - x).abs() >= LABEL) {
                placed.push((x, ratio));
            }
        }
        placed.sort_by(|a, b| a.0.total_cmp(&b.0));
        placed.into_iter().map(|(x, r)| Tick { x: spelt(x), label: r.to_string() }).collect()
    }

    /// The row of a cell; the reference's shows the control. `None` where there is nothing to
    /// show.
    pub fn strip(&self, group: &Group, collection: &Collection, cell: &Cell) -> Option<Strip> {
        let verdict = Verdict::of(group, cell)?;
        let (raw, judged) = match (cell.ratio, collection.control) {
            (Some(ratio), _) => (ratio.raw, ratio.judged),
            (None, Some(control)) => (control, control),
            (None, None) => {
                let one = Estimate { point: 1.0, low: 1.0, high: 1.0 };
                (one, one)
            }
        };
        let ends = |e: Estimate| (spelt(self.x(e.low)), spelt(self.x(e.high)));
        let (from, to) = (self.x(self.floor.0), self.x(self.floor.1));
        Some(Strip {
            floor: (spelt(from), spelt(to - from)),
            one: spelt(self.x(1.0)),
            judged: ends(judged),
            raw: ends(raw),
            point: spelt(self.x(raw.point)),
            verdict: verdict.word(),
        })
    }
}

/// To a tenth, without a nought behind the point.
fn spelt(x: f64) -> String {
    format!("{}", (x * 10.0).round() / 10.0)
}
