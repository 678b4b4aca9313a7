//! The map of pitfalls on the page and in the closing lines: what every loop came to under
//! every fault, and why.

use super::number;
use crate::fault;
use crate::kernel::NATIVE;
use crate::record::Run;
use crate::record::loops::{self, Loop};
use crate::record::map::{Cell, Column, Map, RuleText};
use crate::verdict::Verdict;

/// How many unexpected cells the closing line names.
const NAMED: usize = 3;

/// A verdict as it is shown: never by colour alone.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    /// The class that colours it.
    pub class: &'static str,
    /// Its letter.
    pub letter: char,
    /// Its word.
    pub word: &'static str,
}

impl Mark {
    /// Of a verdict.
    pub fn of(verdict: Verdict) -> Mark {
        let class = match verdict {
            Verdict::Safe => "v-safe",
            Verdict::Wastes => "v-wastes",
            Verdict::Starves => "v-starves",
            Verdict::Loses => "v-loses",
            Verdict::Dies => "v-dies",
            Verdict::Stalls => "v-stalls",
        };
        Mark { class, letter: verdict.letter(), word: verdict.name() }
    }
}

/// The section on the map, its texts spelt.
#[derive(Debug)]
pub struct Shown {
    /// How much was tried and what it came to, in sentences: of this machine's own kernel, and
    /// apart from that of the modelled ones.
    pub facts: Vec<String>,
    /// The cells that did not come to what they had to, in sentences, and whether each is
    /// modelled.
    pub unexpected: Vec<(String, bool)>,
    /// What the letters of verdicts mean.
    pub legend: Vec<(Mark, &'static str)>,
    /// A table a kernel, this machine's own first.
    pub matrices: Vec<Matrix>,
    /// The rules that cells name.
    pub rules: Vec<Rule>,
    /// Why cells were not tried: the mark, and the reason.
    pub reasons: Vec<(String, String)>,
    /// The backends that were not there, and why.
    pub absent: Vec<(String, String)>,
}

/// The table of one kernel.
#[derive(Debug)]
pub struct Matrix {
    /// What its ids end in.
    pub at: usize,
    /// The kernel's name.
    pub kernel: String,
    /// Whether it is modelled.
    pub modelled: bool,
    /// The faults over the columns.
    pub faults: Vec<Head>,
    /// The arms under them; empty where a fault has one.
    pub arms: Vec<(String, bool)>,
    /// The loops, those together that came to the same.
    pub rows: Vec<Row>,
}

/// A fault over its columns.
#[derive(Debug)]
pub struct Head {
    /// The fault.
    pub fault: String,
    /// Whether this rstall knows it, so that there is an entry to link to.
    pub is_known: bool,
    /// How many columns it has.
    pub columns: usize,
}

/// Loops and what they came to.
#[derive(Debug)]
pub struct Row {
    /// The loops: backends, and their combinations of mode, discipline and retry set.
    pub loops: Vec<(String, String)>,
    /// A cell for each column.
    pub cells: Vec<Field>,
}

/// One cell.
#[derive(Debug)]
pub struct Field {
    /// Its classes.
    pub class: String,
    /// Its letter.
    pub letter: char,
    /// Where its reason is listed; empty where nothing needs one.
    pub note: String,
    /// The same in words, for those who do not see it.
    pub words: String,
    /// What it came to, by which rule and why; or why it was not tried.
    pub title: String,
}

/// One rule.
#[derive(Debug)]
pub struct Rule {
    /// Its number on the page.
    pub number: usize,
    /// Its name.
    pub name: String,
    /// What it allows.
    pub marks: Vec<Mark>,
    /// Why.
    pub why: String,
    /// Where that is to be read; may be empty.
    pub source: String,
}

/// The map of a run, or a sentence on why there is none.
pub fn of(run: &Run) -> Result<Shown, String> {
    match &run.map {
        None => Err("This run has no map: its record does not tell what each loop came to under \
                     each fault."
            .to_owned()),
        Some(Err(why)) => Err(format!("There is no map of this run: {why}.")),
        Some(Ok(map)) => Ok(Shown::of(map)),
    }
}

impl Shown {
    fn of(map: &Map) -> Shown {
        let notes = Notes::of(map);
        let mut kernels = map.kernels();
        // This machine's own stands before all that are modelled.
        kernels.sort_by_key(|kernel| *kernel != NATIVE.name);
        let matrix = |(at, kernel): (usize, &&str)| matrix(map, &notes, at, kernel);
        Shown {
            facts: facts(map),
            unexpected: map
                .unexpected
                .iter()
                .map(|one| (format!("{}.", one.sentence(map)), one.column.is_modelled()))
                .collect(),
            legend: Verdict::ALL.map(|verdict| (Mark::of(verdict), verdict.about())).to_vec(),
            matrices: kernels.iter().enumerate().map(matrix).collect(),
            rules: notes.rules(),
            reasons: notes
                .reasons
                .iter()
                .enumerate()
                .map(|(at, reason)| (letters(at), (*reason).to_owned()))
                .collect(),
            absent: map.absent.clone(),
        }
    }
}

/// The rules and the reasons that cells refer to, in the order of their numbers.
struct Notes<'a> {
    /// By name; `None` for one that the record does not explain.
    rules: Vec<(&'a str, Option<&'a RuleText>)>,
    reasons: Vec<&'a str>,
}

