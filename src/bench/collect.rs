//! Collects samples in rounds: each round takes one of every series, in a fresh random
//! order, and one more of the reference, as the control.
//!
//! Benchmarks that run one after the other drift by more than they differ; in a round all
//! share the same weather, and what two runs of the reference differ by is the run's own
//! noise floor.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;

use fastrand::Rng;

use super::{Context, Group, Miss, Sample, Series, Subject};
use crate::interrupt;
use crate::trial::panic_text;

/// How often a void sample is taken again before its cell is given up.
const RETRIES: usize = 10;

/// What was collected of one series.
#[derive(Debug, Default)]
pub struct Collected {
    /// One sample a round.
    pub samples: Vec<Sample>,
    /// Why samples were void, each as often as it happened.
    pub voids: Vec<String>,
    /// Why there are no more.
    pub stopped: Option<Stopped>,
}

/// Why a series was given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// It cannot be done here.
    Skipped(String),
    /// A count came out wrong, a sample hung, a thread panicked.
    Failed(String),
}

/// A group at one parameter, collected: its series in the order given, and the control,
/// which is the reference's second run in each round.
#[derive(Debug)]
pub struct Rounds {
    /// What was collected, by series.
    pub series: Vec<Collected>,
    /// The reference once more; empty where the reference was not among the series.
    pub control: Collected,
    /// Whether the user asked for an end before all rounds were done.
    pub interrupted: bool,
}

/// Collects `rounds` rounds; `tick` is called after each. Blocks until all is collected, a
/// series hangs for [`Context::limit`] at most, or the user interrupts.
///
/// # Errors
///
/// The reason why the group cannot be measured at this parameter at all.
pub fn collect(
    context: &Context,
    group: &'static Group,
    parameter: Option<&'static str>,
    series: &[Series],
    rounds: usize,
    tick: impl FnMut(),
) -> Result<Rounds, String> {
    let reference = series.iter().position(|series| series.name == group.reference);
    let mut collector = Collector::open(context, group, parameter, series, reference)?;
    collector.go_on(rounds, tick);
    Ok(collector.finish())
}

/// A collection in progress: it can be looked at between two rounds, and goes on.
#[derive(Debug)]
pub struct Collector<'a> {
    bench: Bench,
    series: &'a [Series],
    /// The place of the series that runs twice a round.
    reference: Option<usize>,
    /// By series; the control stands behind them, and is shuffled among them.
    collected: Vec<Collected>,
    order: Vec<usize>,
    rng: Rng,
    rounds: usize,
    interrupted: bool,
    /// Whether no rig can be had any more.
    ended: bool,
}

impl<'a> Collector<'a> {
    /// Gets ready; `reference` is the place among `series` of the one that runs twice a round.
    ///
    /// # Errors
    ///
    /// The reason why the group cannot be measured at this parameter at all.
    pub fn open(
        context: &Context,
        group: &'static Group,
        parameter: Option<&'static str>,
        series: &'a [Series],
        reference: Option<usize>,
    ) -> Result<Collector<'a>, String> {
        let bench = Bench::open(context, group, parameter)?;
        let mut collected: Vec<Collected> = series.iter().map(not_yet).collect();
        let control = collected.len();
        collected.push(reference.map_or_else(Collected::default, |at| not_yet(&series[at])));
        Ok(Collector {
            bench,
            series,
            reference,
            collected,
            order: (0..control).chain(reference.map(|_| control)).collect(),
            rng: Rng::with_seed(context.seed),
            rounds: 0,
            interrupted: false,
            ended: false,
        })
    }

    /// Goes on until so many rounds are done in all; `tick` is called after each. Blocks until
    /// then, or until the user interrupts, or nothing can be measured any more.
    pub fn go_on(&mut self, rounds: usize, mut tick: impl FnMut()) {
        while self.rounds < rounds && !self.interrupted && !self.ended {
            self.round();
            if !self.interrupted && !self.ended {
                self.rounds += 1;
                tick();
            }
        }
    }

    fn round(&mut self) {
        self.rng.shuffle(&mut self.order);
        let control = self.series.len();
        for &at in &self.order {
            if interrupt::asked() {
                self.interrupted = true;
                return;
            }
            let which = if at == control { self.reference.unwrap_or(at) } else { at };
            let Ok(subject) = self.series[which].subject else {
                continue;
            };
            if self.collected[at].stopped.is_some() {
                continue;
            }
            let round = self.rounds as u64;
            if let Err(reason) = one(&mut self.bench, subject, round, &mut self.collected[at]) {
                // No rig can be had any more: what was collected so far is kept.
                for series in self.collected.iter_mut().filter(|one| one.stopped.is_none()) {
                    series.stopped = Some(Stopped::Failed(reason.clone()));
                }
                self.ended = true;
                return;
            }
        }
    }

    /// What was collected so far, by series, the control behind them.
    pub fn so_far(&self) -> &[Collected] {
        &self.collected
    }

    /// Whether the user has asked for an end.
    pub fn interrupted(&self) -> bool {
        self.interrupted
    }

    /// What was collected.
    pub fn finish(mut self) -> Rounds {
        if self.interrupted {
            // A round that was begun is not kept: ratios are of whole rounds.
            let going = self.collected.iter().filter(|one| one.stopped.is_none());
            let whole = going.map(|one| one.samples.len()).min();
            for series in &mut self.collected {
                series.samples.truncate(whole.unwrap_or(0));
            }
        }
        let control = self.collected.pop().unwrap_or_default();
        Rounds { series: self.collected, control, interrupted: self.interrupted }
    }
}

