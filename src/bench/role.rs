//! What a worker process is to be: how its parent tells it.

use serde::{Deserialize, Serialize};

use crate::listener::Mode;

/// The environment variable that makes a program a worker.
pub const VARIABLE: &str = "RSTALL_WORKER";

/// What a worker is to be.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Role {
    /// One of several that share a listener.
    Share {
        /// The backend's name.
        backend: String,
        /// The shared listener's mode.
        mode: Mode,
        /// The CPU of its loop.
        cpu: Option<usize>,
    },
    /// Whose CPU time and system calls are counted.
    Cost {
        /// The backend's name; `None` for the floor.
        backend: Option<String>,
        /// How many connections are queued at a time.
        k: usize,
        /// The CPU of its loop.
        cpu: Option<usize>,
    },
}
