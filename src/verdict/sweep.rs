//! Tries cell after cell, and holds what each came to against its rule.

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::Verdict;
use super::figures::Figures;
use super::judge::{Judgement, judge};
use super::rules::{self, Rule};
use crate::accept_loop::{Discipline, Policy};
use crate::backend::{self, Driver, Entry};
use crate::fault::{self, Fault, Scene};
use crate::kernel::{self, Kernel};
use crate::listener::{Family, ListenerSpec, Mode};
use crate::outcome::RetrySet;
use crate::stats;
use crate::trial::{self, Cell, Misfit, Timing};
use crate::{interpose, interrupt};

/// The disciplines that are tried unless others are asked for.
pub const DISCIPLINES: [Discipline; 3] =
    [Discipline::One, Discipline::Drain, Discipline::Budget(2)];

/// How many clients make a burst.
const COUNT: usize = 4;

/// How often a void trial is tried again before the cell has no verdict.
const AGAIN: usize = 5;

/// What is to be tried.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The backends that this machine has.
    pub backends: Vec<(&'static Entry, &'static Driver)>,
    /// The kernels; one that no fault's outcome depends on is tried where it does.
    pub kernels: Vec<&'static Kernel>,
    /// The faults, with all of their arms.
    pub faults: Vec<&'static Fault>,
    /// How loops accept.
    pub disciplines: Vec<Discipline>,
    /// How often each cell is tried; a costly one a third as often, at least once.
    pub trials: usize,
}

impl Plan {
    /// All that can be tried on this machine, and the backends that cannot, with the reason.
    /// Modelled kernels are among it where their answers can be put in the place of its own.
    pub fn of_this_machine(
        disciplines: &[Discipline],
        trials: usize,
    ) -> (Plan, Vec<(String, String)>) {
        let (mut backends, mut absent) = (Vec::new(), Vec::new());
        for entry in backend::ALL {
            match entry.driver() {
                Ok(driver) => backends.push((entry, driver)),
                Err(reason) => absent.push((entry.name.to_owned(), reason)),
            }
        }
        let offered = |kernel: &&Kernel| kernel.is_native() || interpose::offered().is_ok();
        let plan = Plan {
            backends,
            kernels: kernel::ALL.iter().copied().filter(offered).collect(),
            faults: fault::ALL.iter().collect(),
            disciplines: disciplines.to_vec(),
            trials,
        };
        (plan, absent)
    }

    /// Every cell, in the order in which a matrix shows them: loop by loop. A fault in which
    /// nothing is aborted comes to the same on all kernels, and is tried on one.
    pub fn cells(&self) -> Vec<Cell> {
        let mut cells = Vec::new();
        for &(entry, driver) in &self.backends {
            for &mode in driver.modes {
                for &discipline in &self.disciplines {
                    for retry in RetrySet::ALL {
                        let policy = Policy::new(discipline, retry);
                        cells.extend(self.of_a_loop(entry, driver, mode, policy));
                    }
                }
            }
        }
        cells
    }

    fn of_a_loop(
        &self,
        entry: &'static Entry,
        driver: &'static Driver,
        mode: Mode,
        policy: Policy,
    ) -> impl Iterator<Item = Cell> {
        let listener = ListenerSpec { mode, family: Family::Ipv4, backlog: 128 };
        self.columns().into_iter().map(move |(kernel, fault, arm)| Cell {
            backend: entry.name,
            driver,
            listener,
            policy: Policy { habit: arm.habit, ..policy },
            fault,
            arm,
            kernel,
            count: COUNT,
        })
    }

    /// What each loop is tried under: kernel by kernel, fault by fault, arm by arm.
    pub fn columns(&self) -> Vec<(&'static Kernel, &'static Fault, &'static crate::fault::Arm)> {
        let first = self.kernels.first().copied();
        let mut columns = Vec::new();
        for &kernel in &self.kernels {
            for &fault in &self.faults {
                if fault.concerns_kernels() || Some(kernel) == first {
                    columns.extend(fault.arms.iter().map(|arm| (kernel, fault, arm)));
                }
            }
        }
        columns
    }
}

/// A cell, and what became of it.
#[derive(Debug)]
pub struct Tried {
    /// The cell.
    pub cell: Cell,
    /// What it had to come to.
    pub rule: &'static Rule,
    /// What it came to, or why it was not tried.
    pub result: Result<Seen, Misfit>,
}

impl Tried {
    /// Whether it came to what it had to; a cell that makes no sense has nothing to come to.
    pub fn is_as_expected(&self) -> bool {
        match &self.result {
            Err(_) => true,
            Ok(seen) => seen.unjudged.is_none() && seen.is_one_of(self.rule.verdicts),
        }
    }
}

/// What a cell's trials came to.
#[derive(Debug, Default)]
pub struct Seen {
    /// The worst of them; `None` where none could be judged.
    pub worst: Option<Judgement>,
    /// How often each verdict was reached.
    pub counts: BTreeMap<Verdict, usize>,
    /// Why a trial was not judged, if one was not in the end.
    pub unjudged: Option<String>,
    /// What was measured beside the verdict: medians over the trials.
    pub figures: Figures,
}

