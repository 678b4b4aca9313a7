//! The faults: what happens to the connections around the loop, as data.
//!
//! A fault names no backend. What it needs of one ([`Fault::misfit`]) is worked out from its
//! steps and the backend's [`Driver`].
//!
//! To add one: write `<name>.rs` with a `pub(super) const FAULT: Fault`, and add its line to
//! the registry below.

use std::collections::VecDeque;

use crate::accept_loop::Discipline;
use crate::backend::{Driver, Takes};
use crate::kernel::Kernel;

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

    /// How many connections are left for the loop: those that no rival takes, and that the
    /// kernel does not drop as they are aborted.
    pub fn offered(&self, count: usize, kernel: &Kernel) -> usize {
        let gone = |step: &&Step| match step {
            Step::Rival => true,
            Step::Reset => kernel.drops_aborted(),
            Step::Connect | Step::ConnectAll | Step::Close => false,
        };
        let steps = self.before_wait.iter().chain(self.in_window);
        self.clients(count) - steps.filter(gone).count()
    }

    /// Why this fault cannot be modelled exactly on a kernel; `None` where it can.
    ///
    /// A kernel that drops aborted connections does so wherever they stand. The model can
    /// only take the head of the queue off, so that an aborted connection behind one that is
    /// alive would still make the listener ready.
    pub fn unmodelled(&self, count: usize, kernel: &Kernel) -> Option<&'static str> {
        let stale = || {
            let mut queue = Queue::default();
            [self.before_wait, self.in_window].into_iter().any(|steps| {
                queue.take_in(steps, count);
                queue.hides_an_abort()
            })
        };
        (kernel.drops_aborted() && stale()).then_some(
            "an aborted connection stands behind one that is alive, and would keep the listener \
             ready",
        )
    }
}

/// The accept queue as the steps leave it, before any accept of the loop.
#[derive(Debug, Default)]
struct Queue {
    /// Its connections, oldest first, by number, and whether each is aborted.
    connections: VecDeque<(usize, bool)>,
    /// The clients that have neither closed nor reset, oldest first.
    clients: VecDeque<usize>,
    /// How many have come.
    came: usize,
}

impl Queue {
    fn take_in(&mut self, steps: &[Step], count: usize) {
        for step in steps {
            match step {
                Step::Connect => self.connect(1),
                Step::ConnectAll => self.connect(count),
                Step::Close => drop(self.clients.pop_front()),
                Step::Reset => {
                    let gone = self.clients.pop_front();
                    let queued = self.connections.iter_mut();
                    for (_, aborted) in queued.filter(|(number, _)| Some(*number) == gone) {
                        *aborted = true;
                    }
                }
                Step::Rival => drop(self.connections.pop_front()),
            }
        }
    }

    fn connect(&mut self, n: usize) {
        for number in self.came..self.came + n {
            self.connections.push_back((number, false));
            self.clients.push_back(number);
        }
        self.came += n;
    }

    fn hides_an_abort(&self) -> bool {
        self.connections.iter().skip_while(|(_, aborted)| *aborted).any(|(_, aborted)| *aborted)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel;

    fn fault(before_wait: &'static [Step], in_window: &'static [Step]) -> Fault {
        Fault { before_wait, in_window, ..*find("clean").expect("in the registry") }
    }

    #[test]
    fn an_abort_behind_a_living_connection_is_not_modelled() {
        use Step::{Close, Connect, ConnectAll, Reset, Rival};
        let berkeley = kernel::find("berkeley").expect("in the registry");
        let exact = |fault: &Fault| fault.unmodelled(3, berkeley).is_none();
        // The head, or all of them.
        assert!(exact(&fault(&[Connect, Reset], &[])));
        assert!(exact(&fault(&[ConnectAll, Reset], &[Reset])));
        assert!(exact(&fault(&[Connect, Connect, Reset, Reset], &[])));
        // The one that closed is alive, and stands before the one that resets.
        assert!(!exact(&fault(&[Connect, Close, Connect, Reset], &[])));
        assert!(!exact(&fault(&[Connect, Close, Connect], &[Reset])));
        // The rival has the one that resets: the queue holds none.
        assert!(exact(&fault(&[Connect, Connect, Rival, Reset], &[])));
        for kernel in kernel::ALL.iter().filter(|kernel| !kernel.drops_aborted()) {
            let hidden = fault(&[Connect, Close, Connect, Reset], &[]);
            assert_eq!(hidden.unmodelled(3, kernel), None, "{}", kernel.name);
        }
        for fault in ALL {
            assert!(exact(fault), "{}", fault.name);
        }
    }

    #[test]
    fn what_a_kernel_drops_is_not_offered() {
        let fault = find("reset_queued").expect("in the registry");
        let offered: Vec<usize> = kernel::ALL.iter().map(|k| fault.offered(1, k)).collect();
        assert_eq!(offered, [1, 0, 1, 1], "native, berkeley, svr4, posix");
    }
}
