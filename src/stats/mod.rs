//! The statistics of paired rounds: medians, ratios, and intervals that allow for rounds that
//! resemble their neighbours.
//!
//! What each part rests on is named where it stands: [`block`] resamples, [`Ratio`] compares
//! within a run, [`fdr`] judges many comparisons at once.

pub mod block;
pub mod fdr;
mod ratio;

use fastrand::Rng;
use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};
use statrs::statistics::{Data, OrderStatistics, Statistics};

pub use ratio::Ratio;

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

    /// Spelt as a ratio with its interval: `1.005x [0.990, 1.022]`.
    pub fn as_ratio(&self) -> String {
        let spelt = |value: f64| format!("{value:.*}", self.decimals());
        format!("{}x [{}, {}]", spelt(self.point), spelt(self.low), spelt(self.high))
    }

    /// The point alone, spelt as a ratio: `1.005x`.
    pub fn point_as_ratio(&self) -> String {
        format!("{:.*}x", self.decimals(), self.point)
    }

    /// Three decimals for a ratio near 1; for others as many as tell as much.
    fn decimals(&self) -> usize {
        match self.point.abs().log10().floor() {
            magnitude if magnitude < 0.0 => (2.0 - magnitude.max(-6.0)) as usize,
            magnitude => (3.0 - magnitude.min(3.0)) as usize,
        }
    }
}

/// How far an estimate may be off: the standard error of its logarithm, and what it rests on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Error {
    /// The standard error, on the scale of natural logarithms: about the relative error.
    pub log: f64,
    /// Its degrees of freedom: how many blocks the sample has, less one.
    pub freedom: f64,
}

impl Error {
    /// The error of a sum or a difference of two independent estimates: variances add, and the
    /// degrees of freedom are Welch's and Satterthwaite's (Satterthwaite 1946, "An Approximate
    /// Distribution of Estimates of Variance Components").
    pub fn and(self, other: Error) -> Error {
        let (a, b) = (self.log.powi(2), other.log.powi(2));
        let freedom = (a + b).powi(2) / (a * a / self.freedom + b * b / other.freedom);
        Error { log: (a + b).sqrt(), freedom: if freedom.is_finite() { freedom } else { 1.0 } }
    }

    /// The estimate whose logarithm has this error: Student's interval about `point`, which is
    /// above 0.
    pub fn about(self, point: f64) -> Estimate {
        self.at_level(0.95, point)
    }

    /// The same at another level of confidence than 0.95.
    pub fn at_level(self, level: f64, point: f64) -> Estimate {
        // JSON has no infinity: an interval that knows nothing ends before it.
        const MOST: f64 = 300.0;
        let off = (self.quantile(f64::midpoint(1.0, level)) * self.log).min(MOST).exp();
        Estimate { point, low: point / off, high: point * off }
    }

    /// How probable a logarithm at least `off` away from its true value is.
    pub fn two_sided(self, off: f64) -> f64 {
        if self.log == 0.0 {
            return if off == 0.0 { 1.0 } else { 0.0 };
        }
        match StudentsT::new(0.0, 1.0, self.freedom) {
            Ok(student) => 2.0 * student.sf((off / self.log).abs()),
            Err(_) => 1.0,
        }
    }

    /// A quantile of Student's distribution with these degrees of freedom.
    pub fn quantile(self, p: f64) -> f64 {
        student(p, self.freedom)
    }
}

/// A quantile of Student's distribution.
fn student(p: f64, freedom: f64) -> f64 {
    StudentsT::new(0.0, 1.0, freedom).map_or(f64::INFINITY, |t| t.inverse_cdf(p))
}

/// The median of a sample that is not empty.
pub fn median(values: &[f64]) -> f64 {
    Data::new(values.to_vec()).median()
}

/// The mean of a sample that is not empty.
pub fn mean(values: &[f64]) -> f64 {
    values.mean()
}

/// The median with its interval; `None` of fewer than two values, and of values that are not
/// above 0.
pub fn median_of(values: &[f64], rng: &mut Rng) -> Option<Estimate> {
    let error = block::error(values, median, rng)?;
    Some(error.about(median(values)))
}

/// The median of differences, which may be on either side of 0, with its interval; `None` of
/// fewer than two, and where one is not finite.
pub fn median_difference(values: &[f64], rng: &mut Rng) -> Option<Estimate> {
    let (error, freedom) = block::linear_error(values, median, rng)?;
    let (point, off) = (median(values), student(0.975, freedom) * error);
    Some(Estimate { point, low: point - off, high: point + off })
}

/// The mean with its interval; `None` as of [`median_of`].
pub fn mean_of(values: &[f64], rng: &mut Rng) -> Option<Estimate> {
    let error = block::error(values, mean, rng)?;
    Some(error.about(mean(values)))
}
