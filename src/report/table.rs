//! One collection as a table: all its series side by side, in the order of the registry.

use super::caveats::Caveats;
use super::findings::{Verdict, missing};
use super::links::Links;
use super::number;
use super::series::counted;
use super::strip::{Axis, Strip, Tick};
use crate::record::{Cell, Collection, Group};
use crate::stats::Estimate;

/// A table, its numbers spelt.
#[derive(Debug)]
pub struct Table {
    /// Its columns, the series' names not counted.
    pub columns: Vec<Column>,
    /// Its rows.
    pub rows: Vec<Row>,
}

/// The head of a column.
#[derive(Debug)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What is below the name; may be empty.
    pub note: &'static str,
    /// The class of its cells: `number`, `words`, `calls`, `strip`.
    pub class: &'static str,
    /// The ticks of the strips' axis.
    pub ticks: Vec<Tick>,
}

impl Column {
    /// Whether it has numbers: as most do, they need no class of their own.
    pub fn is_number(&self) -> bool {
        self.class == NUMBER
    }
}

/// One series.
#[derive(Debug)]
pub struct Row {
    /// Its name.
    pub series: String,
    /// The numbers of the caveats that concern it.
    pub caveats: Vec<usize>,
    /// Its fields, one a column; or what became of it and why.
    pub fields: Result<Vec<Field>, (&'static str, String)>,
}

/// One field of a row.
#[derive(Debug)]
pub enum Field {
    /// There is nothing to show.
    Empty,
    /// A number or a few words, and what is below in small; either may be empty.
    Text(String, String),
    /// A ratio and its interval as a drawing.
    Strip(Strip),
    /// The verdict's word, and what is below in small.
    Verdict(&'static str, &'static str),
    /// A link: its address and what it leads to.
    Link(String, String),
}

/// What a column is filled from.
struct Around<'a> {
    group: &'a Group,
    collection: &'a Collection,
    axis: Option<&'a Axis>,
    links: &'a Links,
}

