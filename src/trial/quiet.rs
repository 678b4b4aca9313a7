//! When loops have nothing more to say: they sleep, and have slept for a while.

use std::time::Duration;

use crate::clock::{self, Moment};
use crate::evidence::park::Doing;

/// How often the conductor looks whether the loop is parked. It schedules, and proves
/// nothing.
pub(super) const LOOK: Duration = Duration::from_micros(50);

/// When the byte goes out although the loop shows no sign, and when the rescue comes where
/// no system tells of a park. They schedule, and prove nothing.
pub(super) const NO_SIGN: Duration = Duration::from_millis(50);

/// How long a thread must be seen asleep before it counts as such. One that waits for another
/// thread may have met a lock, and where no system tells anything only time is left.
pub(super) fn patience(doing: Doing) -> Duration {
    match doing {
        Doing::Unknown => NO_SIGN,
        Doing::Locked => 20 * LOOK,
        _ => LOOK,
    }
}

/// Whether what is looked at has stayed as it is.
#[derive(Debug)]
pub(super) struct Quiet<T> {
    since: Option<(T, Moment)>,
}

impl<T> Default for Quiet<T> {
    fn default() -> Quiet<T> {
        Quiet { since: None }
    }
}

impl<T: PartialEq> Quiet<T> {
    /// Takes a look in: whether all sleep, and how things stand. Says whether they have slept,
    /// and stood so, for as long as it takes.
    pub(super) fn lasts(&mut self, asleep: bool, state: T, patience: Duration) -> bool {
        if !asleep {
            self.since = None;
            return false;
        }
        match &self.since {
            Some((known, since)) if *known == state => clock::now() > since.after(patience),
            _ => {
                self.since = Some((state, clock::now()));
                false
            }
        }
    }
}
