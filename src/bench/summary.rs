//! From samples to the summary of a cell.

use std::collections::BTreeMap;

use fastrand::Rng;
use hdrhistogram::Histogram;

use super::collect::{Collected, Rounds, Stopped};
use super::{Group, Sample, Series, id};
use crate::record::{self, Latency, Status};
use crate::stats::{self, Estimate, Ratio};

/// How many pairs of a stall chart one cell carries at most.
const POINTS: usize = 40;

/// The quantiles that a cell carries.
const QUANTILES: &[f64] = &[
    0.0, 0.01, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75,
    0.8, 0.825, 0.85, 0.875, 0.9, 0.925, 0.95, 0.96, 0.97, 0.975, 0.98, 0.985, 0.99, 0.9925, 0.995,
    0.9975, 0.999, 0.9995, 0.9999, 1.0,
];

/// Summarises a collection: `series` and `rounds` are in the same order.
pub fn summarise(
    group: &Group,
    parameter: Option<&str>,
    series: &[Series],
    rounds: &Rounds,
    seed: u64,
) -> record::Collection {
    let mut rng = Rng::with_seed(seed);
    let reference = series.iter().position(|series| series.name == group.reference);
    let first = reference.map_or(&[][..], |at| &rounds.series[at].samples);
    let second = &rounds.control.samples[..];
    let control = stats::median_of(&control(first, second), &mut rng);
    let mut cells = Vec::new();
    for (series, collected) in series.iter().zip(&rounds.series) {
        let own = series.name == group.reference;
        let judged = if own {
            None
        } else {
            Ratio::judge(&to_reference(&collected.samples, first, second), control, &mut rng)
        };
        cells.push(cell(group, parameter, &series.name, collected, judged, &mut rng));
    }
    record::Collection {
        parameter: parameter.map(str::to_owned),
        elements: (group.elements)(parameter),
        control,
        skipped: None,
        cells,
    }
}

/// The ratios of a series to the reference, one a round: what the reference costs in a round
/// is the mean of its two runs, or the one that there is.
pub fn to_reference(samples: &[Sample], first: &[Sample], second: &[Sample]) -> Vec<f64> {
    ratios(samples, |round| match (values(first, round), values(second, round)) {
        (Some(a), Some(b)) => Some(f64::midpoint(a, b)),
        (one, other) => one.or(other),
    })
}

/// The ratios of the reference's second run to its first, one a round.
pub fn control(first: &[Sample], second: &[Sample]) -> Vec<f64> {
    ratios(second, |round| values(first, round))
}

fn values(samples: &[Sample], round: usize) -> Option<f64> {
    samples.get(round).map(|sample| sample.value_ns)
}

fn ratios(samples: &[Sample], base: impl Fn(usize) -> Option<f64>) -> Vec<f64> {
    let ratio = |(round, sample): (usize, &Sample)| {
        base(round).filter(|&base| base > 0.0).map(|base| sample.value_ns / base)
    };
    samples.iter().enumerate().filter_map(ratio).collect()
}

fn cell(
    group: &Group,
    parameter: Option<&str>,
    series: &str,
    collected: &Collected,
    ratio: Option<Ratio>,
    rng: &mut Rng,
) -> record::Cell {
    let values: Vec<f64> = collected.samples.iter().map(|sample| sample.value_ns).collect();
    let mut voids = BTreeMap::new();
    for reason in &collected.voids {
        *voids.entry(reason.clone()).or_default() += 1;
    }
    let mut counts = BTreeMap::new();
    for (name, n) in collected.samples.iter().flat_map(|sample| &sample.counts) {
        *counts.entry(name.clone()).or_default() += n;
    }
    let status = match &collected.stopped {
        Some(Stopped::Skipped(reason)) => Status::Skipped(reason.clone()),
        Some(Stopped::Failed(reason)) => Status::Failed(reason.clone()),
        None if values.is_empty() => Status::Interrupted,
        None => Status::Measured,
    };
    let stall = |sample: &Sample| {
        let trial = sample.trial.as_ref()?;
        Some((trial.byte_to_rescue_ns.unwrap_or(0), trial.bystander_ns?))
    };
    record::Cell {
        id: id(group.name, series, parameter),
        series: series.to_owned(),
        status,
        samples: values.len(),
        voids,
        median: stats::median_of(&values, rng),
        mean: stats::mean_of(&values, rng),
        ratio,
        latency: latency(&collected.samples),
        counts,
        stalls: collected.samples.iter().filter_map(stall).take(POINTS).collect(),
        cost: None,
    }
}

fn latency(samples: &[Sample]) -> Option<Latency> {
    let histogram = histogram(samples)?;
    Some(Latency {
        count: histogram.len(),
        quantiles: QUANTILES.iter().map(|&q| (q, histogram.value_at_quantile(q))).collect(),
    })
}

/// The single latencies of a cell in nanoseconds, to three significant digits; `None` where
/// it has none.
pub fn histogram(samples: &[Sample]) -> Option<Histogram<u64>> {
    // Auto-resizing: any value fits.
    let mut histogram = Histogram::new(3).ok()?;
    for &value in samples.iter().flat_map(|sample| &sample.latencies_ns) {
        histogram.record(value).ok()?;
    }
    (!histogram.is_empty()).then_some(histogram)
}

/// A collection that could not be made at all.
pub fn skipped(
    group: &Group,
    parameter: Option<&str>,
    series: &[Series],
    why: &str,
) -> record::Collection {
    let nothing = |series: &Series| {
        let reason = series.subject.as_ref().err().cloned().unwrap_or_else(|| why.to_owned());
        let stopped = Some(Stopped::Skipped(reason));
        let collected = Collected { stopped, ..Collected::default() };
        cell(group, parameter, &series.name, &collected, None, &mut Rng::with_seed(0))
    };
    record::Collection {
        parameter: parameter.map(str::to_owned),
        elements: (group.elements)(parameter),
        control: None::<Estimate>,
        skipped: Some(why.to_owned()),
        cells: series.iter().map(nothing).collect(),
    }
}
