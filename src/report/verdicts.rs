//! The map in a few lines: of each verdict how many loops came to it, and under which faults.

use super::map::Mark;
use super::number;
use crate::fault;
use crate::kernel::NATIVE;
use crate::record::Run;
use crate::record::map::{Cell, Map};
use crate::verdict::Verdict;

/// How many faults of a verdict are named; the others are counted.
const NAMED: usize = 4;

/// One verdict on this machine's own kernel.
#[derive(Debug)]
pub struct Line {
    /// The verdict.
    pub mark: Mark,
    /// Of how many loops: `138 of 150`.
    pub figure: String,
    /// What that is the number of.
    pub text: &'static str,
    /// The faults with the most such cells, and whether there is an entry of each.
    pub faults: Vec<(String, bool)>,
    /// How many faults more.
    pub more: usize,
    /// The backends none of whose loops came to it; empty where that says nothing.
    pub never: String,
}

/// The worst verdict first; nothing where the run has no map.
pub fn of(run: &Run) -> Vec<Line> {
    let Some(Ok(map)) = &run.map else { return Vec::new() };
    let columns = map.columns_of(|kernel| kernel == NATIVE.name);
    let found = map.counts(&columns).into_iter().rev().filter(|(_, n)| *n > 0);
    found.map(|(verdict, cells)| line(map, &columns, verdict, cells)).collect()
}

fn line(map: &Map, columns: &[usize], verdict: Verdict, cells: usize) -> Line {
    let is_it = |cell: &Cell| matches!(cell, Cell::Tried { verdict: Some(v), .. } if *v == verdict);
    let is_tried = |cell: &Cell| matches!(cell, Cell::Tried { .. });
    let (mut all, mut with, mut only) = (0, 0, 0);
    let mut faults: Vec<(&str, usize)> = Vec::new();
    let (mut backends, mut ill): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
    for row in &map.rows {
        let tried = || columns.iter().filter(|&&at| is_tried(row.cell(at)));
        let those: Vec<usize> = tried().copied().filter(|&at| is_it(row.cell(at))).collect();
        if tried().next().is_none() {
            continue;
        }
        let n = row.loops.len();
        all += n;
        with += if those.is_empty() { 0 } else { n };
        only += if those.len() == tried().count() { n } else { 0 };
        for at in &those {
            let name = map.columns[*at].fault.as_str();
            match faults.iter_mut().find(|(known, _)| *known == name) {
                Some((_, known)) => *known += n,
                None => faults.push((name, n)),
            }
        }
        for name in row.loops.iter().map(|one| one.backend.as_str()) {
            for list in [Some(&mut backends), (!those.is_empty()).then_some(&mut ill)] {
                if let Some(list) = list.filter(|list| !list.contains(&name)) {
                    list.push(name);
                }
            }
        }
    }
    let is_safe = verdict == Verdict::Safe;
    faults.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    let faults = if is_safe { Vec::new() } else { faults };
    backends.retain(|name| !ill.contains(name));
    let figure = |n: usize| format!("{} of {}", number::count(n as u64), number::count(all as u64));
    let known = |name: &str| fault::find(name).is_some();
    let named = faults.iter().take(NAMED).map(|(name, _)| ((*name).to_owned(), known(name)));
    Line {
        mark: Mark::of(verdict),
        figure: if is_safe { figure(only) } else { figure(with) },
        text: if is_safe { "loops under every fault" } else { "loops, under" },
        faults: named.collect(),
        more: faults.len().saturating_sub(NAMED),
        never: match is_safe {
            true => format!("{} are", number::of(cells, "cell")),
            false if backends.is_empty() => String::new(),
            false => format!("never {}", backends.join(", ")),
        },
    }
}
