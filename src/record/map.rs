//! The map of verdicts, as it is kept in a run's record: loops that came to the same in every
//! column are one row.

use serde::{Deserialize, Serialize};

use super::loops::Loop;
use crate::backend::Entry;
use crate::fault::{Case, Fault};
use crate::kernel;
use crate::listener::Mode;
use crate::outcome::RetrySet;
use crate::verdict::Verdict;
use crate::verdict::cases::{self, Shown};
use crate::verdict::figures::Figures;
use crate::verdict::rules;
use crate::verdict::sweep::{Plan, Tried};

/// The map of one machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Map {
    /// How often each cell was tried; costly ones a third as often.
    pub trials: usize,
    /// How long that took, in seconds.
    pub took_s: f64,
    /// Whether it was ended before all cells had been tried.
    pub interrupted: bool,
    /// What loops were tried under.
    pub columns: Vec<Column>,
    /// The loops, those together that came to the same.
    pub rows: Vec<Row>,
    /// The rules that cells were held against, by name.
    pub rules: Vec<RuleText>,
    /// The cells that did not come to what they had to.
    pub unexpected: Vec<Unexpected>,
    /// The backends that this machine has not, and why.
    pub absent: Vec<(String, String)>,
    /// What was measured beside the verdicts, where a fault is about more than a verdict.
    pub figures: Vec<Measured>,
}

/// One way in which one fault is played, on one kernel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// The kernel; all but `native` are modelled.
    pub kernel: String,
    /// The fault.
    pub fault: String,
    /// Its arm; empty where it has one.
    pub arm: String,
}

/// Loops that came to the same in every column, for the same reasons.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Which they are.
    pub loops: Vec<Loop>,
    /// What they came to, column by column.
    pub cells: Vec<Cell>,
}

/// What a loop came to in one column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cell {
    /// It was tried, and judged by this rule.
    Tried {
        /// Its worst verdict; `None` where there was none.
        verdict: Option<Verdict>,
        /// The rule's name.
        rule: String,
    },
    /// It was not, and why.
    Not(String),
    /// The sweep ended before.
    Missing,
}

impl Cell {
    /// What stands for it where a letter must do.
    pub fn letter(&self) -> char {
        match self {
            Cell::Tried { verdict: Some(verdict), .. } => verdict.letter(),
            Cell::Tried { verdict: None, .. } | Cell::Missing => '?',
            Cell::Not(_) if self.is_not_modelled() => '~',
            Cell::Not(_) => '-',
        }
    }

    /// Whether it was not tried since the kernel could not be modelled for it.
    pub fn is_not_modelled(&self) -> bool {
        matches!(self, Cell::Not(reason) if reason.starts_with("not modelled"))
    }
}

/// A rule, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleText {
    /// Its name.
    pub name: String,
    /// What it allows.
    pub verdicts: Vec<Verdict>,
    /// Why.
    pub why: String,
    /// Where that is to be read.
    pub source: String,
}

/// A cell that did not come to what it had to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Unexpected {
    /// The loop.
    pub of: Loop,
    /// The column.
    pub column: Column,
    /// The rule's name.
    pub rule: String,
    /// How often it came to each verdict.
    pub counts: Vec<(Verdict, usize)>,
    /// What was seen, or why nothing could be judged.
    pub seen: String,
}

/// What was measured of one loop under one fault.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// The loop.
    pub of: Loop,
    /// The column.
    pub column: Column,
    /// Its verdict.
    pub verdict: Verdict,
    /// What was in vain or lost, for each connection.
    pub per_connection: f64,
    /// How many trials it is the median of.
    pub trials: usize,
    /// The figures.
    pub figures: Figures,
}

