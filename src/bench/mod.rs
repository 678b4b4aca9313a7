//! The benchmarks: what is measured, in rounds, and what each sample must have counted.
//!
//! A group names no backend: it takes what [`crate::backend::ALL`] has and says, from the
//! drivers' capabilities, what it cannot use and why. This module knows nothing of
//! Criterion; its adapter stands beside the bench target.
//!
//! To add a group: write `<name>.rs` with a `pub(super) const GROUP: Group`, and add its
//! line to the registry below.

pub mod collect;
pub mod cost;
pub mod duel;
pub mod handicap;
pub mod kernels;
pub mod map;
pub mod price;
pub mod role;
pub mod session;
pub mod summary;
pub mod taker;
pub mod timelines;
pub mod worker;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::backend::{self, Driver, Takes};
use crate::interpose::capture;
use crate::kernel::Kernel;
use crate::listener::Mode;
use crate::outcome;
use crate::trial::{self, Misfit};

/// One group of benchmarks: a question, asked of every backend at several parameters.
#[derive(Debug)]
pub struct Group {
    /// The first part of its ids; also the file's name.
    pub name: &'static str,
    /// One sentence: what is inside the timed region, and what is not.
    pub about: &'static str,
    /// What one iteration's value means.
    pub value: &'static str,
    /// The series that the others are compared with, run twice a round.
    pub reference: &'static str,
    /// How many rounds, unless `--sample-size` says otherwise; at least 10, as Criterion asks.
    pub rounds: usize,
    /// The last part of its ids, in order; `None` where an id has two parts only.
    pub parameters: &'static [Option<&'static str>],
    /// How many connections one iteration stands for, by parameter.
    pub elements: fn(Option<&str>) -> u64,
    /// The kernel that its listeners stand on. A group has one, so that a modelled kernel's
    /// samples are never among the native ones.
    pub kernel: &'static Kernel,
    /// Whether it runs only where its kernel is asked for.
    pub on_request: bool,
    /// Its series at a parameter: what runs, and what cannot. What a modelled kernel takes
    /// away is [`Group::series`]' affair.
    pub each: fn(Option<&str>) -> Vec<Series>,
    /// Whether CPU time and system calls are counted in a pass of their own; its parameter is
    /// then a number of queued connections.
    pub counts_cost: bool,
    /// Gets ready to take samples at a parameter, on the thread that will take them.
    pub rig: OpenRig,
}

/// Opens a rig for a group's kernel at a parameter, or says why there can be none.
pub type OpenRig = fn(&Context, &'static Kernel, Option<&str>) -> Result<Box<dyn Rig>, String>;

impl Group {
    /// Its series at a parameter: what runs, and what cannot and why. On a modelled kernel
    /// those cannot whose accepts it does not capture.
    pub fn series(&self, parameter: Option<&str>) -> Vec<Series> {
        let mut series = (self.each)(parameter);
        if self.kernel.is_native() {
            return series;
        }
        for one in &mut series {
            if let Ok(Subject::Backend { driver, .. }) = one.subject
                && let Err(reason) = capture::of(driver)
            {
                one.subject = Err(Misfit::NotModelled(reason).to_string());
            }
        }
        series
    }
}

macro_rules! groups {
    ($($name:ident;)*) => {
        $(mod $name;)*

        /// Every group of benchmarks, in the order in which they run and are shown.
        pub static GROUPS: &[Group] = &[$($name::GROUP),*];
    };
}

groups! {
    accept_burst;
    connect_to_accept;
    abort_storm;
    abort_storm_posix;
    abort_storm_svr4;
    stall;
    stall_berkeley;
    stall_natural;
    idle_set;
    storm;
}

/// What samples are taken in.
#[derive(Clone, Debug)]
pub struct Context {
    /// The CPU of the loop and the CPU of the clients, where the user has set them.
    pub pin: Option<(usize, usize)>,
    /// The program that plays the worker processes; it must call [`worker::run_if_asked`]
    /// first thing in its `main`.
    pub worker: PathBuf,
    /// What the workload's random times are drawn from.
    pub seed: u64,
    /// How long one sample may take before it is given up, and its thread left behind.
    pub limit: Duration,
}

impl Context {
    /// Nothing pinned, and 20 s a sample.
    pub fn new(worker: PathBuf, seed: u64) -> Context {
        Context { pin: None, worker, seed, limit: Duration::from_secs(20) }
    }
}

/// Takes samples of one group at one parameter.
pub trait Rig {
    /// Takes one sample. What is random in the workload depends on the seed and on `round`
    /// alone, so that all subjects of a round meet the same. Blocks for as long as the work takes; the collector gives up on it
    /// after [`Context::limit`].
    ///
    /// # Errors
    ///
    /// [`Miss::Void`] where the sample counts for nothing and may be taken again,
    /// [`Miss::Unfit`] where there can be none here, [`Miss::Broken`] where a count came out
    /// wrong.
    fn sample(&mut self, subject: Subject, round: u64) -> Result<Sample, Miss>;
}

/// One line of a group: a backend, on a listener mode where that is what is compared.
#[derive(Clone, Debug)]
pub struct Series {
    /// The middle part of its ids.
    pub name: String,
    /// What it measures, or why it cannot.
    pub subject: Result<Subject, String>,
}

/// What a sample is taken of.
#[derive(Clone, Copy, Debug)]
pub enum Subject {
    /// A backend on a listener of this mode.
    Backend {
        /// Its name.
        name: &'static str,
        /// What it can do.
        driver: &'static Driver,
        /// The listener's mode.
        mode: Mode,
    },
    /// No backend at all: accept(2) on a queue that is known to be full.
    Floor,
}

/// One sample.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Sample {
    /// The value of one iteration, in nanoseconds.
    pub value_ns: f64,
    /// Single latencies, where the tail matters, in nanoseconds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub latencies_ns: Vec<u64>,
    /// What was counted beside.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub counts: BTreeMap<String, u64>,
    /// The trial that it is, in the groups that are made of trials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trial: Option<trial::Record>,
}

