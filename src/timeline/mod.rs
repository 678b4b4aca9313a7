//! One trial as a timeline: what happened, step by step, in lanes.
//!
//! A [`Timeline`] is all that is needed of a trial's record to draw it, and is what a run keeps.
//! [`Drawing`] lays it out: lanes, a row a step, the spans in which somebody waits, and for each
//! step a sentence. [`text`] and [`svg`] show that. Whatever is drawn was read off the trial's
//! log; a time is the log's, and nothing is put between two events. The axis is one of order:
//! rows are steps, the times stand beside them, and where long nothing happened that is marked.

mod around;
mod drawing;
mod fold;
mod queue;
mod sentence;
pub mod svg;
pub mod text;
mod words;

pub use drawing::{Drawing, Lane, Row, Span, Tone};

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::accept_loop::Policy;
use crate::backend::{self, Entry, Registration, Takes};
use crate::clock::{self, Moment};
use crate::listener::ListenerSpec;
use crate::trial::{Ending, Event, Record, Stall, What};
use fold::Fold;
use queue::Waiting;

/// A drawing has at most so many steps: what is in the middle of more is left out.
const MOST_STEPS: usize = 64;

/// So many of the last steps are kept where some are left out.
const LAST_STEPS: usize = 16;

/// What of a trial is drawn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Timeline {
    /// The backend.
    pub backend: String,
    /// Where it takes connections. Kept, since not every system has every backend.
    pub takes: Takes,
    /// Whether its accept is a request that lies with the kernel.
    pub requests: bool,
    /// The listener it ran on.
    pub listener: ListenerSpec,
    /// How its loop accepted.
    pub policy: Policy,
    /// The fault.
    pub fault: String,
    /// In which of its ways; empty where it has one.
    pub arm: String,
    /// The kernel whose accept queue it stood on; all but `native` are modelled.
    pub kernel: String,
    /// How many loops there were.
    pub loops: usize,
    /// The proof that the loop stalled, if it did.
    pub stall: Option<Stall>,
    /// How the loop came to its end.
    pub ending: Ending,
    /// Why the trial counts for nothing, if it does.
    pub void: Option<String>,
    /// What happened, in order of time.
    pub steps: Vec<Step>,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// What, when, and to which loop of a herd.
    #[serde(flatten)]
    pub event: Event,
    /// How many connections had come, and had not been seen to leave, after it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub queued: usize,
    /// How long that took which this ends: a wait, an accept, a read, the bystander's wait for
    /// its echo; for a rescue, how long it was held back. In nanoseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub took_ns: Option<u64>,
    /// What followed and is not drawn step by step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub then: Option<Then>,
}

/// What is not drawn step by step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Then {
    /// So many steps, up to this one, came again and again; `None` where what followed was of
    /// all kinds.
    pub cycle: Option<usize>,
    /// How many events it was.
    pub events: usize,
    /// When the last of them happened.
    pub until: Moment,
    /// How many connections waited then.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub queued: usize,
    /// In what each loop was then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inside: Vec<(usize, Inside)>,
}

/// What a loop can be in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Inside {
    /// Its wait.
    Wait,
    /// accept(2).
    Accept,
    /// read(2).
    Read,
}

impl Timeline {
    /// Reads a trial's record. Of a log that repeats itself one cycle is kept, with how often it
    /// came; of one that is very long, the beginning and the end.
    pub fn of(record: &Record) -> Timeline {
        let events = &record.events;
        let driver = backend::find(&record.backend).and_then(Entry::built);
        // One that is not known here is taken for one that accepts after a report, as most do.
        let takes = driver.map_or(Takes::AfterReport, |driver| driver.takes);
        let loops = events.iter().map(|event| event.of).chain([record.herd.len(), 1]).max();
        Timeline {
            backend: record.backend.clone(),
            takes,
            requests: driver.is_some_and(|driver| driver.registration == Registration::Request),
            listener: record.listener,
            policy: record.policy,
            fault: record.fault.clone(),
            arm: record.arm.clone(),
            kernel: record.kernel.clone(),
            loops: loops.unwrap_or(1),
            stall: record.stall,
            ending: record.ending.clone(),
            void: record.void.clone(),
            steps: shortened(folded(known(events, takes), &fold::folds(events))),
        }
    }
}

/// An event, and what is known of it from those before.
struct Known {
    step: Step,
    /// In what each loop was after it.
    inside: Vec<(usize, Inside)>,
}

