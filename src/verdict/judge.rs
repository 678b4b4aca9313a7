//! From a trial's record to its verdict. Counts, order and states; never a time.

use super::Verdict;
use crate::accept_loop::Habit;
use crate::backend::{Driver, Takes};
use crate::clock;
use crate::outcome::Outcome;
use crate::trial::{Call, Ending, Record, What};

/// So many accepts in a row a loop may do while somebody waits: Redis allows itself 1,000 a
/// call and came down to 10 (src/networking.c, max-new-connections-per-cycle); more than this
/// is unfair by any of today's measures.
pub const FAIR: usize = 16;

/// A verdict and what it rests on.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// How much was in vain, lost or in a row, for each connection that came; 0 where the
    /// verdict counts nothing.
    pub per_connection: f64,
    /// What was seen, in a clause.
    pub seen: String,
}

/// Judges one trial.
///
/// # Errors
///
/// Why it counts for nothing: it was void, or the watchdog ended it before it was proved to
/// stall.
pub fn judge(record: &Record, driver: &Driver) -> Result<Judgement, String> {
    if let Some(reason) = &record.void {
        return Err(format!("void: {reason}"));
    }
    if let Some(stall) = &record.stall {
        let waited = clock::nanos(stall.accept_returned - stall.accept_entered) as f64 / 1e6;
        let call = match stall.call {
            Call::Accept => "accept",
            Call::Read => "read",
        };
        let seen = format!("parked in {call} for {waited:.3} ms, until the next client");
        return Ok(Judgement { verdict: Verdict::Stalls, per_connection: 0.0, seen });
    }
    let whole = |verdict, seen| Ok(Judgement { verdict, per_connection: 0.0, seen });
    match &record.ending {
        Ending::Censored => return Err("the watchdog ended it".to_owned()),
        Ending::Died(outcome) => return whole(Verdict::Dies, format!("the loop ended: {outcome}")),
        Ending::WaitFailed(errno) => {
            return whole(Verdict::Dies, format!("the loop ended: its wait failed with {errno}"));
        }
        Ending::Done => {}
    }
    let came = came(record);
    let counted = |verdict, n: usize, what: &str| {
        let per_connection = n as f64 / came.max(1) as f64;
        Ok(Judgement { verdict, per_connection, seen: format!("{n} {what}, of {came} that came") })
    };
    let in_a_row = accepts_while_owing(record).unwrap_or_default();
    match (lost(record), in_a_row > FAIR, wasted(record, driver)) {
        (1.., _, _) => counted(Verdict::Loses, lost(record), "never taken"),
        (0, true, _) => counted(Verdict::Starves, in_a_row, "accepts before the bystander's turn"),
        (0, false, Waste { n: 0, .. }) => whole(Verdict::Safe, "nothing in vain".to_owned()),
        (0, false, Waste { n, what }) => counted(Verdict::Wastes, n, what),
    }
}

/// How many connections came to the queue while the loop had it.
fn came(record: &Record) -> usize {
    record.count(|what| matches!(what, What::Queued { .. }))
}

fn lost(record: &Record) -> usize {
    match record.herd.is_empty() {
        true => record.lost(),
        false => {
            record.offered
                - record.herd.iter().map(|one| one.taken).sum::<usize>().min(record.offered)
        }
    }
}

/// How many accepts returned between the bystander's byte, sent before the loop first waited,
/// and its turn; `None` where it was sent later.
pub(super) fn accepts_while_owing(record: &Record) -> Option<usize> {
    let at = |test: &dyn Fn(&What) -> bool| record.events.iter().position(|e| test(&e.what));
    let sent = at(&|what| *what == What::ByteSent)?;
    let waited = at(&|what| *what == What::WaitEntered)?;
    let served = at(&|what| *what == What::ByteServed).unwrap_or(record.events.len());
    let between = record.events.get(sent..served)?;
    let accepts = between.iter().filter(|e| matches!(e.what, What::AcceptReturned { .. }));
    (sent < waited).then(|| accepts.count())
}

/// What was in vain.
struct Waste {
    n: usize,
    what: &'static str,
}

/// What the work needed, and what was beyond it: a wake-up for each connection that came,
/// an accept for each; one EWOULDBLOCK where another acceptor was faster, and one for each
/// report of an edge-triggered listener, which is how its emptiness is known (epoll(7)).
fn wasted(record: &Record, driver: &Driver) -> Waste {
    let workers = record.events.iter().find_map(|event| match event.what {
        What::WorkersParked { workers } => Some(workers),
        _ => None,
    });
    if let Some(n) = workers {
        return Waste { n, what: "kernel threads parked in accept" };
    }
    let failed = record.exhausted();
    let needed = if failed == 0 { 0 } else { 1 + turns_while_exhausted(record) };
    if failed > needed {
        return Waste { n: failed - needed, what: "accepts for want of a descriptor, in vain" };
    }
    let closed = matches!(record.policy.habit, Habit::Closes { deregisters: false });
    // What comes to a listener that the loop has closed is none of its business any more.
    let came = if closed { record.taken() } else { came(record) };
    let woken = match (record.herd.is_empty(), driver.takes) {
        // Its wait is its accept: it is never woken without one.
        (_, Takes::InAccept) => 0,
        (true, _) => record.wakeups,
        (false, _) => record.herd.iter().map(|one| one.wakeups).sum(),
    };
    if woken > came + failed {
        return Waste { n: woken - came - failed, what: "wake-ups in vain" };
    }
    let others_took = match record.herd.is_empty() {
        true => came.saturating_sub(record.offered),
        false => woken.saturating_sub(record.offered),
    };
    let edges = if driver.edge_triggered { record.wakeups } else { 0 };
    let leaves = usize::from(record.policy.habit == Habit::Leaves { drained: true });
    let n = record.would_blocks.saturating_sub(others_took + edges + leaves);
    Waste { n, what: "accepts in vain" }
}

/// How often the loop was woken for something else while there was no descriptor: each time it
/// may look whether there is one.
fn turns_while_exhausted(record: &Record) -> usize {
    let lacks = |what: &What| match what {
        What::AcceptReturned { outcome, .. } => matches!(outcome, Outcome::Exhausted(_)),
        _ => false,
    };
    let since = record.events.iter().position(|event| lacks(&event.what));
    let after = since.map_or(&[][..], |at| &record.events[at..]);
    after.iter().filter(|e| matches!(e.what, What::Reported { others: 1.., .. })).count()
}
