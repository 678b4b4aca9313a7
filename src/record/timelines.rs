//! The timelines in a run's record: of each fault the loop that falls ill, and the same one cured.

use serde::{Deserialize, Serialize};

use crate::timeline::Timeline;
use crate::verdict::Verdict;

/// The trials by which one fault is shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shown {
    /// The fault.
    pub fault: String,
    /// The loop that falls ill and the one that is cured, or only the loop of a control.
    pub trials: Vec<Played>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Played {
    /// Which one.
    pub part: Part,
    /// The trial, or why there is none.
    pub came: Result<Came, String>,
}

/// What a trial is to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The loop that falls ill.
    Ill,
    /// The same one, cured.
    Cured,
    /// One of a fault in which nothing goes wrong.
    Control,
}

/// A trial, and what it came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Came {
    /// Its verdict.
    pub verdict: Verdict,
    /// What that rests on, in a clause.
    pub seen: String,
    /// The how manieth trial it was: those before it were void, or came to something else than
    /// the map's.
    pub trial: usize,
    /// What happened.
    pub timeline: Timeline,
}
