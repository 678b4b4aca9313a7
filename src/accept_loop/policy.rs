//! How a loop accepts: its discipline, its retry set, its habit.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::outcome::RetrySet;

/// How often the loop accepts for one report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Discipline {
    /// Once.
    One,
    /// Until EWOULDBLOCK; where accepts complete in the wait, all that it brought.
    Drain,
    /// As [`Discipline::Drain`], but at most so many times before the others get their turn.
    Budget(usize),
}

impl Discipline {
    /// How many accepts one report may lead to.
    pub fn budget(self) -> usize {
        match self {
            Discipline::One => 1,
            Discipline::Drain => usize::MAX,
            Discipline::Budget(n) => n,
        }
    }
}

impl std::fmt::Display for Discipline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Discipline::One => f.pad("one"),
            Discipline::Drain => f.pad("drain"),
            Discipline::Budget(n) => f.pad(&format!("budget:{n}")),
        }
    }
}

impl FromStr for Discipline {
    type Err = String;

    fn from_str(text: &str) -> Result<Discipline, String> {
        match (text, text.strip_prefix("budget:").map(str::parse)) {
            ("one", _) => Ok(Discipline::One),
            ("drain", _) => Ok(Discipline::Drain),
            (_, Some(Ok(n))) if n > 0 => Ok(Discipline::Budget(n)),
            _ => Err("one of: one, drain, budget:N with N of 1 or more".to_owned()),
        }
    }
}

/// What the loop does about a report and about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// How often it accepts for one report.
    pub discipline: Discipline,
    /// Which errors it takes for passing ones.
    pub retry: RetrySet,
    /// What it does beside accepting.
    #[serde(default)]
    pub habit: Habit,
}

impl Policy {
    /// A loop that does nothing but accept.
    pub const fn new(discipline: Discipline, retry: RetrySet) -> Policy {
        Policy { discipline, retry, habit: Habit::Sound }
    }
}

/// What a loop does beside accepting: the mistakes that are made there, and their cures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Habit {
    /// Nothing. When descriptors run out, it ends.
    #[default]
    Sound,
    /// It knows what to do when descriptors run out, or believes so.
    Exhausted(Remedy),
    /// It does not renew what reports once only.
    NeverRearms,
    /// Once it has served another descriptor it withdraws its accept, as a program does whose
    /// `select` of futures or whose timer was faster.
    Cancels {
        /// Whether it keeps a connection that the accept had brought by then.
        keeps: bool,
    },
    /// Once it has served another descriptor it closes its listener, of which somebody else
    /// holds a descriptor too.
    Closes {
        /// Whether it stops watching first.
        deregisters: bool,
    },
    /// It asks, before it accepts, whether its listener is still the one that was reported.
    Checks,
    /// It reads from a connection as soon as it has accepted it.
    Reads {
        /// Whether it sets O_NONBLOCK on it first.
        sets_nonblocking: bool,
    },
    /// When it is told to stop it closes its listener.
    Leaves {
        /// Whether it takes what is queued first.
        drained: bool,
    },
}

/// What a loop does when accept says that there is no descriptor for a connection: it stays
/// queued, so that a level-triggered listener is reported again at once (accept(2), EMFILE).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Remedy {
    /// Nothing: it waits again.
    Ignore,
    /// It gives up a descriptor that it has kept for this, accepts with it, closes the
    /// connection at once, and keeps the descriptor again (libev, "The special problem of
    /// accept()ing when you can't").
    Reserve,
    /// It stops watching its listener until it has served somebody else: then a descriptor
    /// may have come free.
    Pause,
    /// As [`Remedy::Pause`], and forgets to watch it again.
    PauseForGood,
    /// It stops watching its listener for a time: 5 ms, then twice as long each time, up to
    /// a second (Go, net/http `Server.Serve`).
    BackOff,
}
