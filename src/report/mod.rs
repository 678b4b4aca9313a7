//! The report of a run, or of several: one page, and the lines at the end of `cargo bench`.
//!
//! The page is one file that loads nothing and escapes all that it shows: what is in a record was
//! written by whoever made it. It runs no script but its own, and is complete without. Both say only what the data can carry: a tie
//! is a tie, a tail has the samples behind it, and what was not measured is there with its
//! reason. What a modelled kernel brought about is called modelled wherever it stands, and
//! stands in no sentence, rank or drawing with what this machine's own kernel did.

mod answer;
mod caveats;
mod charts;
mod closing;
mod command;
mod compact;
mod drawing;
mod figures;
mod findings;
mod groups;
mod kernels;
mod links;
mod map;
mod marks;
mod medians;
mod natural;
mod number;
mod pairs;
mod percentiles;
mod pitfalls;
mod probe;
mod remedies;
mod runs;
pub mod script;
mod series;
mod stalls;
mod strip;
mod surroundings;
mod table;
mod verdicts;
mod view;

use std::fmt;
use std::path::Path;

use askama::Template;

use crate::record::Run;
use crate::record::store::{self, StoreError};

pub use closing::closing;
pub use links::Links;

/// The page's name in the reports folder.
pub const PAGE: &str = "index.html";

/// Why there is no page.
#[derive(Debug)]
pub enum ReportError {
    /// A chart could not be drawn.
    Chart(String),
    /// The page could not be put together.
    Page(String),
    /// It could not be written.
    Store(StoreError),
}

impl ReportError {
    fn chart(error: &dyn fmt::Display) -> ReportError {
        ReportError::Chart(error.to_string())
    }
}

impl fmt::Display for ReportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReportError::Chart(why) => write!(f, "cannot draw a chart: {why}"),
            ReportError::Page(why) => write!(f, "cannot put the page together: {why}"),
            ReportError::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ReportError {}

/// A run of a page.
#[derive(Clone, Debug)]
pub struct Source<'a> {
    /// What it is called on the page.
    pub name: String,
    /// The run.
    pub run: &'a Run,
    /// Where the page's links to it lead.
    pub links: Links,
}

/// Makes the page of one run or of several, of which the first is the base: it is shown in full,
/// and the others beside it. Reads no clock and no file: the same runs and links give the same
/// page.
///
/// # Errors
///
/// Where there is no run, or a chart cannot be drawn; no record is known that would bring that
/// about.
pub fn page(sources: &[Source<'_>]) -> Result<String, ReportError> {
    let page = view::Page::of(sources)?;
    page.render().map_err(|error| ReportError::Page(error.to_string()))
}

/// Writes the page of runs to a file, whole.
///
/// # Errors
///
/// As [`page`], and where the file cannot be written.
pub fn write(path: &Path, sources: &[Source<'_>]) -> Result<(), ReportError> {
    let text = page(sources)?;
    store::write_whole(path, text.as_bytes()).map_err(ReportError::Store)
}
