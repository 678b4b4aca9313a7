//! What a worker process is to be: how its parent tells it.

use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

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

/// The command that starts `program` as a worker of this role, its standard output piped. A
/// Ctrl-C at the terminal is for the parent, which keeps what is finished and ends its workers
/// itself: they are a process group of their own.
///
/// # Errors
///
/// Where the role cannot be written down.
pub fn command(program: &Path, role: &Role) -> io::Result<Command> {
    let mut command = Command::new(program);
    command
        .env(VARIABLE, serde_json::to_string(role)?)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .process_group(0);
    Ok(command)
}

/// Has the kernel end this worker when its parent is gone, however that went: a loop that is
/// parked in accept would never notice (Linux: PR_SET_PDEATHSIG).
pub(super) fn end_with_the_parent() {
    #[cfg(target_os = "linux")]
    let _ = nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL);
}
