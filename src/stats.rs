//! The statistics of paired rounds: medians, ratios, percentile-bootstrap intervals.
//!
//! Sources: Efron and Tibshirani, "An Introduction to the Bootstrap" (1993), chapter 13
//! (percentile intervals); pairing by round as in `METHODOLOGY.md`.

use fastrand::Rng;
use serde::{Deserialize, Serialize};
use statrs::statistics::{Data, OrderStatistics, Statistics};

/// How often a sample is resampled for an interval.
pub const RESAMPLES: usize = 2_000;

/// An estimate and its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The statistic of the sample itself.
    pub point: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Estimate {
    /// Whether the interval holds `value`.
    pub fn holds(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }
}

/// The median of a sample that is not empty.
pub fn median(values: &[f64]) -> f64 {
    Data::new(values.to_vec()).median()
}

/// The median with its bootstrap interval; `None` of nothing.
pub fn median_of(values: &[f64], rng: &mut Rng) -> Option<Estimate> {
    bootstrap(values, median, rng)
}

/// The mean with its bootstrap interval; `None` of nothing.
pub fn mean_of(values: &[f64], rng: &mut Rng) -> Option<Estimate> {
    bootstrap(values, |values| values.mean(), rng)
}

fn bootstrap(values: &[f64], statistic: fn(&[f64]) -> f64, rng: &mut Rng) -> Option<Estimate> {
    if values.is_empty() {
        return None;
    }
    let mut resample = vec![0.0; values.len()];
    let statistics: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            resample.fill_with(|| values[rng.usize(..values.len())]);
            statistic(&resample)
        })
        .collect();
    let mut statistics = Data::new(statistics);
    Some(Estimate {
        point: statistic(values),
        low: statistics.quantile(0.025),
        high: statistics.quantile(0.975),
    })
}

/// One group's ratio of a backend to the reference, judged by the run's own control.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ratio {
    /// The median of the rounds' ratios and its interval.
    pub raw: Estimate,
    /// The same, the interval widened by the control's: what two runs of one and the same
    /// code differ by counts for no difference.
    pub judged: Estimate,
}

impl Ratio {
    /// Judges the ratios of a series, one a round, by the control's estimate.
    pub fn judge(ratios: &[f64], control: Option<Estimate>, rng: &mut Rng) -> Option<Ratio> {
        let raw = median_of(ratios, rng)?;
        let spread = control.unwrap_or(Estimate { point: 1.0, low: 1.0, high: 1.0 });
        let judged = Estimate {
            point: raw.point,
            low: raw.low * spread.low.min(1.0 / spread.high).min(1.0),
            high: raw.high * spread.high.max(1.0 / spread.low).max(1.0),
        };
        Some(Ratio { raw, judged })
    }

    /// Whether the data cannot tell the two apart.
    pub fn is_tie(&self) -> bool {
        self.judged.holds(1.0)
    }
}
