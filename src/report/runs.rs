//! Several runs side by side: what they are, what they differ in, and what got better or worse.
//!
//! The first run is the base. What is said of two runs is what [`crate::compare`] says of them;
//! nothing here calculates, nor does the page's script.

use std::collections::BTreeMap;

use super::map::Mark;
use super::{Source, number, pairs, surroundings};
use crate::compare::{self, Compared, Comparison, Finding};
use crate::kernel::NATIVE;
use crate::record::loops::{self, Loop};
use crate::record::map::{self, Cell};
use crate::record::{NOISY, Run};
use crate::verdict::Verdict;

/// How many kinds of loops are named where a map differs; the others are counted.
const NAMED: usize = 2;

/// The section on runs.
#[derive(Debug)]
pub struct Runs {
    /// Each run, the base first.
    pub rows: Vec<Row>,
    /// The runs that were on something else than the base, or with something else.
    pub differing: Vec<String>,
    /// The runs of which something is to be minded, though nothing differs.
    pub minded: Vec<String>,
    /// What is to be minded where a run is compared with the base: the run's name, and what.
    pub warnings: Vec<(String, Vec<String>)>,
    /// Backends over all of their cells: the name, the kernel where it is modelled, and what
    /// each of the others came to.
    pub backends: Vec<(String, Option<String>, Vec<Came>)>,
    /// A table a group.
    pub tables: Vec<Table>,
    /// Where maps differ from the base's, by run.
    pub maps: Vec<(String, Vec<Difference>)>,
    /// What the script picks from: every pair of runs, judged.
    pub pairs: String,
}

/// Loops whose verdict is another one in another run.
#[derive(Debug)]
pub struct Difference {
    /// The fault, with its arm where it has several.
    pub column: String,
    /// The kernel's name, where it is modelled.
    pub modelled: Option<String>,
    /// The verdict in the base, and in the other run.
    pub verdicts: [Mark; 2],
    /// The loops.
    pub loops: String,
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
    /// Why none of them is compared, where it is the same of all, and they have no medians.
    pub alike: Option<String>,
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
        let names = || others.iter().map(|other| other.name.clone());
        let warnings = names().zip(compared.iter().map(pairs::notes));
        // Of a run of which nothing is known it cannot be said that it differs.
        let (differing, alike): (Vec<_>, Vec<_>) =
            others.iter().zip(&compared).partition(|(other, _)| {
                [base.run, other.run].iter().all(|run| run.host.is_known())
                    && !compare::differences(base.run, other.run).is_empty()
            });
        let minded = alike.iter().filter(|(_, one)| !one.warnings.is_empty());
        let maps = names().zip(others.iter().map(|other| differences(base.run, other.run)));
        Some(Runs {
            rows: sources.iter().map(row).collect(),
            differing: differing.iter().map(|(other, _)| other.name.clone()).collect(),
            minded: minded.map(|(other, _)| other.name.clone()).collect(),
            warnings: warnings.filter(|(_, notes)| !notes.is_empty()).collect(),
            backends: backends(&compared),
            tables: tables(&compared),
            maps: maps.filter(|(_, differences)| !differences.is_empty()).collect(),
            pairs: pairs::of(sources),
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
        let others: Vec<Came> =
            by_id.get(cell.id.as_str()).into_iter().flatten().map(|cell| came(*cell)).collect();
        let first = others.first().map_or("", |one| &one.words);
        let alike = others
            .iter()
            .all(|one| one.class == "absent" && one.median.is_empty() && one.words == first);
        let row = Benchmark {
            id: cell.id.clone(),
            base: (ratio(cell, 0), median(cell, 0)),
            alike: alike.then(|| first.to_owned()),
            others,
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
        Err(why) => {
            // Why a stall is not compared is said once, above the tables.
            let words = why.split(", for as long as the next client").next().unwrap_or(why);
            Came { class: "absent", words: words.to_owned(), median: median(cell, 1) }
        }
    }
}

fn median(cell: &Compared, which: usize) -> String {
    cell.medians[which].map_or_else(String::new, number::time)
}

fn ratio(cell: &Compared, which: usize) -> String {
    cell.ratios[which].map_or_else(String::new, |of| format!("{}\u{d7}", number::ratio(of.point)))
}

/// Where the cells of the base's map came to another verdict in the other's: loops together that
/// went the same way under the same fault.
fn differences(base: &Run, other: &Run) -> Vec<Difference> {
    let (Some(Ok(base)), Some(Ok(other))) = (&base.map, &other.map) else {
        return Vec::new();
    };
    let verdict = |row: &map::Row, column: usize| match row.cell(column) {
        Cell::Tried { verdict, .. } => *verdict,
        Cell::Not(_) | Cell::Missing => None,
    };
    // Each loop of the base with its row, and its row there.
    let loops: Vec<(&Loop, &map::Row, &map::Row)> = base
        .rows
        .iter()
        .flat_map(|row| row.loops.iter().map(move |of| (of, row)))
        .filter_map(|(of, row)| {
            Some((of, row, other.rows.iter().find(|there| there.loops.contains(of))?))
        })
        .collect();
    let mut found = Vec::new();
    for (at, column) in base.columns.iter().enumerate() {
        let Some(there) = other.columns.iter().position(|one| one == column) else { continue };
        let mut ways: BTreeMap<(Verdict, Verdict), Vec<&Loop>> = BTreeMap::new();
        for (of, row, other) in &loops {
            if let (Some(before), Some(after)) = (verdict(row, at), verdict(other, there))
                && before != after
            {
                ways.entry((before, after)).or_default().push(of);
            }
        }
        found.extend(ways.into_iter().map(|((before, after), of)| Difference {
            column: column.fault_and_arm(),
            modelled: modelled(&column.kernel),
            verdicts: [before, after].map(Mark::of),
            loops: named(&of),
        }));
    }
    found
}

/// Loops by what they have in common: the first few, and how many more there are.
fn named(of: &[&Loop]) -> String {
    let all = loops::named(of);
    let mut words: Vec<String> = all.iter().take(NAMED).map(ToString::to_string).collect();
    let told: usize = all.iter().take(NAMED).map(|one| one.loops).sum();
    if told < of.len() {
        words.push(format!("and {} more", number::of(of.len() - told, "loop")));
    }
    words.join("; ")
}
