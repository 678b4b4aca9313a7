//! accept(2) with the peer's address, for the floor and for every backend whose library has
//! no accept of its own. Never retries, not even EINTR.

pub(crate) use imp::accept;
#[cfg(target_os = "linux")]
pub(crate) use imp::peer;

/// accept4(2) as C would call it: the floor of the benchmarks is this, and socket2's, which
/// clears and copies a whole sockaddr_storage, is 3 % slower than C.
#[cfg(target_os = "linux")]
mod imp {
    #![allow(unsafe_code)]

    use std::io;
    use std::mem::{self, MaybeUninit};
    use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6, TcpListener};
    use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

    use crate::connection::Connection;

    /// Takes one connection, close-on-exec. Parks on a blocking listener whose queue is empty.
    pub(crate) fn accept(listener: &TcpListener) -> io::Result<Connection> {
        let mut address = MaybeUninit::<libc::sockaddr_storage>::uninit();
        let mut length = mem::size_of_val(&address) as libc::socklen_t;
        // SAFETY: the pointer and the length are those of `address`, of which the call writes
        // at most so much (accept(2)).
        let fd = unsafe {
            libc::accept4(
                listener.as_raw_fd(),
                address.as_mut_ptr().cast(),
                &mut length,
                libc::SOCK_CLOEXEC,
            )
        };
        if fd == -1 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor is new and nobody else owns it.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        // SAFETY: the call has written `length` bytes of an address.
        let peer = unsafe { peer(address.as_ptr(), length as usize) };
        Ok(Connection::new(fd, peer))
    }

    /// The address of which the first `length` bytes are there, as the kernel wrote them.
    ///
    /// # Safety
    ///
    /// `address` points to memory that is aligned for any address and of which `length` bytes
    /// are initialised.
    pub(crate) unsafe fn peer(
        address: *const libc::sockaddr_storage,
        length: usize,
    ) -> Option<SocketAddr> {
        if length < mem::size_of::<libc::sockaddr_in>() {
            return None;
        }
        // SAFETY: any address begins with its family, which is among the bytes that are there.
        let family = i32::from(unsafe { (*address.cast::<libc::sockaddr>()).sa_family });
        if family == libc::AF_INET {
            // SAFETY: an address of this family is a sockaddr_in, and so much is there (ip(7)).
            let v4 = unsafe { &*address.cast::<libc::sockaddr_in>() };
            let ip = Ipv4Addr::from(u32::from_be(v4.sin_addr.s_addr));
            return Some(SocketAddrV4::new(ip, u16::from_be(v4.sin_port)).into());
        }
        if family != libc::AF_INET6 || length < mem::size_of::<libc::sockaddr_in6>() {
            return None;
        }
        // SAFETY: an address of this family is a sockaddr_in6, and so much is there (ipv6(7)).
        let v6 = unsafe { &*address.cast::<libc::sockaddr_in6>() };
        let ip = Ipv6Addr::from(v6.sin6_addr.s6_addr);
        let port = u16::from_be(v6.sin6_port);
        Some(SocketAddrV6::new(ip, port, v6.sin6_flowinfo, v6.sin6_scope_id).into())
    }
}

/// accept4(2) where there is one, else accept(2): socket2 knows.
#[cfg(not(target_os = "linux"))]
mod imp {
    use std::io;
    use std::net::TcpListener;

    use socket2::SockRef;

    use crate::connection::Connection;

    /// Takes one connection, close-on-exec. Parks on a blocking listener whose queue is empty.
    pub(crate) fn accept(listener: &TcpListener) -> io::Result<Connection> {
        let (stream, peer) = SockRef::from(listener).accept()?;
        Ok(Connection::new(stream.into(), peer.as_socket()))
    }
}
