//! Remedies side by side: what was measured beside the verdicts, where a fault is about how
//! much, how often or how long.

use super::map::Mark;
use super::number;
use crate::accept_loop::Discipline;
use crate::fault;
use crate::record::Run;
use crate::record::map::{Map, Measured};

/// Where there is a row a remedy, so many backends are enough.
const CHOICE: [&str; 7] =
    ["poll", "epoll", "epoll_et", "io_uring_multishot", "mio", "tokio", "async_io"];

/// One table.
#[derive(Debug)]
pub struct Table {
    /// The end of its id.
    pub id: &'static str,
    /// What is compared.
    pub title: &'static str,
    /// What that is to be known of.
    pub about: &'static str,
    /// The heads of its columns, the backend's left out.
    pub heads: Vec<&'static str>,
    /// Its rows, by what they have in common; the name is empty where that is nothing.
    pub parts: Vec<(String, Vec<Row>)>,
}

/// A backend, and what was measured.
pub type Row = (String, Vec<Field>);

/// One field.
#[derive(Debug)]
pub enum Field {
    /// A verdict.
    Verdict(Mark),
    /// A number or a few words.
    Text(String),
}

/// The tables of a run that can be filled. None is of a modelled kernel.
pub fn of(run: &Run) -> Vec<Table> {
    let Some(Ok(map)) = &run.map else { return Vec::new() };
    let tables = [exhausted(map), herd(map), storm(map), drain(map)];
    tables.into_iter().filter(|table| !table.parts.is_empty()).collect()
}

/// What was measured under a fault on this machine's own kernel.
fn measured<'a>(map: &'a Map, fault: &str) -> Vec<&'a Measured> {
    let of_it = |one: &&Measured| one.column.fault == fault && !one.column.is_modelled();
    map.figures.iter().filter(of_it).collect()
}

fn with(discipline: Discipline) -> impl Fn(&&&Measured) -> bool {
    move |one| one.of.discipline == discipline
}

fn exhausted(map: &Map) -> Table {
    let all = measured(map, "descriptors_exhausted");
    let of_choice = |one: &&&Measured| CHOICE.contains(&one.of.backend.as_str());
    let row = |one: &&Measured| {
        let figures = &one.figures;
        let fields = vec![
            Field::Verdict(Mark::of(one.verdict)),
            text(figures.failures_per_second.map(rate)),
            text(figures.cpu_share.map(percent)),
            text(figures.recovery_ns.map(number::time)),
        ];
        (one.of.backend.clone(), fields)
    };
    let chosen: Vec<&Measured> =
        all.iter().filter(with(Discipline::One)).filter(of_choice).copied().collect();
    Table {
        id: "exhausted",
        title: "No descriptor is left",
        about: "What a loop does once accept has said EMFILE, with discipline one. The lack lasts \
                until the loop is seen to sleep or to spin; its first failure tells it, and is not \
                counted. What is shed or given up for good is lost, however cheap it is.",
        heads: vec![
            "Verdict",
            "Further failures a second",
            "Share of a CPU",
            "Until it accepts again",
        ],
        parts: by_arm("descriptors_exhausted", &chosen, row),
    }
}

fn herd(map: &Map) -> Table {
    let all = measured(map, "herd");
    let row = |one: &&Measured| {
        let fields = vec![
            Field::Verdict(Mark::of(one.verdict)),
            text(one.figures.wakeups_per_connection.map(number::each)),
            text(one.figures.failures_per_connection.map(number::each)),
            text(one.figures.busiest_share.map(percent)),
        ];
        (one.of.backend.clone(), fields)
    };
    let chosen: Vec<&Measured> = all.iter().filter(with(Discipline::One)).copied().collect();
    Table {
        id: "herd",
        title: "A herd",
        about: "Two, four and eight loops, and one client at a time. One wake-up a connection is \
                what the work needs. Discipline one.",
        heads: vec![
            "Verdict",
            "Wake-ups a connection",
            "EWOULDBLOCK a connection",
            "Busiest loop's share",
        ],
        parts: by_arm("herd", &chosen, row),
    }
}

