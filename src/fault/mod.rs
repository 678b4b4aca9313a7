//! The faults: what happens to the connections around the loop, as data.
//!
//! A fault names no backend. What it needs of one ([`Fault::misfit`]) is worked out from its
//! steps and the backend's [`crate::backend::Driver`].
//!
//! To add one: write `<name>.rs` with a `pub(super) const FAULT: Fault`, its entry
//! `docs/pitfalls/<name>.md` with the two programs that it shows, and add its line to the
//! registry below.

mod fit;
mod steps;

pub use fit::Needs;
pub use steps::{Step, Steps, Turns};

use crate::accept_loop::{Discipline, Habit};
use crate::kernel::Kernel;
use crate::listener::Mode;
use crate::outcome::RetrySet;

/// What a trial does to a loop under test.
#[derive(Debug)]
pub struct Fault {
    /// The name used on the command line and in records; also the file's.
    pub name: &'static str,
    /// The pitfall that it shows, in a few words.
    pub pitfall: &'static str,
    /// One sentence: what is done.
    pub about: &'static str,
    /// One sentence: what a loop that is wrong comes to.
    pub symptom: &'static str,
    /// One sentence: what helps.
    pub cure: &'static str,
    /// Issues in which it was met, as `owner/repository#number`; manual pages and books.
    pub seen_in: &'static [&'static str],
    /// The ways in which it can be played: where they are several, the first is the diseased.
    pub arms: &'static [Arm],
    /// How the loop accepts unless a trial says otherwise.
    pub discipline: Discipline,
    /// What it needs of a backend.
    pub needs: Needs,
    /// Whether it is about more than a verdict: about how much, how often, how long.
    pub has_figures: bool,
    /// A loop that falls ill and one that is cured; `None` where nothing goes wrong.
    pub cases: Option<Cases>,
}

/// One way in which a fault is played.
#[derive(Debug)]
pub struct Arm {
    /// Its name; empty where there is only one.
    pub name: &'static str,
    /// What the loop does, or what is done to it, in a few words.
    pub about: &'static str,
    /// What happens.
    pub scene: Scene,
    /// What the loop does beside accepting.
    pub habit: Habit,
}

/// What happens around the loop, or loops.
#[derive(Clone, Copy, Debug)]
pub enum Scene {
    /// One loop, and steps.
    One(Steps),
    /// So many loops wait, and clients connect one by one.
    Herd(Queues, usize),
}

/// Whether the loops of a herd have one accept queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queues {
    /// They wait on one listener.
    Shared,
    /// Each has a listener of its own, on one port (SO_REUSEPORT, socket(7)).
    Own,
}

impl Arm {
    /// The only arm of a fault that has one: a loop without habits.
    pub const fn only(steps: Steps) -> Arm {
        Arm { name: "", about: "", scene: Scene::One(steps), habit: Habit::Sound }
    }

    /// One of several.
    pub const fn new(name: &'static str, about: &'static str, steps: Steps, habit: Habit) -> Arm {
        Arm { name, about, scene: Scene::One(steps), habit }
    }

    /// One of several, with so many loops.
    pub const fn herd(
        name: &'static str,
        about: &'static str,
        queues: Queues,
        loops: usize,
    ) -> Arm {
        Arm { name, about, scene: Scene::Herd(queues, loops), habit: Habit::Sound }
    }

    /// What is done to the accept queue; to a herd's nothing is.
    pub fn steps(&self) -> &Steps {
        match &self.scene {
            Scene::One(steps) => steps,
            Scene::Herd(..) => &Steps::NONE,
        }
    }

    /// Whether a trial needs a process of its own, since it changes what belongs to a process:
    /// its limit on open files, its network, which numbers are free, which threads it has.
    pub fn needs_a_process(&self) -> bool {
        let steps = self.steps();
        // A number that is free for a moment is whoever's opens something next.
        let closes = self.habit == Habit::Closes { deregisters: false };
        let frees_a_number = closes && steps.at_bystander.most() > 0;
        // The process's kernel threads are counted then: they must be the trial's.
        frees_a_number
            || steps.at_bystander.rob()
            || steps.contain(Step::Exhaust)
            || steps.contain(Step::LeaveMigrating)
    }
}

/// The two loops by which a fault proves itself.
#[derive(Debug)]
pub struct Cases {
    /// One that falls ill.
    pub ill: Case,
    /// The same with the cure.
    pub cured: Case,
    /// What is left of the steps where nothing goes wrong: the control, in which the first is
    /// well too.
    pub without: Steps,
}

/// A loop, whatever its backend.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// The arm's name.
    pub arm: &'static str,
    /// The listener's mode.
    pub mode: Mode,
    /// How often it accepts for one report.
    pub discipline: Discipline,
    /// After which errors it goes on.
    pub retry: RetrySet,
    /// The kernel's name.
    pub kernel: &'static str,
}

