//! The listener under test: the only `bind` in the crate.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use serde::{Deserialize, Serialize};
use socket2::{Domain, Socket, Type};

/// Whether accept on the listener waits for a connection or says EWOULDBLOCK: the O_NONBLOCK
/// flag of its open file description (fcntl(2), accept(2)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// O_NONBLOCK clear: accept on an empty queue parks the thread.
    Blocking,
    /// O_NONBLOCK set: accept on an empty queue fails with EWOULDBLOCK.
    NonBlocking,
}

impl Mode {
    /// Both of them.
    pub const ALL: [Mode; 2] = [Mode::Blocking, Mode::NonBlocking];

    /// The name used on the command line, in benchmark ids and in records.
    pub fn name(self) -> &'static str {
        match self {
            Mode::Blocking => "blocking",
            Mode::NonBlocking => "nonblocking",
        }
    }
}

/// Which loopback the sockets stand on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// 127.0.0.1
    Ipv4,
    /// ::1
    Ipv6,
}

impl Family {
    /// Both of them.
    pub const ALL: [Family; 2] = [Family::Ipv4, Family::Ipv6];

    /// The name used on the command line and in records.
    pub fn name(self) -> &'static str {
        match self {
            Family::Ipv4 => "ipv4",
            Family::Ipv6 => "ipv6",
        }
    }

    fn loopback(self) -> IpAddr {
        match self {
            Family::Ipv4 => Ipv4Addr::LOCALHOST.into(),
            Family::Ipv6 => Ipv6Addr::LOCALHOST.into(),
        }
    }
}

/// What kind of listener to open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListenerSpec {
    /// Blocking or non-blocking.
    pub mode: Mode,
    /// IPv4 or IPv6 loopback.
    pub family: Family,
    /// The backlog asked of listen(2), in connections. The kernel may cut it (Linux: to
    /// net.core.somaxconn); [`crate::evidence::queue`] tells what it became.
    pub backlog: i32,
}

/// A listening TCP socket on loopback, on a port of its own that the kernel chose.
///
/// A fresh port for each listener means that the 4-tuples of one round cannot meet those of
/// another, so that TIME_WAIT and port reuse never matter.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    addr: SocketAddr,
    spec: ListenerSpec,
}

impl Listener {
    /// Opens a listener. Blocks never.
    ///
    /// # Errors
    ///
    /// What socket(2), bind(2) and listen(2) give: EAFNOSUPPORT or EADDRNOTAVAIL where the
    /// family's loopback does not exist, EMFILE where descriptors have run out.
    pub fn bind(spec: ListenerSpec) -> io::Result<Listener> {
        Listener::at(SocketAddr::new(spec.family.loopback(), 0), spec, false)
    }

    /// As [`Listener::bind`], with SO_REUSEPORT: [others](Listener::another) may have the same
    /// port.
    pub fn bind_shared(spec: ListenerSpec) -> io::Result<Listener> {
        Listener::at(SocketAddr::new(spec.family.loopback(), 0), spec, true)
    }

    /// Another listener on the same port, with an accept queue and flags of its own
    /// (socket(7), SO_REUSEPORT).
    ///
    /// # Errors
    ///
    /// EADDRINUSE where this one was not opened with [`Listener::bind_shared`].
    pub fn another(&self) -> io::Result<Listener> {
        Listener::at(self.addr, self.spec, true)
    }

    fn at(addr: SocketAddr, spec: ListenerSpec, shared: bool) -> io::Result<Listener> {
        let socket = Socket::new(Domain::for_address(addr), Type::STREAM, None)?;
        socket.set_reuse_port(shared)?;
        socket.bind(&addr.into())?;
        socket.listen(spec.backlog)?;
        socket.set_nonblocking(spec.mode == Mode::NonBlocking)?;
        let socket = TcpListener::from(socket);
        let addr = socket.local_addr()?;
        Ok(Listener { socket, addr, spec })
    }

    /// Asks where clients connect to, after the listener was shut down and listens again.
    pub(crate) fn find_again(&mut self) -> io::Result<()> {
        self.addr = self.socket.local_addr()?;
        Ok(())
    }

    /// Takes over a listening socket that another process opened (a worker of
    /// `stall_natural`); O_NONBLOCK stays as it is and `mode` must say how that is.
    pub fn adopt(socket: TcpListener, mode: Mode) -> io::Result<Listener> {
        let addr = socket.local_addr()?;
        let family = if addr.is_ipv4() { Family::Ipv4 } else { Family::Ipv6 };
        // Its backlog is known to whoever opened it; this is for one that listens anew.
        let spec = ListenerSpec { mode, family, backlog: libc::SOMAXCONN };
        Ok(Listener { socket, addr, spec })
    }

    /// A second descriptor of the same open file description: O_NONBLOCK is shared, and so
    /// is the accept queue (dup(2)).
    pub fn duplicate(&self) -> io::Result<Listener> {
        Ok(Listener { socket: self.socket.try_clone()?, addr: self.addr, spec: self.spec })
    }

    /// Closes the socket, and remembers where it was: others may hold descriptors of it.
    pub(crate) fn let_go(&mut self) -> io::Result<()> {
        // A socket that was never bound, in its place.
        self.socket = Socket::new(Domain::for_address(self.addr), Type::STREAM, None)?.into();
        Ok(())
    }

    /// Where clients connect to.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Blocking or non-blocking, as it was opened.
    pub fn mode(&self) -> Mode {
        self.spec.mode
    }

    /// The socket itself.
    pub fn socket(&self) -> &TcpListener {
        &self.socket
    }

    /// Gives the socket away, to a backend.
    pub fn into_socket(self) -> TcpListener {
        self.socket
    }
}
