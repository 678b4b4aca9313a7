//! The map of pitfalls on the page and in the closing lines: what every loop came to under
//! every fault, and why.

mod cells;
mod facts;

use cells::{Notes, field, letters};
pub use facts::line;

use crate::fault;
use crate::kernel::NATIVE;
use crate::record::Run;
use crate::record::loops::{self, Loop};
use crate::record::map::{Cell, Column, Map};
use crate::verdict::Verdict;

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
    /// The arguments of `rstall show` that each column is.
    pub arguments: Vec<String>,
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
    /// The options of `rstall show` that the first of them is.
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
    /// Where its reason is listed; empty where nothing needs one.
    pub note: String,
    /// The same in words, for those who do not see it.
    pub words: String,
    /// The id of its rule or reason; empty where there is none.
    pub explained: String,
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
            facts: facts::of(map),
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
            options: loops.first().map_or_else(String::new, |first| options(first)),
            loops: named.map(|named| (named.backends.join(" "), named.ways)).collect(),
            cells: cells.collect(),
        }
    });
    Matrix {
        at,
        kernel: kernel.to_owned(),
        modelled: kernel != NATIVE.name,
        rows: rows.collect(),
        arguments: columns.iter().map(|&column| arguments(&map.columns[column])).collect(),
        faults,
        arms,
    }
}

/// What a column is on the command line.
fn arguments(column: &Column) -> String {
    let arm = if column.arm.is_empty() { String::new() } else { format!(" --arm {}", column.arm) };
    let kernel = match column.kernel == NATIVE.name {
        true => String::new(),
        false => format!(" --kernel {}", column.kernel),
    };
    format!("{}{arm}{kernel}", column.fault)
}

/// What a loop is on the command line.
fn options(of: &Loop) -> String {
    let (mode, retry) = (of.mode.name(), of.retry.name());
    let Loop { backend, discipline, .. } = of;
    format!("--backend {backend} --listener {mode} --discipline {discipline} --retry {retry}")
}
