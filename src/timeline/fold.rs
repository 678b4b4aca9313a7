//! Where a log repeats itself: a loop that spins, a storm, a request that is robbed again and
//! again. Such a stretch is drawn once, with how often it came again.

use std::collections::HashMap;
use std::ops::Range;

use crate::trial::{Event, What};

/// The longest cycle that is looked for, in events: a herd of eight that all wake for one client.
const LONGEST: usize = 40;

/// A fold leaves out at least so many events; fewer are shown as they are.
const WORTH: usize = 4;

/// So many folds are enough for any drawing: a log that has more shows the rest as it is.
const MOST: usize = 24;

/// A stretch of a log in which the same events come again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fold {
    /// The first event.
    pub(super) from: usize,
    /// How many events make one cycle.
    pub(super) cycle: usize,
    /// How often the cycle is there in all.
    pub(super) times: usize,
}

impl Fold {
    /// Behind its last event.
    pub(super) fn end(self) -> usize {
        self.from + self.cycle * self.times
    }

    /// How many events it leaves out.
    fn saves(self) -> usize {
        self.cycle * (self.times - 1)
    }
}

/// The folds of a log, in its order. Events are alike if the same happened, whatever the port
/// and whichever loop of a herd; two threads that race may change places within a cycle.
pub(super) fn folds(events: &[Event]) -> Vec<Fold> {
    let begins: Vec<bool> = events.iter().map(|event| begins(&event.what)).collect();
    let mut known: HashMap<String, u64> = HashMap::new();
    let mut keys = Vec::with_capacity(events.len());
    for event in events {
        let next = known.len() as u64 + 1;
        let number = *known.entry(kind(event)).or_insert(next);
        keys.push(scattered(number));
    }
    // Sums of scattered numbers tell which events a stretch holds, in whatever order.
    let mut sums = vec![0_u64];
    for key in &keys {
        sums.push(sums.last().map_or(0, |sum| sum.wrapping_add(*key)));
    }
    let mut folds = Vec::new();
    let mut open: Vec<Range<usize>> = std::iter::once(0..events.len()).collect();
    while let (Some(range), true) = (open.pop(), folds.len() < MOST) {
        if let Some(fold) = best(&sums, &begins, range.clone()) {
            open.extend([range.start..fold.from, fold.end()..range.end]);
            folds.push(fold);
        }
    }
    folds.sort_by_key(|fold| fold.from);
    folds
}

/// What kind of event it is. Each loop that was seen parked counts by itself: who was is what a
/// drawing is for.
fn kind(event: &Event) -> String {
    let name = super::words::name(&event.what);
    match event.what {
        What::ParkSeen | What::ReadParkSeen => format!("{} {name}", event.of),
        _ => name,
    }
}

/// Whether it comes from outside of the loop: a cycle is best told from there.
fn begins(what: &What) -> bool {
    matches!(what, What::ConnectBegan | What::ByteSent)
}

/// The fold within a range that leaves out most; of several the one with the shortest cycle,
/// then the first, of those that begin outside of the loop if there are any.
fn best(sums: &[u64], begins: &[bool], range: Range<usize>) -> Option<Fold> {
    let mut best: Option<Fold> = None;
    for cycle in 1..=LONGEST.min(range.len() / 2) {
        let holds = |from: usize| sums[from + cycle].wrapping_sub(sums[from]);
        // How often the stretch that begins at each event comes, from the last one back.
        let mut times = vec![1_usize; range.len() + 1];
        for from in (range.start..=range.end - 2 * cycle).rev() {
            let at = from - range.start;
            if holds(from) == holds(from + cycle) {
                times[at] = times[at + cycle] + 1;
            }
            let fold = Fold { from, cycle, times: times[at] };
            let better = |known: &Fold| {
                let same = known.cycle == cycle && known.saves() == fold.saves();
                let earlier = begins[from] || !begins[known.from];
                fold.saves() > known.saves() || same && earlier
            };
            if fold.times >= 3 && fold.saves() >= WORTH && best.as_ref().is_none_or(better) {
                best = Some(fold);
            }
        }
    }
    best
}

/// Spreads small numbers over all bits (the finaliser of SplitMix64), so that sums of
/// different ones differ.
fn scattered(number: u64) -> u64 {
    let mut z = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Moment;

    fn log(of: &[What]) -> Vec<Event> {
        (1..).zip(of).map(|(at, what)| Event::new(Moment(at), what.clone())).collect()
    }

    #[test]
    fn a_spinning_loop_is_one_cycle() {
        let report = What::Reported { accepts: 1, others: 0 };
        let mut events = vec![What::ConnectBegan, What::Queued { port: 1 }];
        for _ in 0..50 {
            events.extend([What::WaitEntered, report.clone()]);
        }
        events.push(What::Stopping);
        assert_eq!(folds(&log(&events)), [Fold { from: 2, cycle: 2, times: 50 }]);
    }

    #[test]
    fn ports_differ_and_racing_threads_change_places_within_a_cycle() {
        let mut events = Vec::new();
        for port in 1..=6 {
            events.extend([What::ConnectBegan, What::Queued { port }]);
            let (one, other) = (What::EchoReceived, What::WaitEntered);
            let both = if port % 2 == 0 { [one, other] } else { [other, one] };
            events.extend(both);
        }
        assert_eq!(folds(&log(&events)), [Fold { from: 0, cycle: 4, times: 6 }]);
    }

    #[test]
    fn what_comes_twice_or_is_short_is_left_as_it_is() {
        let twice = [What::WaitEntered, What::ByteServed, What::WaitEntered, What::ByteServed];
        assert_eq!(folds(&log(&twice)), []);
        assert_eq!(folds(&log(&[What::ParkSeen, What::ParkSeen, What::ParkSeen])), []);
        assert_eq!(folds(&[]), []);
    }
}
