//! The only module that reads a clock.

use std::ops::Sub;
use std::time::{Duration, SystemTime};

use nix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

/// A reading of `CLOCK_MONOTONIC`, in nanoseconds.
///
/// The clock is the system's, not the process's: readings taken in two processes of one
/// machine compare (clock_getres(2)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Moment(pub u64);

impl Moment {
    /// The moment `delay` after this one.
    pub fn after(self, delay: Duration) -> Moment {
        Moment(self.0.saturating_add(nanos(delay)))
    }

    /// How long it is until this moment; zero once it has passed.
    pub fn remaining(self) -> Duration {
        self - now()
    }
}

impl Sub for Moment {
    type Output = Duration;

    /// The time from `earlier` to `self`; zero where `earlier` is in fact later.
    fn sub(self, earlier: Moment) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// The present moment.
pub fn now() -> Moment {
    Moment(read(ClockId::CLOCK_MONOTONIC))
}

/// The CPU time that the calling thread has used, user and system together.
pub fn thread_cpu() -> Duration {
    Duration::from_nanos(read(ClockId::CLOCK_THREAD_CPUTIME_ID))
}

/// The time of day, for naming runs; never used to measure.
pub fn wall() -> SystemTime {
    SystemTime::now()
}

/// A duration in whole nanoseconds, which overflow after 584 years.
pub fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn read(clock: ClockId) -> u64 {
    // POSIX lets clock_gettime fail for an unknown clock only; both are required of every
    // system that this crate builds on, so that zero is never read.
    clock_gettime(clock).map_or(0, |t| t.tv_sec() as u64 * 1_000_000_000 + t.tv_nsec() as u64)
}
