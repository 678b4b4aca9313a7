//! The record of one trial: what is kept, and what is derived from its log.

use serde::{Deserialize, Serialize};

use super::Cell;
use super::log::{Event, What};
use super::proof::{self, Accept, Stall};
use crate::accept_loop::{End, Policy};
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
    /// In which of its ways; empty where it has one.
    #[serde(default)]
    pub arm: String,
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
    /// The loops of a herd, one by one; empty where there was one loop.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub herd: Vec<Share>,
    /// The log, in order of time.
    pub events: Vec<Event>,
}

/// What one loop of a herd did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// How often its wait reported the listener.
    pub wakeups: usize,
    /// How often accept said EWOULDBLOCK.
    pub would_blocks: usize,
    /// How many connections it took.
    pub taken: usize,
    /// Whether it was parked in accept until somebody else's client came.
    pub stalled: bool,
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
    /// How many connections the loop took and kept, dead ones included.
    pub fn taken(&self) -> usize {
        let taken = self.accepts.iter().filter(|accept| accept.outcome.took_connection()).count();
        taken.saturating_sub(self.rescues_taken() + self.shed())
    }

    /// How many connections nobody has: of those on offer, those that no accept of the loop has
    /// answered for and that went to no other listener; those that it closed for want of a
    /// descriptor; those that an accept swallowed.
    pub fn lost(&self) -> usize {
        let answered = self.accepts.iter().filter(|accept| accept.outcome.answers()).count();
        let answered = answered.saturating_sub(self.rescues_taken() + self.shed());
        let moved = self.count(|what| matches!(what, What::Migrated { .. }));
        let swallowed = self.count(|what| matches!(what, What::Swallowed { .. }));
        self.offered.saturating_sub(answered + moved) + swallowed
    }

    /// How many connections it closed for want of a descriptor, the rescue not counted.
    fn shed(&self) -> usize {
        let rescues = self.rescues();
        self.count(|what| match what {
            What::Shed { port } => port.is_none_or(|port| !rescues.contains(&port)),
            _ => false,
        })
    }

    /// How often accept found no descriptor.
    pub fn exhausted(&self) -> usize {
        let lacked = |accept: &&Accept| matches!(accept.outcome, Outcome::Exhausted(_));
        self.accepts.iter().filter(lacked).count()
    }

    /// How many events of a kind the log holds.
    pub fn count(&self, test: impl Fn(&What) -> bool) -> usize {
        self.events.iter().filter(|event| test(&event.what)).count()
    }

    /// How many of its accepts told of a reset.
    pub fn resets_observed(&self) -> usize {
        self.accepts.iter().filter(|accept| accept.outcome.is_reset()).count()
    }

    /// How many connections the modelled kernel has dropped and told nobody of.
    pub fn vanished(&self) -> usize {
        self.count(|what| matches!(what, What::Vanished { .. }))
    }

    fn rescues_taken(&self) -> usize {
        let rescues = self.rescues();
        let rescued = |port: Option<u16>| port.is_some_and(|port| rescues.contains(&port));
        self.accepts.iter().filter(|accept| rescued(accept.port)).count()
    }

    /// The ports of those who came to the rescue.
    fn rescues(&self) -> Vec<u16> {
        let port = |event: &Event| match event.what {
            What::RescueConnected { port } => Some(port),
            _ => None,
        };
        self.events.iter().filter_map(port).collect()
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
pub(super) fn derive(cell: &Cell, events: Vec<Event>, findings: Findings) -> Record {
    let events = in_order(events, findings.began);
    let ended = events.iter().find_map(|event| match &event.what {
        What::Ended { end } => Some(end.clone()),
        _ => None,
    });
    let ending = match ended {
        _ if findings.censored || findings.left_behind => Ending::Censored,
        Some(End::Died(outcome)) => Ending::Died(outcome),
        Some(End::WaitFailed(errno)) => Ending::WaitFailed(errno),
        Some(End::Stopped) | None => Ending::Done,
    };
    let accepts = proof::accepts(&events, cell.driver.takes, ending == Ending::Censored);
    let stall = proof::stall(&events, &accepts);
    let (bystander, rescue) = proof::exchange(&events);
    let mut record = Record {
        stall,
        bystander_ns: bystander.map(clock::nanos),
        byte_to_rescue_ns: rescue.map(clock::nanos),
        ending,
        void: findings.void,
        evidence: findings.evidence,
        ..Record::of(cell, events, accepts)
    };
    if record.void.is_none() {
        record.void = mismatch(&record, &findings.resets_injected);
    }
    record
}

/// The log in order of time, counted from the trial's beginning, without what the loop came
/// to after the trial was over.
pub(super) fn in_order(mut events: Vec<Event>, began: Moment) -> Vec<Event> {
    events.sort_by_key(|event| event.at);
    if let Some(stopping) = events.iter().position(|event| event.what == What::Stopping) {
        events.truncate(stopping + 1);
    }
    for event in &mut events {
        event.at = Moment(clock::nanos(event.at - began));
    }
    events
}

impl Record {
    /// What a cell's log holds by itself; whatever has to be proved is left empty.
    pub(super) fn of(cell: &Cell, events: Vec<Event>, accepts: Vec<Accept>) -> Record {
        let count = |test: fn(&What) -> bool| events.iter().filter(|e| test(&e.what)).count();
        Record {
            backend: cell.backend.to_owned(),
            listener: cell.listener,
            policy: cell.policy,
            fault: cell.fault.name.to_owned(),
            arm: cell.arm.name.to_owned(),
            kernel: cell.kernel.name.to_owned(),
            offered: cell.offered(),
            stall: None,
            bystander_ns: None,
            byte_to_rescue_ns: None,
            wakeups: count(|what| matches!(what, What::Reported { accepts: 1.., .. })),
            would_blocks: accepts.iter().filter(|a| a.outcome == Outcome::WouldBlock).count(),
            accepts,
            ending: Ending::Done,
            void: None,
            evidence: Vec::new(),
            herd: Vec::new(),
            events,
        }
    }
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
