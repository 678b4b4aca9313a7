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

/// The shape of each series in a chart: one a backend, filled where its listener blocks or its
/// name does not say, hollow where it does not.
pub fn shapes(series: &[&str]) -> Vec<(usize, Side)> {
    let mut backends: Vec<&str> = Vec::new();
    let mut shapes = Vec::new();
    for name in series {
        let backend = backend(name);
        let known = backends.iter().position(|one| *one == backend);
        if known.is_none() {
            backends.push(backend);
        }
        let side = side(name).map_or(Side::Blocking, |(_, side)| side);
        shapes.push((known.unwrap_or(backends.len() - 1), side));
    }
    shapes
}

/// A count of a cell; 0 where it has none of that name.
pub fn counted(cell: &Cell, name: &str) -> u64 {
    cell.counts.get(name).copied().unwrap_or(0)
}
