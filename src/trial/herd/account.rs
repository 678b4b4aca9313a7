//! What a herd's trial came to: loop by loop, then all together.

use super::super::log::{Event, What};
use super::super::proof;
use super::super::record::{self, Ending, Record, Share};
use super::Herd;
use crate::accept_loop::End;
use crate::clock::Moment;
use crate::outcome::Outcome;

/// The record of a herd's trial: each loop's log by itself, then all together.
pub(super) fn of(herd: &Herd<'_>, began: Moment) -> Record {
    let events = record::in_order(herd.log.clone(), began);
    let mut accepts = Vec::new();
    let mut shares = Vec::new();
    let mut stall = None;
    let mut ending = Ending::Done;
    // Who came to the rescue was not on offer.
    let offered = |port: Option<u16>| port.is_none_or(|port| !herd.rescues.contains(&port));
    for (number, member) in (1..).zip(&herd.loops) {
        let own: Vec<Event> = events
            .iter()
            .filter(|event| event.of == number || concerns(herd, event, &events, number))
            .cloned()
            .collect();
        let its = proof::accepts(&own, herd.cell.driver.takes, false);
        let proved = proof::stall(&own, &its);
        for event in &own {
            match &event.what {
                What::Ended { end: End::Died(outcome) } => ending = Ending::Died(outcome.clone()),
                What::Ended { end: End::WaitFailed(errno) } => {
                    ending = Ending::WaitFailed(errno.clone());
                }
                _ => {}
            }
        }
        shares.push(Share {
            wakeups: member.woken,
            would_blocks: its.iter().filter(|a| a.outcome == Outcome::WouldBlock).count(),
            taken: its.iter().filter(|a| a.outcome.took_connection() && offered(a.port)).count(),
            stalled: proved.is_some(),
        });
        stall = stall.or(proved);
        accepts.extend(its);
    }
    accepts.sort_by_key(|accept| accept.entered);
    if herd.loops.iter().any(|one| !one.ended) {
        // Left behind: what it would have come to is unknown.
        ending = Ending::Censored;
    }
    Record {
        herd: shares,
        stall,
        ending,
        offered: herd.log.iter().filter(|e| matches!(e.what, What::Queued { .. })).count(),
        ..Record::of(herd.cell, events, accepts)
    }
}

/// Whether an event of nobody's belongs to a loop's log: the rescue that it took.
fn concerns(herd: &Herd<'_>, event: &Event, events: &[Event], number: usize) -> bool {
    let took = |port: u16| {
        events.iter().any(|event| match event.what {
            What::AcceptReturned { port: taken, .. } => event.of == number && taken == Some(port),
            _ => false,
        })
    };
    let rescue = herd.rescues.iter().copied().find(|&port| took(port));
    match (&event.what, rescue) {
        (What::RescueConnected { port }, Some(taken)) => *port == taken,
        (What::RescueBegan, Some(_)) => {
            // The one whose connect came next.
            let next = events.iter().find_map(|later| match later.what {
                What::RescueConnected { port } if later.at >= event.at => Some(port),
                _ => None,
            });
            next == rescue
        }
        _ => false,
    }
}
