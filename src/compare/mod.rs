//! Two runs side by side: what got better or worse, as far as the data can carry it.
//!
//! What is compared are *ratios to the reference*, so that what slows a whole machine is not
//! taken for a change of a backend. A cell's **ratio of ratios** is its ratio in the other run
//! over its ratio in the base. Absolute times stand beside it and are judged by nobody.
//!
//! Only records take part, no samples: runs of this suite, of other machines, imported
//! baselines are all compared in the same way.

mod judge;
mod surroundings;
mod text;

use serde::{Serialize, Serializer};

pub use surroundings::differences;
pub use text::{Telling, text};

use crate::kernel::NATIVE;
use crate::listener::Mode;
use crate::record::{Cell, Collection, Group, Run, Status};
use crate::stats::Estimate;

/// How many of the differences found may be none: the false-discovery rate that is kept.
pub const RATE: f64 = 0.05;

/// A run beside its base.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// What the two differ in beside the code that was measured, and what else to mind.
    pub warnings: Vec<String>,
    /// What the reference's second runs were off by, as a fraction: of the base and the other.
    pub controls: [Option<f64>; 2],
    /// By how much all series of a collection moved together, where they did: it is then the
    /// reference that has changed, or the machine.
    pub shifts: Vec<Shift>,
    /// Every cell that either of the two has, in the order of the base.
    pub cells: Vec<Compared>,
    /// Every backend over all of its cells, where it has more than one; those on modelled kernels
    /// apart.
    pub backends: Vec<Backend>,
}

impl Comparison {
    /// What got worse by more than `threshold`, a fraction, and by more than the noise: backends
    /// by their names, then cells by their ids.
    pub fn worse(&self, threshold: f64) -> Vec<String> {
        let is_worse = |change: &Change| {
            change.finding == Finding::Worse && change.ratio.point > 1.0 + threshold
        };
        let backends = self.backends.iter().filter(|backend| is_worse(&backend.change));
        let cells = self.cells.iter().filter(|cell| cell.change.as_ref().is_ok_and(is_worse));
        let backends = backends.map(|backend| labelled(&backend.name, &backend.kernel));
        backends.chain(cells.map(|cell| cell.id.clone())).collect()
    }
}

/// What all series of a collection have in common.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Shift {
    /// The group and the parameter, as in an id.
    pub collection: String,
    /// The median of its cells' ratios of ratios.
    pub ratio: f64,
}

/// One cell of both.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Compared {
    /// Its id, as Criterion spells it.
    pub id: String,
    /// Its group.
    pub group: String,
    /// The series.
    pub series: String,
    /// The parameter, where it has one.
    pub parameter: Option<String>,
    /// The kernel that it was measured on; all but `native` are modelled.
    pub kernel: String,
    /// The medians in nanoseconds, of the base and the other: as they are, judged by nobody.
    pub medians: [Option<f64>; 2],
    /// The ratios to the reference, of the base and the other.
    pub ratios: [Option<Estimate>; 2],
    /// What is to be said of the two, or why nothing is.
    #[serde(serialize_with = "change_or_why")]
    pub change: Result<Change, String>,
}

/// A change as it is, and the reason where there is none as `{"not_compared": "…"}`.
fn change_or_why<S: Serializer>(
    change: &Result<Change, String>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Not<'a> {
        not_compared: &'a str,
    }
    match change {
        Ok(change) => change.serialize(serializer),
        Err(why) => Not { not_compared: why }.serialize(serializer),
    }
}

impl Compared {
    /// Its change, where it is better or worse.
    pub fn changed(&self) -> Option<&Change> {
        let change = self.change.as_ref().ok()?;
        (change.finding != Finding::Indistinguishable).then_some(change)
    }
}

/// One backend over all of its cells on a kernel.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Backend {
    /// Its name.
    pub name: String,
    /// The kernel.
    pub kernel: String,
    /// How many cells it is the mean of, each weighted by its precision.
    pub cells: usize,
    /// What is to be said of it.
    pub change: Change,
}

/// A difference of two runs, judged.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Change {
    /// The ratio of ratios, other over base, less what the whole collection moved by; its
    /// interval is widened by what cells differ by where nothing was changed.
    pub ratio: Estimate,
    /// How probable one so far from 1 is if nothing changed, adjusted for the number of
    /// comparisons (Benjamini and Hochberg).
    pub p: f64,
    /// What that comes to.
    pub finding: Finding,
}

/// What a comparison comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// It takes less than it did.
    Better,
    /// It takes more.
    Worse,
    /// The data cannot tell.
    Indistinguishable,
}

impl Finding {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Finding::Better => "better",
            Finding::Worse => "worse",
            Finding::Indistinguishable => "not distinguishable",
        }
    }
}

/// Compares a run with a base.
pub fn compare(base: &Run, other: &Run) -> Comparison {
    compare_those(base, other, |_| true)
}

