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
    /// What.
    #[serde(flatten)]
    pub what: What,
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
    /// The loop's thread was seen parked in accept.
    ParkSeen,
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
            | What::Stopping => Lane::Client,
            What::Queued { .. }
            | What::EndSeen { .. }
            | What::RivalTook { .. }
            | What::Vanished { .. } => Lane::Queue,
            What::WaitEntered
            | What::Reported { .. }
            | What::AcceptEntered
            | What::AcceptReturned { .. }
            | What::ParkSeen
            | What::ByteServed
            | What::Ended { .. } => Lane::Loop,
            What::ByteSent | What::EchoReceived => Lane::Bystander,
        }
    }
}

impl std::fmt::Display for What {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            What::ConnectBegan => f.write_str("connect"),
            What::Queued { port } => write!(f, "queued :{port}"),
            What::ResetSent { port } => write!(f, "RST :{port}"),
            What::CloseSent { port } => write!(f, "FIN :{port}"),
            What::EndSeen { port } => write!(f, "ended :{port}"),
            What::RivalTook { port: Some(port) } => write!(f, "rival takes :{port}"),
            What::RivalTook { port: None } => f.write_str("rival takes one"),
            What::Vanished { port: Some(port) } => write!(f, "vanished :{port}"),
            What::Vanished { port: None } => f.write_str("one vanished"),
            What::WaitEntered => f.write_str("wait"),
            What::Reported { accepts: 0, .. } => f.write_str("report: bystander"),
            What::Reported { others: 0, .. } => f.write_str("report: listener"),
            What::Reported { .. } => f.write_str("report: both"),
            What::AcceptEntered => f.write_str("accept"),
            What::AcceptReturned { outcome, port: Some(port) } => write!(f, "{outcome} :{port}"),
            What::AcceptReturned { outcome, port: None } => write!(f, "{outcome}"),
            What::ParkSeen => f.write_str("PARKED in accept"),
            What::ByteSent => f.write_str("byte sent"),
            What::ByteServed => f.write_str("echo byte"),
            What::EchoReceived => f.write_str("echo received"),
            What::RescueBegan => f.write_str("rescue: connect"),
            What::RescueConnected { port } => write!(f, "rescue :{port}"),
            What::Stopping => f.write_str("end of trial"),
            What::Ended { end: End::Stopped } => f.write_str("loop stopped"),
            What::Ended { end: End::Died(outcome) } => write!(f, "loop DIED: {outcome}"),
            What::Ended { end: End::WaitFailed(errno) } => write!(f, "wait failed: {errno}"),
        }
    }
}