impl Map {
    /// Puts the cells of a sweep into a map. They are all of the plan's, or its first.
    pub fn of(plan: &Plan, tried: &[Tried], absent: Vec<(String, String)>, took_s: f64) -> Map {
        let columns: Vec<Column> = plan.columns().into_iter().map(column).collect();
        let mut rows: Vec<Row> = Vec::new();
        for of_a_loop in tried.chunks(columns.len().max(1)) {
            let Some(first) = of_a_loop.first() else { continue };
            let mut cells: Vec<Cell> = of_a_loop.iter().map(cell).collect();
            cells.resize(columns.len(), Cell::Missing);
            let name = name(first);
            match rows.iter_mut().find(|row| row.cells == cells) {
                Some(row) => row.loops.push(name),
                None => rows.push(Row { loops: vec![name], cells }),
            }
        }
        Map {
            trials: plan.trials,
            took_s,
            interrupted: tried.len() < plan.cells().len(),
            columns,
            rows,
            rules: rules::all().map(rule).collect(),
            unexpected: tried.iter().filter_map(unexpected).collect(),
            absent,
            figures: tried.iter().filter_map(measured).collect(),
        }
    }

    /// The backend by which a fault is shown in this map; `None` where no loop of it fell ill,
    /// or the fault is a control.
    pub fn shown(&self, fault: &Fault) -> Option<Shown> {
        let came = |entry: &Entry, case: &Case| self.verdict(fault, case, entry.name);
        cases::shown(fault.cases.as_ref()?, came)
    }

    /// What a backend's loop came to.
    fn verdict(&self, fault: &Fault, case: &Case, backend: &str) -> Option<Verdict> {
        let column = self.columns.iter().position(|column| {
            column.kernel == case.kernel && column.fault == fault.name && column.arm == case.arm
        })?;
        let is_it = |one: &Loop| {
            one.backend == backend
                && one.mode == case.mode
                && one.discipline == case.discipline
                && one.retry == case.retry
        };
        let row = self.rows.iter().find(|row| row.loops.iter().any(is_it))?;
        match row.cells.get(column)? {
            Cell::Tried { verdict, .. } => *verdict,
            Cell::Not(_) | Cell::Missing => None,
        }
    }

    /// The kernels, in the order of the columns.
    pub fn kernels(&self) -> Vec<&str> {
        let mut kernels: Vec<&str> = Vec::new();
        for Column { kernel, .. } in &self.columns {
            if !kernels.contains(&kernel.as_str()) {
                kernels.push(kernel);
            }
        }
        kernels
    }

    /// Which columns are of such a kernel.
    pub fn columns_of(&self, kernel: impl Fn(&str) -> bool) -> Vec<usize> {
        (0..self.columns.len()).filter(|&at| kernel(&self.columns[at].kernel)).collect()
    }

    /// The rows, with those together that have the same letters in these columns.
    pub fn merged(&self, columns: &[usize]) -> Vec<(Vec<char>, Vec<&Row>)> {
        let mut rows: Vec<(Vec<char>, Vec<&Row>)> = Vec::new();
        for row in &self.rows {
            let letters: Vec<char> = columns.iter().map(|&at| row.cell(at).letter()).collect();
            match rows.iter_mut().find(|(known, _)| *known == letters) {
                Some((_, known)) => known.push(row),
                None => rows.push((letters, vec![row])),
            }
        }
        rows
    }

    /// How many cells of these columns came to each verdict, from good to bad.
    pub fn counts(&self, columns: &[usize]) -> Vec<(Verdict, usize)> {
        let count = |one: Verdict| {
            let is = |cell: &Cell| match cell {
                Cell::Tried { verdict, .. } => *verdict == Some(one),
                _ => false,
            };
            (one, self.count(columns, is))
        };
        Verdict::ALL.into_iter().map(count).collect()
    }

    /// How many cells of these columns were tried.
    pub fn tried(&self, columns: &[usize]) -> usize {
        self.count(columns, |cell| matches!(cell, Cell::Tried { .. }))
    }

    fn count(&self, columns: &[usize], is: impl Fn(&Cell) -> bool) -> usize {
        let of_a_row = |row: &Row| {
            let cells = columns.iter().filter_map(|&at| row.cells.get(at));
            cells.filter(|cell| is(cell)).count() * row.loops.len()
        };
        self.rows.iter().map(of_a_row).sum()
    }
}

impl Row {
    /// What its loops came to in a column; a cell that it lacks is missing.
    pub fn cell(&self, column: usize) -> &Cell {
        self.cells.get(column).unwrap_or(&Cell::Missing)
    }
}