fn storm(map: &Map) -> Table {
    let all = measured(map, "storm");
    let row = |one: &&Measured| {
        let fields = vec![
            Field::Verdict(Mark::of(one.verdict)),
            text(one.figures.bystander_ns.map(number::time)),
            text(one.figures.accepts_in_a_row.map(number::each)),
        ];
        (one.of.backend.clone(), fields)
    };
    Table {
        id: "storm",
        title: "A storm, and a bystander",
        about: "A storm of clients connects, then an established connection sends a byte: how long \
                it waits for its echo, and how often the loop accepts before.",
        heads: vec!["Verdict", "Bystander's wait", "Accepts in a row"],
        parts: by(&all, |one| one.of.discipline.to_string(), row),
    }
}

fn drain(map: &Map) -> Table {
    let all = measured(map, "drain_to_empty");
    let found = |backend: &str, discipline| {
        let one = |one: &&&Measured| one.of.backend == backend && one.of.discipline == discipline;
        all.iter().find(one).copied()
    };
    let fields = |measured: Option<&Measured>| {
        let verdict = measured.map(|one| Field::Verdict(Mark::of(one.verdict)));
        let accepts = measured.and_then(|one| one.figures.accepts_per_connection);
        [verdict.unwrap_or_else(|| text(None)), text(accepts.map(number::each))]
    };
    let mut rows: Vec<Row> = Vec::new();
    for one in &all {
        if rows.iter().all(|(backend, _)| *backend != one.of.backend) {
            let cells = [Discipline::Drain, Discipline::One]
                .into_iter()
                .flat_map(|discipline| fields(found(&one.of.backend, discipline)));
            rows.push((one.of.backend.clone(), cells.collect()));
        }
    }
    Table {
        id: "drain",
        title: "To drain, or to accept once a report",
        about: "One client on a non-blocking listener. Who drains calls accept once more, to be \
                told that there is nothing: an edge-triggered loop must, another need not.",
        heads: vec!["drain", "Accepts a connection", "one", "Accepts a connection"],
        parts: if rows.is_empty() { Vec::new() } else { vec![(String::new(), rows)] },
    }
}

/// Rows by the arm, which is told in words where it is known.
fn by_arm(
    fault: &str,
    all: &[&Measured],
    row: impl Fn(&&Measured) -> Row,
) -> Vec<(String, Vec<Row>)> {
    let named = |one: &Measured| {
        let arm = fault::find(fault).and_then(|fault| fault.arm(&one.column.arm));
        match arm {
            Some(arm) => format!("{}: {}", one.column.arm, arm.about),
            None => one.column.arm.clone(),
        }
    };
    let mut parts = by(all, named, row);
    let place = |name: &str| {
        let arms = fault::find(fault).map_or(&[][..], |fault| fault.arms);
        arms.iter().position(|arm| name.starts_with(&format!("{}: ", arm.name)))
    };
    parts.sort_by_key(|(name, _)| place(name).unwrap_or(usize::MAX));
    parts
}

fn by(
    all: &[&Measured],
    name: impl Fn(&Measured) -> String,
    row: impl Fn(&&Measured) -> Row,
) -> Vec<(String, Vec<Row>)> {
    let mut parts: Vec<(String, Vec<Row>)> = Vec::new();
    for one in all {
        let name = name(one);
        match parts.iter_mut().find(|(known, _)| *known == name) {
            Some((_, rows)) => rows.push(row(one)),
            None => parts.push((name, vec![row(one)])),
        }
    }
    parts
}

fn text(spelt: Option<String>) -> Field {
    Field::Text(spelt.unwrap_or_else(|| number::NONE.to_owned()))
}

/// A share in percent, to three digits.
fn percent(share: f64) -> String {
    format!("{}\u{a0}%", number::three_digits(100.0 * share))
}

/// How often a second, to three digits, its thousands apart.
fn rate(n: f64) -> String {
    if n < 1e3 {
        return number::three_digits(n);
    }
    let step = 10f64.powf(n.log10().floor() - 2.0);
    number::count(((n / step).round() * step) as u64)
}
