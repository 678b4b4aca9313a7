//! The clients: everything that connects, closes or resets.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use socket2::SockRef;

use crate::clock::{self, Moment};
use crate::listener::{Family, Listener, ListenerSpec, Mode};
use crate::outcome;

/// One client connection. `close` and `reset` take it by value: nothing can be done with a
/// connection that was ended.
#[derive(Debug)]
pub struct Peer {
    stream: TcpStream,
    local: SocketAddr,
    remote: SocketAddr,
}

impl Peer {
    /// Connects, and returns once the three-way handshake is complete for the client. On
    /// loopback that is microseconds; with an overrun backlog it is the SYN's retry, a second.
    ///
    /// # Errors
    ///
    /// What connect(2) gives. EADDRNOTAVAIL means that the local ports have run out.
    pub fn connect(remote: SocketAddr) -> io::Result<Peer> {
        let stream = TcpStream::connect(remote)?;
        let local = stream.local_addr()?;
        Ok(Peer { stream, local, remote })
    }

    /// As [`Peer::connect`], but gives up after `limit`.
    ///
    /// # Errors
    ///
    /// `TimedOut` as well: the backlog is overrun and the kernel drops the SYN.
    pub fn connect_within(remote: SocketAddr, limit: Duration) -> io::Result<Peer> {
        let stream = TcpStream::connect_timeout(&remote, limit.max(Duration::from_millis(1)))?;
        let local = stream.local_addr()?;
        Ok(Peer { stream, local, remote })
    }

    /// The client's own address: with [`Peer::remote`] the connection's 4-tuple.
    pub fn local(&self) -> SocketAddr {
        self.local
    }

    /// The listener's address.
    pub fn remote(&self) -> SocketAddr {
        self.remote
    }

    /// Sends one byte.
    ///
    /// # Errors
    ///
    /// ECONNRESET or EPIPE where the connection is gone.
    pub fn send(&mut self) -> io::Result<()> {
        self.stream.write_all(b"p")
    }

    /// Returns once the other side has reset the connection, or closed it.
    ///
    /// # Errors
    ///
    /// `TimedOut` at the deadline: the connection is still there.
    pub fn await_reset(&mut self, deadline: Moment) -> io::Result<()> {
        loop {
            let timeout = PollTimeout::try_from(deadline.remaining().as_millis());
            let mut entry = [PollFd::new(self.stream.as_fd(), PollFlags::POLLIN)];
            match poll(&mut entry, timeout.unwrap_or(PollTimeout::MAX)).map_err(io::Error::from) {
                Err(error) if outcome::is_interrupted(&error) => {}
                Err(error) => return Err(error),
                Ok(0) => return Err(io::ErrorKind::TimedOut.into()),
                // A byte would be the other side's: it is alive, and has something to say.
                Ok(_) => match self.stream.read(&mut [0]) {
                    Ok(1..) => {}
                    Ok(0) | Err(_) => return Ok(()),
                },
            }
        }
    }

    /// Ends the connection with a FIN. The side that closes first gets TIME_WAIT.
    pub fn close(self) {}

    /// Ends the connection with a RST: SO_LINGER {on, 0 s}, then close (socket(7), RFC 9293
    /// section 3.10.5 "ABORT"). Returns the 4-tuple that was reset, client first.
    ///
    /// # Errors
    ///
    /// If SO_LINGER could not be set, in which case the connection was closed with a FIN.
    pub fn reset(self) -> io::Result<(SocketAddr, SocketAddr)> {
        SockRef::from(&self.stream).set_linger(Some(Duration::ZERO))?;
        Ok((self.local, self.remote))
    }
}

/// The bystander: an established connection that the loop under test serves beside its
/// listener. Its client sends a byte and waits for the echo; while the loop is parked in
/// accept, it waits.
#[derive(Debug)]
pub struct Bystander {
    client: TcpStream,
}

impl Bystander {
    /// Opens a connected pair through a listener of its own, so that the accept queue under
    /// test stays untouched. Returns the client and the server's side, which is non-blocking.
    pub fn open(family: Family) -> io::Result<(Bystander, Arc<OwnedFd>)> {
        let (mut pairs, _) = established(family, 1)?;
        let (client, server) = pairs.pop().ok_or(io::ErrorKind::NotConnected)?;
        Ok((Bystander { client }, Arc::new(server)))
    }

    /// Sends one byte; the answer comes later, or not.
    pub fn send(&mut self) -> io::Result<()> {
        self.client.write_all(b"b")
    }

    /// Waits until the echo is there, the loop has hung up, or `limit` has passed; says
    /// whether it was the echo. Limits are kept to the millisecond below, and the rest by
    /// looking again: poll(2) counts no finer.
    ///
    /// # Errors
    ///
    /// `UnexpectedEof` when the loop has dropped the connection.
    pub fn echoed(&mut self, limit: Duration) -> io::Result<bool> {
        let due = clock::now().after(limit);
        loop {
            let left = due.remaining();
            let timeout = PollTimeout::try_from(left.as_millis()).unwrap_or(PollTimeout::MAX);
            let mut entry = [PollFd::new(self.client.as_fd(), PollFlags::POLLIN)];
            match poll(&mut entry, timeout).map_err(io::Error::from) {
                Ok(0) if left.is_zero() => return Ok(false),
                Ok(0) => thread::yield_now(),
                Ok(_) => break,
                Err(error) if outcome::is_interrupted(&error) => {}
                Err(error) => return Err(error),
            }
        }
        match self.client.read(&mut [0])? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(true),
        }
    }
}

impl AsFd for Bystander {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.client.as_fd()
    }
}

/// Answers a bystander: reads what is there and writes it back. `Ok(false)` means that the
/// client has hung up.
///
/// A read that fills less than its buffer has emptied the socket, so that an edge-triggered
/// backend reports the next byte anew (epoll(7), question 9).
pub fn echo(server: &OwnedFd) -> io::Result<bool> {
    let socket = SockRef::from(server);
    let mut buffer = [0_u8; 64];
    loop {
        match (&*socket).read(&mut buffer) {
            Ok(0) => return Ok(false),
            Ok(n) => {
                (&*socket).write_all(&buffer[..n])?;
                if n < buffer.len() {
                    return Ok(true);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(true),
            Err(error) if outcome::is_interrupted(&error) => {}
            Err(error) => return Err(error),
        }
    }
}

/// Connected pairs (client, server) on loopback; the servers' sides are non-blocking, and
/// both ends are reset, not closed, when they are dropped, so that a set of thousands leaves
/// no TIME_WAIT behind.
pub fn established(
    family: Family,
    n: usize,
) -> io::Result<(Vec<(TcpStream, OwnedFd)>, SocketAddr)> {
    let spec = ListenerSpec { mode: Mode::Blocking, family, backlog: 16 };
    let listener = Listener::bind(spec)?;
    let mut pairs = Vec::with_capacity(n);
    for _ in 0..n {
        let client = TcpStream::connect(listener.addr())?;
        let server = accept_from(listener.socket(), client.local_addr()?)?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        server.set_nonblocking(true)?;
        for stream in [&client, &server] {
            SockRef::from(stream).set_linger(Some(Duration::ZERO))?;
        }
        pairs.push((client, server.into()));
    }
    Ok((pairs, listener.addr()))
}

/// Accepts until the connection from `client` arrives: a port scanner's would be dropped.
fn accept_from(listener: &TcpListener, client: SocketAddr) -> io::Result<TcpStream> {
    loop {
        let (server, peer) = listener.accept()?;
        if peer == client {
            return Ok(server);
        }
    }
}
