//! What a log proves: which accepts there were, whether the loop stalled, and how long the
//! bystander waited.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::log::{Event, What};
use crate::backend::Takes;
use crate::clock::Moment;
use crate::outcome::Outcome;

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

/// In which call a loop was parked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// accept(2), on a blocking listener.
    #[default]
    Accept,
    /// read(2), from a blocking connection.
    Read,
}

/// The proof of a stall, by order: accept was entered, then the rescue's connect began, then
/// that same accept returned the rescue's own port, and all the while a byte of the
/// bystander's lay unanswered, or an order to stop. Of a read from a connection it is the
/// same, with a byte from that client as the rescue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stall {
    /// The call that it was parked in.
    #[serde(default)]
    pub call: Call,
    /// When the accept was entered.
    pub accept_entered: Moment,
    /// When the bystander's byte was sent, or the loop was told to stop.
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

/// Pairs each accept's return with its entry.
pub(super) fn accepts(events: &[Event], takes: Takes, censored: bool) -> Vec<Accept> {
    let mut accepts = Vec::new();
    let mut entered = None;
    let mut wait_entered = None;
    for event in events {
        match &event.what {
            What::WaitEntered => wait_entered = Some(event.at),
            What::AcceptEntered if takes == Takes::InWait => {
                entered = wait_entered.or(Some(event.at));
            }
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
pub(super) fn stall(events: &[Event], accepts: &[Accept]) -> Option<Stall> {
    let at = |test: &dyn Fn(&What) -> bool| events.iter().find(|e| test(&e.what)).map(|e| e.at);
    let rescue_began = at(&|what| *what == What::RescueBegan)?;
    let port = events.iter().find_map(|event| match event.what {
        What::RescueConnected { port } | What::RescueByte { port } => Some(port),
        _ => None,
    })?;
    let owed = |what: &What| matches!(what, What::ByteSent | What::StopAsked);
    let owed_since = events
        .iter()
        .rfind(|event| owed(&event.what) && event.at <= rescue_began)
        .map(|event| event.at)?;
    let calls = accepts
        .iter()
        .filter_map(|accept| Some((Call::Accept, accept.entered, accept.returned?, accept.port)));
    let (call, entered, returned, _) =
        calls.chain(reads(events)).find(|&(_, entered, returned, of)| {
            of == Some(port) && entered < rescue_began && rescue_began < returned
        })?;
    let answered_before = events
        .iter()
        .any(|event| event.what == What::ByteServed && (owed_since..returned).contains(&event.at));
    (!answered_before).then_some(Stall {
        call,
        accept_entered: entered,
        byte_sent: owed_since,
        rescue_began,
        accept_returned: returned,
        port,
        park_seen: at(&|what| matches!(what, What::ParkSeen | What::ReadParkSeen)).is_some(),
    })
}

/// The loop's reads from connections: when each was entered and when it returned.
fn reads(events: &[Event]) -> Vec<(Call, Moment, Moment, Option<u16>)> {
    let mut entered = None;
    let mut reads = Vec::new();
    for event in events {
        match event.what {
            What::ReadEntered { .. } => entered = Some(event.at),
            What::ReadReturned { port, .. } => {
                reads.extend(entered.take().map(|from| (Call::Read, from, event.at, port)));
            }
            _ => {}
        }
    }
    reads
}

/// The bystander's latency and the rescue's delay: of the exchange that the rescue fell
/// into, else of the first.
pub(super) fn exchange(events: &[Event]) -> (Option<Duration>, Option<Duration>) {
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
            (1..).zip(log).map(|(at, what)| Event::new(Moment(at), what.clone())).collect();
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
            (1..).zip(log).map(|(at, what)| Event::new(Moment(at), what)).collect();
        assert_eq!(accepts(&events, Takes::InWait, false)[0].entered, Moment(1));
        assert_eq!(accepts(&events, Takes::AfterReport, false)[0].entered, Moment(4));
    }
}
