//! The cells of a map: letters, and what explains each.

use super::{Field, Mark, Rule};
use crate::record::map::{Cell, Map, RuleText};
use crate::verdict::Verdict;

/// The rules and the reasons that cells refer to, in the order of their numbers.
pub(super) struct Notes<'a> {
    /// By name; `None` for one that the record does not explain.
    rules: Vec<(&'a str, Option<&'a RuleText>)>,
    pub(super) reasons: Vec<&'a str>,
}

impl<'a> Notes<'a> {
    pub(super) fn of(map: &'a Map) -> Notes<'a> {
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

    pub(super) fn rules(&self) -> Vec<Rule> {
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
pub(super) fn letters(at: usize) -> String {
    let letter = char::from(b'a' + (at % 26) as u8);
    match at / 26 {
        0 => letter.to_string(),
        before => format!("{}{letter}", letters(before - 1)),
    }
}

/// Cells of one letter, each with a rule or a reason of its own, as one.
pub(super) fn field(alike: &[&Cell], letter: char, notes: &Notes<'_>, is_first: bool) -> Field {
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
        class: format!("{class}{odd}{first}"),
        letter,
        // What is well needs no reason to be seen.
        note: if letter == Verdict::Safe.letter() && !is_odd { String::new() } else { by },
        words: format!("{word}{unexpected}{of_what}"),
        explained: told.iter().find_map(|told| told.explained.clone()).unwrap_or_default(),
    }
}

/// What is told of one cell.
struct Told {
    word: &'static str,
    class: &'static str,
    /// The number of its rule or the mark of its reason; may be empty.
    by: String,
    /// The id of what explains it; `None` where nothing does.
    explained: Option<String>,
    /// Whether its rule does not allow it.
    is_odd: bool,
}

impl Told {
    fn of(cell: &Cell, notes: &Notes<'_>) -> Told {
        let untried = |word, by: String| Told {
            word,
            class: "v-none",
            explained: (!by.is_empty()).then(|| format!("reason-{by}")),
            by,
            is_odd: false,
        };
        match cell {
            Cell::Missing => untried("no verdict", String::new()),
            Cell::Not(why) if cell.is_not_modelled() => untried("not modelled", notes.reason(why)),
            Cell::Not(why) => untried("not applicable", notes.reason(why)),
            Cell::Tried { verdict, rule } => {
                let (number, text) = notes.rule(rule);
                let is_odd = match (verdict, text) {
                    (Some(verdict), Some(text)) => !text.verdicts.contains(verdict),
                    _ => false,
                };
                Told {
                    word: verdict.map_or("no verdict", Verdict::name),
                    class: verdict.map_or("v-none", |verdict| Mark::of(verdict).class),
                    by: number.to_string(),
                    explained: Some(format!("rule-{number}")),
                    is_odd,
                }
            }
        }
    }
}
