//! What an accept came to: the only module that gives an errno a meaning.

use std::io;

use nix::errno::Errno;
use serde::{Deserialize, Serialize};

use crate::connection::Connection;

/// What one call of accept came to.
///
/// errno names are spelt as the man pages spell them, so that a record from one system can
/// be read on another, where the numbers differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A connection that is alive.
    Accepted,
    /// A descriptor whose connection is already gone: SO_ERROR was set (its errno name is
    /// kept) or the TCP state is closed (`ENOTCONN` from getpeername). This is how Linux and
    /// macOS hand over a connection that was reset in the accept queue.
    AcceptedDead(String),
    /// accept failed because the connection went away: ECONNABORTED as POSIX says, EPROTO
    /// as SVR4 did.
    Aborted(String),
    /// EWOULDBLOCK: the accept queue of a non-blocking listener was empty.
    WouldBlock,
    /// EINTR: a signal, or nothing at all, interrupted the call.
    Interrupted,
    /// No descriptor or memory was left: EMFILE, ENFILE, ENOBUFS, ENOMEM. The connection
    /// stays queued on Linux.
    Exhausted(String),
    /// Still inside accept when the watchdog ended the trial.
    TimedOut,
    /// Any other error, by name.
    Failed(String),
}

impl Outcome {
    /// Judges what a backend's accept returned.
    ///
    /// Reads (and so clears) the connection's SO_ERROR: Linux keeps one pending error, and
    /// whoever asks first gets it (net/core/sock.c, `sock_error`).
    pub fn judge(result: &io::Result<Connection>) -> Outcome {
        match result {
            Ok(connection) => match connection.death() {
                None => Outcome::Accepted,
                Some(error) => Outcome::AcceptedDead(errno_name(&error)),
            },
            Err(error) => Outcome::from_error(error),
        }
    }

    /// The meaning of an error that accept gave. Blocks never and reads nothing.
    pub fn from_error(error: &io::Error) -> Outcome {
        let name = || errno_name(error);
        match error.raw_os_error() {
            // POSIX lets EAGAIN and EWOULDBLOCK differ; on every target here they are one.
            Some(libc::EAGAIN) => Outcome::WouldBlock,
            Some(libc::EINTR) => Outcome::Interrupted,
            _ if Abort::of(error).is_some() => Outcome::Aborted(name()),
            Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM) => {
                Outcome::Exhausted(name())
            }
            _ if error.kind() == io::ErrorKind::WouldBlock => Outcome::WouldBlock,
            _ => Outcome::Failed(name()),
        }
    }

    /// Whether a connection came out of the queue with a descriptor.
    pub fn took_connection(&self) -> bool {
        matches!(self, Outcome::Accepted | Outcome::AcceptedDead(_))
    }

    /// Whether this answers for one connection of the queue, alive or dead.
    pub fn answers(&self) -> bool {
        self.took_connection() || matches!(self, Outcome::Aborted(_))
    }

    /// Whether this tells of a connection that had been reset.
    pub fn is_reset(&self) -> bool {
        matches!(self, Outcome::AcceptedDead(_) | Outcome::Aborted(_))
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Outcome::Accepted => f.write_str("accepted"),
            Outcome::AcceptedDead(name) => write!(f, "accepted dead ({name})"),
            Outcome::Aborted(name) => write!(f, "aborted ({name})"),
            Outcome::WouldBlock => f.write_str("would block (EWOULDBLOCK)"),
            Outcome::Interrupted => f.write_str("interrupted (EINTR)"),
            Outcome::Exhausted(name) => write!(f, "exhausted ({name})"),
            Outcome::TimedOut => f.write_str("timed out"),
            Outcome::Failed(name) => write!(f, "failed ({name})"),
        }
    }
}

/// The errors by which kernels say that a connection was aborted before accept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Abort {
    /// POSIX (accept(), ERRORS).
    #[serde(rename = "ECONNABORTED")]
    Connection,
    /// SVR4 (UNIX Network Programming, section 5.11).
    #[serde(rename = "EPROTO")]
    Protocol,
}

impl Abort {
    /// The name that the man pages have for it.
    pub fn name(self) -> &'static str {
        match self {
            Abort::Connection => "ECONNABORTED",
            Abort::Protocol => "EPROTO",
        }
    }

    /// This system's number for it.
    pub fn errno(self) -> i32 {
        match self {
            Abort::Connection => libc::ECONNABORTED,
            Abort::Protocol => libc::EPROTO,
        }
    }

    /// The abort that an error of accept stands for; `None` where it stands for none.
    pub fn of(error: &io::Error) -> Option<Abort> {
        [Abort::Connection, Abort::Protocol]
            .into_iter()
            .find(|abort| error.raw_os_error() == Some(abort.errno()))
    }
}

