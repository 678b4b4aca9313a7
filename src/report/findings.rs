//! What a run found, worked out once for the page and for the closing lines.

use super::{number, stalls};
use crate::record::{Cell, Collection, Group, Run, Status};
use crate::stats::Ratio;

/// One thing that a run found: the figure and the text are one sentence, without its full stop.
#[derive(Debug)]
pub struct Finding {
    /// What to look at first: `7 of 7`.
    pub figure: String,
    /// What that is.
    pub text: String,
    /// What follows from it, for those who have the room; may be empty.
    pub more: String,
    /// The kernel's name, where it is a modelled one that this was found on.
    pub modelled: Option<String>,
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
/// of stalls the last one in which something was compared. Those on modelled kernels come
/// behind all that are on the machine's own.
pub fn telling<'a>(run: &'a Run) -> Vec<(&'a Group, &'a Collection, Standing<'a>)> {
    let last = |group: &'a Group| {
        let collections = group.collections.iter().rev();
        let mut compared = collections.map(|c| (group, c, Standing::of(group, c)));
        compared.find(|(_, _, standing)| !standing.is_empty())
    };
    let groups = run.groups.iter().filter(|group| !stalls::is_made_of_stalls(group));
    let mut telling: Vec<_> = groups.filter_map(last).collect();
    telling.sort_by_key(|(group, _, _)| group.is_modelled());
    telling
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
            known.count = known.count.saturating_add(count);
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
