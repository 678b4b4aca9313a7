//! By which backend a fault is shown: one choice for the page, its timelines and `rstall show`.

use super::{Verdict, rules};
use crate::backend::{self, Entry};
use crate::fault::{Case, Cases, Fault};
use crate::trial::Cell;

/// The backends whose loops are shown before others, where they show what is to be seen.
const FIRST: [&str; 2] = ["poll", "epoll"];

/// The backend by which a fault is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Its name.
    pub backend: &'static str,
    /// What its loop comes to that falls ill.
    pub ill: Verdict,
    /// What the same one comes to once cured; `None` where that is not known.
    pub cured: Option<Verdict>,
}

/// A backend whose loop falls ill and is well once cured; else one that falls ill. `came` says
/// what a backend's loop comes to; `None` where it cannot be tried, or was not.
pub fn shown(
    cases: &Cases,
    came: impl Fn(&'static Entry, &Case) -> Option<Verdict>,
) -> Option<Shown> {
    let mut best: Option<(usize, Shown)> = None;
    for entry in backend::ALL {
        let ill = came(entry, &cases.ill).filter(|&verdict| verdict != Verdict::Safe);
        let Some(ill) = ill else { continue };
        let cured = came(entry, &cases.cured);
        let rank = match cured {
            Some(Verdict::Safe) => 2 + usize::from(FIRST.contains(&entry.name)),
            Some(cured) if cured < ill => 1,
            _ => 0,
        };
        if best.as_ref().is_none_or(|(known, _)| *known < rank) {
            best = Some((rank, Shown { backend: entry.name, ill, cured }));
        }
    }
    best.map(|(_, shown)| shown)
}

/// The backend on which such a loop is shown here: the one that shows both of the fault's loops
/// if each comes to the worst that its rule allows; else the first on which this one can be
/// tried. `None` where there is none.
pub fn fitting(fault: &'static Fault, cases: Option<&Cases>, case: &Case) -> Option<&'static str> {
    let cell = |entry: &'static Entry, case: &Case| {
        let cell = Cell::of(entry, fault, case).ok()?;
        cell.misfit().is_none().then_some(cell)
    };
    let came = |entry: &'static Entry, case: &Case| {
        rules::of(&cell(entry, case)?).verdicts.iter().max().copied()
    };
    let shown = cases.and_then(|cases| shown(cases, came)).map(|shown| shown.backend);
    let first = FIRST.iter().filter_map(|name| backend::find(name));
    let any = || first.chain(backend::ALL).find(|entry| cell(entry, case).is_some());
    shown
        .filter(|name| backend::find(name).is_some_and(|entry| cell(entry, case).is_some()))
        .or_else(|| any().map(|entry| entry.name))
}
