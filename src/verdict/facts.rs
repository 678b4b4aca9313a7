//! What is known of a cell before it is tried: what the rules ask about.

use super::judge::FAIR;
use crate::accept_loop::{Habit, Remedy};
use crate::backend::{Driver, Rearms, Registration, Takes, Unasked};
use crate::fault::{Queues, Scene, Step, Steps, Turns};
use crate::kernel::{Kernel, Model};
use crate::listener::Mode;
use crate::outcome::RetrySet;
use crate::trial::Cell;

/// A cell, and what follows for its loop from what its driver says of itself.
pub struct Facts<'a> {
    pub cell: &'a Cell,
    /// Whether accept waits where the queue is empty: the listener's mode, unless somebody has
    /// cleared O_NONBLOCK.
    pub blocks: bool,
    /// Whether the loop ends on errors that pass.
    pub naive: bool,
    /// How often one report may lead to an accept.
    pub budget: usize,
    /// What comes to the queue at a time.
    batches: Vec<Batch>,
}

/// What is in the queue as the loop waits.
struct Batch {
    /// Whether there is anything then: the listener is ready.
    ready: bool,
    /// How many are left when the loop accepts.
    left: usize,
}

impl<'a> Facts<'a> {
    pub(super) fn of(cell: &'a Cell) -> Facts<'a> {
        let steps = cell.arm.steps();
        let cleared = steps.contain(Step::ClearNonblock);
        Facts {
            cell,
            blocks: cell.listener.mode == Mode::Blocking || cleared,
            naive: cell.policy.retry == RetrySet::Naive,
            budget: cell.policy.discipline.budget(),
            batches: batches(cell, steps),
        }
    }

    pub fn habit(&self) -> Habit {
        self.cell.policy.habit
    }

    pub fn remedy(&self) -> Option<Remedy> {
        match self.habit() {
            Habit::Exhausted(remedy) if self.step(Step::Exhaust) => Some(remedy),
            _ => None,
        }
    }

    pub fn step(&self, step: Step) -> bool {
        self.cell.arm.steps().contain(step)
    }

    pub fn driver(&self) -> &'static Driver {
        self.cell.driver
    }

    /// Whether the loop closes its listener and forgets that it is registered.
    pub fn forgets(&self) -> bool {
        self.habit() == Habit::Closes { deregisters: false }
    }

    /// What keeps the listener watched.
    pub fn is_kept_by(&self, registration: Registration) -> bool {
        self.cell.driver.registration == registration
    }

    /// Whether several loops wait on one listener.
    pub fn shares_a_listener(&self) -> bool {
        self.queues() == Some(Queues::Shared)
    }

    pub fn queues(&self) -> Option<Queues> {
        match self.cell.arm.scene {
            Scene::Herd(queues, _) => Some(queues),
            Scene::One(_) => None,
        }
    }

    /// Whether accept tells of an aborted connection by failing.
    pub fn accept_fails(&self) -> bool {
        let aborted = self.step(Step::Reset) && !self.cell.kernel.drops_aborted();
        aborted && fails_on_abort(self.cell.kernel)
    }

    /// Whether anybody connects.
    pub fn has_clients(&self) -> bool {
        self.cell.arm.clients(self.cell.count) > 0
    }

    /// Whether more is queued than is fair to take while the bystander waits for its turn.
    pub fn storms(&self) -> bool {
        self.step(Step::Byte) && self.cell.offered() > FAIR
    }

    /// Whether somebody connects while the loop turns to its bystander.
    pub fn comes_again(&self) -> bool {
        self.cell.arm.steps().at_bystander.steps().contains(&Step::Connect)
    }

    /// Whether others take each connection before a request in flight gets it, until the kernel
    /// arms the request no more (io_uring/poll.c, `APOLL_MAX_RETRY`).
    pub fn robs_a_request(&self) -> bool {
        let driver = self.cell.driver;
        let robbed = self.cell.arm.steps().at_bystander.rob();
        let one_shot = driver.rearms == Rearms::EachReport;
        robbed && one_shot && driver.registration == Registration::Request
    }

