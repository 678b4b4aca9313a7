//! The map of one kernel as a table, and an entry for all cells of a column that came to the
//! same by the same rule: a cell has its letter and leads to its entry.

use super::{Mark, Notes};
use crate::fault;
use crate::kernel::NATIVE;
use crate::record::loops::{self, Loop};
use crate::record::map::{Cell, Column, Map, Measured};
use crate::report::{command, number};
use crate::verdict::Verdict;

/// The table of one kernel.
#[derive(Debug)]
pub struct Matrix {
    /// The kernel's name.
    pub kernel: String,
    /// Whether it is modelled.
    pub modelled: bool,
    /// The faults over the columns.
    pub faults: Vec<Head>,
    /// The arms under them, empty where a fault has one; whether each is its fault's first; and
    /// what the column is on the command line.
    pub arms: Vec<(String, bool, String)>,
    /// The loops, those together that came to the same.
    pub rows: Vec<Row>,
    /// What the cells lead to, column by column.
    pub told: Vec<Told>,
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
    /// What the first of them is on the command line.
    pub options: String,
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
    /// The number of the entry that it leads to.
    pub entry: usize,
}

/// The entries of one column.
#[derive(Debug)]
pub struct Told {
    /// The fault.
    pub fault: String,
    /// Whether there is an entry of it to link to.
    pub is_known: bool,
    /// Its arm; may be empty.
    pub arm: String,
    /// One for all cells that came to the same by the same rule.
    pub entries: Vec<Entry>,
}

/// What many cells of a column have in common.
#[derive(Debug)]
pub struct Entry {
    /// Its number, also its id.
    pub number: usize,
    /// Its class.
    pub class: &'static str,
    /// The class of its cells.
    pub cell: &'static str,
    /// Its letter.
    pub letter: char,
    /// Its word: a verdict's, or why there is none.
    pub word: &'static str,
    /// Whether its rule does not allow it.
    pub is_odd: bool,
    /// The rules that it was held against: number and name.
    pub rules: Vec<(usize, String)>,
    /// Why it was not tried: the mark of the reason, or the reason where it has none.
    pub reasons: Vec<(String, &'static str)>,
    /// How many loops; the rows whose cells lead here name them.
    pub loops: String,
    /// What was counted beside; may be empty.
    pub counted: String,
    /// The command that plays the first of these loops again; empty where none was tried.
    pub command: String,
}

impl Matrix {
    /// Of a kernel. `number` is that of the last entry so far.
    pub(super) fn of(map: &Map, notes: &Notes<'_>, kernel: &str, number: &mut usize) -> Matrix {
        let columns = map.columns_of(|one| one == kernel);
        let (mut faults, mut arms): (Vec<Head>, Vec<_>) = (Vec::new(), Vec::new());
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
            arms.push((arm.clone(), is_first, command::column_of(&map.columns[column])));
        }
        let merged: Vec<Vec<_>> = map.merged(&columns).into_iter().map(|(_, rows)| rows).collect();
        let loops: Vec<Vec<&Loop>> =
            merged.iter().map(|rows| rows.iter().flat_map(|row| &row.loops).collect()).collect();
        let mut rows: Vec<Row> = loops
            .iter()
            .map(|loops| {
                let named = loops::named(loops).into_iter();
                let named = named.map(|named| (named.backends.join(" "), named.ways));
                let options = loops.first().map(|one| command::loop_of(one)).unwrap_or_default();
                Row { loops: named.collect(), options, cells: Vec::new() }
            })
            .collect();
        let mut told = Vec::new();
        for (&at, (_, is_first, _)) in columns.iter().zip(&arms) {
            // Rows of a column with the same cells, as one.
            let mut alike: Vec<(Vec<&Cell>, Vec<usize>)> = Vec::new();
            for (row, of_it) in merged.iter().enumerate() {
                let mut cells: Vec<&Cell> = Vec::new();
                for cell in of_it.iter().map(|row| row.cell(at)) {
                    if !cells.contains(&cell) {
                        cells.push(cell);
                    }
                }
                match alike.iter_mut().find(|(known, _)| *known == cells) {
                    Some((_, rows)) => rows.push(row),
                    None => alike.push((cells, vec![row])),
                }
            }
            let column = &map.columns[at];
            let mut entries = Vec::new();
            let mut fields: Vec<Option<Field>> = rows.iter().map(|_| None).collect();
            for (cells, of_it) in alike {
                *number += 1;
                let of_them: Vec<&Loop> =
                    of_it.iter().flat_map(|&row| loops[row].iter().copied()).collect();
                let entry = entry(map, notes, *number, column, &cells, &of_them);
                for row in of_it {
                    let class = classes(&entry, *is_first);
                    fields[row] = Some(Field { class, letter: entry.letter, entry: *number });
                }
                entries.push(entry);
            }
            for (row, field) in rows.iter_mut().zip(fields) {
                row.cells.extend(field);
            }
            told.push(Told {
                fault: column.fault.clone(),
                is_known: fault::find(&column.fault).is_some(),
                arm: column.arm.clone(),
                entries,
            });
        }
        let modelled = kernel != NATIVE.name;
        Matrix { kernel: kernel.to_owned(), modelled, faults, arms, rows, told }
    }
}

