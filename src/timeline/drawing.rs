//! A timeline laid out: lanes, rows, spans.

use serde::Serialize;

use super::around::many;
use super::sentence::Teller;
use super::words::label;
use super::{Inside, Step, Timeline, entered, left};
use crate::accept_loop::End;
use crate::clock;
use crate::kernel::NATIVE;
use crate::trial::{self, What};

/// Where nothing happened for so long, in nanoseconds, the drawing says so.
const GAP_NS: u64 = 1_000_000;

/// The lanes' places.
const CLIENT: usize = 0;
const QUEUE: usize = 1;
const LOOP: usize = 2;
const BYSTANDER: usize = 3;

/// A timeline, ready to be drawn. As JSON it is what `rstall show --json` gives.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Drawing {
    /// What was tried: fault and arm, backend, listener, kernel.
    pub title: String,
    /// The kernel's name, where it is modelled.
    pub modelled: Option<String>,
    /// The lanes, from left to right.
    pub lanes: Vec<Lane>,
    /// The steps, from top to bottom.
    pub rows: Vec<Row>,
    /// What lasts from one step to another.
    pub spans: Vec<Span>,
}

/// Somebody to whom things happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Lane {
    /// Who.
    pub name: &'static str,
    /// How many stand in it side by side: the loops of a herd.
    pub tracks: usize,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// When, in nanoseconds since the first step; of many the last.
    pub at_ns: u64,
    /// How long nothing had happened before, where that is 1 ms or more.
    pub gap_ns: Option<u64>,
    /// The lane; `None` for one that stands for many.
    pub lane: Option<usize>,
    /// The loop of a herd, from 1; else 0.
    pub of: usize,
    /// What it is, in a word or two.
    pub label: String,
    /// What it is, in a sentence.
    pub sentence: String,
    /// How many connections wait to be accepted after it.
    pub queued: usize,
    /// How long that took which this ends.
    pub took_ns: Option<u64>,
    /// What kind of thing it is.
    pub tone: Tone,
}

/// What kind of thing a step is; never shown by colour alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Tone {
    /// What a loop does in any case.
    Plain,
    /// What the fault does.
    Fault,
    /// What comes of it: parked, dead, lost.
    Ill,
    /// What ends it.
    Rescue,
    /// Somebody has what he waited for.
    Served,
}

/// Something that lasts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Span {
    /// The lane.
    pub lane: usize,
    /// Where in the lane, from 0.
    pub track: usize,
    /// The row in which it begins, from 0.
    pub from: usize,
    /// The row in which it ends; `None` where it did not end before the trial did.
    pub to: Option<usize>,
    /// What it is.
    pub doing: &'static str,
    /// Whether somebody is parked in it, or kept waiting by that.
    pub parked: bool,
}

impl Drawing {
    /// Lays a timeline out.
    pub fn of(timeline: &Timeline) -> Drawing {
        let herd = timeline.loops > 1;
        let modelled = timeline.kernel != NATIVE.name;
        let mut drawing = Drawing {
            title: title(timeline),
            modelled: modelled.then(|| timeline.kernel.clone()),
            lanes: lanes(timeline.loops),
            rows: Vec::new(),
            spans: Vec::new(),
        };
        let origin = timeline.steps.first().map(|step| step.event.at).unwrap_or_default();
        let since = |at: clock::Moment| clock::nanos(at - origin);
        let mut teller = Teller::new(timeline);
        let mut before = 0;
        for step in &timeline.steps {
            let at_ns = since(step.event.at);
            let gap = at_ns.saturating_sub(before);
            drawing.span(step, timeline);
            drawing.rows.push(Row {
                at_ns,
                gap_ns: (gap >= GAP_NS).then_some(gap),
                lane: Some(lane(&step.event.what, herd)),
                of: step.event.of,
                label: told(step, herd),
                sentence: teller.tell(step),
                queued: step.queued,
                took_ns: step.took_ns,
                tone: tone(&step.event.what),
            });
            before = at_ns;
            if let Some(then) = &step.then {
                before = since(then.until);
                drawing.reopen(None, &then.inside);
                drawing.rows.push(Row {
                    at_ns: before,
                    gap_ns: None,
                    lane: None,
                    of: 0,
                    label: match then.cycle {
                        Some(1) => format!("the last step, {} times more", then.events),
                        Some(n) => {
                            format!("the last {n} steps, {} times more", then.events / n.max(1))
                        }
                        None => format!("{} events, left out here", then.events),
                    },
                    sentence: many(then, timeline.loops),
                    queued: then.queued,
                    took_ns: None,
                    tone: Tone::Plain,
                });
            }
        }
        drawing
    }

