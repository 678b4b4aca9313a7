//! Fills an accept queue, has a loop empty it against the clock, and counts.

use std::io;
use std::net::TcpListener;
use std::ops::ControlFlow;
use std::time::Duration;

use super::Miss;
use crate::accept::accept;
use crate::accept_loop::{self, Discipline, End, Observer, Policy};
use crate::backend::{Backend, Driver, Takes};
use crate::clock::{self, Moment};
use crate::connection::Connection;
use crate::evidence::queue;
use crate::listener::{Family, Listener, ListenerSpec, Mode};
use crate::outcome::{Outcome, RetrySet};
use crate::peer::Peer;

/// How long a connection may take into the queue. A safety net: on loopback it is there
/// before connect returns.
const PATIENCE: Duration = Duration::from_secs(2);

/// The backlog of the benchmarks' listeners: more than clients can ever run ahead.
pub const BACKLOG: i32 = 1024;

/// When a loop that empties a queue is done, and whether it looks at what it took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Task {
    /// How many connections are on offer.
    pub offered: usize,
    /// How often it accepts for one report.
    pub discipline: Discipline,
    /// Whether it asks each connection for SO_ERROR and drops the dead ones.
    pub inspect: bool,
}

/// What a loop did, and how long it took.
#[derive(Debug)]
pub struct Taken {
    /// From before the first wait to the return of the accept that ended it.
    pub took: Duration,
    /// The connections, all alive as far as was looked.
    pub alive: Vec<Connection>,
    /// How many were found dead, and dropped.
    pub dead: usize,
    /// How many accepts said ECONNABORTED or EPROTO.
    pub aborted: usize,
    /// How often accept said EWOULDBLOCK.
    pub would_blocks: u64,
    /// How often a wait reported the listener.
    pub wakeups: u64,
}

/// Opens a listener for a benchmark and says whether its backlog is what was asked for.
///
/// # Errors
///
/// Unfit, with the limit and the remedy, where the kernel cut the backlog below `needed` or
/// descriptors have run out.
pub fn listen(mode: Mode, needed: usize) -> Result<Listener, Miss> {
    let spec = ListenerSpec { mode, family: Family::Ipv4, backlog: BACKLOG };
    let listener = Listener::bind(spec).map_err(Miss::of("opening a listener"))?;
    match queue::look(listener.socket()) {
        Some(queue) if queue.limit < needed => Err(Miss::Unfit(format!(
            "the backlog was cut to {} where {needed} is needed: raise net.core.somaxconn",
            queue.limit
        ))),
        _ => Ok(listener),
    }
}

/// Connects `n` clients and returns once all are queued, and nothing but them.
///
/// # Errors
///
/// Unfit where descriptors or local ports have run out; void where a connection did not
/// arrive, or one had already been taken: then the accept had begun before the clock.
pub fn fill(listener: &TcpListener, n: usize) -> Result<Vec<Peer>, Miss> {
    let addr = listener.local_addr().map_err(Miss::void("the listener's address"))?;
    let mut clients = Vec::with_capacity(n);
    for _ in 0..n {
        clients.push(Peer::connect(addr).map_err(Miss::of("a client's connect"))?);
    }
    let deadline = clock::now().after(PATIENCE);
    queue::await_length(listener, n, deadline).map_err(Miss::void("the queue is not full"))?;
    match queue::look(listener) {
        Some(queue) if queue.length != n => {
            Err(Miss::Void(format!("{} connections are queued, {n} were made", queue.length)))
        }
        _ => Ok(clients),
    }
}

/// Ends the clients with a reset, so that no TIME_WAIT is left behind. Their connections must
/// have been taken, or the listener must be about to go.
pub fn dismiss(clients: Vec<Peer>) {
    for client in clients {
        // A connection that is gone already needs no reset.
        let _ = client.reset();
    }
}

/// Runs the loop until it has taken what is on offer: for a backend that drains, up to the
/// EWOULDBLOCK that tells it so.
///
/// # Errors
///
/// Broken where the loop died or took another number than was offered.
pub fn take(backend: &mut dyn Backend, driver: &Driver, task: Task) -> Result<Taken, Miss> {
    let ends_on_would_block =
        driver.takes == Takes::AfterReport && task.discipline == Discipline::Drain;
    let mut counter = Counter {
        task,
        ends_on_would_block,
        alive: Vec::with_capacity(task.offered),
        dead: 0,
        aborted: 0,
        would_blocks: 0,
        wakeups: 0,
    };
    let policy = Policy::new(task.discipline, RetrySet::Stevens);
    let began = clock::now();
    let end = accept_loop::run(backend, driver.takes, policy, &mut counter);
    let took = clock::now() - began;
    let Counter { alive, dead, aborted, would_blocks, wakeups, .. } = counter;
    match end {
        End::Stopped => {}
        End::Died(Outcome::Exhausted(errno)) => {
            return Err(Miss::Unfit(format!("accept has run out ({errno}): see ulimit -n")));
        }
        end => return Err(Miss::Broken(format!("the loop ended: {end:?}"))),
    }
    let answered = alive.len() + dead + aborted;
    if answered != task.offered {
        return Err(Miss::Broken(format!("{} offered, {answered} answered for", task.offered)));
    }
    Ok(Taken { took, alive, dead, aborted, would_blocks, wakeups })
}

/// No loop at all: `k` accepts on a queue that holds them, and how long they took.
///
/// # Errors
///
/// Broken where accept fails.
pub fn floor(listener: &TcpListener, k: usize) -> Result<(Duration, Vec<Connection>), Miss> {
    let mut taken = Vec::with_capacity(k);
    let began = clock::now();
    for _ in 0..k {
        let connection = accept(listener);
        taken.push(connection.map_err(|error| Miss::Broken(format!("floor's accept: {error}")))?);
    }
    Ok((clock::now() - began, taken))
}

struct Counter {
    task: Task,
    ends_on_would_block: bool,
    alive: Vec<Connection>,
    dead: usize,
    aborted: usize,
    would_blocks: u64,
    wakeups: u64,
}

impl Observer for Counter {
    fn reported(&mut self, ready: &crate::backend::Ready) -> ControlFlow<()> {
        self.wakeups += u64::from(ready.accepts > 0);
        ControlFlow::Continue(())
    }

    fn accepted(&mut self, result: io::Result<Connection>) -> (Outcome, ControlFlow<()>) {
        let outcome = match result {
            Ok(connection) if self.task.inspect && connection.has_error() => {
                self.dead += 1;
                // The errno's name is the trials' affair; a loop that drops the dead asks none.
                Outcome::AcceptedDead(String::new())
            }
            Ok(connection) => {
                self.alive.push(connection);
                Outcome::Accepted
            }
            Err(error) => Outcome::from_error(&error),
        };
        match outcome {
            Outcome::WouldBlock => self.would_blocks += 1,
            Outcome::Aborted(_) => self.aborted += 1,
            _ => {}
        }
        let all = self.alive.len() + self.dead + self.aborted == self.task.offered;
        let done = all && (!self.ends_on_would_block || outcome == Outcome::WouldBlock);
        (outcome, if done { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }
}

/// A moment's distance in nanoseconds, as a value of a sample.
pub(super) fn value(took: Duration) -> f64 {
    clock::nanos(took) as f64
}

/// The distance between two moments in nanoseconds, as a latency.
pub(super) fn latency(from: Moment, to: Moment) -> u64 {
    clock::nanos(to - from)
}
