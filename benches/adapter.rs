//! The seam to Criterion: its ids, its filter, its HTML, its baselines, on rstall's samples.
//!
//! Criterion runs benchmarks one after the other, and a machine that drifts is then measured
//! along with them. So the samples are collected in rounds first, and Criterion is given them one at a time through `iter_custom`. Its iteration
//! counts are nominal: each sample stands for one of rstall's.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{
    BenchmarkGroup, BenchmarkId, Criterion, PlottingBackend, SamplingMode, Throughput,
};
use indicatif::{ProgressBar, ProgressStyle};
use rstall::bench::collect::{Bench, Rounds};
use rstall::bench::session::Session;
use rstall::bench::{Context, Group, Miss, Sample, Series, Subject, id};
use rstall::{fault, interrupt};

use crate::arguments::{Arguments, Mode};

/// Criterion's cost is its plots, and theirs is in proportion to this.
const RESAMPLES: usize = 2_000;

/// Criterion accepts no fewer samples.
const FEWEST: usize = 10;

/// How often a void sample is taken again in the sequential mode.
const RETRIES: usize = 10;

fn criterion() -> Criterion {
    Criterion::default().plotting_backend(PlottingBackend::Plotters).configure_from_args()
}

/// Tries every loop under every fault, before anything is timed.
pub fn map(session: &mut Session) {
    let style =
        ProgressStyle::with_template("trying every loop under every fault: {pos}/{len} {bar:30}");
    // Drawn on a terminal only.
    let progress =
        ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    session.map(|all| {
        progress.set_length(all as u64);
        progress.inc(1);
    });
    progress.finish_and_clear();
}

/// Plays each fault's ill loop and its cured one, for the timelines.
pub fn timelines(session: &mut Session) {
    let style = ProgressStyle::with_template("playing each fault: {pos}/{len} {bar:30}");
    // Drawn on a terminal only.
    let progress = ProgressBar::new(fault::ALL.len() as u64)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    session.timelines(|| progress.inc(1));
    progress.finish_and_clear();
}

/// Collects in rounds, hands the samples over, writes Criterion's index.
pub fn in_rounds(arguments: &Arguments, session: &mut Session) {
    let mut criterion = criterion();
    for group in arguments.groups() {
        let mut criterion_group = criterion.benchmark_group(group.name.to_owned());
        for &parameter in group.parameters {
            let wanted = |series: &str| arguments.selects(&id(group.name, series, parameter));
            if !group.series(parameter).iter().any(|series| wanted(&series.name)) {
                continue;
            }
            if interrupt::asked() {
                session.leave_out(group, parameter);
                continue;
            }
            let rounds = arguments.rounds.unwrap_or(group.rounds);
            let progress = progress(group, parameter, rounds);
            let (series, collected) =
                session.collect(group, parameter, wanted, rounds, || progress.inc(1));
            progress.finish_and_clear();
            if let Some(collected) = collected {
                configure(&mut criterion_group, arguments, session, group, parameter);
                // Criterion panics where it is asked for a baseline that is not there; the run
                // and its page do not depend on it.
                let handed = catch_unwind(AssertUnwindSafe(|| {
                    hand_over(&mut criterion_group, &series, &collected, parameter, wanted);
                }));
                if handed.is_err() {
                    let id = id(group.name, "*", parameter);
                    session.trouble(format!("Criterion gave up on {id}: its reason is above"));
                }
            }
        }
        criterion_group.finish();
    }
    criterion.final_summary();
}

fn progress(group: &Group, parameter: Option<&str>, rounds: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("collecting {msg}: round {pos}/{len} {bar:30}");
    let name = [Some(group.name), parameter].into_iter().flatten().collect::<Vec<_>>().join(" ");
    // Drawn on a terminal only.
    ProgressBar::new(rounds as u64)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        .with_message(name)
}

/// Tells Criterion how the samples came about, where the user has not said otherwise.
fn configure(
    criterion: &mut BenchmarkGroup<'_, WallTime>,
    arguments: &Arguments,
    session: &Session,
    group: &Group,
    parameter: Option<&str>,
) {
    criterion
        .sampling_mode(SamplingMode::Flat)
        .throughput(Throughput::Elements((group.elements)(parameter)))
        // One call to warm up, then one a sample: nothing is run any more.
        .warm_up_time(Duration::from_nanos(1))
        .measurement_time(Duration::from_millis(10));
    if !arguments.sets_resamples {
        criterion.nresamples(RESAMPLES);
    }
    if !arguments.sets_noise {
        criterion.noise_threshold(noise(session, group, parameter));
    }
}

/// What the control was off by, at the far end of its interval, and never less than
/// Criterion's own default.
fn noise(session: &Session, group: &Group, parameter: Option<&str>) -> f64 {
    let groups = session.run().groups.iter().filter(|known| known.name == group.name);
    let control = groups
        .flat_map(|known| &known.collections)
        .filter(|collection| collection.parameter.as_deref() == parameter)
        .find_map(|collection| collection.control);
    control.map_or(0.01, |c| (c.high - 1.0).max(1.0 - c.low).clamp(0.01, 0.5))
}

fn hand_over(
    criterion: &mut BenchmarkGroup<'_, WallTime>,
    series: &[Series],
    rounds: &Rounds,
    parameter: Option<&str>,
    wanted: impl Fn(&str) -> bool,
) {
    for (series, collected) in series.iter().zip(&rounds.series) {
        let samples = &collected.samples;
        if samples.len() < FEWEST || !wanted(&series.name) || interrupt::asked() {
            continue;
        }
        criterion.sample_size(samples.len());
        let mut next = samples.iter().cycle();
        criterion.bench_function(benchmark_id(&series.name, parameter), |bencher| {
            bencher.iter_custom(|iterations| replay(next.next(), iterations));
        });
    }
}