    /// Begins and ends what lasts, for the step of the row that comes next.
    fn span(&mut self, step: &Step, timeline: &Timeline) {
        let track = step.event.of.saturating_sub(1);
        let what = &step.event.what;
        if let Some(call) = left(what) {
            self.end(LOOP, track, doing(call));
        }
        if let Some(call) = entered(what, timeline.takes) {
            self.begin(LOOP, track, doing(call));
        }
        let one = timeline.loops == 1;
        match what {
            What::ByteSent if one => {
                self.begin(BYSTANDER, 0, OWED);
                let sent = timeline.stall.is_some_and(|stall| stall.byte_sent == step.event.at);
                if sent {
                    self.park(BYSTANDER, 0, OWED);
                }
            }
            What::EchoReceived if one => self.end(BYSTANDER, 0, OWED),
            // Where the wait accepts, that is what it is parked in.
            What::ParkSeen => {
                self.park(LOOP, track, doing(Inside::Accept));
                self.park(LOOP, track, doing(Inside::Wait));
            }
            What::ReadParkSeen => self.park(LOOP, track, doing(Inside::Read)),
            What::Ended { .. } => self.reopen(Some(track), &[]),
            _ => {}
        }
        // The proof tells of a park also where nothing could see it.
        if timeline.stall.is_some_and(|stall| stall.accept_entered == step.event.at)
            && let Some(call) = entered(what, timeline.takes)
        {
            self.park(LOOP, track, doing(call));
        }
    }

    fn begin(&mut self, lane: usize, track: usize, doing: &'static str) {
        self.end(lane, track, doing);
        let from = self.rows.len();
        self.spans.push(Span { lane, track, from, to: None, doing, parked: false });
    }

    fn open(&mut self, lane: usize, track: usize, doing: &str) -> Option<&mut Span> {
        let is_it = |span: &&mut Span| {
            span.to.is_none() && (span.lane, span.track, span.doing) == (lane, track, doing)
        };
        self.spans.iter_mut().rev().find(is_it)
    }

    fn end(&mut self, lane: usize, track: usize, doing: &str) {
        let row = self.rows.len();
        if let Some(span) = self.open(lane, track, doing) {
            span.to = Some(row);
        }
    }

    fn park(&mut self, lane: usize, track: usize, doing: &str) {
        if let Some(span) = self.open(lane, track, doing) {
            span.parked = true;
        }
    }

    /// After steps that are not drawn: what loops are in now. Of one track, or of all.
    fn reopen(&mut self, track: Option<usize>, inside: &[(usize, Inside)]) {
        let row = self.rows.len();
        let now: Vec<(usize, &'static str)> =
            inside.iter().map(|&(of, call)| (of.saturating_sub(1), doing(call))).collect();
        let mine = |span: &&mut Span| {
            let lane = span.lane == LOOP && track.is_none_or(|track| span.track == track);
            lane && span.to.is_none() && !now.contains(&(span.track, span.doing))
        };
        self.spans.iter_mut().filter(mine).for_each(|span| span.to = Some(row));
        for (track, doing) in now {
            if self.open(LOOP, track, doing).is_none() {
                self.begin(LOOP, track, doing);
            }
        }
    }
}

const OWED: &str = "waits for its byte";

fn doing(call: Inside) -> &'static str {
    match call {
        Inside::Wait => "waits to be told",
        Inside::Accept => "in accept",
        Inside::Read => "in read",
    }
}

fn lanes(loops: usize) -> Vec<Lane> {
    let lane = |name, tracks| Lane { name, tracks };
    match loops {
        0 | 1 => {
            vec![lane("client", 0), lane("accept queue", 0), lane("loop", 1), lane("bystander", 1)]
        }
        _ => vec![lane("clients", 0), lane("accept queue", 0), lane("loops", loops)],
    }
}

/// The bystanders of a herd are among its clients: there is no room for a lane of each.
fn lane(what: &What, herd: bool) -> usize {
    match what.lane() {
        trial::Lane::Client => CLIENT,
        trial::Lane::Queue => QUEUE,
        trial::Lane::Loop => LOOP,
        trial::Lane::Bystander if herd => CLIENT,
        trial::Lane::Bystander => BYSTANDER,
    }
}

fn told(step: &Step, herd: bool) -> String {
    let label = label(&step.event.what);
    match step.event.of {
        0 => label,
        of if herd && step.event.what.lane() == trial::Lane::Bystander => {
            format!("{label} to {of}")
        }
        of => format!("{of} {label}"),
    }
}

fn tone(what: &What) -> Tone {
    match what {
        What::ResetSent { .. }
        | What::RivalTook { .. }
        | What::Vanished { .. }
        | What::Swallowed { .. }
        | What::Flushed
        | What::FlagCleared { .. }
        | What::Renumbered
        | What::RanOut => Tone::Fault,
        What::ParkSeen
        | What::ReadParkSeen
        | What::WorkersParked { .. }
        | What::Dropped { .. }
        | What::Shed { .. }
        | What::Ended { end: End::Died(_) | End::WaitFailed(_) } => Tone::Ill,
        What::RescueBegan | What::RescueConnected { .. } | What::RescueByte { .. } => Tone::Rescue,
        What::EchoReceived | What::Recovered { .. } | What::Migrated { .. } => Tone::Served,
        _ => Tone::Plain,
    }
}

fn title(timeline: &Timeline) -> String {
    let arm = if timeline.arm.is_empty() { String::new() } else { format!("/{}", timeline.arm) };
    let modelled = if timeline.kernel == NATIVE.name {
        String::new()
    } else {
        format!(", modelled {}", timeline.kernel)
    };
    format!(
        "{}{arm} on {}, {} listener, discipline {}, retry set {}{modelled}",
        timeline.fault,
        timeline.backend,
        timeline.listener.mode.name(),
        timeline.policy.discipline,
        timeline.policy.retry.name(),
    )
}
