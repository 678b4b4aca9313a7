//! The block bootstrap: what a statistic of a series is off by, where neighbours are alike.
//!
//! Rounds are taken one after the other, and a machine's state changes slowly: a round
//! resembles the one before it, and resampling single rounds would take them for more
//! evidence than they are. So blocks of consecutive rounds are resampled, on a circle
//! (Politis and Romano 1992, "A circular block-resampling procedure for stationary data").
//! A block of the cube root of the sample's length is the order that is best for a variance
//! (Hall, Horowitz and Jing 1995, "On blocking rules for the bootstrap with dependent data").
//!
//! Blocks that short leave part of the dependence out. What an autoregression of the first
//! order would have in it beyond a block is put back (Andrews and Monahan 1992, "An Improved
//! Heteroskedasticity and Autocorrelation Consistent Covariance Matrix Estimator": prewhitening
//! and recolouring), with the autocorrelation corrected for its bias in short series
//! (Marriott and Pope 1954; Kendall 1954, "Note on Bias in the Estimation of
//! Autocorrelation"). With Student's quantiles for as many degrees of freedom as there are
//! blocks, less one, intervals hold the truth as often as they say: `tests/stats.rs` counts.

use fastrand::Rng;

use super::{Error, mean};

/// How often a sample is resampled.
pub const RESAMPLES: usize = 400;

/// The error of a statistic's logarithm; `None` of fewer than two values, whose error is
/// anything, and where one is not above 0 and finite.
pub fn error(values: &[f64], statistic: fn(&[f64]) -> f64, rng: &mut Rng) -> Option<Error> {
    let is_fit = |value: &f64| value.is_finite() && *value > 0.0;
    if values.len() < 2 || !values.iter().all(is_fit) {
        return None;
    }
    let resampled = resampled(values, statistic, RESAMPLES, || rng.usize(..values.len()));
    let inflation = beyond_blocks(autocorrelation(values), length(values.len()));
    Some(Error { log: resampled * inflation.sqrt(), freedom: freedom(values.len()) })
}

/// The standard error of a statistic itself, with its degrees of freedom: for values that may
/// be on either side of 0, such as differences. `None` of fewer than two values, and where one
/// is not finite.
pub fn linear_error(
    values: &[f64],
    statistic: fn(&[f64]) -> f64,
    rng: &mut Rng,
) -> Option<(f64, f64)> {
    if values.len() < 2 || !values.iter().all(|value| value.is_finite()) {
        return None;
    }
    let length = length(values.len());
    let mut start = || rng.usize(..values.len());
    let one = |_| statistic(&resample(values, length, &mut start));
    let resampled = deviation(&(0..RESAMPLES).map(one).collect::<Vec<f64>>());
    let inflation = beyond_blocks(alike(values), length);
    Some((resampled * inflation.sqrt(), freedom(values.len())))
}

/// The standard deviation of the logarithms of a statistic over so many samples made of blocks,
/// which begin where `start` says.
pub fn resampled(
    values: &[f64],
    statistic: fn(&[f64]) -> f64,
    resamples: usize,
    mut start: impl FnMut() -> usize,
) -> f64 {
    let length = length(values.len());
    let logarithm = |_| statistic(&resample(values, length, &mut start)).ln();
    deviation(&(0..resamples).map(logarithm).collect::<Vec<f64>>())
}

/// The degrees of freedom: how many blocks so many values have, less one; at least 1.
fn freedom(values: usize) -> f64 {
    (values as f64 / length(values) as f64 - 1.0).max(1.0)
}

/// How long a block is, for so many values.
pub fn length(values: usize) -> usize {
    // Rounding up by a hair more than a cube root is off by.
    ((values as f64).cbrt() - 1e-9).ceil().max(1.0) as usize
}

/// A sample as long as `values`, of blocks that begin where `start` says and go on round the
/// end.
fn resample(values: &[f64], length: usize, start: &mut impl FnMut() -> usize) -> Vec<f64> {
    let mut sample = Vec::with_capacity(values.len() + length);
    while sample.len() < values.len() {
        let from = start() % values.len();
        let (before, after) = (&values[..from], &values[from..]);
        let round_the_end = length.saturating_sub(after.len()).min(before.len());
        sample.extend_from_slice(&after[..length.min(after.len())]);
        sample.extend_from_slice(&before[..round_the_end]);
    }
    sample.truncate(values.len());
    sample
}

/// The autocorrelation of the values' logarithms at a distance of one, corrected for the bias
/// that it has in a short series; between 0 and 0.9. Four values or fewer tell of none.
pub fn autocorrelation(values: &[f64]) -> f64 {
    alike(&values.iter().map(|value| value.ln()).collect::<Vec<f64>>())
}

/// The same of the values themselves.
fn alike(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let centre = mean(values);
    let off: Vec<f64> = values.iter().map(|value| value - centre).collect();
    let variance: f64 = off.iter().map(|off| off * off).sum();
    if variance == 0.0 || n <= 4.0 {
        return 0.0;
    }
    let raw = off.windows(2).map(|pair| pair[0] * pair[1]).sum::<f64>() / variance;
    // Its expectation is rho - (1 + 4 rho) / n.
    ((n * raw + 1.0) / (n - 4.0)).clamp(0.0, 0.9)
}

/// How many times the variance of a mean is what blocks of this length see of it, if
/// neighbours are correlated so.
pub fn beyond_blocks(correlation: f64, length: usize) -> f64 {
    let whole = (1.0 + correlation) / (1.0 - correlation);
    let within = |lag: usize| (1.0 - lag as f64 / length as f64) * correlation.powi(lag as i32);
    whole / (1.0 + 2.0 * (1..length).map(within).sum::<f64>())
}

fn deviation(values: &[f64]) -> f64 {
    let centre = mean(values);
    let squares: f64 = values.iter().map(|value| (value - centre).powi(2)).sum();
    (squares / (values.len() as f64 - 1.0)).sqrt()
}
