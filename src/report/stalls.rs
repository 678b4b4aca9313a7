//! What the groups that are made of stalls found, each kernel's on its own.

use std::collections::{BTreeMap, BTreeSet};

use super::number;
use super::series::{Side, backend, counted, side};
use crate::record::{Cell, Group, Run, Status};

/// The group whose stalls are forced by a rival.
pub const FORCED: &str = "stall";

/// The group whose stalls nobody forces.
pub const NATURAL: &str = "stall_natural";

/// The group of that name on the machine's own kernel. A modelled one is another group,
/// whatever its name.
pub fn native<'a>(run: &'a Run, name: &str) -> Option<&'a Group> {
    run.groups.iter().find(|group| group.name == name && !group.is_modelled())
}

/// The groups on modelled kernels that are made of stalls.
pub fn modelled(run: &Run) -> impl Iterator<Item = &Group> {
    run.groups.iter().filter(|group| group.is_modelled() && is_made_of_stalls(group))
}

/// Whether a group is told by its stalls, and not by how its series stand to the reference.
/// Which groups are modelled is up to the registry, so those are known by what they count.
pub fn is_made_of_stalls(group: &Group) -> bool {
    if !group.is_modelled() {
        return group.name == FORCED || group.name == NATURAL;
    }
    let mut cells = group.collections.iter().flat_map(|collection| &collection.cells);
    cells.any(|cell| cell.counts.contains_key("stalled") && side(&cell.series).is_some())
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
        self.loops.values().fold((0, 0), |sum, &tries| add(sum, tries))
    }

    fn add(&mut self, backend: &'a str, tries: u64, cell: &Cell) {
        let entry = self.loops.entry(backend).or_default();
        *entry = add(*entry, (tries, counted(cell, "stalled")));
        if let Some(median) = cell.median.map(|median| median.point) {
            let (low, high) = self.medians.unwrap_or((median, median));
            self.medians = Some((low.min(median), high.max(median)));
        }
    }
}

/// A record may hold any number.
fn add((a, b): (u64, u64), (c, d): (u64, u64)) -> (u64, u64) {
    (a.saturating_add(c), b.saturating_add(d))
}

/// What a group of stalls found.
#[derive(Clone, Debug)]
pub struct Stalls<'a> {
    /// On blocking listeners.
    pub blocking: Tally<'a>,
    /// On non-blocking listeners.
    pub nonblocking: Tally<'a>,
    /// What a try is: `trials`, or `bytes` where a sample has many.
    pub tries: &'static str,
}

impl<'a> Stalls<'a> {
    /// Of a group; `None` where nothing of it was measured.
    pub fn of(group: &'a Group) -> Option<Stalls<'a>> {
        let (blocking, nonblocking) = (Tally::default(), Tally::default());
        let mut stalls = Stalls { blocking, nonblocking, tries: "trials" };
        for cell in group.collections.iter().flat_map(|collection| &collection.cells) {
            let Some((backend, side)) = side(&cell.series) else {
                continue;
            };
            // Stalls are counted by the byte where there are many in a sample.
            let bytes = cell.counts.get("bytes").copied();
            let tries = bytes.unwrap_or(cell.samples as u64);
            if cell.status == Status::Measured && tries > 0 {
                if bytes.is_some() {
                    stalls.tries = "bytes";
                }
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
pub fn extremes(group: &Group) -> Option<(String, String)> {
    let cells = group.collections.iter().flat_map(|c| c.cells.iter().map(move |cell| (c, cell)));
    let stalled = cells.filter(|(_, cell)| counted(cell, "stalled") > 0);
    let mut shares: Vec<(f64, String)> = stalled
        .filter(|(_, cell)| cell.status == Status::Measured && counted(cell, "bytes") > 0)
        .map(|(collection, cell)| {
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
