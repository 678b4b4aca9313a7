//! One entry a fault: the pitfall, its symptom, its cure, where it was met, and the commands
//! that show both.

use super::ReportError;
use super::figures::{self, Figure};
use super::map::Mark;
use crate::fault::{self, Case, Cases, Fault};
use crate::kernel::NATIVE;
use crate::pitfall;
use crate::record::Run;
use crate::record::map::Map;
use crate::verdict::cases;

/// One fault.
#[derive(Debug)]
pub struct Pitfall {
    /// Its name; also the end of its id.
    pub name: &'static str,
    /// The pitfall.
    pub pitfall: &'static str,
    /// What is done, what comes of it and what helps, each with what it is called.
    pub told: [(&'static str, &'static str); 3],
    /// Its arms and what each is, where it has several.
    pub arms: Vec<(&'static str, &'static str)>,
    /// Where it was met, and the address where that is an issue.
    pub seen_in: Vec<(&'static str, Option<String>)>,
    /// A loop that fell ill and the same one cured.
    pub shown: Shown,
    /// Their timelines, where the run has them.
    pub played: Vec<Figure>,
    /// Its entry, as HTML that this rstall has written.
    pub entry: String,
}

/// The two loops by which a fault shows itself.
#[derive(Debug)]
pub enum Shown {
    /// Nothing goes wrong in it.
    Control,
    /// No loop of this map fell ill of it.
    Nowhere,
    /// What the ill and the cured one came to.
    Pair(Vec<Tried>),
}

/// One of the two.
#[derive(Debug)]
pub struct Tried {
    /// `Ill` or `Cured`.
    pub what: &'static str,
    /// What it came to.
    pub mark: Mark,
    /// The kernel's name, where it is modelled.
    pub modelled: Option<&'static str>,
    /// The command that shows it again, in parts that are not to be broken.
    pub command: Vec<String>,
}

/// Every fault that this rstall knows, where the run has a map.
///
/// # Errors
///
/// Where a timeline cannot be drawn.
pub fn of(run: &Run) -> Result<Vec<Pitfall>, ReportError> {
    let Some(Ok(map)) = &run.map else { return Ok(Vec::new()) };
    let pitfall = |fault: &'static Fault| {
        let played = run.timelines.iter().find(|shown| shown.fault == fault.name);
        let played = played.map_or(Ok(Vec::new()), |shown| figures::of(fault.name, &shown.trials));
        Ok(Pitfall { played: played?, ..of_fault(fault, map) })
    };
    fault::ALL.iter().map(pitfall).collect()
}

fn of_fault(fault: &'static Fault, map: &Map) -> Pitfall {
    let arms = fault.arms.iter().filter(|arm| !arm.name.is_empty());
    Pitfall {
        name: fault.name,
        pitfall: fault.pitfall,
        told: [("What happens", fault.about), ("Symptom", fault.symptom), ("Cure", fault.cure)],
        arms: arms.map(|arm| (arm.name, arm.about)).collect(),
        seen_in: fault.seen_in.iter().map(|&seen| (seen, pitfall::issue(seen))).collect(),
        shown: match &fault.cases {
            None => Shown::Control,
            Some(cases) => match map.shown(fault) {
                Some(shown) => Shown::Pair(pair(fault, cases, &shown)),
                None => Shown::Nowhere,
            },
        },
        played: Vec::new(),
        entry: pitfall::of(fault.name).map_or_else(String::new, |entry| entry.html()),
    }
}

/// The loop that fell ill in this map, and the same one cured.
fn pair(fault: &'static Fault, cases: &Cases, shown: &cases::Shown) -> Vec<Tried> {
    let tried = |what, case: &Case, verdict| Tried {
        what,
        mark: Mark::of(verdict),
        modelled: (case.kernel != NATIVE.name).then_some(case.kernel),
        command: command(fault, case, shown.backend),
    };
    let ill = tried("Ill", &cases.ill, shown.ill);
    let cured = shown.cured.map(|cured| tried("Cured", &cases.cured, cured));
    std::iter::once(ill).chain(cured).collect()
}

/// How it is shown again, option by option. All of it is this rstall's own words, none the
/// record's.
fn command(fault: &Fault, case: &Case, backend: &str) -> Vec<String> {
    let discipline = case.discipline.to_string();
    let options = [
        ("fault", fault.name),
        ("arm", case.arm),
        ("backend", backend),
        ("listener", case.mode.name()),
        ("discipline", &discipline),
        ("retry", case.retry.name()),
        ("kernel", if case.kernel == NATIVE.name { "" } else { case.kernel }),
    ];
    let given = options.iter().filter(|(_, value)| !value.is_empty());
    let options = given.map(|(name, value)| format!("--{name} {value}"));
    std::iter::once("rstall trial".to_owned()).chain(options).collect()
}
