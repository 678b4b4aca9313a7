//! The classic answers to a reset before accept, and which of them a kernel gives.

use serde::{Deserialize, Serialize};

use super::Experiment;
use crate::kernel::{Kernel, Model};
use crate::outcome::Abort;

/// What a kernel makes of a connection that is reset before it is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// accept hands over the dead socket.
    HandsOver,
    /// accept fails with this error.
    Fails(Abort),
    /// The connection is gone from the queue.
    Vanishes,
}

impl From<Model> for Answer {
    fn from(model: Model) -> Answer {
        match model {
            Model::Vanishes => Answer::Vanishes,
            Model::Fails(abort) => Answer::Fails(abort),
        }
    }
}

impl Answer {
    /// The family of kernels that give this answer: a modelled kernel's name, or `linux`.
    pub fn family(self) -> &'static str {
        match self {
            Answer::HandsOver => "linux",
            Answer::Fails(Abort::Connection) => "posix",
            Answer::Fails(Abort::Protocol) => "svr4",
            Answer::Vanishes => "berkeley",
        }
    }

    /// What accept does, in a clause.
    pub fn words(self) -> &'static str {
        match self {
            Answer::HandsOver => "accept hands over the dead socket",
            Answer::Fails(Abort::Connection) => "accept fails with ECONNABORTED",
            Answer::Fails(Abort::Protocol) => "accept fails with EPROTO",
            Answer::Vanishes => "the connection is gone, and accept never sees it",
        }
    }

    /// What follows for a loop, in a sentence without its full stop.
    pub fn meaning(self) -> &'static str {
        match self {
            Answer::HandsOver => {
                "It stays in the accept queue: on this kernel a reset alone empties no queue and \
                 makes no loop stall"
            }
            Answer::Fails(_) => {
                "accept fails and does not park: on this kernel a reset alone makes no loop stall, \
                 but it ends one that takes the error for fatal"
            }
            Answer::Vanishes => {
                "On this kernel a reset alone empties the accept queue, so that accept on a \
                 blocking listener parks until the next client"
            }
        }
    }
}

/// What the experiments with TCP come to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The answer that all of them gave; `None` where they differ or none was made.
    pub answer: Option<Answer>,
    /// Its family; `mixed` where the experiments differ, `unknown` without any.
    pub family: String,
    /// Whether a connection that was gone still made the listener ready: then readiness is
    /// wrong without anybody else's doing.
    pub stale_readiness: bool,
}

impl Verdict {
    /// From the experiments with plain TCP, over whichever address family there is.
    pub fn of(experiments: &[Experiment]) -> Verdict {
        let tcp = || experiments.iter().filter(|e| e.transport.starts_with("tcp"));
        let mut answers: Vec<Option<Answer>> = tcp().map(|e| e.observed.answer()).collect();
        answers.dedup();
        let answer = match answers.as_slice() {
            [one] => *one,
            _ => None,
        };
        let family = match (answer, answers.is_empty()) {
            (Some(answer), _) => answer.family(),
            (None, true) => "unknown",
            (None, false) => "mixed",
        };
        let stale = |e: &Experiment| {
            let gone = e.observed.answer() == Some(Answer::Vanishes);
            gone && e.observed.ready_after.as_deref() == Some("yes")
        };
        Verdict { answer, family: family.to_owned(), stale_readiness: tcp().any(stale) }
    }

    /// In a sentence without its full stop.
    pub fn words(&self) -> String {
        let what = "a connection that is reset before accept";
        match self.answer {
            Some(answer) => {
                format!("{what}: {} (family {})", answer.words(), self.family)
            }
            None if self.family == "mixed" => format!("{what}: the experiments differ"),
            None => format!("{what}: no experiment could be made"),
        }
    }
}

/// Whether a kernel that is modelled gives the answer that it stands for; true of the
/// machine's own, which stands for nothing else.
pub fn is_as_modelled(verdict: &Verdict, kernel: &Kernel) -> bool {
    kernel.model.is_none_or(|model| verdict.answer == Some(model.into()))
}
