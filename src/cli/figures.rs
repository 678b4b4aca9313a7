//! What was measured beside the verdicts, as a table: for the faults that were asked for by
//! name.

use rstall::record::map::{Map, Measured};

use super::table::{Table, section};

/// One column of the table: its head, and what it says of a loop.
type Figure = (&'static str, fn(&Measured) -> Option<String>);

const FIGURES: [Figure; 9] = [
    ("accepts/conn", |m| m.figures.accepts_per_connection.map(hundredths)),
    ("failures/s", |m| m.figures.failures_per_second.map(|n| format!("{n:.0}"))),
    ("CPU", |m| m.figures.cpu_share.map(percent)),
    ("recovers in", |m| m.figures.recovery_ns.map(milliseconds)),
    ("wake-ups/conn", |m| m.figures.wakeups_per_connection.map(hundredths)),
    ("EWOULDBLOCK/conn", |m| m.figures.failures_per_connection.map(hundredths)),
    ("busiest", |m| m.figures.busiest_share.map(percent)),
    ("accepts in a row", |m| m.figures.accepts_in_a_row.map(|n| format!("{n:.0}"))),
    ("bystander", |m| m.figures.bystander_ns.map(milliseconds)),
];

/// The figures of a map: medians of the trials, of the loops that retry and are on a
/// non-blocking listener or wait in accept. Empty where there are none.
pub fn draw(map: &Map) -> String {
    let said = |figure: &&Figure| map.figures.iter().any(|measured| figure.1(measured).is_some());
    let figures: Vec<&Figure> = FIGURES.iter().filter(said).collect();
    if figures.is_empty() {
        return String::new();
    }
    let head = ["fault", "arm", "backend", "discipline", "verdict"].map(str::to_owned);
    let heads = figures.iter().map(|figure| figure.0.to_owned());
    let mut table: Table = vec![head.into_iter().chain(heads).collect()];
    table.extend(map.figures.iter().map(|measured| {
        let named = [
            measured.column.fault.clone(),
            measured.column.arm.clone(),
            measured.of.backend.clone(),
            measured.of.discipline.to_string(),
            measured.verdict.to_string(),
        ];
        let told = figures.iter().map(|figure| figure.1(measured).unwrap_or_default());
        named.into_iter().chain(told).collect()
    }));
    let mut text = String::new();
    section(&mut text, "Measured beside, medians", &table);
    text
}

fn hundredths(n: f64) -> String {
    format!("{n:.2}")
}

fn percent(share: f64) -> String {
    format!("{:.0} %", 100.0 * share)
}

fn milliseconds(ns: f64) -> String {
    format!("{:.3} ms", ns / 1e6)
}