/// A sample's value, as long as Criterion's iterations would have taken. Its warm-up takes
/// the first, so that the measurement ends with it: each is used once.
fn replay(sample: Option<&Sample>, iterations: u64) -> Duration {
    let value = sample.map_or(0.0, |sample| sample.value_ns);
    Duration::from_nanos((value * iterations as f64) as u64)
}

fn benchmark_id(series: &str, parameter: Option<&str>) -> BenchmarkId {
    match parameter {
        Some(parameter) => BenchmarkId::new(series, parameter),
        None => BenchmarkId::from_parameter(series),
    }
}

/// Lists, tests, or measures one benchmark after the other.
pub fn one_by_one(arguments: &Arguments, context: &Context) -> Result<ExitCode, String> {
    let mut criterion = criterion();
    let mut broken = Vec::new();
    for group in arguments.groups() {
        let mut criterion_group = criterion.benchmark_group(group.name.to_owned());
        for &parameter in group.parameters {
            let series = group.series(parameter);
            let wanted: Vec<(&Series, Subject)> = series
                .iter()
                .filter(|series| arguments.selects(&id(group.name, &series.name, parameter)))
                .filter_map(|series| series.subject.clone().ok().map(|subject| (series, subject)))
                .collect();
            if wanted.is_empty() || interrupt::asked() {
                continue;
            }
            criterion_group.throughput(Throughput::Elements((group.elements)(parameter)));
            let mut bench = None;
            if arguments.mode != Mode::List {
                match Bench::open(context, group, parameter) {
                    Ok(opened) => bench = Some(opened),
                    Err(reason) => {
                        eprintln!("skipped {}/*/{}: {reason}", group.name, parameter.unwrap_or(""));
                        continue;
                    }
                }
            }
            for (series, subject) in wanted {
                let name = id(group.name, &series.name, parameter);
                let mut problem = None;
                // A sample before Criterion begins tells whether there can be any; a test
                // needs no other.
                let first = match bench.as_mut().map(|bench| take(bench, subject, 0)).transpose()? {
                    None => None,
                    Some(Ok(sample)) => Some(sample).filter(|_| arguments.mode == Mode::Test),
                    Some(Err(Miss::Unfit(reason))) => {
                        eprintln!("skipped {name}: {reason}");
                        continue;
                    }
                    Some(Err(Miss::Void(reason) | Miss::Broken(reason))) => {
                        broken.push(format!("{name}: {reason}"));
                        continue;
                    }
                };
                criterion_group.bench_function(benchmark_id(&series.name, parameter), |bencher| {
                    bencher.iter_custom(|iterations| match &first {
                        Some(sample) => replay(Some(sample), iterations),
                        None => measure(bench.as_mut(), subject, iterations, &mut problem),
                    });
                });
                broken.extend(problem.map(|reason| format!("{name}: {reason}")));
            }
        }
        criterion_group.finish();
    }
    criterion.final_summary();
    for problem in &broken {
        eprintln!("FAILED {problem}");
    }
    Ok(match (interrupt::asked(), broken.is_empty()) {
        (true, _) => ExitCode::from(130),
        (false, true) => ExitCode::SUCCESS,
        (false, false) => ExitCode::FAILURE,
    })
}

fn take(bench: &mut Bench, subject: Subject, round: u64) -> Result<Result<Sample, Miss>, String> {
    let mut result = bench.sample(subject, round)?;
    for _ in 0..RETRIES {
        if !matches!(result, Err(Miss::Void(_))) {
            break;
        }
        result = bench.sample(subject, round)?;
    }
    Ok(result)
}

/// Takes as many samples as Criterion asks for. After a problem or Ctrl-C nothing more is
/// measured, and Criterion is let through with what cannot be mistaken for a result.
fn measure(
    bench: Option<&mut Bench>,
    subject: Subject,
    iterations: u64,
    problem: &mut Option<String>,
) -> Duration {
    const NOTHING: Duration = Duration::from_secs(3600);
    let Some(bench) = bench else { return NOTHING };
    let mut total = 0.0;
    for round in 0..iterations {
        if problem.is_some() || interrupt::asked() {
            return NOTHING;
        }
        match take(bench, subject, round) {
            Ok(Ok(sample)) => total += sample.value_ns,
            Ok(Err(Miss::Void(reason) | Miss::Unfit(reason) | Miss::Broken(reason)))
            | Err(reason) => *problem = Some(reason),
        }
    }
    Duration::from_nanos(total as u64)
}

/// Lets Criterion compare what it has stored: no benchmark is run.
pub fn replay_stored(arguments: &Arguments) {
    let mut criterion = criterion();
    for group in arguments.groups() {
        let mut criterion_group = criterion.benchmark_group(group.name.to_owned());
        for &parameter in group.parameters {
            criterion_group.throughput(Throughput::Elements((group.elements)(parameter)));
            for series in group.series(parameter) {
                let name = id(group.name, &series.name, parameter);
                if series.subject.is_ok() && arguments.selects(&name) {
                    let benchmark = benchmark_id(&series.name, parameter);
                    criterion_group.bench_function(benchmark, |bencher| bencher.iter(|| ()));
                }
            }
        }
        criterion_group.finish();
    }
    criterion.final_summary();
}