    /// Whether a one-shot registration is to be renewed whose listener is gone. kqueue(2) would
    /// make a new one.
    pub fn renews_what_is_gone(&self) -> bool {
        let driver = self.cell.driver;
        let one_shot = driver.rearms == Rearms::EachReport && driver.takes == Takes::AfterReport;
        self.step(Step::Renumber) && one_shot && cfg!(target_os = "linux")
    }

    /// Whether the loop is told once only of what is queued.
    pub fn edge(&self) -> bool {
        self.cell.driver.edge_triggered
    }

    /// Whether more is queued at one report than the loop accepts for it.
    pub fn leaves_some(&self) -> bool {
        self.batches.iter().any(|batch| batch.left > self.budget)
    }

    /// Whether the loop calls accept once more than there are connections: somebody was
    /// faster, or it drains, or its budget ends beyond the queue's end; or its library does
    /// so by itself.
    pub fn accepts_once_too_often(&self) -> bool {
        self.trusts_a_report_too_far() || self.library_does()
    }

    /// As [`Facts::accepts_once_too_often`], but only where the loop itself does, and there was
    /// something to take: what level-triggered readiness does not ask for.
    pub fn looks_beyond_the_end(&self) -> bool {
        self.reports() && self.batches.iter().any(|batch| batch.left > 0 && self.beyond(batch))
    }

    /// Whether the loop calls accept where no connection is: as it sees it, EWOULDBLOCK.
    pub fn trusts_a_report_too_far(&self) -> bool {
        self.reports() && self.batches.iter().any(|batch| batch.ready && self.beyond(batch))
    }

    fn reports(&self) -> bool {
        self.cell.driver.takes == Takes::AfterReport
    }

    fn beyond(&self, batch: &Batch) -> bool {
        match batch.left {
            0 => true,
            left if self.edge() => self.budget > left,
            left => self.budget == usize::MAX || !left.is_multiple_of(self.budget),
        }
    }

    fn library_does(&self) -> bool {
        let driver = self.cell.driver;
        driver.watches_others
            && match driver.accepts_unasked {
                Unasked::Never => false,
                Unasked::Remembered => self.batches.iter().any(|batch| batch.ready),
                Unasked::First => true,
            }
    }
}

fn batches(cell: &Cell, steps: &Steps) -> Vec<Batch> {
    if let Scene::Herd(..) = cell.arm.scene {
        return vec![Batch { ready: true, left: 1 }];
    }
    let left =
        |steps: Steps| match steps.contain(Step::LeaveMigrating) || steps.contain(Step::Leave) {
            // It never waits.
            true => 0,
            false => steps.left(cell.count, cell.kernel),
        };
    let before = Steps { before_wait: steps.before_wait, ..Steps::NONE };
    let first = Steps { in_window: steps.in_window, ..before };
    // What comes at a turn comes to a loop that has closed its listener, if it closes it then.
    let closes = matches!(cell.policy.habit, Habit::Closes { .. });
    let turn = Turns::First(if closes { &[] } else { steps.at_bystander.steps() });
    let turn = left(Steps { at_bystander: turn, ..Steps::NONE });
    vec![
        Batch { ready: left(before) > 0, left: left(first) },
        Batch { ready: turn > 0, left: turn },
    ]
}

/// How accept tells of an abort: what METHODOLOGY.md says of each system. The machine's own
/// kernel hands over a dead socket (Linux, macOS) or fails (FreeBSD, NetBSD, OpenBSD).
fn fails_on_abort(kernel: &Kernel) -> bool {
    match kernel.model {
        None => cfg!(any(target_os = "freebsd", target_os = "netbsd", target_os = "openbsd")),
        Some(Model::Fails(_)) => true,
        Some(Model::Vanishes) => false,
    }
}
