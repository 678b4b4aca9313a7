//! Which backends, modes and kernels a fault can be tried on, and why not the others.

use super::{Arm, Fault, Step};
use crate::accept_loop::{Habit, Remedy};
use crate::backend::{Driver, Rearms, Registration, Takes};
use crate::kernel::Kernel;
use crate::listener::Mode;

/// What a fault needs of a backend, so that its symptom can be told at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Nothing.
    Nothing,
    /// A bystander: a loop that watches nobody else is free to park.
    Bystander,
    /// Something that reports once and is renewed after each report.
    OneShot,
    /// A request that goes on until it ends by itself, and is renewed then.
    Multishot,
    /// An accept that is under way while the loop does something else.
    InFlight,
    /// A registration that a program can forget to remove.
    Registration,
    /// A loop that waits for a client in accept.
    ParksInAccept,
}

impl Fault {
    /// Why this fault cannot be tried on such a backend, with that arm; `None` where it can.
    pub fn misfit(&self, arm: &Arm, driver: &Driver) -> Option<&'static str> {
        window(arm, driver).or_else(|| needs(self.needs, driver)).or_else(|| habit(arm, driver))
    }

    /// Why this arm makes no sense on a listener of this mode, or on this system; `None`
    /// where it does.
    pub fn misplaced(&self, arm: &Arm, mode: Mode) -> Option<&'static str> {
        let steps = arm.steps();
        let clears =
            steps.contain(Step::ClearNonblock) || steps.contain(Step::ClearNonblockOfAnother);
        if clears && mode == Mode::Blocking {
            return Some("there is no O_NONBLOCK that could be cleared");
        }
        let linux = cfg!(target_os = "linux");
        if steps.contain(Step::ListenAgain) && !linux {
            return Some("only Linux lets a listener that was shut down listen again");
        }
        if steps.contain(Step::LeaveMigrating) && !linux {
            return Some("net.ipv4.tcp_migrate_req is Linux's");
        }
        if steps.contain(Step::StopByShutdown) && !linux {
            return Some("only on Linux does shutdown(2) wake an accept");
        }
        None
    }

    /// Why this fault cannot be modelled exactly on a kernel; `None` where it can.
    ///
    /// A kernel that drops aborted connections does so wherever they stand. The model can
    /// only take the head of the queue off, so that an aborted connection behind one that is
    /// alive would still make the listener ready.
    pub fn unmodelled(&self, arm: &Arm, count: usize, kernel: &Kernel) -> Option<&'static str> {
        (kernel.drops_aborted() && arm.steps().hide_an_abort(count)).then_some(
            "an aborted connection stands behind one that is alive, and would keep the listener \
             ready",
        )
    }
}

fn needs(needs: Needs, driver: &Driver) -> Option<&'static str> {
    match needs {
        Needs::Bystander if !driver.watches_others => {
            Some("it watches no other descriptor, so no bystander can be made to wait")
        }
        Needs::OneShot if driver.rearms != Rearms::EachReport => {
            Some("there is nothing to renew after a report")
        }
        Needs::Multishot if driver.rearms != Rearms::AtItsEnd => {
            Some("it has no request that ends by itself")
        }
        Needs::InFlight if driver.takes != Takes::InWait => {
            Some("no accept is under way while the loop does something else")
        }
        Needs::Registration if driver.registration == Registration::None => {
            Some("it registers nothing")
        }
        Needs::ParksInAccept if driver.takes != Takes::InAccept => {
            Some("it does not wait in accept: a descriptor that it watches wakes it")
        }
        _ => None,
    }
}

fn window(arm: &Arm, driver: &Driver) -> Option<&'static str> {
    let steps = arm.steps();
    if !steps.in_window.is_empty() && driver.takes != Takes::AfterReport {
        return Some(match driver.takes {
            Takes::InAccept => "it has no readiness, so there is no window before accept",
            _ => "it completes the accept inside its wait: no window that a caller could see",
        });
    }
    let bystander = steps.at_bystander.most() > 0 || steps.contain(Step::Byte);
    (bystander && !driver.watches_others)
        .then_some("it watches no other descriptor, so it never turns to a bystander")
}

fn habit(arm: &Arm, driver: &Driver) -> Option<&'static str> {
    match arm.habit {
        _ if closes_first(arm) && driver.registration == Registration::Contract => {
            Some("the library's contract forbids closing what is registered")
        }
        Habit::Exhausted(Remedy::Pause | Remedy::PauseForGood) if !driver.watches_others => {
            Some("it watches nothing that could tell it when to go on")
        }
        Habit::Exhausted(Remedy::BackOff) if !driver.watches_others => {
            Some("it cannot watch a timer")
        }
        Habit::Exhausted(Remedy::BackOff) if !cfg!(target_os = "linux") => {
            Some("this system has no timer descriptor (timerfd_create(2))")
        }
        Habit::NeverRearms if driver.rearms == Rearms::Never => Some("there is nothing to renew"),
        Habit::Reads { .. } if !driver.watches_others => {
            Some("it serves nobody else whom a read could keep waiting")
        }
        _ => None,
    }
}

/// Whether the listener is closed while it is registered.
fn closes_first(arm: &Arm) -> bool {
    arm.steps().contain(Step::Renumber) || arm.habit == Habit::Closes { deregisters: false }
}