/// The classes of a cell, whether it is odd, and whether a line is drawn before it.
fn classes(entry: &Entry, is_first: bool) -> String {
    let [odd, first] =
        [(entry.is_odd, " odd"), (is_first, " f")].map(|(is, class)| if is { class } else { "" });
    format!("{}{odd}{first}", entry.cell)
}

fn entry(
    map: &Map,
    notes: &Notes<'_>,
    number: usize,
    column: &Column,
    cells: &[&Cell],
    of: &[&Loop],
) -> Entry {
    let letter = cells.first().map_or('?', |cell| cell.letter());
    let mut entry = Entry {
        number,
        class: "v-none",
        cell: "vq",
        letter,
        word: "no verdict",
        is_odd: false,
        rules: Vec::new(),
        reasons: Vec::new(),
        loops: number::of(of.len(), "loop"),
        counted: String::new(),
        command: String::new(),
    };
    for cell in cells {
        match cell {
            Cell::Missing => entry.reasons.push((String::new(), "the sweep ended before it")),
            Cell::Not(why) => {
                let is_modelled = cell.is_not_modelled();
                (entry.word, entry.cell) =
                    if is_modelled { ("not modelled", "vm") } else { ("not applicable", "vn") };
                entry.reasons.push((notes.reason(why), ""));
            }
            Cell::Tried { verdict, rule } => {
                let (number, text) = notes.rule(rule);
                entry.rules.push((number, rule.clone()));
                if let (Some(verdict), Some(text)) = (verdict, text) {
                    entry.is_odd |= !text.verdicts.contains(verdict);
                }
                if let Some(mark) = verdict.map(Mark::of) {
                    (entry.class, entry.cell, entry.word) = (mark.class, mark.cell, mark.word);
                }
                let first = || of.first().map(|one| command::of(column, one));
                entry.command = first().unwrap_or_default();
            }
        }
    }
    if !entry.command.is_empty() {
        entry.counted = counted(map, column, of);
    }
    entry
}

/// What was counted of these loops in a column: what was in vain or lost a connection.
fn counted(map: &Map, column: &Column, of: &[&Loop]) -> String {
    let is_it = |one: &&Measured| {
        one.column == *column && one.verdict != Verdict::Safe && of.contains(&&one.of)
    };
    let found: Vec<&Measured> = map.figures.iter().filter(is_it).collect();
    let each = found.iter().map(|one| one.per_connection);
    let range = each.fold(None, |range: Option<(f64, f64)>, n| {
        let (low, high) = range.unwrap_or((n, n));
        Some((low.min(n), high.max(n)))
    });
    range.map_or_else(String::new, |(low, high)| {
        let (low, high) = (number::each(low), number::each(high));
        let span = if low == high { low } else { format!("{low} to {high}") };
        format!("{span} in vain or lost a connection, by {}", number::of(found.len(), "loop"))
    })
}
