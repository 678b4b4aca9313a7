//! The kernel that this machine runs, untouched.

use super::Kernel;

/// The machine's own.
pub const KERNEL: Kernel = Kernel {
    name: "native",
    systems: "this machine",
    about: "whatever this machine's kernel does: `rstall probe` tells",
    source: "observed, not read",
    model: None,
};
