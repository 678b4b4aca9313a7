//! What is done with bare descriptor numbers and addresses, as programs in C do it.
#![allow(unsafe_code)]

use std::io;
use std::net::TcpListener;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;

/// Gives `number` to another file: whatever it stood for is closed, and whoever owns the number
/// owns the new file now. What close(2) and the next open(2) do together, in one step, so that
/// no third thread can come between (dup(2)).
pub(super) fn give(number: RawFd, to: &impl AsFd) -> io::Result<()> {
    // SAFETY: `number` is open and stays owned by whoever owned it: it is a valid descriptor
    // before and after (dup2(2)).
    match unsafe { libc::dup2(to.as_fd().as_raw_fd(), number) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// Has accept write the peer's address where no memory is; says how it failed. If it does not
/// fail, the connection is closed and the error is of no errno.
pub(super) fn accept_to_a_bad_address(listener: &TcpListener) -> io::Error {
    let mut length = 128;
    let nowhere = ptr::without_provenance_mut(1);
    // SAFETY: the address is not valid, which the kernel finds out and says EFAULT: it never
    // writes through a pointer that it has not checked (accept(2)). `length` is valid.
    let fd = unsafe { libc::accept(listener.as_raw_fd(), nowhere, &mut length) };
    if fd == -1 {
        return io::Error::last_os_error();
    }
    // SAFETY: the descriptor is new and nobody else owns it.
    drop(unsafe { OwnedFd::from_raw_fd(fd) });
    io::Error::other("it did not fail")
}
