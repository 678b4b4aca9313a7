//! The loop under test: wait, accept as the discipline says, serve the others, again.

mod keeper;
mod policy;

use std::io;
use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};

pub use policy::{Discipline, Habit, Policy, Remedy};

use crate::backend::{Backend, Ready, Takes, Token};
use crate::connection::Connection;
use crate::outcome::{self, Outcome};
use keeper::{Keeper, Shed};

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

    /// Whether the listener is still the one that was reported; asked by a loop that
    /// [checks](Habit::Checks).
    fn still_the_same(&mut self) -> bool {
        true
    }

    /// The loop is about to call accept.
    fn accepting(&mut self) {}

    /// accept has returned. The connection is the observer's to keep or drop.
    fn accepted(&mut self, result: io::Result<Connection>) -> (Outcome, ControlFlow<()>);

    /// A connection was accepted with the reserve's descriptor, and closed at once.
    fn shed(&mut self, _port: Option<u16>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

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
    /// The wait failed, or what it watches could not be changed; with this errno.
    WaitFailed(String),
}

fn failed(error: &io::Error) -> End {
    End::WaitFailed(outcome::errno_name(error))
}

/// Runs the loop until it is stopped or dies. Blocks in the backend's wait and accept
/// without limit: whoever calls it bounds it from another thread.
pub fn run(
    backend: &mut dyn Backend,
    takes: Takes,
    policy: Policy,
    observer: &mut impl Observer,
) -> End {
    match Prepared::new(backend, policy) {
        Ok(prepared) => prepared.run(backend, takes, observer),
        Err(error) => failed(&error),
    }
}

/// A loop that has what its habit needs, and is about to run.
#[allow(missing_debug_implementations, reason = "it lives between two lines")]
pub struct Prepared {
    policy: Policy,
    keeper: Keeper,
}

impl Prepared {
    /// Gets a loop ready: what its habit needs of descriptors is taken now, while there are
    /// some.
    ///
    /// # Errors
    ///
    /// Those of opening and watching a descriptor.
    pub fn new(backend: &mut dyn Backend, policy: Policy) -> io::Result<Prepared> {
        Ok(Prepared { policy, keeper: Keeper::new(backend, policy.habit)? })
    }

    /// As [`run`].
    pub fn run(self, backend: &mut dyn Backend, takes: Takes, observer: &mut impl Observer) -> End {
        let Prepared { policy, mut keeper } = self;
        let mut ready = Ready::default();
        loop {
            if observer.waiting().is_break() {
                return End::Stopped;
            }
            match backend.wait(&mut ready) {
                Ok(()) => {}
                Err(error) if outcome::is_interrupted(&error) => continue,
                Err(error) => return failed(&error),
            }
            if observer.reported(&ready).is_break() {
                return End::Stopped;
            }
            keeper.sift(backend, &mut ready);
            if policy.habit == Habit::Checks && ready.accepts > 0 && !observer.still_the_same() {
                ready.accepts = 0;
            }
            let turn = Turn { takes, policy, reported: ready.accepts };
            if let ControlFlow::Break(end) = turn.take(backend, &mut keeper, observer) {
                return end;
            }
            for &token in ready.others.iter().filter(|&&token| !keeper.owns(token)) {
                if observer.serve(token).is_break() {
                    return End::Stopped;
                }
            }
            if !ready.others.is_empty()
                && let ControlFlow::Break(end) = keeper.after(backend, &ready.others)
            {
                return end;
            }
        }
    }
}

/// The accepts for one report.
struct Turn {
    takes: Takes,
    policy: Policy,
    /// How many accepts the report stands for.
    reported: usize,
}

impl Turn {
    /// Accepts as the discipline says.
    fn take(
        &self,
        backend: &mut dyn Backend,
        keeper: &mut Keeper,
        observer: &mut impl Observer,
    ) -> ControlFlow<End> {
        let mut left = self.policy.discipline.budget().min(self.on_offer());
        while left > 0 {
            observer.accepting();
            let result = match backend.accept().map(|connection| keeper.shed(connection)) {
                Ok(Ok(connection)) => {
                    keeper.accepted();
                    Ok(connection)
                }
                Ok(Err(Shed { port })) => {
                    if observer.shed(port).is_break() {
                        return ControlFlow::Break(End::Stopped);
                    }
                    left -= 1;
                    continue;
                }
                Err(error) => {
                    keeper.took_none();
                    Err(error)
                }
            };
            let (outcome, flow) = observer.accepted(result);
            // A loop that was told to stop may have been woken by an error.
            if flow.is_break() {
                return ControlFlow::Break(End::Stopped);
            }
            let lacks = matches!(outcome, Outcome::Exhausted(_)) && keeper.has_remedy();
            if !lacks && !self.policy.retry.survives(&outcome) {
                return ControlFlow::Break(End::Died(outcome));
            }
            match outcome {
                Outcome::WouldBlock => break,
                // Nothing was taken: the same accept again.
                Outcome::Interrupted => {}
                Outcome::Exhausted(_) => match keeper.exhausted(backend) {
                    Err(error) => return ControlFlow::Break(failed(&error)),
                    // What completes in the wait can only be tried again there.
                    Ok(again) if again && self.takes != Takes::InWait => {}
                    Ok(_) => break,
                },
                _ => left -= 1,
            }
        }
        ControlFlow::Continue(())
    }

    /// A report of readiness says nothing about how many; a completed accept is one.
    fn on_offer(&self) -> usize {
        match (self.reported, self.takes) {
            (0, _) => 0,
            (n, Takes::InWait) => n,
            _ => usize::MAX,
        }
    }
}
