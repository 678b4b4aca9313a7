//! The record of a run: everything that a report is made from, and what it was measured on.
//!
//! A run is a folder: `run.json` holds the surroundings and the summary of every cell,
//! `samples/<group>[-<parameter>].jsonl` every sample, with its trial where it is one, and
//! `histograms/` of the same names the latency histograms, as values in nanoseconds and how
//! many of each. Each file is written whole or not at all.

pub mod criterion;
pub mod host;
pub mod loops;
pub mod map;
pub mod store;
pub mod timelines;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::bench::handicap::Handicap;
use crate::kernel;
use crate::probe::Probe;
use crate::stats::{Estimate, Ratio};
use host::Host;
use map::Map;
use timelines::Shown;

/// The version of the format; a reader refuses a newer one. Format 1 has no probe, format 2
/// no map, format 3 no timelines, and its intervals are of rounds taken for independent.
pub const SCHEMA: u32 = 4;

/// One run of the benchmarks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// The version of this format.
    pub schema: u32,
    /// The version of rstall that wrote it.
    pub rstall: String,
    /// When it began, RFC 3339 in UTC.
    pub began: String,
    /// Whether the user ended it early.
    pub interrupted: bool,
    /// What it ran on.
    pub host: Host,
    /// What it was asked for.
    pub options: Options,
    /// What this kernel does with connections that are gone before accept; `None` in records
    /// of format 1, which had another look at it.
    #[serde(default)]
    pub probe: Option<Probe>,
    /// What was seen of each kernel, the modelled ones too, in the order of the registry.
    #[serde(default)]
    pub kernels: Vec<KernelSeen>,
    /// What a model adds to an accept that no abort concerns, or why that was not measured.
    #[serde(default)]
    pub price: Option<Result<Price, String>>,
    /// What every loop came to under every fault, or why that was not tried; `None` in records
    /// of formats 1 and 2.
    #[serde(default)]
    pub map: Option<Result<Map, String>>,
    /// One trial or two of each fault, step by step; none in records before format 4, nor where
    /// there is no map to choose them from.
    #[serde(default)]
    pub timelines: Vec<Shown>,
    /// What was measured, in the order of the registry.
    pub groups: Vec<Group>,
}

/// What a run was asked for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Options {
    /// The arguments after `cargo bench --`.
    pub arguments: Vec<String>,
    /// The seed of the rounds' order and of the planned arrivals.
    pub seed: u64,
    /// The CPUs of the loop and of the clients, if pinned.
    pub pin: Option<(usize, usize)>,
    /// The backend that was slowed down on purpose, if one was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handicap: Option<Handicap>,
    /// Whether the program was built with optimisation.
    pub optimised: bool,
}

/// What a model adds to an accept that no abort concerns, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Price {
    /// An accept with the machine's own kernel, in the program that was interposed.
    pub native_ns: Estimate,
    /// What a modelled one takes longer, pair by pair.
    pub added_ns: Estimate,
}

/// What was seen of one kernel, a few trials each of the reference backend that retries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KernelSeen {
    /// Its name.
    pub name: String,
    /// Which systems it stands for.
    pub systems: String,
    /// What becomes of a connection that is aborted in its accept queue.
    pub about: String,
    /// Where that is to be read.
    pub source: String,
    /// Whether it is modelled; else it is the machine's own.
    pub modelled: bool,
    /// What came of the trials in words; or why there were none.
    pub seen: Result<Resets, String>,
}

/// What trials with a reset came to, in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resets {
    /// The reset before the wait (`reset_queued`), on a non-blocking listener.
    pub queued: String,
    /// The reset in the window (`reset_in_window`), on a blocking listener.
    pub in_window_blocking: String,
    /// The same on a non-blocking one.
    pub in_window_nonblocking: String,
}

/// One group of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// What is inside the timed region, and what is not.
    pub about: String,
    /// What one iteration's value means.
    pub value: String,
    /// The series that ratios are to.
    pub reference: String,
    /// The kernel that its listeners stood on; all but `native` are modelled.
    #[serde(default = "kernel::native_name")]
    pub kernel: String,
    /// What was collected, by parameter.
    pub collections: Vec<Collection>,
}

impl Group {
    /// Whether its kernel was modelled: such a group is shown apart.
    pub fn is_modelled(&self) -> bool {
        self.kernel != kernel::NATIVE.name
    }
}

