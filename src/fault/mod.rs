//! The faults: what happens to the connections around the loop, as data.
//!
//! A fault names no backend. What it needs of one ([`Fault::misfit`]) is worked out from its
//! steps and the backend's [`Driver`].
//!
//! To add one: write `<name>.rs` with a `pub(super) const FAULT: Fault`, and add its line to
//! the registry below.

use crate::accept_loop::Discipline;
use crate::backend::{Driver, Takes};

/// One thing that is done to the accept queue; each is known to have taken effect before the
/// next begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A client connects; done when the connection is in the accept queue.
    Connect,
    /// As many clients connect as the trial's `count` says.
    ConnectAll,
    /// The oldest client resets; done when the kernel has the connection closed.
    Reset,
    /// The oldest client closes with a FIN; done as [`Step::Reset`].
    Close,
    /// Another acceptor takes the connection at the head of the queue.
    Rival,
}

/// What a trial does to a loop under test.
#[derive(Debug)]
pub struct Fault {
    /// The name used on the command line and in records; also the file's.
    pub name: &'static str,
    /// One sentence: what is done.
    pub about: &'static str,
    /// One sentence: what a loop that is wrong comes to.
    pub symptom: &'static str,
    /// Before the loop first waits.
    pub before_wait: &'static [Step],
    /// After the loop's wait has reported the listener and before it accepts.
    pub in_window: &'static [Step],
    /// How the loop accepts unless a trial says otherwise.
    pub discipline: Discipline,
    /// Whether only the bystander can tell the symptom: a loop that watches nobody else is
    /// free to park.
    pub needs_bystander: bool,
}

impl Fault {
    /// Why this fault cannot be tried on such a backend; `None` where it can.
    pub fn misfit(&self, driver: &Driver) -> Option<&'static str> {
        if !self.in_window.is_empty() && driver.takes != Takes::AfterReport {
            return Some(match driver.takes {
                Takes::InAccept => "it has no readiness, so there is no window before accept",
                _ => "it completes the accept inside its wait: no window that a caller could see",
            });
        }
        if self.needs_bystander && !driver.watches_others {
            return Some("it watches no other descriptor, so no bystander can be made to wait");
        }
        None
    }

    /// How many clients connect in all, the rescue not counted.
    pub fn clients(&self, count: usize) -> usize {
        let clients = |step: &Step| match step {
            Step::Connect => 1,
            Step::ConnectAll => count,
            Step::Reset | Step::Close | Step::Rival => 0,
        };
        self.before_wait.iter().chain(self.in_window).map(clients).sum()
    }

    /// How many connections are left for the loop: those that no rival takes.
    pub fn offered(&self, count: usize) -> usize {
        let steps = self.before_wait.iter().chain(self.in_window);
        self.clients(count) - steps.filter(|&&step| step == Step::Rival).count()
    }
}

macro_rules! faults {
    ($($name:ident;)*) => {
        $(mod $name;)*

        /// Every fault that rstall knows, in the order in which reports show them.
        pub static ALL: &[Fault] = &[$($name::FAULT),*];
    };
}

faults! {
    clean;
    close_queued;
    reset_queued;
    reset_in_window;
    rival_in_window;
    drain_to_empty;
    burst;
}

/// The fault of that name.
pub fn find(name: &str) -> Option<&'static Fault> {
    ALL.iter().find(|fault| fault.name == name)
}
