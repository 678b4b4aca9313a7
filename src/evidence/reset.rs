//! Whether the kernel has ended the server's side of a connection that nobody has accepted.

use std::io;
use std::net::SocketAddr;
use std::thread;

use super::Proof;
use crate::clock::Moment;
use crate::listener::{Family, Listener, ListenerSpec, Mode};
use crate::peer::Peer;

/// How a queued connection was ended by its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// By a FIN: the server's side is in CLOSE_WAIT.
    Closed,
    /// By a RST: the server's side is no longer found under its 4-tuple.
    Reset,
}

/// Returns once the server's side of the connection between `client` and `server` has been
/// ended as `how` says, with what that was known from.
///
/// # Errors
///
/// `TimedOut` at the deadline: a reset can get lost (macOS drops it on a flow-controlled
/// loopback), and a trial whose reset has not arrived is void.
pub fn await_ended(
    how: Ended,
    client: SocketAddr,
    server: SocketAddr,
    deadline: Moment,
) -> io::Result<Proof> {
    while let Some(state) = diag::state(client, server) {
        let ended = match how {
            // The listener answers for a 4-tuple that it has no child for any more
            // (net/ipv4/inet_diag.c, `inet_diag_find_one_icsk`).
            Ended::Reset => matches!(state, diag::LISTEN | diag::CLOSE | diag::NOT_FOUND),
            Ended::Closed => state == diag::CLOSE_WAIT,
        };
        if ended {
            return Ok(Proof::SockDiag);
        }
        if deadline.remaining().is_zero() {
            let message = format!("the connection from {client} is in TCP state {state} still");
            return Err(io::Error::new(io::ErrorKind::TimedOut, message));
        }
        thread::yield_now();
    }
    after_a_handshake(server)
}

/// The loopback interface delivers in order: once a later handshake over it has completed,
/// what was sent before has been delivered.
fn after_a_handshake(server: SocketAddr) -> io::Result<Proof> {
    let family = if server.is_ipv4() { Family::Ipv4 } else { Family::Ipv6 };
    let listener = Listener::bind(ListenerSpec { mode: Mode::Blocking, family, backlog: 1 })?;
    Peer::connect(listener.addr())?.reset()?;
    Ok(Proof::LoopbackOrder)
}

#[cfg(target_os = "linux")]
mod diag {
    //! One inet_diag request by 4-tuple (sock_diag(7)), answered with the TCP state.

    use std::cell::RefCell;
    use std::io::{self, Read, Write};
    use std::net::{IpAddr, SocketAddr};
    use std::time::Duration;

    use socket2::{Domain, Protocol, Socket, Type};

    use crate::outcome;

    // TCP states (include/net/tcp_states.h).
    pub(super) const CLOSE: u8 = 7;
    pub(super) const CLOSE_WAIT: u8 = 8;
    pub(super) const LISTEN: u8 = 10;
    /// Not a state: neither the connection nor a listener is there.
    pub(super) const NOT_FOUND: u8 = 0;

    // linux/netlink.h and linux/sock_diag.h.
    const NETLINK_SOCK_DIAG: i32 = 4;
    const SOCK_DIAG_BY_FAMILY: u16 = 20;
    const NLM_F_REQUEST: u16 = 1;
    const NLMSG_ERROR: u16 = 2;
    const HEADER: usize = 16;
    const REQUEST: usize = HEADER + 56;

    thread_local! {
        /// One netlink socket a thread; `None` once the kernel has refused to give one.
        static NETLINK: RefCell<Option<Socket>> = RefCell::new(open().ok());
    }

    /// The TCP state that the kernel has for the server's side of the 4-tuple; `None` where
    /// sock_diag cannot be asked (no permission, no inet_diag).
    pub(super) fn state(client: SocketAddr, server: SocketAddr) -> Option<u8> {
        NETLINK.with_borrow_mut(|netlink| {
            let answer = ask(netlink.as_ref()?, &request(client, server));
            if answer.is_err() {
                *netlink = None;
            }
            answer.ok()
        })
    }

    fn open() -> io::Result<Socket> {
        let netlink = Protocol::from(NETLINK_SOCK_DIAG);
        let socket = Socket::new(Domain::from(libc::AF_NETLINK), Type::RAW, Some(netlink))?;
        socket.set_read_timeout(Some(Duration::from_secs(1)))?;
        Ok(socket)
    }

    fn ask(netlink: &Socket, request: &[u8]) -> io::Result<u8> {
        (&*netlink).write_all(request)?;
        let mut answer = [0_u8; 1024];
        let n = (&*netlink).read(&mut answer)?;
        let field = |at: usize| answer[..n].get(at..at + 4).and_then(|b| b.try_into().ok());
        let kind = field(4).map(|b: [u8; 4]| u16::from_ne_bytes([b[0], b[1]]));
        match (kind, field(HEADER).map(i32::from_ne_bytes)) {
            // struct nlmsgerr begins with the negated errno.
            (Some(NLMSG_ERROR), Some(errno)) => {
                let error = io::Error::from_raw_os_error(-errno);
                if outcome::is_not_found(&error) { Ok(NOT_FOUND) } else { Err(error) }
            }
            // struct inet_diag_msg: family, then the state.
            (Some(SOCK_DIAG_BY_FAMILY), Some(_)) => Ok(answer[HEADER + 1]),
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    /// struct nlmsghdr, then struct inet_diag_req_v2 (linux/inet_diag.h): addresses and ports
    /// in network order, the rest in the host's.
    fn request(client: SocketAddr, server: SocketAddr) -> [u8; REQUEST] {
        let mut message = Vec::with_capacity(REQUEST);
        message.extend((REQUEST as u32).to_ne_bytes());
        message.extend(SOCK_DIAG_BY_FAMILY.to_ne_bytes());
        message.extend(NLM_F_REQUEST.to_ne_bytes());
        message.extend([0; 8]); // sequence number and sender, which nobody reads
        let family = if server.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
        message.extend([family as u8, libc::IPPROTO_TCP as u8, 0, 0]);
        message.extend(u32::MAX.to_ne_bytes()); // in any state
        message.extend(server.port().to_be_bytes());
        message.extend(client.port().to_be_bytes());
        message.extend(address(server.ip()));
        message.extend(address(client.ip()));
        message.extend(0_u32.to_ne_bytes()); // on any interface
        message.extend([0xff; 8]); // INET_DIAG_NOCOOKIE
        let mut request = [0; REQUEST];
        request.copy_from_slice(&message);
        request
    }

    fn address(ip: IpAddr) -> [u8; 16] {
        let mut bytes = [0; 16];
        match ip {
            IpAddr::V4(ip) => bytes[..4].copy_from_slice(&ip.octets()),
            IpAddr::V6(ip) => bytes = ip.octets(),
        }
        bytes
    }
}

#[cfg(not(target_os = "linux"))]
mod diag {
    use std::net::SocketAddr;

    pub(super) const CLOSE: u8 = 7;
    pub(super) const CLOSE_WAIT: u8 = 8;
    pub(super) const LISTEN: u8 = 10;
    pub(super) const NOT_FOUND: u8 = 0;

    pub(super) fn state(_client: SocketAddr, _server: SocketAddr) -> Option<u8> {
        None
    }
}
