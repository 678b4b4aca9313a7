//! The stalls that nobody forces, in one table: each backend on both listeners, side by side.

use super::caveats::Caveats;
use super::findings::missing;
use super::number;
use super::series::{Side, backend, counted, side};
use super::stalls::{self, NATURAL};
use crate::record::{Cell, Run};

/// The table, and the quantiles that it has.
#[derive(Debug)]
pub struct Natural {
    /// The names of the quantiles that at least one row can carry.
    pub quantiles: Vec<&'static str>,
    /// One part for each number of processes.
    pub parts: Vec<Part>,
}

/// The rows of one number of processes.
#[derive(Debug)]
pub struct Part {
    /// `2 processes`.
    pub name: String,
    /// One a backend.
    pub rows: Vec<Row>,
}

/// One backend.
#[derive(Debug)]
pub struct Row {
    /// Its name.
    pub backend: String,
    /// On a blocking listener, and on a non-blocking one.
    pub halves: [Half; 2],
    /// What became of it on either, and why.
    pub missing: Option<(&'static str, String)>,
}

/// One backend on one listener.
#[derive(Debug)]
pub enum Half {
    /// What was found.
    Measured {
        /// The share of bytes that stalled.
        share: String,
        /// The same as a number from 0 to 100.
        bar: String,
        /// How many were never answered; may be none.
        unanswered: String,
        /// The latencies at the table's quantiles; a dash where the count cannot carry them.
        latencies: Vec<String>,
        /// The numbers of the caveats that concern it.
        caveats: Vec<usize>,
    },
    /// What became of it, and why.
    Missing(&'static str, String),
    /// It is not in the record.
    Unknown,
}

const QUANTILES: [(&str, f64); 5] =
    [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999), ("Max", 1.0)];

impl Natural {
    /// Of a run; `None` where the group is not in it or none of it was measured.
    pub fn of(run: &Run, caveats: &Caveats) -> Option<Natural> {
        let group = stalls::native(run, NATURAL)?;
        let cells = || group.collections.iter().flat_map(|collection| &collection.cells);
        let measured = || cells().filter(|cell| missing(&cell.status).is_none());
        measured().next()?;
        let carried =
            |at: f64| measured().filter_map(|c| c.latency.as_ref()?.at(at)).next().is_some();
        let quantiles: Vec<(&str, f64)> =
            QUANTILES.into_iter().filter(|(_, at)| carried(*at)).collect();
        let parts = group.collections.iter().map(|collection| {
            let mut rows: Vec<Row> = Vec::new();
            for cell in &collection.cells {
                let row = row(&mut rows, cell);
                let half = match missing(&cell.status) {
                    Some((what, why)) => Half::Missing(what, why.to_owned()),
                    None => half(cell, &quantiles, caveats.numbers(group, collection, cell)),
                };
                match (side(&cell.series), half) {
                    (Some((_, Side::Blocking)), half) => row.halves[0] = half,
                    (Some((_, Side::NonBlocking)), half) => row.halves[1] = half,
                    (None, Half::Missing(what, why)) => row.missing = Some((what, why)),
                    (None, half) => row.halves[0] = half,
                }
            }
            let name = match collection.parameter.as_deref() {
                Some(workers) => format!("{workers} processes"),
                None => "processes".to_owned(),
            };
            Part { name, rows }
        });
        let parts = parts.collect();
        Some(Natural { quantiles: quantiles.into_iter().map(|(name, _)| name).collect(), parts })
    }
}

/// A share in words, and from 0 to 100.
pub type Share = (String, String);

/// The same in short, for the answer: of each backend the shares alone.
#[derive(Debug)]
pub struct Short {
    /// The numbers of processes.
    pub parts: Vec<String>,
    /// A backend, and its share on a blocking and on a non-blocking listener by number of
    /// processes, in words and from 0 to 100; `None` where there is none.
    pub rows: Vec<(String, Vec<Option<Share>>)>,
}

impl Natural {
    /// In short.
    pub fn short(&self) -> Short {
        let mut names: Vec<&str> = Vec::new();
        for row in self.parts.iter().flat_map(|part| &part.rows) {
            if !names.contains(&row.backend.as_str()) {
                names.push(&row.backend);
            }
        }
        let field = |name: &str, half: usize, part: &Part| {
            let row = part.rows.iter().find(|row| row.backend == name)?;
            match &row.halves[half] {
                Half::Measured { share, bar, .. } => Some((share.clone(), bar.clone())),
                Half::Missing(..) | Half::Unknown => None,
            }
        };
        let row = |name: &&str| {
            let fields = |half| self.parts.iter().map(move |part| field(name, half, part));
            let fields: Vec<_> = fields(0).chain(fields(1)).collect();
            fields.iter().any(Option::is_some).then(|| ((*name).to_owned(), fields))
        };
        Short {
            parts: self.parts.iter().map(|part| part.name.clone()).collect(),
            rows: names.iter().filter_map(row).collect(),
        }
    }
}

fn half(cell: &Cell, quantiles: &[(&str, f64)], caveats: Vec<usize>) -> Half {
    let (bytes, stalled) = (counted(cell, "bytes"), counted(cell, "stalled"));
    let unanswered = counted(cell, "unanswered");
    let latency = |at: f64| cell.latency.as_ref().and_then(|l| number::quantile(l, at));
    let whole = bytes.max(1) as f64;
    Half::Measured {
        share: number::share(stalled, bytes),
        bar: format!("{:.1}", 100.0 * stalled as f64 / whole),
        unanswered: number::count(unanswered),
        latencies: quantiles
            .iter()
            .map(|(_, at)| latency(*at).unwrap_or_else(|| number::NONE.to_owned()))
            .collect(),
        caveats,
    }
}

/// The row of a cell's backend: the last, or a new one.
fn row<'a>(rows: &'a mut Vec<Row>, cell: &Cell) -> &'a mut Row {
    let name = backend(&cell.series);
    let at = match rows.last() {
        Some(last) if last.backend == name => rows.len() - 1,
        _ => {
            let halves = [Half::Unknown, Half::Unknown];
            rows.push(Row { backend: name.to_owned(), halves, missing: None });
            rows.len() - 1
        }
    };
    &mut rows[at]
}
