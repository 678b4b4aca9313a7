//! From pairs of ratios to findings.
//!
//! Three things make two runs of the same code differ, and each is met where it arises.
//!
//! - *Chance within a run*: the errors of both ratios, whose variances add
//!   ([`Error::and`]).
//! - *The reference's own luck*, which moves all series of a collection together: the median
//!   of the collection is taken out, and told.
//! - *What differs from one start of the program to the next* (memory layout, neighbours on the
//!   machine): no error from within a run knows of it. The spread of all cells of a group, most
//!   of which nobody changed, shows how much it is ([`Spread`]), and every interval of the
//!   group is widened by it.
//!
//! What is left is judged for all cells at once ([`fdr::adjusted`]), the modelled kernels apart.
//! One cell may be too noisy to show a small change that all cells of a backend share, so each
//! backend is judged by the mean of its cells too.

use std::collections::BTreeMap;

use super::{Backend, Change, Compared, Finding, RATE, Shift, backend};
use crate::record::Cell;
use crate::stats::fdr::{self, Spread};
use crate::stats::{Error, Ratio, median};

/// So many cells tell what they have in common, and how they spread.
const ENOUGH: usize = 4;

/// So many cells of a group tell their own spread; fewer borrow the kernel's.
const MANY: usize = 10;

/// Two ratios of one cell: the logarithm of the one over the other, and its error.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paired {
    log: f64,
    error: Error,
}

impl Paired {
    /// The two of a cell; `None` where one has no ratio.
    pub(super) fn of(base: &Cell, other: &Cell) -> Option<Paired> {
        let (a, b) = (base.ratio?, other.ratio?);
        let error = error(&a, base.samples).and(error(&b, other.samples));
        let log = (b.raw.point / a.raw.point).ln();
        (log.is_finite() && error.log.is_finite() && error.freedom > 0.0)
            .then_some(Paired { log, error })
    }
}

/// A ratio's error; of a record that has none, from the width of its interval.
fn error(ratio: &Ratio, samples: usize) -> Error {
    ratio.error.unwrap_or_else(|| {
        let width = (ratio.raw.high / ratio.raw.low).ln();
        Error { log: width / (2.0 * 1.96), freedom: (samples as f64 - 1.0).max(1.0) }
    })
}

/// What the whole of a comparison says beside its cells.
pub(super) struct Judged {
    pub(super) shifts: Vec<Shift>,
    pub(super) backends: Vec<Backend>,
}

/// One cell on its way: which it is, and what it has come to so far.
#[derive(Clone, Copy)]
struct One {
    at: usize,
    log: f64,
    error: Error,
}

/// Judges the wanted cells that have a pair, in place.
pub(super) fn judge(
    cells: &mut [Compared],
    pairs: &[Option<Paired>],
    wanted: impl Fn(&str) -> bool,
) -> Judged {
    let mut judged = Judged { shifts: Vec::new(), backends: Vec::new() };
    let mut ones: Vec<One> = Vec::new();
    for (at, pair) in pairs.iter().enumerate() {
        ones.extend(pair.map(|Paired { log, error }| One { at, log, error }));
    }
    take_out_shifts(cells, &mut ones, &mut judged.shifts);
    for kernel in grouped(&ones, |one| cells[one.at].kernel.clone()) {
        let mut kernel = kernel;
        widen(&mut kernel, |one| cells[one.at].group.clone());
        kernel.retain(|one| wanted(&cells[one.at].id));
        let changes = findings(&kernel.iter().map(|one| (one.log, one.error)).collect::<Vec<_>>());
        judged.backends.extend(backends(cells, &kernel));
        for (one, change) in kernel.iter().zip(changes) {
            cells[one.at].change = Ok(change);
        }
    }
    judged
}

/// Takes out of each collection what its cells have in common.
fn take_out_shifts(cells: &[Compared], ones: &mut [One], shifts: &mut Vec<Shift>) {
    let name = |one: &One| {
        let cell = &cells[one.at];
        let parameter = cell.parameter.as_deref().map(|parameter| format!("/{parameter}"));
        format!("{}{}", cell.group, parameter.unwrap_or_default())
    };
    let mut collections: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, one) in ones.iter().enumerate() {
        collections.entry(name(one)).or_default().push(at);
    }
    for (collection, those) in collections {
        if those.len() < ENOUGH {
            continue;
        }
        let logs: Vec<f64> = those.iter().map(|&at| ones[at].log).collect();
        let shift = median(&logs);
        for at in those {
            ones[at].log -= shift;
        }
        shifts.push(Shift { collection, ratio: shift.exp() });
    }
}