impl<'a> Notes<'a> {
    fn of(map: &'a Map) -> Notes<'a> {
        let cells = || map.rows.iter().flat_map(|row| row.cells.iter().take(map.columns.len()));
        let (mut named, mut reasons): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
        for cell in cells() {
            let (list, text) = match cell {
                Cell::Tried { rule, .. } => (&mut named, rule),
                Cell::Not(reason) => (&mut reasons, reason),
                Cell::Missing => continue,
            };
            if !list.contains(&text.as_str()) {
                list.push(text);
            }
        }
        // In the order in which they are asked, and those that nobody knows behind them.
        let explained = |name: &str| map.rules.iter().find(|rule| rule.name == name);
        let place = |name: &str| map.rules.iter().position(|rule| rule.name == name);
        named.sort_by_key(|name| place(name).unwrap_or(usize::MAX));
        Notes { rules: named.into_iter().map(|name| (name, explained(name))).collect(), reasons }
    }

    fn rule(&self, name: &str) -> (usize, Option<&'a RuleText>) {
        let at = self.rules.iter().position(|(known, _)| *known == name);
        at.map_or((0, None), |at| (at + 1, self.rules[at].1))
    }

    fn rules(&self) -> Vec<Rule> {
        let one = |(at, (name, text)): (usize, &(&str, Option<&RuleText>))| Rule {
            number: at + 1,
            name: (*name).to_owned(),
            marks: text.map_or_else(Vec::new, |text| {
                text.verdicts.iter().copied().map(Mark::of).collect()
            }),
            why: text.map_or("the record does not say why", |text| &text.why).to_owned(),
            source: text.map_or_else(String::new, |text| text.source.clone()),
        };
        self.rules.iter().enumerate().map(one).collect()
    }

    fn reason(&self, reason: &str) -> String {
        self.reasons.iter().position(|known| *known == reason).map_or_else(String::new, letters)
    }
}

/// `a` to `z`, then `aa`: the marks of reasons.
fn letters(at: usize) -> String {
    let letter = char::from(b'a' + (at % 26) as u8);
    match at / 26 {
        0 => letter.to_string(),
        before => format!("{}{letter}", letters(before - 1)),
    }
}

fn matrix(map: &Map, notes: &Notes<'_>, at: usize, kernel: &str) -> Matrix {
    let columns = map.columns_of(|one| one == kernel);
    let (mut faults, mut arms): (Vec<Head>, Vec<(String, bool)>) = (Vec::new(), Vec::new());
    for &column in &columns {
        let Column { fault, arm, .. } = &map.columns[column];
        let is_first = faults.last().is_none_or(|head| head.fault != *fault);
        match faults.last_mut() {
            Some(head) if !is_first => head.columns += 1,
            _ => faults.push(Head {
                fault: fault.clone(),
                is_known: fault::find(fault).is_some(),
                columns: 1,
            }),
        }
        arms.push((arm.clone(), is_first));
    }
    let rows = map.merged(&columns).into_iter().map(|(letters, rows)| {
        let loops: Vec<&Loop> = rows.iter().flat_map(|row| &row.loops).collect();
        let named = loops::named(&loops).into_iter();
        let cells = columns.iter().zip(&letters).zip(&arms).map(|((&column, &letter), arm)| {
            let mut alike: Vec<&Cell> = Vec::new();
            for cell in rows.iter().map(|row| row.cell(column)) {
                if !alike.contains(&cell) {
                    alike.push(cell);
                }
            }
            field(&alike, letter, notes, arm.1)
        });
        Row {
            loops: named.map(|named| (named.backends.join(" "), named.ways)).collect(),
            cells: cells.collect(),
        }
    });
    Matrix {
        at,
        kernel: kernel.to_owned(),
        modelled: kernel != NATIVE.name,
        rows: rows.collect(),
        faults,
        arms,
    }
}

/// Cells of one letter, each with a rule or a reason of its own, as one.
fn field(alike: &[&Cell], letter: char, notes: &Notes<'_>, is_first: bool) -> Field {
    let told: Vec<Told> = alike.iter().map(|cell| Told::of(cell, notes)).collect();
    let joined = |pick: fn(&Told) -> &String, between: &str| {
        let texts = told.iter().map(pick).filter(|text| !text.is_empty());
        texts.map(String::as_str).collect::<Vec<_>>().join(between)
    };
    let is_odd = told.iter().any(|told| told.is_odd);
    let (word, class) =
        told.first().map_or(("no verdict", "v-none"), |told| (told.word, told.class));
    let unexpected = if is_odd { ", unexpected" } else { "" };
    let by = joined(|told| &told.by, ", ");
    let of_what = if by.is_empty() { String::new() } else { format!(", by {by}") };
    let [odd, first] =
        [(is_odd, " odd"), (is_first, " first")].map(|(is, class)| if is { class } else { "" });
    Field {
        class: format!("v {class}{odd}{first}"),
        letter,
        // What is well needs no reason to be seen.
        note: if letter == Verdict::Safe.letter() && !is_odd { String::new() } else { by },
        words: format!("{word}{unexpected}{of_what}"),
        title: format!("{word}{unexpected}: {}", joined(|told| &told.why, "; or ")),
    }
}

/// What is told of one cell.
struct Told {
    word: &'static str,
    class: &'static str,
    /// The number of its rule or the mark of its reason; may be empty.
    by: String,
    why: String,
    /// Whether its rule does not allow it.
    is_odd: bool,
}

impl Told {
    fn of(cell: &Cell, notes: &Notes<'_>) -> Told {
        let untried = |word, why: &str, by| Told {
            word,
            class: "v-none",
            by,
            why: why.to_owned(),
            is_odd: false,
        };
        match cell {
            Cell::Missing => untried("no verdict", "the sweep ended before it", String::new()),
            Cell::Not(why) if cell.is_not_modelled() => {
                untried("not modelled", why, notes.reason(why))
            }
            Cell::Not(why) => untried("not applicable", why, notes.reason(why)),
            Cell::Tried { verdict, rule } => {
                let (number, text) = notes.rule(rule);
                let why = text.map_or("the record does not say why", |text| &text.why);
                let is_odd = match (verdict, text) {
                    (Some(verdict), Some(text)) => !text.verdicts.contains(verdict),
                    _ => false,
                };
                Told {
                    word: verdict.map_or("no verdict", Verdict::name),
                    class: verdict.map_or("v-none", |verdict| Mark::of(verdict).class),
                    by: number.to_string(),
                    why: format!("{rule}: {why}"),
                    is_odd,
                }
            }
        }
    }
}

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

fn facts(map: &Map) -> Vec<String> {
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
