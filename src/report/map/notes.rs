//! The rules and the reasons that the cells of a map rest on.

use super::{Mark, Rule};
use crate::record::map::{Cell, Map, RuleText};

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

    pub(super) fn rule(&self, name: &str) -> (usize, Option<&'a RuleText>) {
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

    pub(super) fn reason(&self, reason: &str) -> String {
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
