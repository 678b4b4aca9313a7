//! What a step is called in a drawing.

use crate::accept_loop::End;
use crate::outcome::Outcome;
use crate::trial::What;

/// What happened, in a word or two, whichever connection it was.
pub(super) fn name(what: &What) -> String {
    let fixed = match what {
        What::ConnectBegan => "connect",
        What::Queued { .. } => "queued",
        What::ResetSent { .. } => "RST",
        What::CloseSent { .. } => "FIN",
        What::EndSeen { .. } => "ended",
        What::RivalTook { .. } => "rival takes",
        What::Vanished { .. } => "vanished",
        What::Swallowed { .. } => "EFAULT eats",
        What::Flushed => "flushed",
        What::FlagCleared { ours: true } => "O_NONBLOCK off",
        What::FlagCleared { ours: false } => "another's off",
        What::Renumbered => "number reused",
        What::RanOut => "no descriptors",
        What::Relieved => "descriptors again",
        What::Migrated { .. } => "migrated",
        What::Dropped { .. } => "reset",
        What::StopAsked => "told to stop",
        What::WaitEntered => "wait",
        What::Reported { accepts: 0, others: 0 } => "report: nothing",
        What::Reported { accepts: 0, .. } => "report: byte",
        What::Reported { others: 0, .. } => "report: listener",
        What::Reported { .. } => "report: both",
        What::AcceptEntered => "accept",
        What::Shed { .. } => "shed",
        What::Recovered { .. } => "recovered",
        What::ReadEntered { .. } => "read",
        What::ReadReturned { would_block: true, .. } => "EWOULDBLOCK",
        What::ReadReturned { would_block: false, .. } => "read returns",
        What::ParkSeen => "PARKED in accept",
        What::ReadParkSeen => "PARKED in read",
        What::ByteSent => "byte sent",
        What::ByteServed => "echo byte",
        What::EchoReceived => "echo back",
        What::RescueBegan => "rescue: connect",
        What::RescueConnected { .. } => "rescue",
        What::RescueByte { .. } => "rescue: byte",
        What::Stopping => "end of trial",
        What::Ended { end: End::Stopped } => "loop stops",
        What::Ended { end: End::Died(_) | End::WaitFailed(_) } => "loop DIES",
        What::WorkersParked { workers } => return format!("{workers} worker parked"),
        What::AcceptReturned { outcome, .. } => return outcome_name(outcome),
    };
    fixed.to_owned()
}

/// What happened, with the port of the connection where there is room for it.
pub(super) fn label(what: &What) -> String {
    match (what, port(what)) {
        // Its errno says more.
        (What::AcceptReturned { outcome: Outcome::AcceptedDead(_), .. }, _) => name(what),
        (What::ReadEntered { .. } | What::ReadReturned { .. } | What::RescueByte { .. }, _) => {
            name(what)
        }
        (_, Some(port)) => format!("{} :{port}", name(what)),
        (_, None) => name(what),
    }
}

/// The client's port of the connection that it happened to.
pub(super) fn port(what: &What) -> Option<u16> {
    match what {
        What::Queued { port }
        | What::ResetSent { port }
        | What::CloseSent { port }
        | What::EndSeen { port }
        | What::Swallowed { port }
        | What::Migrated { port }
        | What::Dropped { port }
        | What::RescueConnected { port }
        | What::RescueByte { port } => Some(*port),
        What::RivalTook { port }
        | What::Vanished { port }
        | What::AcceptReturned { port, .. }
        | What::Shed { port }
        | What::ReadEntered { port }
        | What::ReadReturned { port, .. } => *port,
        _ => None,
    }
}

fn outcome_name(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Accepted => "accepted".to_owned(),
        Outcome::AcceptedDead(error) => format!("dead: {error}"),
        Outcome::TimedOut => "timed out".to_owned(),
        other => errno(other),
    }
}

/// The error that an outcome stands for, as the manual pages spell it.
pub(super) fn errno(outcome: &Outcome) -> String {
    match outcome {
        Outcome::WouldBlock => "EWOULDBLOCK".to_owned(),
        Outcome::Interrupted => "EINTR".to_owned(),
        Outcome::Aborted(name) | Outcome::Exhausted(name) | Outcome::Failed(name) => name.clone(),
        Outcome::Accepted | Outcome::AcceptedDead(_) | Outcome::TimedOut => outcome.to_string(),
    }
}

/// A time as a reader takes it in: three significant digits or so.
pub(super) fn time(ns: u64) -> String {
    match ns {
        0..1_000_000 => format!("{:.1} µs", ns as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.2} ms", ns as f64 / 1e6),
        _ => format!("{:.2} s", ns as f64 / 1e9),
    }
}