/// Why there is no sample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Miss {
    /// Something around it was not as it had to be: not counted, and taken again.
    Void(String),
    /// It cannot be done here: the cell is skipped, and shown with this reason.
    Unfit(String),
    /// A count came out wrong: the backend, the kernel or rstall is not what it should be.
    Broken(String),
}

impl Miss {
    /// For `map_err` on a system call of the harness: what has run out makes the cell unfit,
    /// with the remedy; any other error voids the sample.
    pub(crate) fn of(doing: &str) -> impl FnOnce(std::io::Error) -> Miss {
        move |error| {
            let message = format!("{doing}: {}", outcome::explain(&error));
            if outcome::is_exhausted(&error) { Miss::Unfit(message) } else { Miss::Void(message) }
        }
    }

    /// For `map_err` on anything else: it voids the sample.
    pub(crate) fn void<E: std::fmt::Display>(doing: &str) -> impl FnOnce(E) -> Miss {
        move |error| Miss::Void(format!("{doing}: {error}"))
    }
}

/// The group of that name.
pub fn find(name: &str) -> Option<&'static Group> {
    GROUPS.iter().find(|group| group.name == name)
}

/// The id of a cell, as Criterion spells it.
pub fn id(group: &str, series: &str, parameter: Option<&str>) -> String {
    match parameter {
        Some(parameter) => format!("{group}/{series}/{parameter}"),
        None => format!("{group}/{series}"),
    }
}

/// Every backend once, non-blocking where it can be.
fn each_backend() -> Vec<Series> {
    let one = |entry: &'static backend::Entry| {
        let subject = entry.driver().map(|driver| {
            let mode = driver.modes[driver.modes.len() - 1];
            Subject::Backend { name: entry.name, driver, mode }
        });
        Series { name: entry.name.to_owned(), subject }
    };
    backend::ALL.iter().map(one).collect()
}

/// Every backend that `fits`, on each listener mode; the others once, with the reason.
fn each_mode(fits: fn(&Driver) -> Result<(), &'static str>) -> Vec<Series> {
    let mut series = Vec::new();
    for entry in backend::ALL {
        match entry.driver().and_then(|driver| {
            fits(driver).map(|()| driver).map_err(|reason| format!("not applicable: {reason}"))
        }) {
            Err(reason) => {
                series.push(Series { name: entry.name.to_owned(), subject: Err(reason) });
            }
            Ok(driver) => series.extend(driver.modes.iter().map(|&mode| Series {
                name: format!("{}-{}", entry.name, mode.name()),
                subject: Ok(Subject::Backend { name: entry.name, driver, mode }),
            })),
        }
    }
    series
}

/// For [`each_mode`]: those with a window between report and accept.
fn has_window(driver: &Driver) -> Result<(), &'static str> {
    match driver.takes {
        Takes::AfterReport => Ok(()),
        Takes::InAccept => Err("it has no readiness, so there is no window before accept"),
        Takes::InWait => Err("it completes the accept inside its wait: no window to step into"),
    }
}

/// For [`each_mode`]: those that can serve a bystander.
fn serves_others(driver: &Driver) -> Result<(), &'static str> {
    driver.watches_others.then_some(()).ok_or("it watches no other descriptor, so no bystander")
}

/// Parses a parameter that is a number; the groups' own tables hold no other.
fn number(parameter: Option<&str>) -> usize {
    parameter.and_then(|text| text.parse().ok()).unwrap_or(1)
}