/// A column that a table may have: it is there where at least one row can fill it.
struct Kind {
    name: &'static str,
    note: &'static str,
    class: &'static str,
    fill: fn(&Around<'_>, &Cell) -> Option<Field>,
}

/// The class of columns of numbers.
const NUMBER: &str = "number";

/// The class of the column that has an axis in its head.
const STRIP: &str = "strip";

const KINDS: &[Kind] = &[
    Kind { name: "Median", note: "95 % interval", class: NUMBER, fill: median },
    Kind { name: "A connection", note: "median", class: NUMBER, fill: a_connection },
    Kind {
        name: "Ratio to",
        note: "\u{25c2}\u{a0}faster\u{a0}\u{b7}\u{a0}slower\u{a0}\u{25b8}",
        class: STRIP,
        fill: strip,
    },
    Kind { name: "Ratio", note: "judged interval", class: NUMBER, fill: ratio },
    Kind { name: "Verdict", note: "", class: "words", fill: verdict },
    Kind { name: "p50", note: "", class: NUMBER, fill: |_, cell| quantile(cell, 0.5) },
    Kind { name: "p90", note: "", class: NUMBER, fill: |_, cell| quantile(cell, 0.9) },
    Kind { name: "p99", note: "", class: NUMBER, fill: |_, cell| quantile(cell, 0.99) },
    Kind { name: "p99.9", note: "", class: NUMBER, fill: |_, cell| quantile(cell, 0.999) },
    Kind { name: "Max", note: "", class: NUMBER, fill: |_, cell| quantile(cell, 1.0) },
    Kind { name: "Stalled", note: "", class: NUMBER, fill: stalled },
    Kind { name: "Unanswered", note: "", class: NUMBER, fill: unanswered },
    Kind { name: "Resets seen", note: "", class: NUMBER, fill: resets },
    Kind { name: "Wakeups", note: "a connection", class: NUMBER, fill: wakeups },
    Kind { name: "EWOULD\u{ad}BLOCK", note: "a connection", class: NUMBER, fill: would_blocks },
    Kind { name: "CPU", note: "a connection", class: NUMBER, fill: cpu },
    Kind { name: "System calls", note: "a connection", class: "calls", fill: system_calls },
    Kind { name: "Samples", note: "", class: NUMBER, fill: samples },
    Kind { name: "Criterion", note: "", class: "words", fill: criterion },
];

/// Makes the table of a collection.
pub fn table(group: &Group, collection: &Collection, caveats: &Caveats, links: &Links) -> Table {
    let axis = Axis::of(group, collection);
    let around = Around { group, collection, axis: axis.as_ref(), links };
    let measured = || collection.cells.iter().filter(|cell| missing(&cell.status).is_none());
    let kinds: Vec<&Kind> = KINDS
        .iter()
        .filter(|kind| measured().any(|cell| (kind.fill)(&around, cell).is_some()))
        .collect();
    let column = |kind: &&Kind| {
        let is_strip = kind.class == STRIP;
        let reference = if is_strip { format!(" {}", group.reference) } else { String::new() };
        let ticks = axis.as_ref().filter(|_| is_strip).map(Axis::ticks);
        Column {
            name: format!("{}{reference}", kind.name),
            note: kind.note,
            class: kind.class,
            ticks: ticks.unwrap_or_default(),
        }
    };
    let row = |cell: &Cell| {
        let fields = match missing(&cell.status) {
            Some((what, why)) => Err((what, why.to_owned())),
            None => Ok(kinds
                .iter()
                .map(|kind| (kind.fill)(&around, cell).unwrap_or(Field::Empty))
                .collect()),
        };
        let caveats = caveats.numbers(group, collection, cell);
        Row { series: cell.series.clone(), caveats, fields }
    };
    Table {
        columns: kinds.iter().map(column).collect(),
        rows: collection.cells.iter().map(row).collect(),
    }
}

fn text(main: String) -> Field {
    Field::Text(main, String::new())
}

fn median(_: &Around<'_>, cell: &Cell) -> Option<Field> {
    let median = cell.median.as_ref()?;
    Some(Field::Text(number::time(median.point), number::time_interval(median)))
}

fn a_connection(around: &Around<'_>, cell: &Cell) -> Option<Field> {
    let elements = around.collection.elements;
    let median = cell.median.as_ref().filter(|_| elements > 1)?;
    Some(text(number::time(median.point / elements as f64)))
}

fn strip(around: &Around<'_>, cell: &Cell) -> Option<Field> {
    around.axis?.strip(around.group, around.collection, cell).map(Field::Strip)
}

fn ratio(around: &Around<'_>, cell: &Cell) -> Option<Field> {
    match (Verdict::of(around.group, cell)?, cell.ratio, &around.collection.control) {
        (Verdict::Reference, _, Some(control)) => Some(times(control.point, control)),
        (Verdict::Reference, _, None) => Some(text("1".to_owned())),
        (_, Some(ratio), _) => Some(times(ratio.raw.point, &ratio.judged)),
        (_, None, _) => None,
    }
}

fn times(ratio: f64, interval: &Estimate) -> Field {
    Field::Text(format!("{}\u{d7}", number::ratio(ratio)), number::ratio_interval(interval))
}

fn verdict(around: &Around<'_>, cell: &Cell) -> Option<Field> {
    let verdict = Verdict::of(around.group, cell)?;
    let is_control = verdict == Verdict::Reference && around.collection.control.is_some();
    Some(Field::Verdict(verdict.word(), if is_control { "control" } else { "" }))
}

fn quantile(cell: &Cell, at: f64) -> Option<Field> {
    cell.latency.as_ref().and_then(|latency| number::quantile(latency, at)).map(text)
}

fn stalled(_: &Around<'_>, cell: &Cell) -> Option<Field> {
    let stalled = *cell.counts.get("stalled")?;
    Some(match cell.counts.get("bytes") {
        Some(&bytes) => part(stalled, bytes),
        None => text(format!("{} of {}", number::count(stalled), cell.samples)),
    })
}

fn unanswered(_: &Around<'_>, cell: &Cell) -> Option<Field> {
    let unanswered = *cell.counts.get("unanswered")?;
    Some(part(unanswered, counted(cell, "bytes")))
}

/// A share, and the numbers that it is made of.
fn part(some: u64, all: u64) -> Field {
    let of = format!("{} of {}", number::count(some), number::count(all));
    Field::Text(number::share(some, all), of)
}

fn resets(_: &Around<'_>, cell: &Cell) -> Option<Field> {
    let resets = *cell.counts.get("resets")?;
    let kinds = [("dead", counted(cell, "dead")), ("aborted", counted(cell, "aborted"))];
    let kinds = kinds.into_iter().filter(|(_, n)| *n > 0);
    let seen: Vec<String> = kinds.map(|(what, n)| format!("{} {what}", number::count(n))).collect();
    Some(Field::Text(format!("of {}", number::count(resets)), seen.join(", ")))
}

fn a_connection_of(cell: &Cell, name: &str) -> Option<Field> {
    let n = *cell.counts.get(name)?;
    let connections = cell.counts.get("offered").or_else(|| cell.counts.get("accepts"))?;
    (*connections > 0).then(|| text(number::each(n as f64 / *connections as f64)))
}

fn wakeups(_: &Around<'_>, cell: &Cell) -> Option<Field> {
    a_connection_of(cell, "wakeups")
}

fn would_blocks(_: &Around<'_>, cell: &Cell) -> Option<Field> {
    a_connection_of(cell, "would_blocks")
}

fn cpu(_: &Around<'_>, cell: &Cell) -> Option<Field> {
    cell.cost.as_ref().map(|cost| text(number::time(cost.cpu_ns)))
}

fn system_calls(_: &Around<'_>, cell: &Cell) -> Option<Field> {
    let calls = cell.cost.as_ref()?.system_calls.as_ref()?;
    let all: f64 = calls.values().sum();
    let one = |(name, n): (&String, &f64)| format!("{name}\u{a0}{}", number::each(*n));
    Some(Field::Text(number::each(all), calls.iter().map(one).collect::<Vec<_>>().join(", ")))
}

fn samples(_: &Around<'_>, cell: &Cell) -> Option<Field> {
    let voids = cell.voids.values().fold(0, |all: usize, n| all.saturating_add(*n));
    let below = if voids > 0 { format!("+ {voids} void") } else { String::new() };
    Some(Field::Text(number::count(cell.samples as u64), below))
}

fn criterion(around: &Around<'_>, cell: &Cell) -> Option<Field> {
    let (group, collection) = (&around.group.name, around.collection);
    let parameter = collection.parameter.as_deref();
    let href = around.links.criterion(&cell.id, group, &cell.series, parameter)?;
    Some(Field::Link(href, cell.id.clone()))
}
