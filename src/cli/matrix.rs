//! The map as text: a letter a cell, a row for all loops that came to the same.

use std::fmt::Write;

use anstyle::Style;
use rstall::fault;
use rstall::kernel::NATIVE;
use rstall::record::loops::{self, Loop, Named};
use rstall::record::map::{Column, Map};
use rstall::verdict::Verdict;

use super::colour;

/// Draws the map: first what did not come to what it had to, then kernel by kernel the matrix,
/// then what the numbers and letters stand for.
pub fn draw(map: &Map) -> String {
    let bold = Style::new().bold();
    let mut text = String::new();
    // Writing to a String cannot fail.
    for unexpected in &map.unexpected {
        let _ = writeln!(text, "{bold}unexpected{bold:#}: {}", unexpected.sentence(map));
    }
    if !map.unexpected.is_empty() {
        text.push('\n');
    }
    for kernel in map.kernels() {
        let modelled = if kernel == NATIVE.name { "" } else { " (modelled)" };
        let _ = writeln!(text, "{bold}{kernel}{modelled}{bold:#}");
        matrix(&mut text, map, kernel);
        text.push('\n');
    }
    legend(&mut text, map);
    for (name, reason) in &map.absent {
        let _ = writeln!(text, "absent: {name}: {reason}");
    }
    let _ = writeln!(text, "{}", closing(map));
    text
}

/// The columns of one kernel, with a gap before each fault.
fn matrix(text: &mut String, map: &Map, kernel: &str) {
    let shown = map.columns_of(|one| one == kernel);
    let mut tens = String::new();
    let mut units = String::new();
    for &at in &shown {
        let (first, number) = place(map, at);
        let [ten, unit] = match (first, number) {
            (true, 10..) => {
                [char::from_digit(number as u32 / 10, 10), char::from_digit(number as u32 % 10, 10)]
            }
            (true, _) => [None, char::from_digit(number as u32, 10)],
            (false, _) => [None, None],
        };
        let gap = if first && at != shown[0] { " " } else { "" };
        let _ = write!(tens, "{gap}{}", ten.unwrap_or(' '));
        let _ = write!(units, "{gap}{}", unit.unwrap_or(' '));
    }
    for line in [tens, units].iter().map(|line| line.trim_end()).filter(|line| !line.is_empty()) {
        let _ = writeln!(text, "  {line}");
    }
    for (letters, rows) in map.merged(&shown) {
        let loops: Vec<&Loop> = rows.iter().flat_map(|row| &row.loops).collect();
        let names: Vec<String> = loops::named(&loops).iter().map(Named::to_string).collect();
        let mut line = String::new();
        for (&at, &letter) in shown.iter().zip(&letters) {
            let gap = if place(map, at).0 && at != shown[0] { " " } else { "" };
            let verdict = Verdict::ALL.into_iter().find(|verdict| verdict.letter() == letter);
            let style = verdict.map(colour::of).unwrap_or_default();
            let _ = write!(line, "{gap}{style}{letter}{style:#}");
        }
        let _ = writeln!(text, "  {line}  {}", names.join("; "));
    }
}

/// Whether a column is the first of its fault, and the fault's number.
fn place(map: &Map, at: usize) -> (bool, usize) {
    let fault = |column: &Column| (column.kernel.clone(), column.fault.clone());
    let first = at == 0 || fault(&map.columns[at - 1]) != fault(&map.columns[at]);
    let known = fault::ALL.iter().position(|known| known.name == map.columns[at].fault);
    (first, known.map_or(0, |position| position + 1))
}

fn legend(text: &mut String, map: &Map) {
    for verdict in Verdict::ALL {
        let style = colour::of(verdict);
        let _ = writeln!(
            text,
            "  {style}{} {:<7}{style:#}  {}",
            verdict.letter(),
            verdict.name(),
            verdict.about()
        );
    }
    text.push_str("  - not applicable   ~ not modelled   ? no verdict\n\n");
    for (at, column) in map.columns.iter().enumerate() {
        let first_kernel = map.columns.first().map(|first| first.kernel.as_str());
        let (true, number) = place(map, at) else { continue };
        if Some(column.kernel.as_str()) != first_kernel {
            continue;
        }
        let Some(fault) = fault::find(&column.fault) else { continue };
        let arms: Vec<&str> = fault.arms.iter().map(|arm| arm.name).collect();
        let arms = if arms == [""] { String::new() } else { format!(": {}", arms.join(", ")) };
        let _ = writeln!(text, "  {number:>2} {}{arms}", fault.name);
    }
    text.push('\n');
}

/// How many cells came to what: on the machine's own kernel, and apart from those on the
/// modelled ones.
fn closing(map: &Map) -> String {
    let counts = |columns: &[usize], on: &str| {
        let counts = map.counts(columns).into_iter().filter(|(_, n)| *n > 0);
        let counts: Vec<String> = counts.map(|(verdict, n)| format!("{n} {verdict}")).collect();
        let tried = map.tried(columns);
        let judged = if counts.is_empty() { "none judged".to_owned() } else { counts.join(", ") };
        (tried > 0).then(|| format!("{tried} cells on {on}: {judged}"))
    };
    let native = counts(&map.columns_of(|kernel| kernel == NATIVE.name), "native");
    let modelled = counts(&map.columns_of(|kernel| kernel != NATIVE.name), "modelled kernels");
    let unexpected = match map.unexpected.len() {
        _ if native.is_none() && modelled.is_none() => "no cell was tried".to_owned(),
        0 => "every one as the rules say".to_owned(),
        n => format!("{n} not as the rules say"),
    };
    let interrupted = if map.interrupted { "interrupted: " } else { "" };
    let parts: Vec<String> = native.into_iter().chain(modelled).chain([unexpected]).collect();
    format!("{interrupted}{}; in {:.1} s.", parts.join("; "), map.took_s)
}