fn not_yet(series: &Series) -> Collected {
    let stopped = series.subject.as_ref().err().cloned().map(Stopped::Skipped);
    Collected { stopped, ..Collected::default() }
}

/// Takes one sample of a series, again while it is void.
fn one(
    bench: &mut Bench,
    subject: Subject,
    round: u64,
    into: &mut Collected,
) -> Result<(), String> {
    for _ in 0..=RETRIES {
        match bench.sample(subject, round)? {
            Ok(sample) => {
                into.samples.push(sample);
                return Ok(());
            }
            Err(Miss::Void(reason)) => into.voids.push(reason),
            Err(Miss::Unfit(reason)) => {
                into.stopped = Some(Stopped::Skipped(reason));
                return Ok(());
            }
            Err(Miss::Broken(reason)) => {
                into.stopped = Some(Stopped::Failed(reason));
                return Ok(());
            }
        }
    }
    let last = into.voids.last().map_or("", String::as_str);
    into.stopped = Some(Stopped::Failed(format!("void {} times in a row: {last}", RETRIES + 1)));
    Ok(())
}

/// A rig on a thread of its own, which can be left behind.
pub struct Bench {
    context: Context,
    group: &'static Group,
    parameter: Option<&'static str>,
    orders: Sender<(Subject, u64)>,
    results: Receiver<Result<Sample, Miss>>,
}

impl Bench {
    /// Gets a rig ready.
    ///
    /// # Errors
    ///
    /// The rig's own reason.
    pub fn open(
        context: &Context,
        group: &'static Group,
        parameter: Option<&'static str>,
    ) -> Result<Bench, String> {
        let (orders, taken) = mpsc::channel::<(Subject, u64)>();
        let (done, results) = mpsc::channel();
        let (ready, opened) = mpsc::channel();
        let own = context.clone();
        let body = move || {
            let rig = catch_unwind(AssertUnwindSafe(|| (group.rig)(&own, group.kernel, parameter)));
            let mut rig = match rig.unwrap_or_else(|panic| Err(panic_text(&*panic))) {
                Ok(rig) => rig,
                Err(reason) => return drop(ready.send(Err(reason))),
            };
            let _ = ready.send(Ok(()));
            // The collector is gone when it hangs up: either side ends quietly.
            for (subject, round) in taken {
                let sample = catch_unwind(AssertUnwindSafe(|| rig.sample(subject, round)));
                let sample = sample.unwrap_or_else(|panic| {
                    Err(Miss::Broken(format!("a panic: {}", panic_text(&*panic))))
                });
                if done.send(sample).is_err() {
                    break;
                }
            }
        };
        thread::Builder::new()
            .name("collector".to_owned())
            .spawn(body)
            .map_err(|error| format!("cannot start a thread: {error}"))?;
        match opened.recv_timeout(context.limit) {
            Ok(Ok(())) => Ok(Bench { context: context.clone(), group, parameter, orders, results }),
            Ok(Err(reason)) => Err(reason),
            Err(RecvTimeoutError::Timeout) => Err("getting ready hung".to_owned()),
            Err(RecvTimeoutError::Disconnected) => Err("the collector's thread is gone".to_owned()),
        }
    }

    /// Takes one sample, within [`Context::limit`]; after a hang a new rig takes the place of the old.
    ///
    /// # Errors
    ///
    /// The outer error where no rig can be had any more.
    pub fn sample(&mut self, subject: Subject, round: u64) -> Result<Result<Sample, Miss>, String> {
        let sent = self.orders.send((subject, round));
        let result = match sent {
            Ok(()) => self.results.recv_timeout(self.context.limit),
            Err(_) => Err(RecvTimeoutError::Disconnected),
        };
        let hung = match result {
            Ok(result) => return Ok(result),
            Err(RecvTimeoutError::Timeout) => {
                format!("a sample hung for {:.1} s", self.context.limit.as_secs_f64())
            }
            Err(RecvTimeoutError::Disconnected) => "the collector's thread is gone".to_owned(),
        };
        *self = Bench::open(&self.context, self.group, self.parameter)?;
        Ok(Err(Miss::Broken(hung)))
    }
}

impl std::fmt::Debug for Bench {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bench")
            .field("group", &self.group.name)
            .field("parameter", &self.parameter)
            .finish_non_exhaustive()
    }
}
