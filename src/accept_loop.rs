//! The loop under test: wait, accept as the discipline says, serve the others, again.

use std::io;
use std::ops::ControlFlow;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::backend::{Backend, Ready, Takes, Token};
use crate::connection::Connection;
use crate::outcome::{self, Outcome, RetrySet};

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
    fn budget(self) -> usize {
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
            Discipline::One => f.write_str("one"),
            Discipline::Drain => f.write_str("drain"),
            Discipline::Budget(n) => write!(f, "budget:{n}"),
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
}

/// What is watching the loop: a trial's witness, a benchmark's counter. Each call may end the
/// loop by answering `Break`.
pub trait Observer {
    /// The loop is about to wait.
    fn waiting(&mut self) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    /// A wait has returned with a report. Blocking in here holds the loop in the window
    /// between report and accept.
    fn reported(&mut self, _ready: &Ready) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    /// The loop is about to call accept.
    fn accepting(&mut self) {}

    /// accept has returned. The connection is the observer's to keep or drop.
    fn accepted(&mut self, result: io::Result<Connection>) -> (Outcome, ControlFlow<()>);

    /// Another descriptor is ready and is to be served.
    fn serve(&mut self, _token: Token) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// Why a loop ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// Its observer told it to.
    Stopped,
    /// An outcome of accept that its retry set does not survive.
    Died(Outcome),
    /// The wait failed, with this errno.
    WaitFailed(String),
}

/// Runs the loop until it is stopped or dies. Blocks in the backend's wait and accept
/// without limit: whoever calls it bounds it from another thread.
pub fn run(
    backend: &mut dyn Backend,
    takes: Takes,
    policy: Policy,
    observer: &mut impl Observer,
) -> End {
    let mut ready = Ready::default();
    loop {
        if observer.waiting().is_break() {
            return End::Stopped;
        }
        match backend.wait(&mut ready) {
            Ok(()) => {}
            Err(error) if outcome::is_interrupted(&error) => continue,
            Err(error) => return End::WaitFailed(outcome::errno_name(&error)),
        }
        if observer.reported(&ready).is_break() {
            return End::Stopped;
        }
        if ready.accepts > 0
            && let ControlFlow::Break(end) = take(backend, takes, policy, ready.accepts, observer)
        {
            return end;
        }
        for &token in &ready.others {
            if observer.serve(token).is_break() {
                return End::Stopped;
            }
        }
    }
}

/// Accepts for one report, as the discipline says.
fn take(
    backend: &mut dyn Backend,
    takes: Takes,
    policy: Policy,
    reported: usize,
    observer: &mut impl Observer,
) -> ControlFlow<End> {
    // A report of readiness says nothing about how many; a completed accept is one.
    let on_offer = if takes == Takes::InWait { reported } else { usize::MAX };
    let mut left = policy.discipline.budget().min(on_offer);
    while left > 0 {
        observer.accepting();
        let (outcome, flow) = observer.accepted(backend.accept());
        if !policy.retry.survives(&outcome) {
            return ControlFlow::Break(End::Died(outcome));
        }
        if flow.is_break() {
            return ControlFlow::Break(End::Stopped);
        }
        match outcome {
            Outcome::WouldBlock => break,
            // Nothing was taken: the same accept again.
            Outcome::Interrupted => {}
            _ => left -= 1,
        }
    }
    ControlFlow::Continue(())
}
