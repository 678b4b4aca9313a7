//! Verdicts: what a loop came to under a fault, in one word, and what it had to come to.
//!
//! [`judge`] reads a verdict off a trial's record and knows of no rule. [`rules`] derives what
//! a cell must come to from what is known of its loop, its fault and its kernel, and looks at
//! no record. [`sweep`] holds the one against the other.

pub mod cases;
mod facts;
pub mod figures;
pub mod judge;
pub mod rules;
pub mod sweep;

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a loop came to, from good to bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Every connection was taken or rightly left, everybody was served, nothing was in vain.
    Safe,
    /// It woke, accepted or span beyond what the work needs.
    Wastes,
    /// It kept on accepting while it owed the bystander its turn.
    Starves,
    /// A connection that was on offer was never taken while the loop ran.
    Loses,
    /// It ended on an error that is not fatal.
    Dies,
    /// It was parked while it owed somebody, until the next client came: the order proof.
    Stalls,
}

impl Verdict {
    /// All of them, from good to bad.
    pub const ALL: [Verdict; 6] = [
        Verdict::Safe,
        Verdict::Wastes,
        Verdict::Starves,
        Verdict::Loses,
        Verdict::Dies,
        Verdict::Stalls,
    ];

    /// The word.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Safe => "safe",
            Verdict::Wastes => "wastes",
            Verdict::Starves => "starves",
            Verdict::Loses => "loses",
            Verdict::Dies => "dies",
            Verdict::Stalls => "STALLS",
        }
    }

    /// The letter that stands for it in a matrix: no two are alike, also without colour.
    pub fn letter(self) -> char {
        match self {
            Verdict::Safe => '.',
            Verdict::Wastes => 'w',
            Verdict::Starves => 'v',
            Verdict::Loses => 'l',
            Verdict::Dies => 'd',
            Verdict::Stalls => 'S',
        }
    }

    /// What it means, in a few words.
    pub fn about(self) -> &'static str {
        match self {
            Verdict::Safe => "everybody was served, and nothing was in vain",
            Verdict::Wastes => "woke, accepted or span beyond what the work needs",
            Verdict::Starves => "kept on accepting while it owed the bystander its turn",
            Verdict::Loses => "a connection on offer was never taken",
            Verdict::Dies => "ended on an error that is not fatal",
            Verdict::Stalls => "parked while it owed somebody, until the next client came",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
