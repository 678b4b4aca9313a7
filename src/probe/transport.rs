//! The protocols that the probe asks, each with a listener and a client of its own.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use socket2::{Domain, Protocol, SockAddr, Socket, Type};

/// A connection-oriented protocol with an accept queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// TCP over IPv4.
    Tcp4,
    /// TCP over IPv6.
    Tcp6,
    /// Multipath TCP over IPv4 (RFC 8684): both ends speak it.
    Mptcp,
    /// AF_UNIX stream sockets (unix(7)), which know no reset: there it is a plain close.
    Unix,
}

/// How long a client's connect may take: a safety net.
const PATIENCE: Duration = Duration::from_secs(2);

impl Transport {
    /// All of them.
    pub const ALL: [Transport; 4] =
        [Transport::Tcp4, Transport::Tcp6, Transport::Mptcp, Transport::Unix];

    /// The name used in reports and records.
    pub fn name(self) -> &'static str {
        match self {
            Transport::Tcp4 => "tcp4",
            Transport::Tcp6 => "tcp6",
            Transport::Mptcp => "mptcp",
            Transport::Unix => "unix",
        }
    }

    fn socket(self) -> io::Result<Socket> {
        match self {
            Transport::Tcp4 => Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP)),
            Transport::Tcp6 => Socket::new(Domain::IPV6, Type::STREAM, Some(Protocol::TCP)),
            #[cfg(target_os = "linux")]
            Transport::Mptcp => Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::MPTCP)),
            #[cfg(not(target_os = "linux"))]
            Transport::Mptcp => Err(io::ErrorKind::Unsupported.into()),
            Transport::Unix => Socket::new(Domain::UNIX, Type::STREAM, None),
        }
    }

    /// Opens a non-blocking listener on loopback, or on a path of its own.
    ///
    /// # Errors
    ///
    /// Where the system has no such protocol or no loopback address for it.
    pub fn listen(self) -> io::Result<Endpoint> {
        let socket = self.socket()?;
        let mut folder = None;
        let address: SockAddr = match self {
            Transport::Tcp4 | Transport::Mptcp => SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into(),
            Transport::Tcp6 => SocketAddr::from((Ipv6Addr::LOCALHOST, 0)).into(),
            Transport::Unix => {
                let own = tempfile::tempdir()?;
                let address = SockAddr::unix(own.path().join("listener"))?;
                folder = Some(own);
                address
            }
        };
        socket.bind(&address)?;
        socket.listen(8)?;
        socket.set_nonblocking(true)?;
        let address = socket.local_addr()?;
        Ok(Endpoint { transport: self, socket, address, _folder: folder })
    }
}

/// A listener, and where clients find it.
#[derive(Debug)]
pub struct Endpoint {
    transport: Transport,
    /// The listening socket, non-blocking.
    pub socket: Socket,
    address: SockAddr,
    /// Where an AF_UNIX listener has its path; removed with it.
    _folder: Option<tempfile::TempDir>,
}

impl Endpoint {
    /// Connects a client, within two seconds.
    ///
    /// # Errors
    ///
    /// connect(2)'s.
    pub fn connect(&self) -> io::Result<Socket> {
        let client = self.transport.socket()?;
        client.connect_timeout(&self.address, PATIENCE)?;
        Ok(client)
    }
}
