//! What a run found, worked out once for the page and for the closing lines.

use std::collections::{BTreeMap, BTreeSet};

use super::number;
use crate::probe::verdict::Answer;
use crate::record::{Cell, Collection, Group, Run, Status};
use crate::stats::Ratio;

/// The group whose stalls are forced by a rival.
pub const FORCED: &str = "stall";

/// The group whose stalls nobody forces.
pub const NATURAL: &str = "stall_natural";

/// The mode of a listener, as the name of a series tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// `<backend>-blocking`.
    Blocking,
    /// `<backend>-nonblocking`.
    NonBlocking,
}

/// The backend and the listener's mode of a series that has both in its name.
pub fn side(series: &str) -> Option<(&str, Side)> {
    let nonblocking = series.strip_suffix("-nonblocking").map(|name| (name, Side::NonBlocking));
    nonblocking.or_else(|| series.strip_suffix("-blocking").map(|name| (name, Side::Blocking)))
}

/// The backend of a series, whatever else its name tells.
pub fn backend(series: &str) -> &str {
    side(series).map_or(series, |(name, _)| name)
}

/// A count of a cell; 0 where it has none of that name.
pub fn counted(cell: &Cell, name: &str) -> u64 {
    cell.counts.get(name).copied().unwrap_or(0)
}

/// How a cell compares with the reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is what the others are compared with.
    Reference,
    /// The data cannot tell it from the reference.
    Tie,
    /// It takes longer.
    Slower,
    /// It takes less long.
    Faster,
}

impl Verdict {
    /// The verdict on a cell; `None` where it was not compared.
    pub fn of(group: &Group, cell: &Cell) -> Option<Verdict> {
        if cell.status != Status::Measured {
            return None;
        }
        match &cell.ratio {
            _ if cell.series == group.reference => Some(Verdict::Reference),
            Some(ratio) if ratio.is_tie() => Some(Verdict::Tie),
            Some(ratio) if ratio.raw.point > 1.0 => Some(Verdict::Slower),
            Some(_) => Some(Verdict::Faster),
            None => None,
        }
    }

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Reference => "reference",
            Verdict::Tie => "tie",
            Verdict::Slower => "slower",
            Verdict::Faster => "faster",
        }
    }
}

/// The series of a collection that differ from the reference, and those that do not.
#[derive(Debug, Default)]
pub struct Standing<'a> {
    /// Slower, the slowest first.
    pub slower: Vec<(&'a str, Ratio)>,
    /// Faster, the fastest first.
    pub faster: Vec<(&'a str, Ratio)>,
    /// Ties, in the order of the registry.
    pub ties: Vec<&'a str>,
}

impl<'a> Standing<'a> {
    /// Of one collection.
    pub fn of(group: &Group, collection: &'a Collection) -> Standing<'a> {
        let mut standing = Standing::default();
        for cell in &collection.cells {
            match (Verdict::of(group, cell), cell.ratio) {
                (Some(Verdict::Slower), Some(ratio)) => standing.slower.push((&cell.series, ratio)),
                (Some(Verdict::Faster), Some(ratio)) => standing.faster.push((&cell.series, ratio)),
                (Some(Verdict::Tie), _) => standing.ties.push(&cell.series),
                _ => {}
            }
        }
        standing.slower.sort_by(|a, b| b.1.raw.point.total_cmp(&a.1.raw.point));
        standing.faster.sort_by(|a, b| a.1.raw.point.total_cmp(&b.1.raw.point));
        standing
    }

    /// Whether nothing was compared.
    pub fn is_empty(&self) -> bool {
        self.slower.is_empty() && self.faster.is_empty() && self.ties.is_empty()
    }

    /// In words: at most `limit` of each kind by name, the others by number. `times` is the
    /// sign behind a ratio.
    pub fn words(&self, limit: usize, times: &str) -> String {
        let named = |word: &str, list: &[(&str, Ratio)]| {
            let one = |(name, ratio): &(&str, Ratio)| {
                let (point, interval) =
                    (number::ratio(ratio.raw.point), number::ratio_interval(&ratio.judged));
                format!("{name} {point}{times} {interval}")
            };
            let mut shown: Vec<String> = list.iter().take(limit).map(one).collect();
            if list.len() > limit {
                shown.push(format!("{} more", list.len() - limit));
            }
            (!shown.is_empty()).then(|| format!("{word}: {}", shown.join(", ")))
        };
        let ties = (!self.ties.is_empty()).then(|| format!("ties: {}", self.ties.join(", ")));
        let parts = [named("faster", &self.faster), named("slower", &self.slower), ties];
        parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
    }
}

/// The collections whose standing stands for their group's: of each group that is not made
/// of stalls the last one in which something was compared.
pub fn telling<'a>(run: &'a Run) -> Vec<(&'a Group, &'a Collection, Standing<'a>)> {
    let groups = run.groups.iter().filter(|g| g.name != FORCED && g.name != NATURAL);
    let last = |group: &'a Group| {
        let collections = group.collections.iter().rev();
        let mut compared = collections.map(|c| (group, c, Standing::of(group, c)));
        compared.find(|(_, _, standing)| !standing.is_empty())
    };
    groups.filter_map(last).collect()
}

