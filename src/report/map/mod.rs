//! The map of pitfalls on the page and in the closing lines: what every loop came to under
//! every fault, and why.

mod facts;
mod matrix;
mod notes;

pub use facts::line;
use matrix::Matrix;
use notes::{Notes, letters};

use crate::kernel::NATIVE;
use crate::record::Run;
use crate::record::map::Map;
use crate::verdict::Verdict;

/// A verdict as it is shown: never by colour alone.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    /// The class that colours it.
    pub class: &'static str,
    /// The same of a cell of a table, short: there are thousands of them.
    pub cell: &'static str,
    /// Its letter.
    pub letter: char,
    /// Its word.
    pub word: &'static str,
}

impl Mark {
    /// Of a verdict.
    pub fn of(verdict: Verdict) -> Mark {
        let (class, cell) = match verdict {
            Verdict::Safe => ("v-safe", "vs"),
            Verdict::Wastes => ("v-wastes", "vw"),
            Verdict::Starves => ("v-starves", "vv"),
            Verdict::Loses => ("v-loses", "vl"),
            Verdict::Dies => ("v-dies", "vd"),
            Verdict::Stalls => ("v-stalls", "vx"),
        };
        Mark { class, cell, letter: verdict.letter(), word: verdict.name() }
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
        let mut entries = 0;
        let matrix = |kernel: &&str| Matrix::of(map, &notes, kernel, &mut entries);
        Shown {
            facts: facts::of(map),
            unexpected: map
                .unexpected
                .iter()
                .map(|one| (format!("{}.", one.sentence(map)), one.column.is_modelled()))
                .collect(),
            legend: Verdict::ALL.map(|verdict| (Mark::of(verdict), verdict.about())).to_vec(),
            matrices: kernels.iter().map(matrix).collect(),
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