/// A group at one parameter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Collection {
    /// The last part of its ids, where they have one.
    pub parameter: Option<String>,
    /// How many connections one iteration stands for.
    pub elements: u64,
    /// The reference's second run over its first: the noise floor. `None` where the
    /// reference was not run.
    pub control: Option<Estimate>,
    /// Why nothing could be measured here at all.
    pub skipped: Option<String>,
    /// Its cells, in the order of the registry.
    pub cells: Vec<Cell>,
}

/// One cell: a series of a group at a parameter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// Its id, as Criterion spells it.
    pub id: String,
    /// The middle part of the id.
    pub series: String,
    /// What came of it.
    pub status: Status,
    /// How many samples it has, one a round.
    pub samples: usize,
    /// Samples that were void and taken again: the reason, and how often.
    pub voids: BTreeMap<String, usize>,
    /// The median of the samples' values, in nanoseconds an iteration.
    pub median: Option<Estimate>,
    /// The mean.
    pub mean: Option<Estimate>,
    /// The ratio to the reference, round by round.
    pub ratio: Option<Ratio>,
    /// Single latencies, where the tail matters.
    pub latency: Option<Latency>,
    /// What was counted beside, over all samples.
    pub counts: BTreeMap<String, u64>,
    /// For trials: from the byte to the rescue, and to the echo, in nanoseconds; 40 at most.
    pub stalls: Vec<(u64, u64)>,
    /// CPU time and system calls, from a pass of their own.
    pub cost: Option<Cost>,
}

/// What came of a cell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "status", content = "reason")]
pub enum Status {
    /// It was measured.
    Measured,
    /// It cannot be measured here, for this reason.
    Skipped(String),
    /// A count came out wrong, a sample hung, a thread panicked.
    Failed(String),
    /// The run was ended before it.
    Interrupted,
    /// The user's filter left it out.
    NotSelected,
}

/// A distribution of latencies, in nanoseconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// How many.
    pub count: u64,
    /// Quantiles from 0 to 1 and their values; 40 at most.
    pub quantiles: Vec<(f64, u64)>,
}

impl Latency {
    /// The value at a quantile, if the count can carry it: a tail of one in n needs ten
    /// samples beyond it, so that p99.9 asks for 10,000.
    pub fn at(&self, quantile: f64) -> Option<u64> {
        let beyond = (1.0 - quantile) * self.count as f64;
        let carried = quantile >= 1.0 || beyond >= 10.0 - 1e-6 || quantile <= 0.5;
        let found = self.quantiles.iter().find(|(q, _)| *q >= quantile - 1e-9);
        found.filter(|_| carried).map(|&(_, value)| value)
    }
}

/// What a connection costs the loop's thread, measured apart from the times.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// CPU time per connection, in nanoseconds.
    pub cpu_ns: f64,
    /// System calls per connection by name; `None` where they could not be counted.
    pub system_calls: Option<BTreeMap<String, f64>>,
}

impl Run {
    /// All cells, with the group and the collection that each belongs to.
    pub fn cells(&self) -> impl Iterator<Item = (&Group, &Collection, &Cell)> {
        self.groups.iter().flat_map(|group| {
            group.collections.iter().flat_map(move |collection| {
                collection.cells.iter().map(move |cell| (group, collection, cell))
            })
        })
    }

    /// The run's control: the median over all collections on the machine's own kernel of how
    /// far the reference's second run was from its first, as a fraction. `None` where there
    /// was no control.
    pub fn control(&self) -> Option<f64> {
        let native = self.groups.iter().filter(|group| !group.is_modelled());
        let collections = native.flat_map(|group| &group.collections);
        let off: Vec<f64> =
            collections.filter_map(|c| c.control.map(|e| (e.point - 1.0).abs())).collect();
        (!off.is_empty()).then(|| crate::stats::median(&off))
    }

    /// Whether the run's control is off by more than 2 %.
    pub fn is_noisy(&self) -> bool {
        self.control().is_some_and(|off| off > NOISY)
    }
}

/// The control beyond which a run is marked noisy.
pub const NOISY: f64 = 0.02;

/// What a record says, fit for a terminal: no control characters, which would be commands to
/// it, and no spaces but plain ones.
pub fn plain(text: &str) -> String {
    let spelt = |c: char| match c {
        '\u{a0}' => ' ',
        c if c.is_control() => '\u{fffd}',
        c => c,
    };
    text.chars().map(spelt).collect()
}
