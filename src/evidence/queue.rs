//! The length of a listener's accept queue.
#![allow(unsafe_code)]

use std::io;
use std::net::TcpListener;
use std::os::fd::AsFd;
use std::thread;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::Proof;
use crate::clock::Moment;

/// The accept queue of a listener at one moment, in connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Queue {
    /// Completed connections that wait for accept.
    pub length: usize,
    /// The backlog as the kernel took it.
    pub limit: usize,
}

/// The state of `listener`'s accept queue; `None` where this system does not tell.
pub fn look(listener: &TcpListener) -> Option<Queue> {
    imp::look(listener).ok()
}

/// Returns once at least `n` connections are queued, with what that was known from.
///
/// On loopback a connection is queued before its connect returns or microseconds later, so
/// this looks again rather than sleep.
///
/// # Errors
///
/// `TimedOut` at the deadline: the backlog was overrun, or somebody else accepts.
pub fn await_length(listener: &TcpListener, n: usize, deadline: Moment) -> io::Result<Proof> {
    loop {
        let (length, proof) = match look(listener) {
            Some(queue) => (queue.length, imp::PROOF),
            // "At least one" is all that readiness can say; connect has returned n times.
            None => (if readable(listener)? { n } else { 0 }, Proof::Readiness),
        };
        if length >= n {
            return Ok(proof);
        }
        if deadline.remaining().is_zero() {
            let message = format!("{length} of {n} connections reached the accept queue");
            return Err(io::Error::new(io::ErrorKind::TimedOut, message));
        }
        thread::yield_now();
    }
}

/// Whether poll(2) reports a socket for reading, at this moment.
pub(crate) fn readable(listener: &impl AsFd) -> io::Result<bool> {
    let mut entry = [PollFd::new(listener.as_fd(), PollFlags::POLLIN)];
    Ok(poll(&mut entry, PollTimeout::ZERO)? > 0)
}

#[cfg(target_os = "linux")]
mod imp {
    use std::io;
    use std::net::TcpListener;

    use super::{Proof, Queue};
    use crate::evidence::tcp_info;

    pub(super) const PROOF: Proof = Proof::TcpInfo;

    /// For a listener, tcpi_unacked and tcpi_sacked are sk_ack_backlog and
    /// sk_max_ack_backlog (net/ipv4/tcp.c, `tcp_get_info`). A stack that answers for Linux
    /// without filling them in (gVisor's) leaves a limit of nothing, which nobody asks for.
    pub(super) fn look(listener: &TcpListener) -> io::Result<Queue> {
        let info = tcp_info::of(listener)?;
        match info.tcpi_sacked {
            0 => Err(io::ErrorKind::Unsupported.into()),
            limit => Ok(Queue { length: info.tcpi_unacked as usize, limit: limit as usize }),
        }
    }
}

#[cfg(target_os = "freebsd")]
mod imp {
    use std::io;
    use std::mem;
    use std::net::TcpListener;
    use std::os::fd::AsRawFd;

    use super::{Proof, Queue};

    pub(super) const PROOF: Proof = Proof::ListenQueueLength;

    /// sys/socket.h of FreeBSD, getsockopt(2).
    const SO_LISTENQLIMIT: libc::c_int = 0x1011;
    const SO_LISTENQLEN: libc::c_int = 0x1012;

    pub(super) fn look(listener: &TcpListener) -> io::Result<Queue> {
        let length = option(listener, SO_LISTENQLEN)?;
        Ok(Queue { length, limit: option(listener, SO_LISTENQLIMIT)? })
    }

    fn option(listener: &TcpListener, name: libc::c_int) -> io::Result<usize> {
        let mut value: libc::c_int = 0;
        let mut length = mem::size_of_val(&value) as libc::socklen_t;
        // SAFETY: the pointer and the length are those of `value` (getsockopt(2)).
        let result = unsafe {
            libc::getsockopt(
                listener.as_raw_fd(),
                libc::SOL_SOCKET,
                name,
                (&raw mut value).cast(),
                &mut length,
            )
        };
        match result {
            0 => Ok(usize::try_from(value).unwrap_or(0)),
            _ => Err(io::Error::last_os_error()),
        }
    }
}

#[cfg(not(any(target_os = "linux", target_os = "freebsd")))]
mod imp {
    use std::io;
    use std::net::TcpListener;

    use super::{Proof, Queue};

    pub(super) const PROOF: Proof = Proof::Readiness;

    pub(super) fn look(_listener: &TcpListener) -> io::Result<Queue> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
