//! Several runs side by side: what they are, what they differ in, and what got better or worse.
//!
//! The first run is the base. What is said of two runs is what [`crate::compare`] says of them;
//! nothing here calculates, nor does the page's script.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::{Source, number, surroundings};
use crate::compare::{self, Compared, Comparison, Finding};
use crate::kernel::NATIVE;
use crate::record::loops::Loop;
use crate::record::map::{Cell, Map};
use crate::record::{NOISY, Run};

/// The section on runs.
#[derive(Debug)]
pub struct Runs {
    /// Each run, the base first.
    pub rows: Vec<Row>,
    /// What is to be minded where a run is compared with the base: the run's name, and what.
    pub warnings: Vec<(String, Vec<String>)>,
    /// Backends over all of their cells: the name, the kernel where it is modelled, and what
    /// each of the others came to.
    pub backends: Vec<(String, Option<String>, Vec<Came>)>,
    /// A table a group.
    pub tables: Vec<Table>,
    /// Where maps differ from the base's, in sentences; by run.
    pub maps: Vec<(String, Vec<String>)>,
    /// What the script picks from: every pair of runs, judged.
    pub pairs: String,
}

/// One run in the list.
#[derive(Debug)]
pub struct Row {
    /// What it is called.
    pub name: String,
    /// Where it ran.
    pub host: String,
    /// When it began.
    pub began: String,
    /// The version of rstall that wrote it.
    pub version: String,
    /// How far its reference is off from itself.
    pub control: String,
    /// What is special about it.
    pub marks: Vec<String>,
}

/// The benchmarks of one group.
#[derive(Debug)]
pub struct Table {
    /// The group.
    pub group: String,
    /// The kernel's name, where it is modelled.
    pub modelled: Option<String>,
    /// A row a benchmark.
    pub rows: Vec<Benchmark>,
}

/// One benchmark in all runs.
#[derive(Debug)]
pub struct Benchmark {
    /// Its id.
    pub id: String,
    /// The base's ratio to the reference, and its median.
    pub base: (String, String),
    /// What each of the others came to.
    pub others: Vec<Came>,
}

/// What a run came to beside the base.
#[derive(Debug)]
pub struct Came {
    /// `better`, `worse`, or empty.
    pub class: &'static str,
    /// The ratio of ratios and its interval; or why there is none.
    pub words: String,
    /// The median, judged by nobody.
    pub median: String,
}

