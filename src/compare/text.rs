//! A comparison as text for a terminal.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};
use tabled::builder::Builder;
use tabled::settings::{Padding, Style as Borders};

use super::{Backend, Change, Compared, Comparison, Finding, labelled};
use crate::record::plain;

/// How a comparison is told.
#[derive(Clone, Copy, Debug)]
pub struct Telling {
    /// What counts as a change for the last line, as a fraction.
    pub threshold: f64,
    /// Whether the cells that did not change have lines too.
    pub all: bool,
}

/// The whole of it: what is to be minded, the backends, the cells, and what it comes to.
pub fn text(comparison: &Comparison, telling: Telling) -> String {
    let mut text = String::new();
    for warning in &comparison.warnings {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "warning: {}", plain(warning));
    }
    if !comparison.warnings.is_empty() {
        text.push('\n');
    }
    let [base, other] = comparison.controls.map(|control| match control {
        Some(off) => format!("{:.1} %", 100.0 * off),
        None => "unknown".to_owned(),
    });
    let _ = writeln!(
        text,
        "The reference differs from itself by {base} in the base, {other} in the other run."
    );
    let moved = comparison.shifts.iter().filter(|shift| (shift.ratio.ln()).abs() > 0.02);
    for shift in moved {
        let (name, ratio) = (plain(&shift.collection), shift.ratio);
        let _ = writeln!(
            text,
            "All of {name} moved by {ratio:.3}x against the reference: that is taken out below."
        );
    }
    text.push('\n');
    let backends = comparison.backends.iter().map(backend).collect();
    section(
        &mut text,
        "Backends, over all of their cells, by the precision of each",
        &["backend", "change", "", "cells"],
        backends,
    );
    let told = |cell: &&Compared| telling.all || cell.changed().is_some();
    let cells: Vec<[String; 6]> = comparison.cells.iter().filter(told).map(cell).collect();
    let heads = ["cell", "base", "other", "change", "", "medians, not judged"];
    section(&mut text, "Cells, as ratios to their reference", &heads, cells);
    text.push_str(&closing(comparison, telling));
    text
}

fn section<const N: usize>(text: &mut String, title: &str, heads: &[&str], rows: Vec<[String; N]>) {
    if rows.is_empty() {
        return;
    }
    let bold = Style::new().bold();
    let mut builder = Builder::default();
    builder.push_record(heads.iter().copied());
    for row in rows {
        builder.push_record(row);
    }
    let mut table = builder.build();
    table.with(Borders::empty()).with(Padding::new(0, 2, 0, 0));
    let _ = writeln!(text, "{bold}{title}{bold:#}");
    for line in table.to_string().lines() {
        let _ = writeln!(text, "  {}", line.trim_end());
    }
    text.push('\n');
}

fn backend(backend: &Backend) -> [String; 4] {
    let name = plain(&labelled(&backend.name, &backend.kernel));
    let change = &backend.change;
    [name, change.ratio.as_ratio(), change.finding.words().to_owned(), backend.cells.to_string()]
}

fn cell(cell: &Compared) -> [String; 6] {
    let [base, other] = cell.ratios.map(|of| of.map_or_else(String::new, |of| of.point_as_ratio()));
    let (change, words) = match &cell.change {
        Ok(change) => (change.ratio.as_ratio(), change.finding.words().to_owned()),
        Err(why) => (String::new(), format!("not compared: {}", plain(why))),
    };
    let medians = match cell.medians {
        [Some(base), Some(other)] => format!("{base:.0} ns, {other:.0} ns"),
        _ => String::new(),
    };
    [plain(&labelled(&cell.id, &cell.kernel)), base, other, change, words, medians]
}

fn closing(comparison: &Comparison, telling: Telling) -> String {
    let judged: Vec<&Change> =
        comparison.cells.iter().filter_map(|cell| cell.change.as_ref().ok()).collect();
    let count = |finding| judged.iter().filter(|change| change.finding == finding).count();
    let apart = comparison.cells.len() - judged.len();
    let (better, worse) = (count(Finding::Better), count(Finding::Worse));
    let mut text = format!(
        "{} cells compared: {better} better, {worse} worse, {} not distinguishable; {apart} not \
         compared.\n",
        judged.len(),
        judged.len() - better - worse,
    );
    // To a hundredth of a per cent, so that 7 % is not 7.000000000000001 %.
    let threshold = (1e4 * telling.threshold).round() / 1e2;
    let worse = comparison.worse(telling.threshold);
    let (style, words) = if worse.is_empty() {
        (AnsiColor::Green, format!("Nothing got worse by more than {threshold} % and the noise."))
    } else {
        let names = plain(&worse.join(", "));
        (AnsiColor::Red, format!("Worse by more than {threshold} % and the noise: {names}."))
    };
    let style = Style::new().fg_color(Some(style.into())).bold();
    let _ = writeln!(text, "{style}{words}{style:#}");
    text
}
