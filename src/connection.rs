//! A connection as its backend gave it, alive or dead.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use socket2::SockRef;

/// A connection as its backend gave it.
#[derive(Debug)]
pub struct Connection {
    stream: Stream,
    peer: Option<SocketAddr>,
}

enum Stream {
    Fd(OwnedFd),
    Library(Box<dyn AsFd>),
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_fd().fmt(f)
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Stream::Fd(fd) => fd.as_fd(),
            Stream::Library(stream) => stream.as_fd(),
        }
    }
}

impl Connection {
    /// A bare descriptor and the address that came with it.
    pub fn new(fd: OwnedFd, peer: Option<SocketAddr>) -> Connection {
        Connection { stream: Stream::Fd(fd), peer }
    }

    /// A library's own stream, kept as it is: taking it apart would deregister it, which is
    /// not part of accepting.
    pub(crate) fn library(stream: impl AsFd + 'static, peer: SocketAddr) -> Connection {
        Connection { stream: Stream::Library(Box::new(stream)), peer: Some(peer) }
    }

    /// The peer's address as accept gave it. `None` where accept gave none: a connection
    /// that was dead already, taken by a backend which has to ask getpeername(2).
    pub fn peer(&self) -> Option<SocketAddr> {
        self.peer
    }

    /// The pending error (SO_ERROR, which this clears) or the closed TCP state (getpeername
    /// fails with ENOTCONN) of a connection that is gone; `None` for a live one.
    pub fn death(&self) -> Option<io::Error> {
        let socket = SockRef::from(self);
        match socket.take_error() {
            Ok(None) => socket.peer_addr().err(),
            Ok(Some(error)) | Err(error) => Some(error),
        }
    }

    /// Whether SO_ERROR is set: one system call, enough to recognise a reset. Clears it.
    pub fn has_error(&self) -> bool {
        !matches!(SockRef::from(self).take_error(), Ok(None))
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}