impl Runs {
    /// Of several runs; `None` of one.
    pub fn of(sources: &[Source<'_>]) -> Option<Runs> {
        let (base, others) = sources.split_first().filter(|(_, others)| !others.is_empty())?;
        let compared: Vec<Comparison> =
            others.iter().map(|other| compare::compare(base.run, other.run)).collect();
        let with = |what: Vec<Vec<String>>| {
            let named = others.iter().map(|other| other.name.clone()).zip(what);
            named.filter(|(_, what)| !what.is_empty()).collect()
        };
        Some(Runs {
            rows: sources.iter().map(row).collect(),
            warnings: with(compared.iter().map(|one| one.warnings.clone()).collect()),
            backends: backends(&compared),
            tables: tables(&compared),
            maps: with(others.iter().map(|other| differences(base.run, other.run)).collect()),
            pairs: pairs(sources),
        })
    }
}

fn row(source: &Source<'_>) -> Row {
    let run = source.run;
    let mut marks = Vec::new();
    if run.interrupted {
        marks.push("interrupted".to_owned());
    }
    if run.control().is_some_and(|control| control > NOISY) {
        marks.push("noisy".to_owned());
    }
    if !run.options.optimised {
        marks.push("unoptimised".to_owned());
    }
    marks
        .extend(run.options.handicap.as_ref().map(|slowed| format!("slowed on purpose: {slowed}")));
    Row {
        name: source.name.clone(),
        host: if run.host.is_known() { surroundings::host(run) } else { "unknown".to_owned() },
        began: run.began.clone(),
        version: run.rstall.clone(),
        control: run
            .control()
            .map_or_else(|| number::NONE.to_owned(), |off| number::off(1.0 + off)),
        marks,
    }
}

/// The kernel's name where it is modelled.
fn modelled(kernel: &str) -> Option<String> {
    (kernel != NATIVE.name).then(|| kernel.to_owned())
}

fn backends(compared: &[Comparison]) -> Vec<(String, Option<String>, Vec<Came>)> {
    let mut names: Vec<(&str, &str)> = Vec::new();
    for backend in compared.iter().flat_map(|one| &one.backends) {
        let name = (backend.name.as_str(), backend.kernel.as_str());
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let came = |(name, kernel): &(&str, &str)| {
        let of = |one: &Comparison| {
            let same =
                |backend: &&compare::Backend| backend.name == *name && backend.kernel == *kernel;
            match one.backends.iter().find(same) {
                Some(backend) => judged(&backend.change, String::new()),
                None => Came { class: "", words: "not compared".to_owned(), median: String::new() },
            }
        };
        ((*name).to_owned(), modelled(kernel), compared.iter().map(of).collect())
    };
    names.iter().map(came).collect()
}

fn judged(change: &compare::Change, median: String) -> Came {
    let class = match change.finding {
        Finding::Better => "better",
        Finding::Worse => "worse",
        Finding::Indistinguishable => "",
    };
    let (ratio, interval) = (change.ratio.point, number::ratio_interval(&change.ratio));
    let word = if class.is_empty() { String::new() } else { format!(" {class}") };
    Came { class, words: format!("{}\u{d7} {interval}{word}", number::ratio(ratio)), median }
}

fn tables(compared: &[Comparison]) -> Vec<Table> {
    let mut by_id: BTreeMap<&str, Vec<Option<&Compared>>> = BTreeMap::new();
    let mut order: Vec<&Compared> = Vec::new();
    for (at, one) in compared.iter().enumerate() {
        for cell in &one.cells {
            let known = by_id.entry(cell.id.as_str()).or_insert_with(|| {
                order.push(cell);
                vec![None; compared.len()]
            });
            known[at] = Some(cell);
        }
    }
    let mut tables: Vec<Table> = Vec::new();
    for cell in order {
        let row = Benchmark {
            id: cell.id.clone(),
            base: (ratio(cell, 0), median(cell, 0)),
            others: by_id
                .get(cell.id.as_str())
                .into_iter()
                .flatten()
                .map(|cell| came(*cell))
                .collect(),
        };
        match tables.iter_mut().find(|table| table.group == cell.group) {
            Some(table) => table.rows.push(row),
            None => tables.push(Table {
                group: cell.group.clone(),
                modelled: modelled(&cell.kernel),
                rows: vec![row],
            }),
        }
    }
    // The modelled ones stand apart, behind the others.
    tables.sort_by_key(|table| table.modelled.is_some());
    tables
}

fn came(cell: Option<&Compared>) -> Came {
    let Some(cell) = cell else {
        let why = "not in either run".to_owned();
        return Came { class: "", words: why, median: String::new() };
    };
    match &cell.change {
        Ok(change) => judged(change, median(cell, 1)),
        Err(why) => Came { class: "absent", words: why.clone(), median: median(cell, 1) },
    }
}

fn median(cell: &Compared, which: usize) -> String {
    cell.medians[which].map_or_else(String::new, number::time)
}

fn ratio(cell: &Compared, which: usize) -> String {
    cell.ratios[which].map_or_else(String::new, |of| format!("{}\u{d7}", number::ratio(of.point)))
}

/// Which cells of the base's map came to something else in the other's.
fn differences(base: &Run, other: &Run) -> Vec<String> {
    let (Some(Ok(base)), Some(Ok(other))) = (&base.map, &other.map) else {
        return Vec::new();
    };
    let verdict = |map: &Map, column: usize, of: &Loop| {
        let row = map.rows.iter().find(|row| row.loops.contains(of))?;
        match row.cells.get(column)? {
            Cell::Tried { verdict, .. } => *verdict,
            Cell::Not(_) | Cell::Missing => None,
        }
    };
    let mut found = Vec::new();
    for (at, column) in base.columns.iter().enumerate() {
        let Some(there) = other.columns.iter().position(|one| one == column) else { continue };
        for of in base.rows.iter().flat_map(|row| &row.loops) {
            let both = (verdict(base, at, of), verdict(other, there, of));
            if let (Some(before), Some(after)) = both
                && before != after
            {
                let arm =
                    if column.arm.is_empty() { String::new() } else { format!("/{}", column.arm) };
                let label = match modelled(&column.kernel) {
                    Some(kernel) => format!(" (modelled {kernel})"),
                    None => String::new(),
                };
                found.push(format!(
                    "{}{arm}{label}, {of}: {before}, and here {after}",
                    column.fault
                ));
            }
        }
    }
    found
}

/// Every pair of runs, judged, in as few characters as can be: a line a benchmark with its id
/// and what each run has of it, `median ratio`, then a line a pair that begins with its runs'
/// places and has for each benchmark `point low high finding`, in thousandths, or nothing.
fn pairs(sources: &[Source<'_>]) -> String {
    let mut ids: Vec<&str> = Vec::new();
    let mut known: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, _, cell) in sources.iter().flat_map(|source| source.run.cells()) {
        known.entry(&cell.id).or_insert_with(|| {
            ids.push(&cell.id);
            ids.len() - 1
        });
    }
    let mut text = String::new();
    for id in &ids {
        // A name with a line or a tab in it would be taken for two.
        let plain: String = id.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        text.push_str(&plain);
        for source in sources {
            text.push('\t');
            let cell = source.run.cells().find(|(_, _, cell)| cell.id == **id);
            if let Some((_, _, cell)) = cell {
                let median =
                    cell.median.map_or_else(String::new, |median| number::time(median.point));
                let ratio = cell.ratio.map_or_else(String::new, |of| number::ratio(of.raw.point));
                // Writing to a String cannot fail.
                let _ = write!(text, "{median}|{ratio}");
            }
        }
        text.push('\n');
    }
    for (at, base) in sources.iter().enumerate() {
        for (beside, other) in sources.iter().enumerate().skip(at + 1) {
            let comparison = compare::compare(base.run, other.run);
            let mut judged = vec![String::new(); ids.len()];
            for cell in &comparison.cells {
                let (Ok(change), Some(&place)) = (&cell.change, known.get(cell.id.as_str())) else {
                    continue;
                };
                let finding = match change.finding {
                    Finding::Better => "b",
                    Finding::Worse => "w",
                    Finding::Indistinguishable => "",
                };
                let part = |of: f64| (of * 1e3).round().clamp(0.0, 1e9);
                let (point, low, high) = (change.ratio.point, change.ratio.low, change.ratio.high);
                judged[place] = format!("{} {} {}{finding}", part(point), part(low), part(high));
            }
            let _ = writeln!(text, "={at},{beside}\t{}", judged.join("\t"));
        }
    }
    text
}
