//! Every pair of runs, judged, for the page's script to pick from. It is text within the page,
//! in as few characters as can be.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::{Source, number};
use crate::compare::{self, Comparison, Finding};
use crate::record::Run;

/// The pairs, a line each:
///
/// - first how many benchmarks there are, and then these: the id, and of each run
///   `median|ratio`;
/// - `=0-1`, and of each benchmark the ratio of ratios and by what factor both ends of its
///   interval are off, with `b` or `w` where it is better or worse, in the order of the runs (the
///   other order is its reverse);
/// - `#0-1`, and of each benchmark that has none the place of the reason; in the other order too
///   where it is another one;
/// - `!0-1`, in either order, and what is to be minded;
/// - `?` and a reason.
///
/// All parts of a line are between tabs.
pub fn of(sources: &[Source<'_>]) -> String {
    let mut ids: Vec<&str> = Vec::new();
    let mut known: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, _, cell) in sources.iter().flat_map(|source| source.run.cells()) {
        known.entry(&cell.id).or_insert_with(|| {
            ids.push(&cell.id);
            ids.len() - 1
        });
    }
    let mut text = format!("{}\n", ids.len());
    for line in benchmarks(sources, &ids, &known) {
        let _ = writeln!(text, "{line}");
    }
    let mut reasons: Vec<String> = Vec::new();
    let mut whys: BTreeMap<(usize, usize), String> = BTreeMap::new();
    for (at, base) in sources.iter().enumerate() {
        for (beside, other) in sources.iter().enumerate().filter(|(beside, _)| *beside != at) {
            let comparison = compare::compare(base.run, other.run);
            let mut judged = vec![String::new(); ids.len()];
            let mut without = judged.clone();
            for cell in &comparison.cells {
                let Some(&place) = known.get(cell.id.as_str()) else { continue };
                match &cell.change {
                    Ok(change) => judged[place] = spelt(change),
                    Err(why) => without[place] = reason(why, &mut reasons).to_string(),
                }
            }
            // Writing to a String cannot fail.
            if at < beside {
                let _ = writeln!(text, "={at}-{beside}\t{}", judged.join("\t"));
            }
            let without = without.join("\t");
            if whys.get(&(beside, at)) != Some(&without) {
                let _ = writeln!(text, "#{at}-{beside}\t{without}");
            }
            whys.insert((at, beside), without);
            let notes: Vec<String> = notes(&comparison).iter().map(|note| plain(note)).collect();
            let _ = writeln!(text, "!{at}-{beside}\t{}", notes.join("\t"));
        }
    }
    for reason in reasons {
        let _ = writeln!(text, "?{reason}");
    }
    text
}

fn benchmarks(sources: &[Source<'_>], ids: &[&str], known: &BTreeMap<&str, usize>) -> Vec<String> {
    let mut lines: Vec<String> = ids.iter().map(|id| plain(id)).collect();
    for Source { run, .. } in sources {
        let mut of_it = vec![String::new(); ids.len()];
        for (place, words) in numbers(run, known) {
            of_it[place] = words;
        }
        for (line, words) in lines.iter_mut().zip(of_it) {
            line.push('\t');
            line.push_str(&words);
        }
    }
    lines
}

/// The median and the ratio of a run's benchmarks. Of those with one id the first counts.
fn numbers(run: &Run, known: &BTreeMap<&str, usize>) -> BTreeMap<usize, String> {
    let mut numbers = BTreeMap::new();
    for (_, _, cell) in run.cells() {
        let Some(&place) = known.get(cell.id.as_str()) else { continue };
        numbers.entry(place).or_insert_with(|| {
            let median = cell.median.map_or_else(String::new, |median| number::time(median.point));
            let ratio = cell.ratio.map_or_else(String::new, |of| number::ratio(of.raw.point));
            format!("{median}|{ratio}")
        });
    }
    numbers
}

fn spelt(change: &compare::Change) -> String {
    let finding = match change.finding {
        Finding::Better => "b",
        Finding::Worse => "w",
        Finding::Indistinguishable => "",
    };
    // An interval is of the logarithm, and as wide to either side ([`crate::stats::Error`]).
    let off = change.ratio.high / change.ratio.point;
    format!("{} {}{finding}", significant(change.ratio.point), significant(off))
}

/// A number to five significant digits, as short as it can be: without a zero before its point.
fn significant(value: f64) -> String {
    let rounded = format!("{value:.4e}").parse().unwrap_or(value);
    let spelt = format!("{rounded}");
    spelt
        .strip_prefix('0')
        .filter(|rest| rest.starts_with('.'))
        .map_or(spelt.clone(), str::to_owned)
}

/// The place of a reason, shortened where each cell would have one of its own.
fn reason(why: &str, reasons: &mut Vec<String>) -> usize {
    let stalled = "it stalled";
    let why = match why.starts_with(stalled) {
        true => format!("{stalled}, for as long as the next client took"),
        false => plain(why),
    };
    reasons.iter().position(|known| *known == why).unwrap_or_else(|| {
        reasons.push(why);
        reasons.len() - 1
    })
}

/// What is to be minded of two runs: what they differ in, and what was taken out of their
/// ratios.
pub fn notes(comparison: &Comparison) -> Vec<String> {
    let mut notes = comparison.warnings.clone();
    let shifts = comparison.shifts.iter().map(|shift| shift.ratio);
    let (low, high) = shifts
        .fold((f64::MAX, 0.0), |(low, high): (f64, f64), ratio| (low.min(ratio), high.max(ratio)));
    if high > 0.0 {
        let [low, high] = [low, high].map(number::ratio);
        let span = if low == high { low } else { format!("{low} to {high}") };
        let of = number::of(comparison.shifts.len(), "collection");
        notes.push(format!(
            "taken out, since all series of a collection moved by it: {span}\u{d7}, in {of}"
        ));
    }
    notes
}

/// A text in one line and between two tabs.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_keeps_five_digits_and_no_more() {
        assert_eq!(
            [1.295_04, 0.034_567_8, 1.0, 12_345.6, 0.0].map(significant),
            ["1.295", ".034568", "1", "12346", "0"]
        );
    }
}
