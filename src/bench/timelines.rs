//! The timelines in a run's record: each fault's ill loop and its cured one, tried once more.

use std::path::Path;

use crate::fault::{self, Case, Fault};
use crate::record::map::Map;
use crate::record::timelines::{Came, Part, Played, Shown};
use crate::timeline::Timeline;
use crate::trial::{self, Cell, Timing};
use crate::verdict::Verdict;
use crate::verdict::cases::fitting;
use crate::verdict::judge::judge;
use crate::{backend, interrupt};

/// How often a trial that is void, or comes to something else than the map's, is tried again.
const AGAIN: usize = 3;

/// Tries each fault's two loops on the backend that shows them in this map, one after the other,
/// so that nothing of rstall's own disturbs them. `program` is as for [`super::map::look`]; `tick`
/// is told of each fault that is done. Takes a second or two. Ends with those that are done once
/// an interrupt was asked for. Whatever cannot be had is there with its reason.
pub fn look(map: &Map, program: &Path, tick: impl Fn()) -> Vec<Shown> {
    // It is asked for once a run, and lives as long as the process.
    let program: &'static Path = Box::leak(program.to_owned().into_boxed_path());
    let timing = Timing { program: Some(program), ..Timing::default() };
    let mut all = Vec::new();
    for fault in fault::ALL {
        if interrupt::asked() {
            break;
        }
        all.push(Shown { fault: fault.name.to_owned(), trials: trials(fault, map, timing) });
        tick();
    }
    all
}

fn trials(fault: &'static Fault, map: &Map, timing: Timing) -> Vec<Played> {
    let Some(cases) = &fault.cases else {
        let control = Case { discipline: fault.discipline, ..Case::SOUND };
        let came = match fitting(fault, None, &control) {
            Some(backend) => play(fault, &control, backend, Some(Verdict::Safe), timing),
            None => Err("no backend of this machine can be tried so".to_owned()),
        };
        return vec![Played { part: Part::Control, came }];
    };
    let Some(shown) = map.shown(fault) else {
        let came = Err("no loop of the map fell ill of it".to_owned());
        return vec![Played { part: Part::Ill, came }];
    };
    let play = |case, verdict| play(fault, case, shown.backend, verdict, timing);
    let ill = play(&cases.ill, Some(shown.ill));
    let cured = play(&cases.cured, shown.cured);
    vec![Played { part: Part::Ill, came: ill }, Played { part: Part::Cured, came: cured }]
}

/// One trial. Of several the last that could be judged is kept, whatever it came to.
fn play(
    fault: &'static Fault,
    case: &Case,
    backend: &str,
    as_the_map: Option<Verdict>,
    timing: Timing,
) -> Result<Came, String> {
    let entry = backend::find(backend).ok_or("there is no such backend")?;
    let cell = Cell::of(entry, fault, case)?;
    if let Some(misfit) = cell.misfit() {
        return Err(misfit.to_string());
    }
    let mut kept = Err("it was interrupted".to_owned());
    for trial in 1..=1 + AGAIN {
        if interrupt::asked() {
            break;
        }
        let came = trial::run(&cell, timing).and_then(|record| {
            let judgement = judge(&record, cell.driver)?;
            let (verdict, seen) = (judgement.verdict, judgement.seen);
            Ok(Came { verdict, seen, trial, timeline: Timeline::of(&record) })
        });
        if came.is_ok() || kept.is_err() {
            kept = came;
        }
        let verdict = kept.as_ref().ok().map(|came| came.verdict);
        if verdict.is_some() && (as_the_map.is_none() || verdict == as_the_map) {
            break;
        }
    }
    kept
}
