//! What each kernel does with a reset, seen in a few trials, and what modelling one costs.

use std::collections::BTreeMap;

use super::{GROUPS, Miss, price};
use crate::accept_loop::{Discipline, Policy};
use crate::fault::{self, Fault};
use crate::kernel::{self, Kernel};
use crate::listener::{Family, ListenerSpec, Mode};
use crate::outcome::RetrySet;
use crate::record::{KernelSeen, Price, Resets};
use crate::trial::{self, Cell, Ending, Record, Timing};
use crate::{backend, interpose};

/// How many trials tell what a kernel does.
const TRIALS: usize = 5;

/// The backend that is tried: the reference of the benchmarks.
const REFERENCE: &str = "poll";

/// Looks at every kernel. What cannot be tried has its reason. Takes a few milliseconds a
/// kernel.
pub fn look() -> Vec<KernelSeen> {
    let one = |kernel: &'static Kernel| KernelSeen {
        name: kernel.name.to_owned(),
        systems: kernel.systems.to_owned(),
        about: kernel.about.to_owned(),
        source: kernel.source.to_owned(),
        modelled: !kernel.is_native(),
        seen: resets(kernel),
    };
    kernel::ALL.iter().copied().map(one).collect()
}

fn resets(kernel: &'static Kernel) -> Result<Resets, String> {
    let fault = |name: &str| fault::find(name).ok_or_else(|| format!("no fault is named {name}"));
    let (queued, in_window) = (fault("reset_queued")?, fault("reset_in_window")?);
    Ok(Resets {
        queued: some_trials(kernel, queued, Mode::NonBlocking)?,
        in_window_blocking: some_trials(kernel, in_window, Mode::Blocking)?,
        in_window_nonblocking: some_trials(kernel, in_window, Mode::NonBlocking)?,
    })
}

/// What they all came to; or each, and how often.
fn some_trials(
    kernel: &'static Kernel,
    fault: &'static Fault,
    mode: Mode,
) -> Result<String, String> {
    let entry = backend::find(REFERENCE).ok_or("the reference is not in the registry")?;
    let cell = Cell {
        backend: entry.name,
        driver: entry.driver()?,
        listener: ListenerSpec { mode, family: Family::Ipv4, backlog: 16 },
        policy: Policy::new(Discipline::One, RetrySet::Stevens),
        fault,
        arm: &fault.arms[0],
        kernel,
        count: 1,
    };
    if let Some(misfit) = cell.misfit() {
        return Err(misfit.to_string());
    }
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for _ in 0..TRIALS {
        *seen.entry(words(&trial::run(&cell, Timing::default())?)).or_default() += 1;
    }
    let one = |(what, n): (String, usize)| match n {
        TRIALS => what,
        _ => format!("{what} ({n} of {TRIALS})"),
    };
    Ok(seen.into_iter().map(one).collect::<Vec<_>>().join(", "))
}

fn words(record: &Record) -> String {
    match (&record.void, &record.stall, &record.ending, record.accepts.first()) {
        (Some(reason), _, _, _) => format!("void: {reason}"),
        (None, Some(_), _, _) => "parked in accept until the next client".to_owned(),
        (None, None, Ending::Censored, _) => "censored by the watchdog".to_owned(),
        (None, None, _, Some(accept)) => accept.outcome.to_string(),
        (None, None, _, None) => "not reported, not accepted".to_owned(),
    }
}

/// What the first modelled kernel adds to an accept, or why that was not measured; `None`
/// where no kernel is modelled by any group.
pub fn price(seed: u64) -> Option<Result<Price, String>> {
    let model = GROUPS.iter().find_map(|group| group.kernel.model)?;
    if let Err(reason) = interpose::offered() {
        return Some(Err(reason.to_owned()));
    }
    Some(price::measure(model, seed).map_err(|miss| match miss {
        Miss::Void(reason) | Miss::Unfit(reason) | Miss::Broken(reason) => reason,
    }))
}