impl Column {
    /// Whether its kernel is a modelled one.
    pub fn is_modelled(&self) -> bool {
        self.kernel != kernel::NATIVE.name
    }

    /// The fault, with its arm where it has several: `herd/own_4`.
    pub fn fault_and_arm(&self) -> String {
        match self.arm.as_str() {
            "" => self.fault.clone(),
            arm => format!("{}/{arm}", self.fault),
        }
    }
}

impl Unexpected {
    /// The whole of it in a sentence without its full stop.
    pub fn sentence(&self, map: &Map) -> String {
        let rule = map.rules.iter().find(|known| known.name == self.rule);
        let expected = rule.map_or_else(
            || format!("expected is what the rule {} says", self.rule),
            |rule| {
                let allowed: Vec<&str> = rule.verdicts.iter().map(|one| one.name()).collect();
                format!("expected {}, since {}", allowed.join(" or "), rule.why)
            },
        );
        format!("{} ({}); {expected}", self.words(), self.seen)
    }

    /// Which cell, and what it came to.
    pub fn words(&self) -> String {
        let counts: Vec<String> =
            self.counts.iter().map(|(verdict, n)| format!("{verdict} {n}x")).collect();
        let modelled = if self.column.is_modelled() { "modelled " } else { "" };
        format!(
            "{} under {} on {modelled}{}: {}",
            self.of,
            self.column.fault_and_arm(),
            self.column.kernel,
            if counts.is_empty() { "no verdict".to_owned() } else { counts.join(", ") },
        )
    }
}

fn column(
    (kernel, fault, arm): (&crate::kernel::Kernel, &crate::fault::Fault, &crate::fault::Arm),
) -> Column {
    let [kernel, fault, arm] = [kernel.name, fault.name, arm.name].map(str::to_owned);
    Column { kernel, fault, arm }
}

fn name(tried: &Tried) -> Loop {
    let cell = &tried.cell;
    Loop {
        backend: cell.backend.to_owned(),
        mode: cell.listener.mode,
        discipline: cell.policy.discipline,
        retry: cell.policy.retry,
    }
}

fn cell(tried: &Tried) -> Cell {
    match &tried.result {
        Err(misfit) => Cell::Not(misfit.to_string()),
        Ok(seen) => Cell::Tried {
            verdict: seen.worst.as_ref().map(|worst| worst.verdict),
            rule: tried.rule.name.to_owned(),
        },
    }
}

fn rule(rule: &rules::Rule) -> RuleText {
    RuleText {
        name: rule.name.to_owned(),
        verdicts: rule.verdicts.to_vec(),
        why: rule.why.to_owned(),
        source: rule.source.to_owned(),
    }
}

fn unexpected(tried: &Tried) -> Option<Unexpected> {
    let seen = tried.result.as_ref().ok().filter(|_| !tried.is_as_expected())?;
    let told = seen.unjudged.clone();
    Some(Unexpected {
        of: name(tried),
        column: column((tried.cell.kernel, tried.cell.fault, tried.cell.arm)),
        rule: tried.rule.name.to_owned(),
        counts: seen.counts.iter().map(|(&verdict, &n)| (verdict, n)).collect(),
        seen: told.or_else(|| Some(seen.worst.as_ref()?.seen.clone())).unwrap_or_default(),
    })
}

/// What is kept of a cell's figures: those of a lack of descriptors, of a herd and of a storm,
/// of the loops that retry and are on a non-blocking listener, or wait in accept.
fn measured(tried: &Tried) -> Option<Measured> {
    let cell = &tried.cell;
    let seen = tried.result.as_ref().ok()?;
    let worst = seen.worst.as_ref()?;
    let only_mode = cell.driver.modes.len() == 1 || cell.listener.mode == Mode::NonBlocking;
    let kept = cell.fault.has_figures && only_mode && cell.policy.retry == RetrySet::Stevens;
    kept.then(|| Measured {
        of: name(tried),
        column: column((cell.kernel, cell.fault, cell.arm)),
        verdict: worst.verdict,
        per_connection: worst.per_connection,
        trials: seen.trials(),
        figures: seen.figures.clone(),
    })
}
