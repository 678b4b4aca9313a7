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

use std::time::Duration;

use crate::accept_loop::Policy;
use crate::backend::Driver;
use crate::fault::Fault;
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
    /// How many clients the fault's "all" is.
    pub count: usize,
}

impl Cell {
    /// Why this cell cannot be tried; `None` where it can.
    pub fn misfit(&self) -> Option<&'static str> {
        if !self.driver.modes.contains(&self.listener.mode) {
            return Some("the backend is not meant for a listener of this mode");
        }
        self.fault.misfit(self.driver)
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
