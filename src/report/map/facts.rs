//! The map in sentences: how much was tried and what it came to.

use crate::kernel::NATIVE;
use crate::record::Run;
use crate::record::map::Map;
use crate::report::number;

/// How many unexpected cells the closing line names.
const NAMED: usize = 3;

/// What was tried and what it came to: a clause on native, and one on all that are modelled.
fn clauses(map: &Map) -> [Option<String>; 2] {
    let clause = |modelled: bool| {
        let columns = map.columns_of(|kernel| (kernel != NATIVE.name) == modelled);
        let tried = map.tried(&columns);
        let counts = map.counts(&columns).into_iter().filter(|(_, n)| *n > 0);
        let counts: Vec<String> =
            counts.map(|(verdict, n)| format!("{} {verdict}", number::count(n as u64))).collect();
        let on = if modelled { "on modelled kernels" } else { "on this machine's own kernel" };
        let came = if counts.is_empty() { "no verdict".to_owned() } else { counts.join(", ") };
        (tried > 0).then(|| format!("{} {on}: {came}", number::of(tried, "cell")))
    };
    [clause(false), clause(true)]
}

pub(super) fn of(map: &Map) -> Vec<String> {
    let mut facts: Vec<String> =
        clauses(map).into_iter().flatten().map(|clause| format!("{clause}.")).collect();
    if facts.is_empty() {
        facts.push("No cell was tried.".to_owned());
    }
    let times = match map.trials {
        1 => "once".to_owned(),
        n => format!("{} times, costly ones a third as often", number::count(n as u64)),
    };
    let took = number::time(map.took_s * 1e9);
    let ended = if map.interrupted { " It was ended early." } else { "" };
    facts.push(format!("Each was tried {times}, in {took} in all.{ended}"));
    facts.push(match map.unexpected.len() {
        0 => "Every one came to what it had to.".to_owned(),
        n => format!("{} did not come to what they had to.", number::of(n, "cell")),
    });
    facts
}

/// The map in a line at the end of a run; `None` where the record has none.
pub fn line(run: &Run) -> Option<String> {
    let map = match run.map.as_ref()? {
        Err(why) => return Some(format!("Map of pitfalls: there is none: {why}")),
        Ok(map) => map,
    };
    let mut parts: Vec<String> = clauses(map).into_iter().flatten().collect();
    if parts.is_empty() {
        parts.push("no cell was tried".to_owned());
    }
    let named = map.unexpected.iter().take(NAMED).map(|one| one.words());
    let mut named: Vec<String> = named.collect();
    if map.unexpected.len() > NAMED {
        named.push(format!("{} more", map.unexpected.len() - NAMED));
    }
    parts.push(match map.unexpected.len() {
        0 => "every one came to what it had to".to_owned(),
        n => format!("UNEXPECTED {n}: {}", named.join("; ")),
    });
    let ended = if map.interrupted { " (ended early)" } else { "" };
    Some(format!("Map of pitfalls{ended}: {}", parts.join("; ")))
}