/// How the loops on listeners of one mode fared.
#[derive(Clone, Debug, Default)]
pub struct Tally<'a> {
    /// The backends, and of how many tries of each how many stalled.
    pub loops: BTreeMap<&'a str, (u64, u64)>,
    /// The lowest and the highest median of a cell, in nanoseconds.
    pub medians: Option<(f64, f64)>,
}

impl<'a> Tally<'a> {
    /// The backends with at least one stall.
    pub fn stalled(&self) -> BTreeSet<&'a str> {
        self.loops.iter().filter(|(_, (_, stalled))| *stalled > 0).map(|(name, _)| *name).collect()
    }

    /// All tries, and how many of them stalled.
    pub fn tries(&self) -> (u64, u64) {
        self.loops.values().fold((0, 0), |(all, some), (n, stalled)| (all + n, some + stalled))
    }

    fn add(&mut self, backend: &'a str, tries: u64, cell: &Cell) {
        let entry = self.loops.entry(backend).or_default();
        *entry = (entry.0 + tries, entry.1 + counted(cell, "stalled"));
        if let Some(median) = cell.median.map(|median| median.point) {
            let (low, high) = self.medians.unwrap_or((median, median));
            self.medians = Some((low.min(median), high.max(median)));
        }
    }
}

/// What a group of stalls found.
#[derive(Clone, Debug, Default)]
pub struct Stalls<'a> {
    /// On blocking listeners.
    pub blocking: Tally<'a>,
    /// On non-blocking listeners.
    pub nonblocking: Tally<'a>,
}