/// Which errors of accept a loop takes for passing ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RetrySet {
    /// EINTR, EWOULDBLOCK, ECONNABORTED, EPROTO (UNIX Network Programming, section 16.6).
    Stevens,
    /// None: the loop ends on any error.
    Naive,
}

impl RetrySet {
    /// Both of them.
    pub const ALL: [RetrySet; 2] = [RetrySet::Stevens, RetrySet::Naive];

    /// The name used on the command line and in records.
    pub fn name(self) -> &'static str {
        match self {
            RetrySet::Stevens => "stevens",
            RetrySet::Naive => "naive",
        }
    }

    /// Whether a loop with this retry set goes on after `outcome`.
    pub fn survives(self, outcome: &Outcome) -> bool {
        match outcome {
            Outcome::Accepted | Outcome::AcceptedDead(_) => true,
            Outcome::WouldBlock | Outcome::Interrupted | Outcome::Aborted(_) => {
                self == RetrySet::Stevens
            }
            Outcome::Exhausted(_) | Outcome::TimedOut | Outcome::Failed(_) => false,
        }
    }
}

/// Whether a wait was interrupted: met with no signal delivered, on virtual machines and
/// after an io_uring ring was dropped on the thread. A wait is simply entered again.
pub fn is_interrupted(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::EINTR)
}

/// Whether a request was withdrawn before it completed (io_uring_prep_cancel(3)).
pub fn is_cancelled(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::ECANCELED)
}

/// Whether a call asked for the peer of a connection that is gone, or never was there
/// (getpeername(2)).
pub fn is_not_connected(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::ENOTCONN)
}

/// Leaves an error in errno, for a caller who looks there (errno(3)).
#[cfg(target_os = "linux")]
pub(crate) fn leave_errno(error: &io::Error) {
    Errno::set_raw(error.raw_os_error().unwrap_or_default());
}

/// What accept says of an empty queue where it must not wait.
#[cfg(target_os = "linux")]
pub(crate) fn would_block() -> io::Error {
    io::Error::from_raw_os_error(libc::EAGAIN)
}

/// What a system call says of a descriptor that is not there.
pub(crate) fn no_such_descriptor() -> io::Error {
    io::Error::from_raw_os_error(libc::EBADF)
}

/// Whether the kernel does not know an option that it was given.
pub fn is_unknown_option(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::EINVAL)
}

/// Whether a pointer was bad (accept(2), EFAULT).
pub fn is_bad_address(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::EFAULT)
}

/// Whether the kernel has no such object.
pub fn is_not_found(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::ENOENT)
}

/// Whether descriptors, local ports or memory have run out: trying again does not help.
pub fn is_exhausted(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(libc::EADDRNOTAVAIL | libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM)
    )
}

/// The errno's name, or the message of an error that has no errno.
pub fn errno_name(error: &io::Error) -> String {
    match error.raw_os_error().map(Errno::from_raw) {
        Some(Errno::UnknownErrno) | None => error.to_string(),
        Some(errno) => format!("{errno:?}"),
    }
}

/// An error as a user is told of it: its message, and behind it what can be done.
pub fn explain(error: &io::Error) -> String {
    match remedy(error) {
        "" => error.to_string(),
        remedy => format!("{error}; {remedy}"),
    }
}

/// What a user can do about an error, in one clause; empty where there is nothing to say.
fn remedy(error: &io::Error) -> &'static str {
    // An error that a library has wrapped keeps its kind, and not its errno.
    match error.kind() {
        io::ErrorKind::ReadOnlyFilesystem => {
            return "the file system is read-only: name another folder";
        }
        io::ErrorKind::StorageFull => return "the disk is full: make room, or name another folder",
        io::ErrorKind::PermissionDenied => {
            return "permission denied: check the folder's owner and mode";
        }
        _ => {}
    }
    match error.raw_os_error() {
        Some(libc::EMFILE) => "raise the limit on open files: ulimit -n",
        Some(libc::ENFILE) => "the system's table of open files is full: see fs.file-max",
        Some(libc::EADDRNOTAVAIL) => {
            "no local port or address is left: widen net.ipv4.ip_local_port_range, or give the \
             machine an address of this family"
        }
        Some(libc::ENETUNREACH) => "is the loopback interface up? ip link set lo up",
        Some(libc::EAFNOSUPPORT) => "this system has no such address family",
        _ => "",
    }
}