/// Compares those cells whose ids are wanted. How noisy the two runs are is told by all, so that
/// a cell is not taken for changed since nobody is left to stand beside it; backends, and how
/// many comparisons there are, are of the wanted ones alone.
pub fn compare_those(base: &Run, other: &Run, wanted: impl Fn(&str) -> bool) -> Comparison {
    let mut cells: Vec<Compared> = Vec::new();
    let mut errors = Vec::new();
    for (group, collection, cell) in base.cells() {
        let counterpart = other.cells().find(|(_, _, other)| other.id == cell.id);
        let (compared, error) = pair((group, collection, cell), counterpart);
        cells.push(compared);
        errors.push(error);
    }
    for (group, collection, cell) in other.cells() {
        if !base.cells().any(|(_, _, known)| known.id == cell.id) {
            let mut added = blank(group, collection, cell, "not in the base");
            added.medians[1] = cell.median.map(|median| median.point);
            added.ratios[1] = cell.ratio.map(|ratio| ratio.raw);
            cells.push(added);
            errors.push(None);
        }
    }
    let judged = judge::judge(&mut cells, &errors, &wanted);
    cells.retain(|cell| wanted(&cell.id));
    Comparison {
        warnings: surroundings::warnings(base, other),
        controls: [base.control(), other.control()],
        shifts: judged.shifts,
        cells,
        backends: judged.backends,
    }
}

/// A cell, with where it belongs.
type Placed<'a> = (&'a Group, &'a Collection, &'a Cell);

/// A cell beside its counterpart, not judged yet, and the error of the two where both have a
/// ratio.
fn pair(base: Placed<'_>, other: Option<Placed<'_>>) -> (Compared, Option<judge::Paired>) {
    let (group, collection, cell) = base;
    let mut compared = blank(group, collection, cell, "not in the other run");
    compared.medians[0] = cell.median.map(|median| median.point);
    compared.ratios[0] = cell.ratio.map(|ratio| ratio.raw);
    let Some((elsewhere, _, twin)) = other else {
        return (compared, None);
    };
    compared.medians[1] = twin.median.map(|median| median.point);
    compared.ratios[1] = twin.ratio.map(|ratio| ratio.raw);
    let unlike = [
        (group.kernel != elsewhere.kernel, "the two are on different kernels"),
        (group.reference != elsewhere.reference, "the two have different references"),
        (group.value != elsewhere.value, "the two measure different things"),
    ];
    if let Some((_, why)) = unlike.into_iter().find(|(differs, _)| *differs) {
        compared.change = Err(why.to_owned());
        return (compared, None);
    }
    if let Some(why) = stalls(cell, twin) {
        compared.change = Err(why);
        return (compared, None);
    }
    let why = match (missing(cell), missing(twin)) {
        (Some(why), _) => format!("in the base {why}"),
        (None, Some(why)) => format!("in the other run {why}"),
        (None, None) if cell.series == group.reference => "it is the reference".to_owned(),
        (None, None) => {
            compared.change = Err("it has no ratio to the reference".to_owned());
            // What it is judged to be takes the place of that.
            return (compared, judge::Paired::of(cell, twin));
        }
    };
    compared.change = Err(why);
    (compared, None)
}

/// Why a cell that stalled is not compared: how long a stall lasts is up to the next client and
/// no property of a backend.
fn stalls(base: &Cell, other: &Cell) -> Option<String> {
    let stalled = |cell: &Cell| cell.counts.get("stalled").copied().unwrap_or(0);
    let (before, after) = (stalled(base), stalled(other));
    (before > 0 || after > 0).then(|| {
        format!(
            "it stalled {before} times in the base and {after} times in the other run, for as long \
             as the next client took"
        )
    })
}

fn missing(cell: &Cell) -> Option<String> {
    match &cell.status {
        Status::Measured => None,
        Status::Skipped(why) => Some(format!("skipped: {why}")),
        Status::Failed(why) => Some(format!("failed: {why}")),
        Status::Interrupted => Some("interrupted".to_owned()),
        Status::NotSelected => Some("not selected".to_owned()),
    }
}

fn blank(group: &Group, collection: &Collection, cell: &Cell, why: &str) -> Compared {
    Compared {
        id: cell.id.clone(),
        group: group.name.clone(),
        series: cell.series.clone(),
        parameter: collection.parameter.clone(),
        kernel: group.kernel.clone(),
        medians: [None; 2],
        ratios: [None; 2],
        change: Err(why.to_owned()),
    }
}

/// A name, and the kernel where that is modelled.
fn labelled(name: &str, kernel: &str) -> String {
    match kernel == NATIVE.name {
        true => name.to_owned(),
        false => format!("{name} (modelled {kernel})"),
    }
}

/// The backend of a series: its name less the mode, where that is in it.
pub fn backend(series: &str) -> &str {
    let modes = [Mode::Blocking, Mode::NonBlocking];
    let without = |mode: &Mode| series.strip_suffix(mode.name())?.strip_suffix('-');
    modes.iter().find_map(without).unwrap_or(series)
}
