//! This very program started again, to be something else: how its parent tells it what.

use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{ChildStdout, Command, Stdio};
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use serde::Serialize;

use crate::clock::{self, Moment};
use crate::outcome;

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

/// Starts a program and reads what it says until it has no more to say; ends it where that
/// takes longer than `limit`.
///
/// # Errors
///
/// Those of starting it and of reading, and `TimedOut`.
pub(crate) fn told_within(mut command: Command, limit: Duration) -> io::Result<Vec<u8>> {
    let deadline = clock::now().after(limit);
    let mut child = command.spawn()?;
    let told = match child.stdout.take() {
        Some(output) => read_until(output, deadline),
        None => Ok(Vec::new()),
    };
    if told.is_err() {
        // It may have ended by itself meanwhile.
        let _ = child.kill();
    }
    child.wait()?;
    told
}

fn read_until(mut output: ChildStdout, deadline: Moment) -> io::Result<Vec<u8>> {
    let mut told = Vec::new();
    let mut buffer = [0_u8; 16_384];
    loop {
        let left = PollTimeout::try_from(deadline.remaining().as_millis());
        let mut entry = [PollFd::new(output.as_fd(), PollFlags::POLLIN)];
        match poll(&mut entry, left.unwrap_or(PollTimeout::MAX)).map_err(io::Error::from) {
            Err(error) if outcome::is_interrupted(&error) => continue,
            Err(error) => return Err(error),
            Ok(0) => {
                let message = "it had not ended in time, and was ended";
                return Err(io::Error::new(io::ErrorKind::TimedOut, message));
            }
            Ok(_) => {}
        }
        match output.read(&mut buffer)? {
            0 => return Ok(told),
            n => told.extend_from_slice(&buffer[..n]),
        }
    }
}

/// Has the kernel end this process when its parent is gone, however that went: a loop that is
/// parked in accept would never notice (Linux: PR_SET_PDEATHSIG).
pub(crate) fn end_with_the_parent() {
    #[cfg(target_os = "linux")]
    let _ = nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL);
}
