//! The record of one trial: what is kept, and what is derived from its log.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Cell;
use super::log::{Event, What};
use crate::accept_loop::{End, Policy};
use crate::backend::Takes;
use crate::clock::{self, Moment};
use crate::evidence::Proof;
use crate::kernel;
use crate::listener::ListenerSpec;
use crate::outcome::Outcome;

/// Everything that is known of one trial. Times are nanoseconds since its beginning.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The backend under test.
    pub backend: String,
    /// The listener it ran on.
    pub listener: ListenerSpec,
    /// How its loop accepted, and what it took for passing errors.
    pub policy: Policy,
    /// The fault.
    pub fault: String,
    /// The kernel whose accept queue it stood on; all but `native` are modelled.
    #[serde(default = "kernel::native_name")]
    pub kernel: String,
    /// How many connections were left for the loop to take: neither taken by a rival nor
    /// dropped by the kernel. The rescue is not counted.
    pub offered: usize,
    /// Every accept of the loop, in order.
    pub accepts: Vec<Accept>,
    /// The proof that the loop stalled; `None` where it did not.
    pub stall: Option<Stall>,
    /// From the bystander's byte to its echo, as its client saw it; of the stalled exchange
    /// where there was one, else of the first. `None` where no echo came.
    pub bystander_ns: Option<u64>,
    /// From the same byte to the beginning of the rescue's connect.
    pub byte_to_rescue_ns: Option<u64>,
    /// How often a wait reported the listener.
    pub wakeups: usize,
    /// How often accept said EWOULDBLOCK.
    pub would_blocks: usize,
    /// How the loop came to its end.
    pub ending: Ending,
    /// Why the trial counts for nothing: something was not as it had to be.
    pub void: Option<String>,
    /// What its claims about the kernel's state rest on.
    pub evidence: Vec<Proof>,
    /// The log, in order of time.
    pub events: Vec<Event>,
}

/// One accept of the loop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Accept {
    /// When the call was entered; for an accept that completes in the wait, when that was.
    pub entered: Moment,
    /// When it returned; `None` if it never did.
    pub returned: Option<Moment>,
    /// What it came to.
    pub outcome: Outcome,
    /// The client's port, where accept gave an address.
    pub port: Option<u16>,
}

/// The proof of a stall, by order: accept was entered, then the rescue's connect began, then
/// that same accept returned the rescue's own port, and all the while a byte of the
/// bystander's lay unanswered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stall {
    /// When the accept was entered.
    pub accept_entered: Moment,
    /// When the bystander's byte was sent.
    pub byte_sent: Moment,
    /// When the rescue's connect began.
    pub rescue_began: Moment,
    /// When the accept returned.
    pub accept_returned: Moment,
    /// The rescue's port, which that accept returned.
    pub port: u16,
    /// Whether the thread was seen parked in accept meanwhile (Linux): corroboration.
    pub park_seen: bool,
}

/// How a trial came to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// All was seen, and the loop stopped when it was told to.
    Done,
    /// The loop ended by itself, on an error that its retry set does not survive.
    Died(Outcome),
    /// The wait failed with this errno.
    WaitFailed(String),
    /// The watchdog ended it: what was not seen by then is unknown.
    Censored,
}

impl Record {
    /// How many connections the loop took, dead ones included.
    pub fn taken(&self) -> usize {
        self.accepts.iter().filter(|accept| accept.outcome.took_connection()).count()
            - self.rescues_taken()
    }

    /// How many of the connections on offer no accept has answered for.
    pub fn lost(&self) -> usize {
        let answered = self.accepts.iter().filter(|accept| accept.outcome.answers()).count();
        self.offered.saturating_sub(answered - self.rescues_taken())
    }

    /// How many of its accepts told of a reset.
    pub fn resets_observed(&self) -> usize {
        self.accepts.iter().filter(|accept| accept.outcome.is_reset()).count()
    }

    /// How many connections the modelled kernel has dropped and told nobody of.
    pub fn vanished(&self) -> usize {
        self.events.iter().filter(|event| matches!(event.what, What::Vanished { .. })).count()
    }

    fn rescues_taken(&self) -> usize {
        let rescue = self.events.iter().find_map(|event| match event.what {
            What::RescueConnected { port } => Some(port),
            _ => None,
        });
        self.accepts.iter().filter(|accept| rescue.is_some() && accept.port == rescue).count()
    }
}

