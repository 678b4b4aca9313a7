//! One trial: a loop under test meets a fault, and what it does is recorded.
//!
//! A trial never hangs. A stall is proved by order, not by time: accept was entered, then
//! the rescue client's connect began, then that same accept returned the rescue's own port,
//! while the bystander's byte lay unanswered ([`Stall`]). A trial that only the watchdog
//! could end is recorded as censored ([`Ending::Censored`]).

mod conductor;
mod injection;
mod log;
mod record;
mod stage;
pub mod timeline;

pub use conductor::run;
pub use log::{Event, Lane, What};
pub use record::{Accept, Ending, Record, Stall};
pub(crate) use stage::panic_text;

use std::fmt;
use std::time::Duration;

use crate::accept_loop::Policy;
use crate::backend::Driver;
use crate::fault::Fault;
use crate::interpose::capture;
use crate::kernel::Kernel;
use crate::listener::ListenerSpec;

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
    /// The kernel whose accept queue it stands on.
    pub kernel: &'static Kernel,
    /// How many clients the fault's "all" is.
    pub count: usize,
}

impl Cell {
    /// How many connections are left for the loop.
    pub fn offered(&self) -> usize {
        self.fault.offered(self.count, self.kernel)
    }

    /// Why this cell cannot be tried; `None` where it can. The first time that it is asked of
    /// a backend on a modelled kernel, it tries the backend's accept
    /// ([`crate::interpose::capture`]).
    pub fn misfit(&self) -> Option<Misfit> {
        if !self.driver.modes.contains(&self.listener.mode) {
            let reason = "the backend is not meant for a listener of this mode";
            return Some(Misfit::NotApplicable(reason));
        }
        if let Some(reason) = self.fault.misfit(self.driver) {
            return Some(Misfit::NotApplicable(reason));
        }
        if self.kernel.is_native() {
            return None;
        }
        match self.fault.unmodelled(self.count, self.kernel) {
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
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Misfit::NotApplicable(reason) => write!(f, "not applicable: {reason}"),
            Misfit::NotModelled(reason) => write!(f, "not modelled: {reason}"),
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
}

impl Default for Timing {
    /// A rescue after 2 ms, a watchdog after 5 s.
    fn default() -> Timing {
        Timing {
            rescue_after: Duration::from_millis(2),
            watchdog: Duration::from_secs(5),
            loop_cpu: None,
        }
    }
}
