//! What a trial measures beside its verdict: figures of this machine, shown and never judged.

use serde::{Deserialize, Serialize};

use super::judge::accepts_while_owing;
use crate::clock;
use crate::outcome::Outcome;
use crate::trial::{Event, Record, What};

/// Figures of one trial, or medians of several; `None` where a fault has no such figure.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Figures {
    /// From the bystander's byte to its echo, in nanoseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bystander_ns: Option<f64>,
    /// Calls of accept for each connection that came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepts_per_connection: Option<f64>,
    /// Accepts that found no descriptor again, the first not counted, for each second from
    /// the first to the end of the lack.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failures_per_second: Option<f64>,
    /// The loop's share of one CPU while there was no descriptor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_share: Option<f64>,
    /// From the end of the lack to the next connection taken, in nanoseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recovery_ns: Option<f64>,
    /// Wake-ups for each connection, over all loops of a herd.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wakeups_per_connection: Option<f64>,
    /// Accepts that said EWOULDBLOCK for each connection, over all loops of a herd.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failures_per_connection: Option<f64>,
    /// Accepts that came before the turn of a bystander whose byte was there first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepts_in_a_row: Option<f64>,
    /// The share of the connections that the busiest loop of a herd took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub busiest_share: Option<f64>,
}

impl Figures {
    /// Those of one trial.
    pub fn of(record: &Record) -> Figures {
        let came = record.count(|what| matches!(what, What::Queued { .. }));
        let per_connection = |n: usize| (came > 0).then(|| n as f64 / came as f64);
        let lack = Lack::of(&record.events);
        let herd = !record.herd.is_empty();
        let taken: usize = record.herd.iter().map(|one| one.taken).sum();
        let most = record.herd.iter().map(|one| one.taken).max().unwrap_or_default();
        Figures {
            bystander_ns: record.bystander_ns.map(|ns| ns as f64),
            accepts_per_connection: per_connection(record.accepts.len()),
            failures_per_second: lack.as_ref().and_then(Lack::failures_per_second),
            cpu_share: lack.as_ref().and_then(|lack| lack.cpu_share),
            recovery_ns: lack.as_ref().and_then(|lack| lack.recovery_ns),
            wakeups_per_connection: herd
                .then(|| per_connection(record.herd.iter().map(|one| one.wakeups).sum()))
                .flatten(),
            failures_per_connection: herd
                .then(|| per_connection(record.herd.iter().map(|one| one.would_blocks).sum()))
                .flatten(),
            accepts_in_a_row: accepts_while_owing(record).map(|n| n as f64),
            busiest_share: (herd && taken > 0).then(|| most as f64 / taken as f64),
        }
    }

    /// The middle of each.
    pub fn median(all: &[Figures], median: impl Fn(&[f64]) -> f64) -> Figures {
        let middle = |pick: fn(&Figures) -> Option<f64>| {
            let values: Vec<f64> = all.iter().filter_map(pick).collect();
            (!values.is_empty()).then(|| median(&values))
        };
        Figures {
            bystander_ns: middle(|f| f.bystander_ns),
            accepts_per_connection: middle(|f| f.accepts_per_connection),
            failures_per_second: middle(|f| f.failures_per_second),
            cpu_share: middle(|f| f.cpu_share),
            recovery_ns: middle(|f| f.recovery_ns),
            wakeups_per_connection: middle(|f| f.wakeups_per_connection),
            failures_per_connection: middle(|f| f.failures_per_connection),
            accepts_in_a_row: middle(|f| f.accepts_in_a_row),
            busiest_share: middle(|f| f.busiest_share),
        }
    }
}

/// The time in which there was no descriptor, as the log tells of it.
struct Lack {
    failures: usize,
    lasted_ns: u64,
    cpu_share: Option<f64>,
    recovery_ns: Option<f64>,
}

impl Lack {
    fn of(events: &[Event]) -> Option<Lack> {
        let at = |test: &dyn Fn(&What) -> bool| events.iter().find(|e| test(&e.what)).map(|e| e.at);
        let lacked = |what: &What| match what {
            What::AcceptReturned { outcome, .. } => matches!(outcome, Outcome::Exhausted(_)),
            _ => false,
        };
        let began = at(&lacked)?;
        let relieved = at(&|what| *what == What::Relieved)?;
        let recovered = events.iter().find_map(|event| match event.what {
            What::Recovered { cpu_ns } if event.at >= relieved => Some((event.at, cpu_ns)),
            _ => None,
        });
        let failures = events.iter().filter(|e| e.at <= relieved && lacked(&e.what)).count();
        Some(Lack {
            failures,
            lasted_ns: clock::nanos(relieved - began),
            cpu_share: recovered.and_then(|(at, cpu_ns)| {
                let lasted = clock::nanos(at - began);
                (lasted > 0).then(|| cpu_ns as f64 / lasted as f64)
            }),
            recovery_ns: recovered.map(|(at, _)| clock::nanos(at - relieved) as f64),
        })
    }

    fn failures_per_second(&self) -> Option<f64> {
        let again = self.failures.saturating_sub(1);
        (self.lasted_ns > 0).then(|| again as f64 / self.lasted_ns as f64 * 1e9)
    }
}
