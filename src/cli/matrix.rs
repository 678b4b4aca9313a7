//! The map as text: a letter a cell, a row for all loops that came to the same.

use std::fmt::Write;

use anstyle::Style;
use rstall::fault;
use rstall::record::map::{Cell, Column, Loop, Map, Row, Unexpected};
use rstall::verdict::Verdict;

use super::colour;

/// Draws the map: first what did not come to what it had to, then kernel by kernel the matrix,
/// then what the numbers and letters stand for.
pub fn draw(map: &Map) -> String {
    let bold = Style::new().bold();
    let mut text = String::new();
    // Writing to a String cannot fail.
    for unexpected in &map.unexpected {
        let _ = writeln!(text, "{bold}unexpected{bold:#}: {}", sentence(unexpected, map));
    }
    if !map.unexpected.is_empty() {
        text.push('\n');
    }
    for kernel in kernels(map) {
        let modelled = if kernel == "native" { "" } else { " (modelled)" };
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

fn sentence(unexpected: &Unexpected, map: &Map) -> String {
    let Unexpected { of, column, rule, counts, seen } = unexpected;
    let arm = if column.arm.is_empty() { String::new() } else { format!("/{}", column.arm) };
    let counts: Vec<String> = counts.iter().map(|(verdict, n)| format!("{verdict} {n}x")).collect();
    let rule = map.rules.iter().find(|known| known.name == *rule);
    let (allowed, why) = rule.map_or((String::new(), ""), |rule| {
        let allowed: Vec<&str> = rule.verdicts.iter().map(|verdict| verdict.name()).collect();
        (allowed.join(" or "), rule.why.as_str())
    });
    format!(
        "{} {} {} {} under {}{arm} on {}: {} ({seen}); expected {allowed}, since {why}",
        of.backend,
        of.mode.name(),
        of.discipline,
        of.retry.name(),
        column.fault,
        column.kernel,
        if counts.is_empty() { "no verdict".to_owned() } else { counts.join(", ") },
    )
}

fn kernels(map: &Map) -> Vec<&str> {
    let mut kernels: Vec<&str> = map.columns.iter().map(|column| column.kernel.as_str()).collect();
    kernels.dedup();
    kernels
}

/// The columns of one kernel, with a gap before each fault.
fn matrix(text: &mut String, map: &Map, kernel: &str) {
    let shown: Vec<usize> =
        (0..map.columns.len()).filter(|&at| map.columns[at].kernel == kernel).collect();
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
    let _ = writeln!(text, "  {}\n  {}", tens.trim_end(), units.trim_end());
    for (letters, loops) in merged(map, &shown) {
        let mut line = String::new();
        for (&at, &letter) in shown.iter().zip(&letters) {
            let gap = if place(map, at).0 && at != shown[0] { " " } else { "" };
            let verdict = Verdict::ALL.into_iter().find(|verdict| verdict.letter() == letter);
            let style = verdict.map(colour::of).unwrap_or_default();
            let _ = write!(line, "{gap}{style}{letter}{style:#}");
        }
        let _ = writeln!(text, "  {line}  {loops}");
    }
}

/// Whether a column is the first of its fault, and the fault's number.
fn place(map: &Map, at: usize) -> (bool, usize) {
    let fault = |column: &Column| (column.kernel.clone(), column.fault.clone());
    let first = at == 0 || fault(&map.columns[at - 1]) != fault(&map.columns[at]);
    let known = fault::ALL.iter().position(|known| known.name == map.columns[at].fault);
    (first, known.map_or(0, |position| position + 1))
}

/// The rows of these columns: those with the same letters are one.
fn merged(map: &Map, shown: &[usize]) -> Vec<(Vec<char>, String)> {
    let mut rows: Vec<(Vec<char>, Vec<&Loop>)> = Vec::new();
    for Row { loops, cells } in &map.rows {
        let letters: Vec<char> =
            shown.iter().map(|&at| cells.get(at).map_or('?', letter)).collect();
        match rows.iter_mut().find(|(known, _)| *known == letters) {
            Some((_, known)) => known.extend(loops),
            None => rows.push((letters, loops.iter().collect())),
        }
    }
    rows.into_iter().map(|(letters, loops)| (letters, names(&loops))).collect()
}

fn letter(cell: &Cell) -> char {
    match cell {
        Cell::Tried { verdict: Some(verdict), .. } => verdict.letter(),
        Cell::Tried { verdict: None, .. } | Cell::Missing => '?',
        Cell::Not(reason) if reason.starts_with("not modelled") => '~',
        Cell::Not(_) => '-',
    }
}

/// Loops by what they have in common: backends together that have the same combinations of
/// mode, discipline and retry set.
fn names(loops: &[&Loop]) -> String {
    let mut backends: Vec<(&str, Vec<[String; 3]>)> = Vec::new();
    for one in loops {
        let way =
            [one.mode.name().to_owned(), one.discipline.to_string(), one.retry.name().to_owned()];
        match backends.iter_mut().find(|(name, _)| *name == one.backend) {
            Some((_, ways)) => ways.push(way),
            None => backends.push((&one.backend, vec![way])),
        }
    }
    let mut groups: Vec<(Vec<&str>, Vec<[String; 3]>)> = Vec::new();
    for (name, ways) in backends {
        match groups.iter_mut().find(|(_, known)| *known == ways) {
            Some((names, _)) => names.push(name),
            None => groups.push((vec![name], ways)),
        }
    }
    let words = |(names, ways): (Vec<&str>, Vec<[String; 3]>)| {
        format!("{} [{}]", names.join(" "), together(&ways))
    };
    groups.into_iter().map(words).collect::<Vec<_>>().join("; ")
}

/// Combinations as a product where they are one, else one by one.
fn together(ways: &[[String; 3]]) -> String {
    let axis = |at: usize| {
        let mut values: Vec<&str> = Vec::new();
        for way in ways {
            if !values.contains(&way[at].as_str()) {
                values.push(&way[at]);
            }
        }
        values
    };
    let axes = [axis(0), axis(1), axis(2)];
    if axes.iter().map(Vec::len).product::<usize>() == ways.len() {
        return axes.map(|values| values.join("|")).join(" ");
    }
    // By retry set: within one of them the rest is mostly a product.
    let of = |retry: &str| {
        let those: Vec<[String; 3]> = ways.iter().filter(|way| way[2] == retry).cloned().collect();
        if those.len() == ways.len() {
            those.iter().map(|way| way.join(" ")).collect::<Vec<_>>().join(", ")
        } else {
            together(&those)
        }
    };
    axes[2].iter().map(|retry| of(retry)).collect::<Vec<_>>().join(", ")
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

fn closing(map: &Map) -> String {
    let counts: Vec<String> =
        map.counts().into_iter().map(|(verdict, n)| format!("{n} {verdict}")).collect();
    let unexpected = match map.unexpected.len() {
        0 => "every one as the rules say".to_owned(),
        n => format!("{n} not as the rules say"),
    };
    let interrupted = if map.interrupted { "interrupted: " } else { "" };
    format!(
        "{interrupted}{} cells in {:.1} s: {}; {unexpected}.",
        map.tried(),
        map.took_s,
        counts.join(", ")
    )
}