impl<'a> Stalls<'a> {
    /// Of the group of that name; `None` where nothing of it was measured.
    pub fn of(run: &'a Run, group: &str) -> Option<Stalls<'a>> {
        let mut stalls = Stalls::default();
        for (_, _, cell) in run.cells().filter(|(g, _, _)| g.name == group) {
            let Some((backend, side)) = side(&cell.series) else {
                continue;
            };
            // Stalls are counted by the byte where there are many in a sample.
            let tries = cell.counts.get("bytes").copied().unwrap_or(cell.samples as u64);
            if cell.status == Status::Measured && tries > 0 {
                match side {
                    Side::Blocking => stalls.blocking.add(backend, tries, cell),
                    Side::NonBlocking => stalls.nonblocking.add(backend, tries, cell),
                }
            }
        }
        let any = !stalls.blocking.loops.is_empty() || !stalls.nonblocking.loops.is_empty();
        any.then_some(stalls)
    }

    /// The backends that stalled on a blocking listener and were tried on a non-blocking one,
    /// and those of them that never stalled there.
    pub fn cured(&self) -> (usize, usize) {
        let ill = self.blocking.stalled();
        let tried = ill.iter().filter_map(|name| self.nonblocking.loops.get(name));
        tried.fold((0, 0), |(all, cured), (_, stalled)| {
            (all + 1, cured + usize::from(*stalled == 0))
        })
    }
}

/// The lowest and the highest share of stalled bytes among the cells that have any: the
/// backend, the parameter and the share in words.
pub fn extremes(run: &Run, group: &str) -> Option<(String, String)> {
    let cells = run.cells().filter(|(g, _, cell)| g.name == group && counted(cell, "stalled") > 0);
    let mut shares: Vec<(f64, String)> = cells
        .filter(|(_, _, cell)| cell.status == Status::Measured && counted(cell, "bytes") > 0)
        .map(|(_, collection, cell)| {
            let (bytes, stalled) = (counted(cell, "bytes"), counted(cell, "stalled"));
            let (name, share) = (backend(&cell.series), number::share(stalled, bytes));
            let n = collection.parameter.as_deref().unwrap_or("any number of");
            (stalled as f64 / bytes as f64, format!("{share} ({name}, {n} processes)"))
        })
        .collect();
    shares.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (low, high) = (shares.first()?, shares.last()?);
    Some((low.1.clone(), high.1.clone()))
}

/// What this kernel does with connections that are reset before accept.
#[derive(Debug)]
pub struct Reset {
    /// `6 of 6`: the probe's experiments that gave the answer.
    pub figure: String,
    /// The answer in words.
    pub outcome: String,
    /// What follows from it; empty where the experiments do not agree.
    pub meaning: &'static str,
}

impl Reset {
    /// `None` where the run has no probe, or one that could make no experiment.
    pub fn of(run: &Run) -> Option<Reset> {
        let probe = run.probe.as_ref()?;
        let tcp = || probe.experiments.iter().filter(|e| e.transport.starts_with("tcp"));
        let all = tcp().count();
        let verdict = &probe.verdict;
        let agree = tcp().filter(|e| e.observed.answer() == verdict.answer).count();
        let answer = verdict.answer;
        let figure = if answer.is_some() { format!("{agree} of {all}") } else { all.to_string() };
        let outcome = answer.map_or_else(
            || "they do not come to the same".to_owned(),
            |answer| format!("{} (family {})", answer.words(), verdict.family),
        );
        let meaning = answer.map_or("", Answer::meaning);
        (all > 0).then_some(Reset { figure, outcome, meaning })
    }
}

/// Cells that were not measured, or had void samples: by what became of them and the reason.
#[derive(Debug)]
pub struct Absent<'a> {
    /// `skipped`, `failed`, `void`, `interrupted`, `not selected`.
    pub what: &'static str,
    /// Why; empty where the word says it all.
    pub why: &'a str,
    /// Which.
    pub cells: Vec<(&'a Group, &'a Collection, &'a Cell)>,
    /// How many cells, or samples where they were void.
    pub count: usize,
}

/// Everything that a run lacks, failures first.
pub fn absent(run: &Run) -> Vec<Absent<'_>> {
    let mut found: Vec<Absent<'_>> = Vec::new();
    let mut note = |what, why, cell, count| match found
        .iter_mut()
        .find(|known| known.what == what && known.why == why)
    {
        Some(known) => {
            known.cells.push(cell);
            known.count += count;
        }
        None => found.push(Absent { what, why, cells: vec![cell], count }),
    };
    for at in run.cells() {
        if let Some((what, why)) = missing(&at.2.status) {
            note(what, why, at, 1);
        }
        for (why, &n) in &at.2.voids {
            note("void", why, at, n);
        }
    }
    let order = ["failed", "void", "skipped", "interrupted", "not selected"];
    found.sort_by_key(|absent| order.iter().position(|what| *what == absent.what));
    found
}

/// What became of a cell that was not measured, and why.
pub fn missing(status: &Status) -> Option<(&'static str, &str)> {
    match status {
        Status::Measured => None,
        Status::Skipped(reason) => Some(("skipped", reason)),
        Status::Failed(reason) => Some(("failed", reason)),
        Status::Interrupted => Some(("interrupted", "")),
        Status::NotSelected => Some(("not selected", "")),
    }
}
