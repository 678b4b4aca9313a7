//! A trial in a process of its own: where it takes away all descriptors, or changes how the
//! network behaves, nobody else may be near.

use std::env;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::network;
use super::record::Record;
use super::{Cell, Timing};
use crate::accept_loop::Policy;
use crate::fault::Step;
use crate::listener::ListenerSpec;
use crate::program;
use crate::{backend, fault, kernel, limits};

/// The environment variable that makes a program conduct one trial.
const VARIABLE: &str = "RSTALL_TRIAL";

/// How long a trial's process may take beside its watchdog's time: to start, to stop its loop.
const GRACE: Duration = Duration::from_secs(10);

/// Whether this process is a trial's own.
static APART: AtomicBool = AtomicBool::new(false);

/// The trial that a process is started for.
#[derive(Debug, Serialize, Deserialize)]
struct Order {
    backend: String,
    listener: ListenerSpec,
    policy: Policy,
    fault: String,
    arm: String,
    kernel: String,
    count: usize,
    rescue_after: Duration,
    watchdog: Duration,
    loop_cpu: Option<usize>,
}

/// Starts `program` for this one trial and reads its record.
///
/// # Errors
///
/// A message where it cannot be started, or says why it could not do it.
pub(super) fn run(cell: &Cell, timing: Timing, program: &Path) -> Result<Record, String> {
    let order = Order {
        backend: cell.backend.to_owned(),
        listener: cell.listener,
        policy: cell.policy,
        fault: cell.fault.name.to_owned(),
        arm: cell.arm.name.to_owned(),
        kernel: cell.kernel.name.to_owned(),
        count: cell.count,
        rescue_after: timing.rescue_after,
        watchdog: timing.watchdog,
        loop_cpu: timing.loop_cpu,
    };
    let limit = timing.watchdog + GRACE;
    let told = program::command(program, VARIABLE, &order)
        .and_then(|command| program::told_within(command, limit))
        .map_err(|error| format!("{} as a trial's process: {error}", program.display()))?;
    serde_json::from_slice::<Result<Record, String>>(&told)
        .map_err(|error| format!("what the trial's process said is no record: {error}"))?
}

/// If this process was started for a trial, conducts it, says what it came to, and never
/// returns. To be called first thing in `main`.
pub fn run_if_asked() {
    let Some(order) = env::var_os(VARIABLE) else { return };
    program::end_with_the_parent();
    APART.store(true, Ordering::Release);
    let result = conduct(&order.to_string_lossy());
    let told = serde_json::to_writer(io::stdout().lock(), &result);
    std::process::exit(i32::from(told.is_err() || result.is_err()));
}

fn conduct(order: &str) -> Result<Record, String> {
    let order: Order = serde_json::from_str(order).map_err(|error| error.to_string())?;
    limits::raise_open_files();
    let fault = fault::find(&order.fault).ok_or("no such fault")?;
    let entry = backend::find(&order.backend).ok_or("no such backend")?;
    let arm = fault.arm(&order.arm).ok_or("no such arm")?;
    if arm.steps().contain(Step::LeaveMigrating) {
        // Before any socket is opened: it belongs to the network in which it was.
        network::leave_for_one_that_migrates()?;
    }
    let cell = Cell {
        backend: entry.name,
        driver: entry.driver()?,
        listener: order.listener,
        policy: order.policy,
        fault,
        arm,
        kernel: kernel::find(&order.kernel).ok_or("no such kernel")?,
        count: order.count,
    };
    let timing = Timing {
        rescue_after: order.rescue_after,
        watchdog: order.watchdog,
        loop_cpu: order.loop_cpu,
        program: None,
    };
    super::run(&cell, timing)
}

/// Whether this process is a trial's own, so that what belongs to a process may be changed.
pub(super) fn is_apart() -> bool {
    APART.load(Ordering::Acquire)
}
