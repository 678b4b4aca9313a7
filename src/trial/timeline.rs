//! One trial drawn in lanes, as text: client, accept queue, loop, bystander.

use std::fmt::Write;

use super::log::{Event, Lane, What};
use super::record::Record;

const WIDTHS: [usize; 4] = [24, 20, 34, 14];
const HEADS: [&str; 4] = ["client", "accept queue", "loop", "bystander"];

/// Draws a trial's log, a line an event, in order of time; plain ASCII. Times are
/// microseconds since the trial's first client, as measured.
pub fn draw(record: &Record) -> String {
    let from = record.events.iter().position(|event| event.what == What::ConnectBegan);
    let events = &record.events[from.unwrap_or(0)..];
    let origin = events.first().map_or(0, |event| event.at.0);
    let mut text = String::new();
    line(&mut text, "us", &HEADS.map(str::to_owned));
    line(&mut text, "--", &WIDTHS.map(|width| "-".repeat(width - 2)));
    for Event { at, of, what } in events {
        let mut cells = [const { String::new() }; 4];
        cells[column(what.lane())] = match of {
            0 => what.to_string(),
            // One of a herd.
            of => format!("{of}: {what}"),
        };
        let time = at.0.saturating_sub(origin) as f64 / 1e3;
        line(&mut text, &format!("{time:.1}"), &cells);
    }
    text
}

fn column(lane: Lane) -> usize {
    match lane {
        Lane::Client => 0,
        Lane::Queue => 1,
        Lane::Loop => 2,
        Lane::Bystander => 3,
    }
}

fn line(text: &mut String, time: &str, cells: &[String; 4]) {
    let mut row = format!("{time:>10}  ");
    for (cell, width) in cells.iter().zip(WIDTHS) {
        // Writing to a String cannot fail.
        let _ = write!(row, "{cell:<width$}");
    }
    text.push_str(row.trim_end());
    text.push('\n');
}
