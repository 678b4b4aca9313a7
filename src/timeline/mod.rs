//! One trial as a timeline: what happened, step by step, in lanes.
//!
//! A [`Timeline`] is all that is needed of a trial's record to draw it, and is what a run keeps.
//! [`Drawing`] lays it out: lanes, a row a step, the spans in which somebody waits, and for each
//! step a sentence. [`text`] and [`svg`] show that. Whatever is drawn was read off the trial's
//! log; a time is the log's, and nothing is put between two events. The axis is one of order:
//! rows are steps, the times stand beside them, and where long nothing happened that is marked.

mod drawing;
mod fold;
mod queue;
pub mod svg;
pub mod text;
mod sentence;
mod words;

pub use drawing::{Drawing, Lane, Row, Span, Tone};

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::accept_loop::Policy;
use crate::backend::{self, Entry, Takes};
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
}

impl Timeline {
    /// Reads a trial's record. Of a log that repeats itself one cycle is kept, with how often it
    /// came; of one that is very long, the beginning and the end.
    pub fn of(record: &Record) -> Timeline {
        let events = &record.events;
        let loops = events.iter().map(|event| event.of).chain([record.herd.len(), 1]).max();
        Timeline {
            backend: record.backend.clone(),
            listener: record.listener,
            policy: record.policy,
            fault: record.fault.clone(),
            arm: record.arm.clone(),
            kernel: record.kernel.clone(),
            loops: loops.unwrap_or(1),
            stall: record.stall,
            ending: record.ending.clone(),
            void: record.void.clone(),
            steps: shortened(folded(steps(events, takes(&record.backend)), &fold::folds(events))),
        }
    }
}

/// Where a backend of this name takes connections; a name that is not known here is taken for
/// one that accepts after a report, as most do.
fn takes(backend: &str) -> Takes {
    let driver = backend::find(backend).and_then(Entry::built);
    driver.map_or(Takes::AfterReport, |driver| driver.takes)
}

/// Every event, with what is known of it from those before.
fn steps(events: &[Event], takes: Takes) -> Vec<Step> {
    let mut waiting = Waiting::default();
    // When each loop entered what it is in.
    let mut entered: BTreeMap<(usize, &'static str), Moment> = BTreeMap::new();
    let mut owed_since = None;
    let step = |event: &Event| {
        waiting.take_in(&event.what);
        let mut enter = |call| drop(entered.insert((event.of, call), event.at));
        let began = match &event.what {
            What::WaitEntered => {
                enter("wait");
                None
            }
            What::AcceptEntered if takes != Takes::InWait => {
                enter("accept");
                None
            }
            What::ReadEntered { .. } => {
                enter("read");
                None
            }
            What::ByteSent | What::StopAsked => {
                owed_since = Some(event.at);
                None
            }
            What::Reported { .. } => entered.remove(&(event.of, "wait")),
            What::AcceptReturned { .. } => entered.remove(&(event.of, "accept")),
            What::ReadReturned { .. } => entered.remove(&(event.of, "read")),
            What::EchoReceived => owed_since.take(),
            What::RescueBegan => owed_since,
            _ => None,
        };
        let took_ns = began.map(|began| clock::nanos(event.at - began));
        Step { event: event.clone(), queued: waiting.count(), took_ns, then: None }
    };
    events.iter().map(step).collect()
}

/// Leaves out what repeats itself.
fn folded(steps: Vec<Step>, folds: &[Fold]) -> Vec<Step> {
    let mut kept: Vec<Step> = Vec::new();
    let mut last_of = |fold: &Fold, steps: &[Step]| {
        steps.get(fold.end() - 1).map(|last| Then {
            cycle: Some(fold.cycle),
            events: fold.cycle * (fold.times - 1),
            until: last.event.at,
            queued: last.queued,
        })
    };
    for (at, step) in steps.iter().enumerate() {
        let fold = folds.iter().find(|fold| (fold.from..fold.end()).contains(&at));
        match fold {
            Some(fold) if at >= fold.from + fold.cycle => {}
            Some(fold) if at + 1 == fold.from + fold.cycle => {
                kept.push(Step { then: last_of(fold, &steps), ..step.clone() });
            }
            _ => kept.push(step.clone()),
        }
    }
    kept
}

/// Leaves the middle of a long log out.
fn shortened(mut steps: Vec<Step>) -> Vec<Step> {
    if steps.len() <= MOST_STEPS {
        return steps;
    }
    let last = steps.split_off(steps.len() - LAST_STEPS);
    let mut middle = steps.split_off(MOST_STEPS - LAST_STEPS);
    // A cycle is left out with its repetitions, or not at all.
    while steps.last().is_some_and(|step| step.then.is_some()) {
        middle.splice(0..0, steps.pop());
    }
    let events = middle.iter().map(|step| 1 + step.then.as_ref().map_or(0, |then| then.events));
    let events = events.sum();
    if let (Some(before), Some(end)) = (steps.last_mut(), middle.last()) {
        let (until, queued) = match &end.then {
            Some(then) => (then.until, then.queued),
            None => (end.event.at, end.queued),
        };
        before.then = Some(Then { cycle: None, events, until, queued });
    }
    steps.extend(last);
    steps
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_zero(n: &usize) -> bool {
    *n == 0
}
