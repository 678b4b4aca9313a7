//! What happened in a trial, as it happened: the log from which everything else is derived.

use serde::{Deserialize, Serialize};

use crate::accept_loop::End;
use crate::clock::Moment;
use crate::outcome::Outcome;

/// Who did something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// The clients, the rescue among them.
    Client,
    /// The listener's accept queue.
    Queue,
    /// The loop under test.
    Loop,
    /// The bystander's client.
    Bystander,
}

/// One thing that happened, and when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// When, on the monotonic clock; a stored record counts from its trial's beginning.
    pub at: Moment,
    /// Which loop of a herd it happened to, from 1; 0 where there is one loop only.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub of: usize,
    /// What.
    #[serde(flatten)]
    pub what: What,
}

impl Event {
    /// What happened to the only loop.
    pub fn new(at: Moment, what: What) -> Event {
        Event { at, of: 0, what }
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_zero(n: &usize) -> bool {
    *n == 0
}

/// What can happen. Ports name connections: the client's port of each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum What {
    /// A client's connect began.
    ConnectBegan,
    /// That connect is complete and its connection is in the accept queue.
    Queued {
        /// The client's port.
        port: u16,
    },
    /// A client's reset is on its way.
    ResetSent {
        /// The client's port.
        port: u16,
    },
    /// A client's FIN is on its way.
    CloseSent {
        /// The client's port.
        port: u16,
    },
    /// The kernel has ended the server's side of that connection.
    EndSeen {
        /// The client's port.
        port: u16,
    },
    /// Another acceptor took the connection.
    RivalTook {
        /// The client's port, if the rival was given it.
        port: Option<u16>,
    },
    /// The modelled kernel dropped a connection that was aborted, and told nobody.
    Vanished {
        /// The client's port, if the socket still knew it.
        port: Option<u16>,
    },
    /// An accept with a bad address pointer failed, and the connection is gone.
    Swallowed {
        /// The client's port.
        port: u16,
    },
    /// The listener was shut down and listens again, with an empty queue.
    Flushed,
    /// O_NONBLOCK was cleared: of the loop's listener, or of another's on the same port.
    FlagCleared {
        /// Whether it was the loop's.
        ours: bool,
    },
    /// The listener's descriptor number belongs to another listener now.
    Renumbered,
    /// There is no descriptor left in the process.
    RanOut,
    /// There are descriptors again.
    Relieved,
    /// What was queued for the listener that left is another's now.
    Migrated {
        /// The client's port.
        port: u16,
    },
    /// A connection was reset by the kernel as the listener that it was queued for closed.
    Dropped {
        /// The client's port.
        port: u16,
    },
    /// So many kernel threads of the loop's are parked in accept.
    WorkersParked {
        /// How many.
        workers: usize,
    },
    /// The loop entered its wait.
    WaitEntered,
    /// The wait returned.
    Reported {
        /// How many accepts it stands for; 0 where the listener was not reported.
        accepts: usize,
        /// How many other descriptors it reported.
        others: usize,
    },
    /// The loop entered accept.
    AcceptEntered,
    /// accept returned.
    AcceptReturned {
        /// What it came to.
        outcome: Outcome,
        /// The client's port, where accept gave an address.
        port: Option<u16>,
    },
    /// The loop closed a connection that it had accepted with its reserve descriptor.
    Shed {
        /// The client's port, if accept gave it.
        port: Option<u16>,
    },
    /// The loop took a connection again after it had found no descriptor.
    Recovered {
        /// The CPU time that its thread used in between, in nanoseconds.
        cpu_ns: u64,
    },
    /// The loop reads from a connection that it has just accepted.
    ReadEntered {
        /// The client's port.
        port: Option<u16>,
    },
    /// That read returned.
    ReadReturned {
        /// The client's port.
        port: Option<u16>,
        /// Whether it said EWOULDBLOCK.
        would_block: bool,
    },
    /// The loop was told to stop, as part of the trial.
    StopAsked,
    /// The loop's thread was seen parked in accept.
    ParkSeen,
    /// The loop's thread was seen parked in a read.
    ReadParkSeen,
    /// The bystander's client sent its byte.
    ByteSent,
    /// The loop turned to the bystander and echoes what it reads.
    ByteServed,
    /// The bystander's client has the echo.
    EchoReceived,
    /// The rescue client's connect began.
    RescueBegan,
    /// That connect is complete.
    RescueConnected {
        /// The rescue's port.
        port: u16,
    },
    /// The client whom a read waits for sent a byte.
    RescueByte {
        /// The client's port.
        port: u16,
    },
    /// The trial is over and the loop was told to stop; what follows is not part of it.
    Stopping,
    /// The loop ended.
    Ended {
        /// Why.
        end: End,
    },
}

impl What {
    /// The lane that this belongs to.
    pub fn lane(&self) -> Lane {
        match self {
            What::ConnectBegan
            | What::ResetSent { .. }
            | What::CloseSent { .. }
            | What::RescueBegan
            | What::RescueConnected { .. }
            | What::RescueByte { .. }
            | What::Stopping => Lane::Client,
            What::Queued { .. }
            | What::EndSeen { .. }
            | What::RivalTook { .. }
            | What::Vanished { .. }
            | What::Swallowed { .. }
            | What::Flushed
            | What::FlagCleared { .. }
            | What::Renumbered
            | What::RanOut
            | What::Relieved
            | What::Migrated { .. }
            | What::Dropped { .. }
            | What::WorkersParked { .. }
            | What::StopAsked => Lane::Queue,
            What::WaitEntered
            | What::Reported { .. }
            | What::AcceptEntered
            | What::AcceptReturned { .. }
            | What::Shed { .. }
            | What::Recovered { .. }
            | What::ReadEntered { .. }
            | What::ReadReturned { .. }
            | What::ParkSeen
            | What::ReadParkSeen
            | What::ByteServed
            | What::Ended { .. } => Lane::Loop,
            What::ByteSent | What::EchoReceived => Lane::Bystander,
        }
    }
}
