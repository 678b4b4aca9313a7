//! One trial: a loop under test meets a fault, and what it does is recorded.
//!
//! A trial never hangs. A stall is proved by order, not by time: accept was entered, then
//! the rescue client's connect began, then that same accept returned the rescue's own port,
//! while the bystander's byte lay unanswered ([`Stall`]). A trial that only the watchdog
//! could end is recorded as censored ([`Ending::Censored`]).

pub mod apart;
mod around;
mod conductor;
mod exchange;
mod farewell;
mod herd;
mod injection;
mod log;
mod network;
mod number;
mod proof;
mod quiet;
mod record;
mod stage;

pub use log::{Event, Lane, What};
pub use proof::{Accept, Call, Stall};
pub use record::{Ending, Record, Share};
pub(crate) use stage::panic_text;

use std::fmt;
use std::path::Path;
use std::time::Duration;

use crate::accept_loop::Policy;
use crate::backend::{Driver, Entry};
use crate::fault::{Arm, Case, Fault, Scene};
use crate::interpose::capture;
use crate::kernel::{self, Kernel};
use crate::listener::{Family, ListenerSpec};

/// What is tried: one loop under one fault.
#[derive(Clone, Copy, Debug)]
pub struct Cell {
    /// The backend's name.
    pub backend: &'static str,
    /// The backend.
    pub driver: &'static Driver,
    /// The listener it runs on.
    pub listener: ListenerSpec,
    /// How the loop accepts.
    pub policy: Policy,
    /// What happens to it.
    pub fault: &'static Fault,
    /// In which of the fault's ways.
    pub arm: &'static Arm,
    /// The kernel whose accept queue it stands on.
    pub kernel: &'static Kernel,
    /// How many clients the fault's "all" is.
    pub count: usize,
}

impl Cell {
    /// How many clients a fault's "all" is, unless a trial says otherwise.
    pub const COUNT: usize = 5;

    /// A fault's case on a backend: over IPv4, with [`Cell::COUNT`] clients.
    ///
    /// # Errors
    ///
    /// Why this machine has no such backend, or that the fault has no such arm or the crate no
    /// such kernel.
    pub fn of(entry: &'static Entry, fault: &'static Fault, case: &Case) -> Result<Cell, String> {
        let absent = |reason| format!("{} is absent: {reason}", entry.name);
        let arm = fault.arm(case.arm).ok_or("no such arm")?;
        let listener = ListenerSpec { mode: case.mode, family: Family::Ipv4, backlog: 1024 };
        let policy = Policy { discipline: case.discipline, retry: case.retry, habit: arm.habit };
        Ok(Cell {
            backend: entry.name,
            driver: entry.driver().map_err(absent)?,
            listener,
            policy,
            fault,
            arm,
            kernel: kernel::find(case.kernel).ok_or("no such kernel")?,
            count: Cell::COUNT,
        })
    }

    /// How many connections are left for the loop.
    pub fn offered(&self) -> usize {
        self.arm.offered(self.count, self.kernel)
    }

    /// Why this cell cannot be tried; `None` where it can. The first time that it is asked of
    /// a backend on a modelled kernel, it tries the backend's accept
    /// ([`crate::interpose::capture`]).
    pub fn misfit(&self) -> Option<Misfit> {
        if !self.driver.modes.contains(&self.listener.mode) {
            let reason = "the backend is not meant for a listener of this mode";
            return Some(Misfit::NotApplicable(reason));
        }
        let reason = self.fault.misfit(self.arm, self.driver);
        let reason = reason.or_else(|| self.fault.misplaced(self.arm, self.listener.mode));
        if let Some(reason) = reason {
            return Some(Misfit::NotApplicable(reason));
        }
        if self.kernel.is_native() {
            return None;
        }
        match self.fault.unmodelled(self.arm, self.count, self.kernel) {
            Some(reason) => Some(Misfit::NotModelled(reason.to_owned())),
            None => capture::of(self.driver).err().map(Misfit::NotModelled),
        }
    }
}

/// Why a cell cannot be tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// The fault makes no sense on such a backend.
    NotApplicable(&'static str),
    /// The modelled kernel cannot be had for it, and the machine's own is not put in its
    /// place.
    NotModelled(String),
    /// This system does not let anybody do it.
    Refused(String),
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Misfit::NotApplicable(reason) => write!(f, "not applicable: {reason}"),
            Misfit::NotModelled(reason) => write!(f, "not modelled: {reason}"),
            Misfit::Refused(reason) => write!(f, "not applicable: {reason}"),
        }
    }
}

/// How long things may take, and where the loop runs.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// From the bystander's byte to the rescue's connect, if nobody has answered by then.
    pub rescue_after: Duration,
    /// When the watchdog ends the trial.
    pub watchdog: Duration,
    /// The CPU that the loop's thread is put on; the kernel's choice if `None`.
    pub loop_cpu: Option<usize>,
    /// The program that is started for a trial which needs a process of its own
    /// ([`apart`]); `None` where there is none, or this is that process.
    pub program: Option<&'static Path>,
}

impl Timing {
    /// For many trials of which only the order counts: the rescue comes as soon as the park is
    /// seen, and a machine that is busy is given time.
    pub fn sweep() -> Timing {
        let watchdog = Duration::from_secs(20);
        Timing { rescue_after: Duration::ZERO, watchdog, ..Timing::default() }
    }
}

impl Default for Timing {
    /// A rescue after 2 ms, a watchdog after 5 s.
    fn default() -> Timing {
        Timing {
            rescue_after: Duration::from_millis(2),
            watchdog: Duration::from_secs(5),
            loop_cpu: None,
            program: None,
        }
    }
}

/// How a message begins that tells of something which this system lets nobody do: then the
/// trial makes no sense here, and nothing is wrong.
pub const REFUSED: &str = "this system refuses it: ";

/// Runs one trial: on the calling thread, with its loop or loops on others; or in a process
/// of its own, where it changes what belongs to a process. Blocks until the trial is over, at
/// most for the watchdog's time and a few seconds of farewell.
///
/// # Errors
///
/// A message where the trial could not be set up: no descriptor, no such address family, the
/// backend refused the listener, no program to start. What goes wrong later is in the record.
pub fn run(cell: &Cell, timing: Timing) -> Result<Record, String> {
    match (cell.arm.needs_a_process(), timing.program, cell.arm.scene) {
        (true, Some(program), _) => apart::run(cell, timing, program),
        (true, None, _) if !apart::is_apart() => {
            Err("this trial needs a process of its own, and no program was named for it".to_owned())
        }
        (_, _, Scene::Herd(queues, loops)) => herd::run(cell, timing, queues, loops),
        (_, _, Scene::One(_)) => conductor::run(cell, timing),
    }
}