impl Case {
    /// A sound loop on a non-blocking listener, on the machine's own kernel.
    pub const SOUND: Case = Case {
        arm: "",
        mode: Mode::NonBlocking,
        discipline: Discipline::One,
        retry: RetrySet::Stevens,
        kernel: "native",
    };

    /// As [`Case::SOUND`], on a blocking listener.
    pub const BLOCKING: Case = Case { mode: Mode::Blocking, ..Case::SOUND };
}

impl Fault {
    /// The arm of that name; the first one if the name is empty.
    pub fn arm(&self, name: &str) -> Option<&'static Arm> {
        match name {
            "" => self.arms.first(),
            _ => self.arms.iter().find(|arm| arm.name == name),
        }
    }

    /// Whether it can come out differently on another kernel: whether anything is aborted.
    pub fn concerns_kernels(&self) -> bool {
        self.arms.iter().any(|arm| arm.steps().contain(Step::Reset))
    }
}

impl Arm {
    /// How many clients connect in all, the rescue not counted.
    pub fn clients(&self, count: usize) -> usize {
        match self.scene {
            Scene::One(steps) => steps.leave(count, false).came,
            Scene::Herd(_, loops) => Arm::HERD_CLIENTS * loops,
        }
    }

    /// How many clients come for each loop of a herd, one after the other.
    pub(crate) const HERD_CLIENTS: usize = 2;

    /// How many connections are left for the loop: those that nobody else takes, and that the
    /// kernel does not drop as they are aborted.
    pub fn offered(&self, count: usize, kernel: &Kernel) -> usize {
        match self.scene {
            Scene::One(steps) => steps.left(count, kernel),
            Scene::Herd(..) => self.clients(count),
        }
    }
}

macro_rules! faults {
    ($($name:ident;)*) => {
        $(mod $name;)*

        /// Every fault that rstall knows, in the order in which reports show them.
        pub static ALL: &[Fault] = &[$($name::FAULT),*];

        /// Their entries in `docs/pitfalls/`, in the same order.
        pub(crate) static ENTRIES: &[&str] = &[
            $(include_str!(concat!("../../docs/pitfalls/", stringify!($name), ".md"))),*
        ];
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
    listen_again;
    nonblock_cleared;
    efault;
    descriptors_exhausted;
    not_rearmed;
    multishot_ended;
    stolen_wakeups;
    accept_cancelled;
    herd;
    member_leaves;
    storm;
    stale_registration;
    number_reused;
    stop_parked;
    accepted_blocking;
}

/// The fault of that name.
pub fn find(name: &str) -> Option<&'static Fault> {
    ALL.iter().find(|fault| fault.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel;

    fn hides(before_wait: &'static [Step], in_window: &'static [Step]) -> bool {
        Steps { before_wait, in_window, ..Steps::NONE }.hide_an_abort(3)
    }

    #[test]
    fn an_abort_behind_a_living_connection_is_not_modelled() {
        use Step::{Close, Connect, ConnectAll, Reset, Rival};
        // The head, or all of them.
        assert!(!hides(&[Connect, Reset], &[]));
        assert!(!hides(&[ConnectAll, Reset], &[Reset]));
        assert!(!hides(&[Connect, Connect, Reset, Reset], &[]));
        // The one that closed is alive, and stands before the one that resets.
        assert!(hides(&[Connect, Close, Connect, Reset], &[]));
        assert!(hides(&[Connect, Close, Connect], &[Reset]));
        // The rival has the one that resets: the queue holds none.
        assert!(!hides(&[Connect, Connect, Rival, Reset], &[]));
        // What is hidden is not modelled where it would be dropped, and only there.
        let steps = Steps { before_wait: &[Connect, Close, Connect, Reset], ..Steps::NONE };
        let (fault, arm) = (&ALL[0], Arm::only(steps));
        for kernel in kernel::ALL {
            let refused = fault.unmodelled(&arm, 3, kernel).is_some();
            assert_eq!(refused, kernel.drops_aborted(), "{}", kernel.name);
        }
        for fault in ALL {
            for arm in fault.arms {
                for kernel in kernel::ALL {
                    let reason = fault.unmodelled(arm, 3, kernel);
                    assert_eq!(reason, None, "{} on {}", fault.name, kernel.name);
                }
            }
        }
    }

    #[test]
    fn what_a_kernel_drops_is_not_offered() {
        let fault = find("reset_queued").expect("in the registry");
        let offered: Vec<usize> = kernel::ALL.iter().map(|k| fault.arms[0].offered(1, k)).collect();
        assert_eq!(offered, [1, 0, 1, 1], "native, berkeley, svr4, posix");
    }
}