/// The cells in groups of the same key, in the order of their first.
fn grouped<K: PartialEq>(ones: &[One], key: impl Fn(&One) -> K) -> Vec<Vec<One>> {
    let mut groups: Vec<(K, Vec<One>)> = Vec::new();
    for one in ones {
        let key = key(one);
        match groups.iter_mut().find(|(known, _)| *known == key) {
            Some((_, members)) => members.push(*one),
            None => groups.push((key, vec![*one])),
        }
    }
    groups.into_iter().map(|(_, members)| members).collect()
}

/// Widens each error by what the cells of its group differ by.
fn widen(kernel: &mut [One], group: impl Fn(&One) -> String) {
    let overall = spread(kernel);
    let mut spreads: BTreeMap<String, Spread> = BTreeMap::new();
    for members in grouped(kernel, &group) {
        let own = if members.len() < MANY { overall } else { spread(&members) };
        spreads.insert(group(&members[0]), own);
    }
    for one in kernel {
        one.error = spreads.get(&group(one)).unwrap_or(&overall).widen(one.error);
    }
}

fn spread(ones: &[One]) -> Spread {
    let known = ones.iter().filter(|one| one.error.log > 0.0);
    let scores: Vec<f64> = known.map(|one| one.log / one.error.log).collect();
    if scores.len() < ENOUGH { Spread::NONE } else { Spread::of(&scores) }
}

/// What logarithms of ratios with their errors come to, all together.
fn findings(logs: &[(f64, Error)]) -> Vec<Change> {
    let p: Vec<f64> = logs.iter().map(|(log, error)| error.two_sided(*log)).collect();
    let change = |(&(log, error), p): (&(f64, Error), f64)| Change {
        ratio: error.about(log.exp()),
        p,
        finding: match p <= RATE {
            true if log < 0.0 => Finding::Better,
            true if log > 0.0 => Finding::Worse,
            _ => Finding::Indistinguishable,
        },
    };
    logs.iter().zip(fdr::adjusted(&p)).map(change).collect()
}

/// Each backend by the mean of its cells on one kernel, weighted by their precision. How far
/// such means are from 0 where nothing was changed is again told by most of them.
fn backends(cells: &[Compared], kernel: &[One]) -> Vec<Backend> {
    let mut by_backend = grouped(kernel, |one| backend(&cells[one.at].series).to_owned());
    // One cell says nothing that is not said of it already.
    by_backend.retain(|members| members.len() > 1);
    let mut means: Vec<One> = by_backend.iter().filter_map(|members| mean(members)).collect();
    let wider = spread(&means);
    for mean in &mut means {
        mean.error = wider.widen(mean.error);
    }
    let changes = findings(&means.iter().map(|one| (one.log, one.error)).collect::<Vec<_>>());
    let named = |(one, change): (&One, Change)| {
        let cell = &cells[one.at];
        let name = backend(&cell.series).to_owned();
        let those = by_backend.iter().find(|members| members[0].at == one.at);
        Backend { name, kernel: cell.kernel.clone(), cells: those.map_or(0, Vec::len), change }
    };
    means.iter().zip(changes).map(named).collect()
}

/// The mean of a backend's cells; `None` where none has an error to weigh it by.
fn mean(members: &[One]) -> Option<One> {
    let weight = |one: &&One| one.error.log.powi(-2);
    let known: Vec<&One> = members.iter().filter(|one| one.error.log > 0.0).collect();
    let whole: f64 = known.iter().map(weight).sum();
    let log = known.iter().map(|one| weight(one) * one.log).sum::<f64>() / whole;
    // Satterthwaite's, for a sum of which each part has its share of the variance.
    let share = |one: &&One| (weight(one) / whole).powi(2) / one.error.freedom;
    let freedom = 1.0 / known.iter().map(share).sum::<f64>();
    let error = Error { log: whole.powf(-0.5), freedom };
    (whole > 0.0 && whole.is_finite()).then_some(One { at: members[0].at, log, error })
}