/// What the conductor knows beside the log.
pub(super) struct Findings {
    pub(super) began: Moment,
    pub(super) censored: bool,
    /// Whether the loop's thread did not end when it was told to.
    pub(super) left_behind: bool,
    pub(super) void: Option<String>,
    pub(super) evidence: Vec<Proof>,
    pub(super) resets_injected: Vec<u16>,
}

/// Derives a record from a trial's log.
pub(super) fn derive(cell: &Cell, mut events: Vec<Event>, findings: Findings) -> Record {
    events.sort_by_key(|event| event.at);
    // What it comes to after it was told to stop is not part of the trial.
    if let Some(stopping) = events.iter().position(|event| event.what == What::Stopping) {
        events.truncate(stopping + 1);
    }
    let ended = events.iter().find_map(|event| match &event.what {
        What::Ended { end } => Some(end.clone()),
        _ => None,
    });
    for event in &mut events {
        event.at = Moment(clock::nanos(event.at - findings.began));
    }
    let ending = match ended {
        _ if findings.censored || findings.left_behind => Ending::Censored,
        Some(End::Died(outcome)) => Ending::Died(outcome),
        Some(End::WaitFailed(errno)) => Ending::WaitFailed(errno),
        Some(End::Stopped) | None => Ending::Done,
    };
    let accepts = accepts(&events, cell.driver.takes, ending == Ending::Censored);
    let stall = stall(&events, &accepts);
    let (bystander, rescue) = exchange(&events);
    let count = |test: fn(&What) -> bool| events.iter().filter(|e| test(&e.what)).count();
    let mut record = Record {
        backend: cell.backend.to_owned(),
        listener: cell.listener,
        policy: cell.policy,
        fault: cell.fault.name.to_owned(),
        kernel: cell.kernel.name.to_owned(),
        offered: cell.offered(),
        stall,
        bystander_ns: bystander.map(clock::nanos),
        byte_to_rescue_ns: rescue.map(clock::nanos),
        wakeups: count(|what| matches!(what, What::Reported { accepts: 1.., .. })),
        would_blocks: accepts.iter().filter(|a| a.outcome == Outcome::WouldBlock).count(),
        accepts,
        ending,
        void: findings.void,
        evidence: findings.evidence,
        events,
    };
    if record.void.is_none() {
        record.void = mismatch(&record, &findings.resets_injected);
    }
    record
}

/// Pairs each accept's return with its entry.
fn accepts(events: &[Event], takes: Takes, censored: bool) -> Vec<Accept> {
    let mut accepts = Vec::new();
    let mut entered = None;
    let mut wait_entered = None;
    for event in events {
        match &event.what {
            What::WaitEntered => wait_entered = Some(event.at),
            What::AcceptEntered if takes == Takes::InWait => entered = wait_entered,
            What::AcceptEntered => entered = Some(event.at),
            What::AcceptReturned { outcome, port } => {
                accepts.extend(entered.take().map(|entered| {
                    let returned = Some(event.at);
                    Accept { entered, returned, outcome: outcome.clone(), port: *port }
                }))
            }
            _ => {}
        }
    }
    if let (Some(entered), true) = (entered, censored) {
        accepts.push(Accept { entered, returned: None, outcome: Outcome::TimedOut, port: None });
    }
    accepts
}

/// The order proof, if the log holds one.
fn stall(events: &[Event], accepts: &[Accept]) -> Option<Stall> {
    let at = |test: &dyn Fn(&What) -> bool| events.iter().find(|e| test(&e.what)).map(|e| e.at);
    let rescue_began = at(&|what| *what == What::RescueBegan)?;
    let port = events.iter().find_map(|event| match event.what {
        What::RescueConnected { port } => Some(port),
        _ => None,
    })?;
    let byte_sent = events
        .iter()
        .rfind(|event| event.what == What::ByteSent && event.at <= rescue_began)
        .map(|event| event.at)?;
    let accept = accepts.iter().find(|accept| accept.port == Some(port))?;
    let accept_returned = accept.returned?;
    let answered_before = events.iter().any(|event| {
        event.what == What::ByteServed && (byte_sent..accept_returned).contains(&event.at)
    });
    let in_order = accept.entered < rescue_began && rescue_began < accept_returned;
    (in_order && !answered_before).then_some(Stall {
        accept_entered: accept.entered,
        byte_sent,
        rescue_began,
        accept_returned,
        port,
        park_seen: at(&|what| *what == What::ParkSeen).is_some(),
    })
}

