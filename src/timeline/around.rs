//! Sentences that are the same for every loop: what is done around it, how it ends, what comes
//! again.

use super::Then;
use super::words::{errno, name};
use crate::accept_loop::End;
use crate::trial::What;

/// What is done around the loop, always in the same words.
pub(super) fn around(what: &What) -> String {
    let fixed = match what {
        What::ConnectBegan => "A client calls connect.",
        What::Flushed => {
            "Another holder of the listener shuts it down and has it listen again: the queue is \
             emptied, and what was in it is reset."
        }
        What::FlagCleared { ours: true } => {
            "Somebody clears O_NONBLOCK of the open file description that the loop's listener \
             shares with others: it blocks from now on, and the loop is not told."
        }
        What::FlagCleared { ours: false } => {
            "Somebody clears O_NONBLOCK of another listener on this port: that is another open \
             file description, and the loop's own does not change."
        }
        What::Renumbered => {
            "The listener is closed, and a new one, with an empty queue, is given its descriptor \
             number: what was reported is not what has this number now."
        }
        What::RanOut => "The process has no descriptor left (its RLIMIT_NOFILE is used up).",
        What::Relieved => "The process may open descriptors again.",
        What::ByteSent => {
            "The bystander, a client whom the loop serves already, sends one byte and waits for \
             it to come back."
        }
        What::Stopping => "The trial is over.",
        What::Queued { port } => {
            return format!(
                "The handshake is complete: the connection from port {port} waits in the accept \
                 queue."
            );
        }
        What::ResetSent { port } => {
            return format!("The client with port {port} resets its connection: it sends a RST.");
        }
        What::CloseSent { port } => {
            return format!("The client with port {port} closes in good order: it sends a FIN.");
        }
        What::Migrated { port } => {
            return format!(
                "The connection from port {port} was moved to the listener that stays, and is \
                 accepted there."
            );
        }
        What::Dropped { port } => {
            return format!(
                "The client with port {port} is reset: its connection was queued for the listener \
                 that closed, and went with it."
            );
        }
        What::WorkersParked { workers } => {
            return format!(
                "Kernel threads that carry the loop's request are seen parked in accept: \
                 {workers}."
            );
        }
        What::RescueConnected { port } => {
            return format!("The rescue's connect is complete (port {port}).");
        }
        What::RescueByte { port } => {
            return format!("The client with port {port} sends a byte.");
        }
        // What has a sentence that depends on the loop never comes here; each is named, so that
        // a new event is not forgotten.
        What::EndSeen { .. }
        | What::RivalTook { .. }
        | What::Vanished { .. }
        | What::Swallowed { .. }
        | What::StopAsked
        | What::WaitEntered
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
        | What::EchoReceived
        | What::RescueBegan
        | What::Ended { .. } => return format!("{}.", name(what)),
    };
    fixed.to_owned()
}

/// How a loop came to its end.
pub(super) fn ended(who: &str, end: &End) -> String {
    match end {
        End::Stopped => format!("{who} ends, as it was told to."),
        End::Died(outcome) => format!(
            "{who} ends by itself: it takes {} for the end of everything, and serves nobody any \
             more.",
            errno(outcome)
        ),
        End::WaitFailed(errno) => {
            format!(
                "{who} ends by itself: its wait failed with {errno}, and it serves nobody any more."
            )
        }
    }
}

/// What a step says that stands for many.
pub(super) fn many(then: &Then, loops: usize) -> String {
    let Some(cycle) = then.cycle else {
        return format!(
            "{} further events, of all kinds, are left out of this drawing; the record has them.",
            then.events
        );
    };
    let times = then.events / cycle.max(1);
    let differ = if loops > 1 { "; which loop does which may differ" } else { "" };
    match cycle {
        1 => format!("The last step comes {times} times more{differ}."),
        _ => format!("The last {cycle} steps come {times} times more{differ}."),
    }
}
