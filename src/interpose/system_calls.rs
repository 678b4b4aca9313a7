//! The system calls that a model is carried with, past the symbols.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;

pub use libc::{c_int, sockaddr, socklen_t};

/// The system call. Both symbols end here: accept(2) is accept4 without flags, and not every
/// architecture has a number for it.
///
/// # Safety
///
/// As accept4(2).
pub(super) unsafe fn native(
    listener: c_int,
    address: *mut sockaddr,
    length: *mut socklen_t,
    flags: c_int,
) -> c_int {
    // SAFETY: as the caller promised; the kernel checks the pointers (accept(2)).
    unsafe { libc::syscall(libc::SYS_accept4, listener, address, length, flags) as c_int }
}

/// Takes one connection, without asking for its address, past every model. `flags` are
/// accept4(2)'s. Parks as the listener does.
///
/// # Errors
///
/// accept4's own; EBADF where the number is not open.
pub(super) fn take(listener: RawFd, flags: c_int) -> io::Result<OwnedFd> {
    // SAFETY: no pointer is passed.
    let taken = unsafe { native(listener, ptr::null_mut(), ptr::null_mut(), flags) };
    owned(taken)
}

/// The new descriptor that a call has given, or its error.
fn owned(fd: c_int) -> io::Result<OwnedFd> {
    if fd == -1 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor is new and nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// The port of a client whose connection is gone. getpeername(2) no longer tells; SO_PEERNAME
/// does (net/core/sock.c), as accept does. Both families begin with two bytes of family and
/// two of port (ip(7), ipv6(7)).
pub(super) fn reset_peer_port(connection: &OwnedFd) -> Option<u16> {
    let mut address = [0_u8; 4];
    let mut length = size_of_val(&address) as socklen_t;
    // SAFETY: the pointer and the length are those of `address`, of which the call writes no
    // more (getsockopt(2)).
    let result = unsafe {
        libc::getsockopt(
            connection.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PEERNAME,
            address.as_mut_ptr().cast(),
            &mut length,
        )
    };
    let port = u16::from_be_bytes([address[2], address[3]]);
    (result == 0 && port != 0).then_some(port)
}

/// A duplicate whose number is `from` or above (fcntl(2), F_DUPFD_CLOEXEC).
///
/// # Errors
///
/// EBADF where `fd` is not open, EMFILE and EINVAL where no such number is left.
pub(super) fn duplicate(fd: RawFd, from: c_int) -> io::Result<OwnedFd> {
    // SAFETY: no pointer is passed; fcntl(2) fails for a number that is not open.
    owned(unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, from) })
}
