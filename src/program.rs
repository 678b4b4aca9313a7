//! This very program started again, to be something else: how its parent tells it what.

use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use serde::Serialize;

/// The command that starts `program` with an order in an environment variable, its standard
/// output piped. A Ctrl-C at the terminal is for the parent, which keeps what is finished and
/// ends its children itself: they are a process group of their own.
///
/// # Errors
///
/// Where the order cannot be written down.
pub fn command(program: &Path, variable: &str, order: &impl Serialize) -> io::Result<Command> {
    let mut command = Command::new(program);
    command
        .env(variable, serde_json::to_string(order)?)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .process_group(0);
    Ok(command)
}

/// Has the kernel end this process when its parent is gone, however that went: a loop that is
/// parked in accept would never notice (Linux: PR_SET_PDEATHSIG).
pub(crate) fn end_with_the_parent() {
    #[cfg(target_os = "linux")]
    let _ = nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL);
}
