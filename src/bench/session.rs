//! A run from its beginning to its end: the samples are collected, kept, summarised.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::collect::{self, Rounds};
use super::{Context, Group, Sample, Series, cost, kernels, map, summary, timelines};
use crate::record::host::Host;
use crate::record::store::{self, StoreError};
use crate::record::{self, Options, Run, SCHEMA, Status};
use crate::{backend, clock, interrupt, kernel, probe};

/// A run in progress.
#[derive(Debug)]
pub struct Session {
    context: Context,
    folder: PathBuf,
    run: Run,
    troubles: Vec<String>,
}

impl Session {
    /// Begins a run in a new folder under `reports/runs/`, probes this machine's kernel, and
    /// looks at the modelled ones beside it: half a second in all.
    ///
    /// # Errors
    ///
    /// Where the folder cannot be written: better now than when all is measured.
    pub fn begin(
        reports: &Path,
        context: Context,
        options: Options,
    ) -> Result<Session, StoreError> {
        let host = Host::read(&backend::libraries().collect::<Vec<_>>());
        let began = humantime::format_rfc3339_seconds(clock::wall()).to_string();
        let name = began.replace(':', "-");
        let mut folder = reports.join("runs").join(&name);
        // Two runs may begin in one second; neither takes the other's folder.
        for n in 2.. {
            if !folder.exists() {
                break;
            }
            folder.set_file_name(format!("{name}-{n}"));
        }
        let run = Run {
            schema: SCHEMA,
            rstall: env!("CARGO_PKG_VERSION").to_owned(),
            began,
            interrupted: false,
            host,
            options,
            probe: None,
            kernels: Vec::new(),
            price: None,
            map: None,
            timelines: Vec::new(),
            groups: Vec::new(),
        };
        let mut session = Session { context, folder, run, troubles: Vec::new() };
        store::save(&session.folder, &session.run)?;
        session.run.probe = Some(probe::run(kernel::NATIVE));
        session.run.kernels = kernels::look();
        session.run.price = kernels::price(session.context.seed);
        Ok(session)
    }

    /// Tries every loop under every fault, a few seconds in all, and keeps what each came to,
    /// or why that could not be had. `tick` is told of how many cells one more was tried.
    pub fn map(&mut self, tick: impl Fn(usize) + Sync) {
        let map = map::look(&self.context.worker, tick);
        self.run.interrupted |= map.as_ref().is_ok_and(|map| map.interrupted);
        self.run.map = Some(map);
        self.note(store::save(&self.folder, &self.run));
    }

    /// Plays the loops by which the map shows each fault once more, a second or two in all, and
    /// keeps what happened step by step. `tick` is told of each fault that is done.
    pub fn timelines(&mut self, tick: impl Fn()) {
        let Some(Ok(map)) = &self.run.map else { return };
        self.run.timelines = timelines::look(map, &self.context.worker, tick);
        self.run.interrupted |= interrupt::asked();
        self.note(store::save(&self.folder, &self.run));
    }

    /// The run's own folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The run so far.
    pub fn run(&self) -> &Run {
        &self.run
    }

    /// What has gone wrong so far, for the closing lines.
    pub fn troubles(&self) -> &[String] {
        &self.troubles
    }

    /// Collects a group at a parameter in rounds, keeps the samples on disk and the summary in
    /// the run. `wanted` are the series to run; the reference comes along as the yardstick.
    /// A failure to write is kept for the closing lines, and the samples are returned all the
    /// same.
    pub fn collect(
        &mut self,
        group: &'static Group,
        parameter: Option<&'static str>,
        wanted: impl Fn(&str) -> bool,
        rounds: usize,
        tick: impl FnMut(),
    ) -> (Vec<Series>, Option<Rounds>) {
        let mut series = group.series(parameter);
        for one in &mut series {
            if !wanted(&one.name) && one.name != group.reference {
                one.subject = Err(NOT_SELECTED.to_owned());
            }
        }
        let result = collect::collect(&self.context, group, parameter, &series, rounds, tick);
        let collection = match &result {
            Ok(rounds) => {
                self.run.interrupted |= rounds.interrupted;
                self.keep_samples(group, parameter, &series, rounds);
                let seed = self.context.seed;
                let mut collection = summary::summarise(group, parameter, &series, rounds, seed);
                cost::add(&self.context, group, parameter, &series, &mut collection);
                collection
            }
            Err(reason) => summary::skipped(group, parameter, &series, reason),
        };
        self.keep(group, collection);
        (series, result.ok())
    }

