//! What the name of a series tells, and what its cells have counted.

use crate::record::Cell;

/// The mode of a listener, as the name of a series tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// `<backend>-blocking`.
    Blocking,
    /// `<backend>-nonblocking`.
    NonBlocking,
}

/// The backend and the listener's mode of a series that has both in its name.
pub fn side(series: &str) -> Option<(&str, Side)> {
    let nonblocking = series.strip_suffix("-nonblocking").map(|name| (name, Side::NonBlocking));
    nonblocking.or_else(|| series.strip_suffix("-blocking").map(|name| (name, Side::Blocking)))
}

/// The backend of a series, whatever else its name tells.
pub fn backend(series: &str) -> &str {
    side(series).map_or(series, |(name, _)| name)
}

/// A count of a cell; 0 where it has none of that name.
pub fn counted(cell: &Cell, name: &str) -> u64 {
    cell.counts.get(name).copied().unwrap_or(0)
}