/// The bystander's latency and the rescue's delay: of the exchange that the rescue fell
/// into, else of the first.
fn exchange(events: &[Event]) -> (Option<Duration>, Option<Duration>) {
    let rescue = events.iter().find(|e| e.what == What::RescueBegan).map(|e| e.at);
    let mut bytes = events.iter().filter(|e| e.what == What::ByteSent).map(|e| e.at);
    let byte = match rescue {
        Some(rescue) => bytes.rfind(|&at| at <= rescue),
        None => bytes.next(),
    };
    let Some(byte) = byte else {
        return (None, None);
    };
    let mut echoes = events.iter().filter(|e| e.what == What::EchoReceived && e.at > byte);
    (echoes.next().map(|echo| echo.at - byte), rescue.map(|rescue| rescue - byte))
}

/// Reconciles the resets that were injected with those that accept told of.
fn mismatch(record: &Record, injected: &[u16]) -> Option<String> {
    for accept in &record.accepts {
        let Some(port) = accept.port else { continue };
        let reset = injected.contains(&port);
        match accept.outcome {
            Outcome::Accepted if reset => {
                return Some(format!("port {port} was reset and yet accepted alive"));
            }
            Outcome::AcceptedDead(_) if !reset => {
                return Some(format!("port {port} was not reset and yet accepted dead"));
            }
            _ => {}
        }
    }
    // What a kernel has dropped is accounted for: nobody can observe it.
    let (observed, injected) = (record.resets_observed() + record.vanished(), injected.len());
    let all_taken = record.taken() == record.offered;
    (observed > injected || (all_taken && observed < injected))
        .then(|| format!("{injected} resets were injected and {observed} observed at accept"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RESCUE: u16 = 40_000;

    fn returned(port: u16) -> What {
        What::AcceptReturned { outcome: Outcome::Accepted, port: Some(port) }
    }

    /// The proof that a log holds, with an event a nanosecond, for a backend that accepts
    /// after a report.
    fn proof(log: &[What]) -> Option<Stall> {
        let events: Vec<Event> =
            (1..).zip(log).map(|(at, what)| Event { at: Moment(at), what: what.clone() }).collect();
        stall(&events, &accepts(&events, Takes::AfterReport, false))
    }

    const CONNECTED: What = What::RescueConnected { port: RESCUE };

    #[test]
    fn entered_then_rescue_then_the_rescue_s_own_port_is_a_stall() {
        let log = [
            What::AcceptEntered,
            What::ParkSeen,
            What::ByteSent,
            What::RescueBegan,
            returned(RESCUE),
            CONNECTED,
            What::ByteServed,
        ];
        let stall = proof(&log).expect("the proof is there");
        assert_eq!((stall.accept_entered, stall.rescue_began), (Moment(1), Moment(4)));
        assert_eq!((stall.accept_returned, stall.port), (Moment(5), RESCUE));
        assert!(stall.park_seen);
    }

    #[test]
    fn an_accept_entered_after_the_rescue_began_is_none() {
        let log =
            [What::ByteSent, What::RescueBegan, What::AcceptEntered, returned(RESCUE), CONNECTED];
        assert_eq!(proof(&log), None);
    }

    #[test]
    fn an_accept_that_returns_somebody_else_is_none() {
        let log =
            [What::AcceptEntered, What::ByteSent, What::RescueBegan, returned(50_000), CONNECTED];
        assert_eq!(proof(&log), None);
    }

    #[test]
    fn a_bystander_that_was_served_meanwhile_is_none() {
        let log = [
            What::AcceptEntered,
            What::ByteSent,
            What::RescueBegan,
            What::ByteServed,
            returned(RESCUE),
            CONNECTED,
        ];
        assert_eq!(proof(&log), None);
    }

    #[test]
    fn nobody_who_waits_is_none() {
        let log = [What::AcceptEntered, What::RescueBegan, returned(RESCUE), CONNECTED];
        assert_eq!(proof(&log), None);
    }

    #[test]
    fn an_accept_inside_the_wait_was_entered_with_it() {
        let log = [
            What::WaitEntered,
            What::ByteSent,
            What::RescueBegan,
            What::AcceptEntered,
            returned(RESCUE),
        ];
        let events: Vec<Event> =
            (1..).zip(log).map(|(at, what)| Event { at: Moment(at), what }).collect();
        assert_eq!(accepts(&events, Takes::InWait, false)[0].entered, Moment(1));
        assert_eq!(accepts(&events, Takes::AfterReport, false)[0].entered, Moment(4));
    }
}