    /// Notes that a group was not run at a parameter, since the user had asked for an end.
    pub fn leave_out(&mut self, group: &'static Group, parameter: Option<&'static str>) {
        self.run.interrupted = true;
        let series = group.series(parameter);
        let mut collection = summary::skipped(group, parameter, &series, "interrupted");
        for cell in &mut collection.cells {
            if cell.status == Status::Skipped("interrupted".to_owned()) {
                cell.status = Status::Interrupted;
            }
        }
        self.keep(group, collection);
    }

    /// Notes something that went wrong outside of a cell.
    pub fn trouble(&mut self, what: impl Into<String>) {
        self.troubles.push(what.into());
    }

    fn keep(&mut self, group: &Group, mut collection: record::Collection) {
        for cell in &mut collection.cells {
            if cell.status == Status::Skipped(NOT_SELECTED.to_owned()) {
                cell.status = Status::NotSelected;
            }
            if let Status::Failed(reason) = &cell.status {
                self.troubles.push(format!("{}: {reason}", cell.id));
            }
        }
        match self.run.groups.iter_mut().find(|known| known.name == group.name) {
            Some(known) => known.collections.push(collection),
            None => self.run.groups.push(record::Group {
                name: group.name.to_owned(),
                about: group.about.to_owned(),
                value: group.value.to_owned(),
                reference: group.reference.to_owned(),
                kernel: group.kernel.name.to_owned(),
                collections: vec![collection],
            }),
        }
        self.note(store::save(&self.folder, &self.run));
    }

    fn keep_samples(
        &mut self,
        group: &Group,
        parameter: Option<&str>,
        series: &[Series],
        rounds: &Rounds,
    ) {
        let ids: Vec<String> =
            series.iter().map(|one| super::id(group.name, &one.name, parameter)).collect();
        let control = format!("{} (control)", super::id(group.name, group.reference, parameter));
        let all = ids.iter().zip(&rounds.series).chain([(&control, &rounds.control)]);
        let lines: Vec<SampleLine<'_>> = all
            .flat_map(|(id, collected)| {
                let samples = collected.samples.iter().enumerate();
                samples.map(move |(round, sample)| SampleLine { id, round, sample })
            })
            .collect();
        let name = match parameter {
            Some(parameter) => format!("{}-{parameter}.jsonl", group.name),
            None => format!("{}.jsonl", group.name),
        };
        self.note(store::save_lines(&self.folder.join("samples").join(&name), &lines));
        let histograms: Vec<HistogramLine<'_>> = ids
            .iter()
            .zip(&rounds.series)
            .filter_map(|(id, collected)| {
                let histogram = summary::histogram(&collected.samples)?;
                let recorded = histogram.iter_recorded();
                let buckets = recorded.map(|b| (b.value_iterated_to(), b.count_at_value()));
                Some(HistogramLine { id, buckets: buckets.collect() })
            })
            .collect();
        if !histograms.is_empty() {
            self.note(store::save_lines(&self.folder.join("histograms").join(&name), &histograms));
        }
    }

    /// Keeps a failure to write for the closing lines.
    fn note(&mut self, result: Result<(), StoreError>) {
        self.troubles.extend(result.err().map(|error| error.to_string()));
    }
}

/// One sample as it is kept.
#[derive(Serialize)]
struct SampleLine<'a> {
    id: &'a str,
    round: usize,
    #[serde(flatten)]
    sample: &'a Sample,
}

/// One latency histogram as it is kept.
#[derive(Serialize)]
struct HistogramLine<'a> {
    id: &'a str,
    /// Values in nanoseconds, and how many of each.
    buckets: Vec<(u64, u64)>,
}

/// The reason of a series that the user's filter left out.
const NOT_SELECTED: &str = "not selected";