impl Seen {
    /// How many trials were judged.
    pub fn trials(&self) -> usize {
        self.counts.values().sum()
    }

    /// One more trial. Of two that are equally bad, the first is kept.
    fn take_in(&mut self, judgement: Judgement) {
        *self.counts.entry(judgement.verdict).or_default() += 1;
        if self.worst.as_ref().is_none_or(|worst| worst.verdict < judgement.verdict) {
            self.worst = Some(judgement);
        }
    }

    fn is_one_of(&self, verdicts: &[Verdict]) -> bool {
        self.counts.keys().all(|verdict| verdicts.contains(verdict))
    }
}

/// Tries the cells, as many side by side as there are CPUs, and calls `tick` after each. Ends
/// early, with the first cells that are done, once an interrupt was asked for.
///
/// # Errors
///
/// What a trial panicked with: a mistake in this crate.
pub fn run(
    cells: &[Cell],
    trials: usize,
    timing: Timing,
    tick: impl Fn() + Sync,
) -> Result<Vec<Tried>, String> {
    let next = AtomicUsize::new(0);
    let abreast = thread::available_parallelism().map_or(2, usize::from);
    let work = || {
        let mut done = Vec::new();
        while !interrupt::asked() {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(cell) = cells.get(at) else { break };
            let tried = try_one(cell, trials, timing);
            // What was interrupted was not tried.
            if interrupt::asked() {
                break;
            }
            done.push((at, tried));
            tick();
        }
        done
    };
    let done: Result<Vec<Vec<(usize, Tried)>>, String> = thread::scope(|scope| {
        let workers: Vec<_> = (0..abreast).map(|_| scope.spawn(work)).collect();
        let panicked = |panic: Box<dyn Any + Send>| {
            format!("the sweep panicked: {}", trial::panic_text(&*panic))
        };
        workers.into_iter().map(|worker| worker.join().map_err(panicked)).collect()
    });
    let mut tried: Vec<(usize, Tried)> = done?.into_iter().flatten().collect();
    tried.sort_by_key(|&(at, _)| at);
    // Up to the first that was not: what is behind a gap would stand in the wrong place.
    let in_place = tried.into_iter().enumerate().take_while(|(place, (at, _))| place == at);
    Ok(in_place.map(|(_, (_, tried))| tried).collect())
}

/// Tries one cell.
pub fn try_one(cell: &Cell, trials: usize, timing: Timing) -> Tried {
    let rule = rules::of(cell);
    let result = match cell.misfit() {
        Some(misfit) => Err(misfit),
        None => several(cell, times(cell, trials), timing),
    };
    Tried { cell: *cell, rule, result }
}

/// A trial that takes a process, or hundreds of connections, is costly.
fn times(cell: &Cell, trials: usize) -> usize {
    let herd = matches!(cell.arm.scene, Scene::Herd(..));
    let costly = herd || cell.arm.needs_a_process();
    if costly { trials.div_ceil(3) } else { trials }
}

fn several(cell: &Cell, trials: usize, timing: Timing) -> Result<Seen, Misfit> {
    let mut seen = Seen::default();
    let mut figures = Vec::new();
    let mut spare = AGAIN;
    while seen.trials() < trials && !interrupt::asked() {
        let judged = trial::run(cell, timing).and_then(|record| {
            let judgement = judge(&record, cell.driver)?;
            Ok((judgement, Figures::of(&record)))
        });
        match judged {
            Ok((judgement, figure)) => {
                seen.take_in(judgement);
                figures.push(figure);
            }
            // What this system does not let anybody do is no failure of the loop's.
            Err(reason) if reason.starts_with(trial::REFUSED) => {
                return Err(Misfit::Refused(reason));
            }
            Err(_) if spare > 0 => spare -= 1,
            Err(reason) => {
                seen.unjudged = Some(reason);
                break;
            }
        }
    }
    seen.figures = Figures::median(&figures, stats::median);
    Ok(seen)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(verdicts: &[Verdict]) -> Seen {
        let mut seen = Seen::default();
        for &verdict in verdicts {
            seen.take_in(Judgement { verdict, per_connection: 0.0, seen: String::new() });
        }
        seen
    }

    #[test]
    fn the_worst_trial_is_the_cell_s_and_each_must_be_allowed() {
        use Verdict::{Loses, Safe, Stalls, Wastes};
        let three = seen(&[Safe, Loses, Safe]);
        assert_eq!(three.worst.as_ref().map(|worst| worst.verdict), Some(Loses));
        assert_eq!((three.counts[&Safe], three.counts[&Loses], three.trials()), (2, 1, 3));
        assert!(three.is_one_of(&[Safe, Loses]));
        assert!(!three.is_one_of(&[Safe]) && !three.is_one_of(&[Loses]));
        assert!(!seen(&[Wastes, Stalls]).is_one_of(&[Safe, Wastes]));
    }
}