impl Known {
    /// What stands for all events up to this one that are left out.
    fn as_the_last(&self, cycle: Option<usize>, events: usize) -> Then {
        let Known { step, inside } = self;
        let (until, queued) = (step.event.at, step.queued);
        Then { cycle, events, until, queued, inside: inside.clone() }
    }
}

/// What a step says that a loop enters.
fn entered(what: &What, takes: Takes) -> Option<Inside> {
    match what {
        // Where accept does the waiting, nothing else does; where the wait accepts, accept does
        // not wait.
        What::WaitEntered if takes != Takes::InAccept => Some(Inside::Wait),
        What::AcceptEntered if takes != Takes::InWait => Some(Inside::Accept),
        What::ReadEntered { .. } => Some(Inside::Read),
        _ => None,
    }
}

/// What a step says that a loop leaves.
fn left(what: &What) -> Option<Inside> {
    match what {
        What::Reported { .. } => Some(Inside::Wait),
        What::AcceptReturned { .. } => Some(Inside::Accept),
        What::ReadReturned { .. } => Some(Inside::Read),
        _ => None,
    }
}

/// Every event, with what is known of it from those before.
fn known(events: &[Event], takes: Takes) -> Vec<Known> {
    let mut waiting = Waiting::default();
    let mut inside: BTreeMap<(usize, Inside), Moment> = BTreeMap::new();
    let mut owed_since = None;
    let known = |event: &Event| {
        waiting.take_in(&event.what);
        if let Some(call) = entered(&event.what, takes) {
            inside.insert((event.of, call), event.at);
        }
        let began = match &event.what {
            What::ByteSent | What::StopAsked => {
                owed_since = Some(event.at);
                None
            }
            What::EchoReceived => owed_since.take(),
            What::RescueBegan => owed_since,
            What::Ended { .. } => {
                inside.retain(|&(of, _), _| of != event.of);
                None
            }
            other => left(other).and_then(|call| inside.remove(&(event.of, call))),
        };
        let took_ns = began.map(|began| clock::nanos(event.at - began));
        let step = Step { event: event.clone(), queued: waiting.count(), took_ns, then: None };
        Known { step, inside: inside.keys().copied().collect() }
    };
    events.iter().map(known).collect()
}

/// Leaves out what repeats itself.
fn folded(known: Vec<Known>, folds: &[Fold]) -> Vec<Known> {
    let mut kept: Vec<Known> = Vec::new();
    let mut folds = folds.iter().peekable();
    let mut then_of = None;
    for (at, mut one) in known.into_iter().enumerate() {
        while folds.next_if(|fold| fold.end() <= at).is_some() {}
        match folds.peek() {
            Some(fold) if at + 1 == fold.end() => {
                let events = fold.cycle * (fold.times - 1);
                let then = one.as_the_last(Some(fold.cycle), events);
                if let Some(last) = then_of.take().and_then(|last: usize| kept.get_mut(last)) {
                    last.step.then = Some(then);
                }
            }
            Some(fold) if at >= fold.from + fold.cycle => {}
            Some(fold) if at + 1 == fold.from + fold.cycle => {
                then_of = Some(kept.len());
                kept.push(one);
            }
            _ => {
                one.step.then = None;
                kept.push(one);
            }
        }
    }
    kept
}

/// Leaves the middle of a long log out.
fn shortened(mut known: Vec<Known>) -> Vec<Step> {
    if known.len() > MOST_STEPS {
        let last = known.split_off(known.len() - LAST_STEPS);
        let mut middle = known.split_off(MOST_STEPS - LAST_STEPS);
        // A cycle is left out with its repetitions, or not at all.
        while known.last().is_some_and(|one| one.step.then.is_some()) {
            middle.splice(0..0, known.pop());
        }
        let events = |one: &Known| 1 + one.step.then.as_ref().map_or(0, |then| then.events);
        let events = middle.iter().map(events).sum();
        if let (Some(before), Some(end)) = (known.last_mut(), middle.last()) {
            before.step.then = Some(match &end.step.then {
                Some(then) => Then { cycle: None, events, ..then.clone() },
                None => end.as_the_last(None, events),
            });
        }
        known.extend(last);
    }
    known.into_iter().map(|one| one.step).collect()
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_zero(n: &usize) -> bool {
    *n == 0
}
