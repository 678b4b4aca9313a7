//! Imports a baseline of Criterion as a run: times only, and nothing of the machine.
//!
//! Criterion keeps `<group>/<function>/<value>/<baseline>/` with `benchmark.json`, which has the
//! id, and `sample.json`, which has iterations and times (criterion 0.8.2, src/fs.rs and
//! src/lib.rs `SavedSample`). `cargo bench` hands over its samples in the order of the rounds, so
//! that samples of one index belong together.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use fastrand::Rng;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::store::StoreError;
use super::{Cell, Collection, Group, Options, Run, SCHEMA, Status, host::Host};
use crate::stats::{self, Ratio};
use crate::{bench, kernel};

/// Folders deeper than this below Criterion's own hold no benchmark.
const DEEPEST: usize = 8;

/// A benchmark's id, as Criterion keeps it.
#[derive(Deserialize)]
struct Benchmark {
    group_id: String,
    function_id: Option<String>,
    value_str: Option<String>,
    full_id: String,
}

/// A benchmark's samples.
#[derive(Deserialize)]
struct Samples {
    iters: Vec<f64>,
    times: Vec<f64>,
}

/// One benchmark of a baseline.
struct Known {
    benchmark: Benchmark,
    values: Vec<f64>,
}

/// Reads the baseline of that name from Criterion's folder.
///
/// # Errors
///
/// Where the folder cannot be read, has no such baseline, or a file in it is damaged.
pub fn load(folder: &Path, baseline: &str) -> Result<Run, StoreError> {
    let mut folders = Vec::new();
    find(folder, baseline, 0, &mut folders)?;
    folders.sort();
    let known = folders.iter().map(|folder| read(folder)).collect::<Result<Vec<Known>, _>>()?;
    if known.is_empty() {
        let why = format!("no benchmark in it has a baseline `{baseline}`");
        return Err(StoreError::new(folder, "read", why));
    }
    Ok(Run {
        schema: SCHEMA,
        rstall: env!("CARGO_PKG_VERSION").to_owned(),
        began: format!("{} of {}", baseline, folder.display()),
        interrupted: false,
        host: Host::unknown(),
        options: Options { optimised: true, ..Options::default() },
        probe: None,
        kernels: Vec::new(),
        price: None,
        map: None,
        timelines: Vec::new(),
        groups: groups(known),
    })
}

/// The folders below that are the baseline of a benchmark.
fn find(
    folder: &Path,
    baseline: &str,
    depth: usize,
    found: &mut Vec<PathBuf>,
) -> Result<(), StoreError> {
    let entries = fs::read_dir(folder).map_err(StoreError::io(folder, "read"))?;
    for path in entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()) {
        if path.file_name().is_some_and(|name| name == baseline)
            && path.join("benchmark.json").is_file()
        {
            found.push(path);
        } else if depth < DEEPEST {
            find(&path, baseline, depth + 1, found)?;
        }
    }
    Ok(())
}

fn read(folder: &Path) -> Result<Known, StoreError> {
    let benchmark = parse(&folder.join("benchmark.json"))?;
    let path = folder.join("sample.json");
    let samples: Samples = parse(&path)?;
    let fits = samples.iters.len() == samples.times.len();
    let values: Vec<f64> = samples.iters.iter().zip(&samples.times).map(|(n, t)| t / n).collect();
    if !fits || values.iter().any(|value| !value.is_finite() || *value <= 0.0) {
        return Err(StoreError::new(&path, "read", "it is damaged: leave its benchmark out"));
    }
    Ok(Known { benchmark, values })
}

fn parse<T: DeserializeOwned>(path: &Path) -> Result<T, StoreError> {
    let text = fs::read(path).map_err(StoreError::io(path, "read"))?;
    let damaged =
        |error| StoreError::new(path, "read", format!("{error}; leave its benchmark out"));
    serde_json::from_slice(&text).map_err(damaged)
}

/// Benchmarks by group and parameter; the groups of this suite in its order, others after them.
fn groups(known: Vec<Known>) -> Vec<Group> {
    let mut by_name: BTreeMap<String, Vec<Known>> = BTreeMap::new();
    for one in known {
        by_name.entry(one.benchmark.group_id.clone()).or_default().push(one);
    }
    let rank = |name: &str| bench::GROUPS.iter().position(|group| group.name == name);
    let mut names: Vec<String> = by_name.keys().cloned().collect();
    names.sort_by_key(|name| rank(name).unwrap_or(usize::MAX));
    names.into_iter().filter_map(|name| Some(group(&name, by_name.remove(&name)?))).collect()
}

fn group(name: &str, known: Vec<Known>) -> Group {
    let ours = bench::find(name);
    // Whoever's benchmarks these are: one of their series is the yardstick.
    let first = known.iter().filter_map(|one| one.benchmark.function_id.as_deref()).min();
    let reference = ours.map_or(first.unwrap_or_default(), |group| group.reference).to_owned();
    let mut by_parameter: Vec<(Option<String>, Vec<Known>)> = Vec::new();
    for one in known {
        let parameter = one.benchmark.value_str.clone();
        match by_parameter.iter_mut().find(|(of, _)| *of == parameter) {
            Some((_, members)) => members.push(one),
            None => by_parameter.push((parameter, vec![one])),
        }
    }
    let collections = by_parameter
        .into_iter()
        .map(|(parameter, members)| collection(ours, parameter, &reference, &members));
    Group {
        name: name.to_owned(),
        about: ours.map_or("As Criterion has it.", |group| group.about).to_owned(),
        value: ours.map_or("the time of one iteration", |group| group.value).to_owned(),
        kernel: ours.map_or(kernel::NATIVE, |group| group.kernel).name.to_owned(),
        collections: collections.collect(),
        reference,
    }
}

fn collection(
    ours: Option<&bench::Group>,
    parameter: Option<String>,
    reference: &str,
    members: &[Known],
) -> Collection {
    let mut rng = Rng::with_seed(0);
    let series = |one: &Known| one.benchmark.function_id.clone().unwrap_or_default();
    let yardstick = members.iter().find(|one| series(one) == reference);
    let mut cell = |one: &Known| {
        let base = yardstick.filter(|base| base.benchmark.full_id != one.benchmark.full_id);
        let ratios = base.map(|base| {
            let pairs = one.values.iter().zip(&base.values);
            pairs.map(|(value, base)| value / base).collect::<Vec<f64>>()
        });
        // Where modes are compared, loops on a blocking listener stall, until the next client comes.
        let may_stall = ours.is_some() && series(one).ends_with("-blocking");
        Cell {
            id: one.benchmark.full_id.clone(),
            series: series(one),
            status: match may_stall {
                true => Status::Skipped("Criterion does not keep whether it stalled".to_owned()),
                false => Status::Measured,
            },
            samples: one.values.len(),
            voids: BTreeMap::new(),
            median: stats::median_of(&one.values, &mut rng),
            mean: stats::mean_of(&one.values, &mut rng),
            ratio: ratios.and_then(|ratios| Ratio::judge(&ratios, None, &mut rng)),
            latency: None,
            counts: BTreeMap::new(),
            stalls: Vec::new(),
            cost: None,
        }
    };
    Collection {
        elements: ours.map_or(1, |group| (group.elements)(parameter.as_deref())),
        cells: members.iter().map(&mut cell).collect(),
        control: None,
        skipped: None,
        parameter,
    }
}
