//! One call of accept under a modelled kernel.
//!
//! What the kernel would do with the caller's pointers, the kernel does: the connection is
//! taken without an address, and getpeername(2) then writes it. That one call also tells an
//! aborted connection (ENOTCONN: TCP_CLOSE, net/ipv4/af_inet.c `inet_getname`) from one that
//! is alive, and copies out as accept4 does, with its EFAULT and EINVAL
//! (net/socket.c `do_accept` and `__sys_getpeername`, both by `move_addr_to_user`).
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, IntoRawFd, OwnedFd, RawFd};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use socket2::SockRef;

use super::system_calls::{c_int, duplicate, native, reset_peer_port, sockaddr, socklen_t, take};
use super::table::{IN_FORCE, MODELLED, Modelled};
use crate::clock::{self, Moment};
use crate::kernel::{Decision, Head};
use crate::outcome;

/// accept4(2), as the kernel in force for the listener answers it. Blocks as that would.
///
/// # Safety
///
/// As accept4(2): no pointer is followed here, the kernel checks them.
pub unsafe fn accept4(
    listener: c_int,
    address: *mut sockaddr,
    length: *mut socklen_t,
    flags: c_int,
) -> c_int {
    if IN_FORCE.load(Ordering::Acquire) == 0 {
        // SAFETY: as the caller promised.
        return unsafe { native(listener, address, length, flags) };
    }
    let Some((cookie, modelled)) = find(listener) else {
        // SAFETY: as the caller promised.
        return unsafe { native(listener, address, length, flags) };
    };
    modelled.captured.fetch_add(1, Ordering::AcqRel);
    let call = Call { listener, cookie, address, length, flags };
    match call.answer(&modelled) {
        Ok(fd) => fd,
        Err(error) => {
            // Every error here is the kernel's, or stands for one of a kernel's.
            outcome::leave_errno(&error);
            -1
        }
    }
}

/// The kernel in force for what a descriptor stands for, and its SO_COOKIE. What is no socket
/// has none, and the system call says so.
fn find(listener: c_int) -> Option<(u64, Arc<Modelled>)> {
    if listener < 0 {
        return None;
    }
    // SAFETY: the borrow ends with this function, and the caller has the descriptor open for
    // a call on it; where it has not, getsockopt(2) fails.
    let cookie = SockRef::from(&unsafe { BorrowedFd::borrow_raw(listener) }).cookie().ok()?;
    let table = MODELLED.read().unwrap_or_else(PoisonError::into_inner);
    Some((cookie, Arc::clone(table.get(&cookie)?)))
}

/// A call and its arguments.
struct Call {
    listener: RawFd,
    cookie: u64,
    address: *mut sockaddr,
    length: *mut socklen_t,
    flags: c_int,
}

/// The listener, as a call knows it once it goes on after a discard.
struct Held {
    /// The listener itself, as the kernel's own accept holds it: whatever becomes of the
    /// caller's descriptor, no other socket is taken for it. `None` where no descriptor was
    /// left: then the caller's has to do.
    own: Option<OwnedFd>,
    /// Whether O_NONBLOCK was clear; others may set it meanwhile, and this call is what it was.
    blocking: bool,
    /// When the call must be over (SO_RCVTIMEO).
    due: Option<Moment>,
}

impl Call {
    fn answer(&self, modelled: &Modelled) -> io::Result<RawFd> {
        let entered = clock::now();
        let mut taken = self.take(self.listener)?;
        let mut held: Option<Held> = None;
        loop {
            match self.hand_over(&taken) {
                Ok(()) => return Ok(taken.into_raw()),
                Err(error) if outcome::is_not_connected(&error) => {}
                // The connection is lost with the caller's bad pointer, as it is in accept4.
                Err(error) => return Err(error),
            }
            // What is done about an aborted connection does not depend on O_NONBLOCK.
            match modelled.model.decide(Head::Aborted, true) {
                Decision::Fail(abort) => return Err(io::Error::from_raw_os_error(abort.errno())),
                _ => modelled.note_vanished(reset_peer_port(&taken.0)),
            }
            let number = taken.0.as_raw_fd();
            drop(taken);
            let known = match held.take() {
                Some(known) => known,
                None => self.hold(entered, number)?,
            };
            taken = self.take_another(held.insert(known), modelled)?;
        }
    }

    /// The accept itself. Parks as the listener does.
    fn take(&self, listener: RawFd) -> io::Result<Taken> {
        take(listener, self.flags).map(Taken)
    }

    /// Writes the peer's address where the caller wants it, as accept4 would. Fails with
    /// ENOTCONN, and writes nothing, where the connection is gone.
    fn hand_over(&self, taken: &Taken) -> io::Result<()> {
        let mut unwanted: libc::sockaddr = libc::sockaddr { sa_family: 0, sa_data: [0; 14] };
        let mut room = 0;
        // Where addr is NULL, accept(2) ignores addrlen.
        let (address, length) = match self.address.is_null() {
            true => (&raw mut unwanted, &raw mut room),
            false => (self.address, self.length),
        };
        // SAFETY: the kernel checks both pointers and fails with EFAULT for what is not
        // writable (getpeername(2)); `unwanted` is written no byte of, its room being none.
        match unsafe { libc::getpeername(taken.0.as_raw_fd(), address, length) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }

    /// Holds the listener for the rest of the call that was `entered` then. `free` is the
    /// number that the next connection is to have: accept gives its caller the lowest that is
    /// free (POSIX.1-2017, accept()).
    ///
    /// # Errors
    ///
    /// EBADF where the caller's number stands for another socket by now, or for none.
    fn hold(&self, entered: Moment, free: RawFd) -> io::Result<Held> {
        // No descriptor left is no reason to fail: a kernel needs none for this. That there is
        // no listener any more shows in the next call.
        let own = duplicate(self.listener, free.saturating_add(1)).ok();
        let listener = self.listener(own.as_ref());
        let socket = SockRef::from(&listener);
        if socket.cookie().ok() != Some(self.cookie) {
            return Err(outcome::no_such_descriptor());
        }
        let blocking = !socket.nonblocking()?;
        // On Linux SO_RCVTIMEO bounds an accept, all of it (socket(7)).
        let due = socket.read_timeout()?.map(|timeout| entered.after(timeout));
        Ok(Held { own, blocking, due })
    }

    /// The call's own descriptor of the listener, or else the caller's.
    fn listener<'a>(&self, own: Option<&'a OwnedFd>) -> BorrowedFd<'a> {
        match own {
            Some(own) => own.as_fd(),
            // SAFETY: the caller has it open for the call; where it has not, calls on it fail.
            None => unsafe { BorrowedFd::borrow_raw(self.listener) },
        }
    }

    /// The next connection after a discard, for what is left of the call.
    fn take_another(&self, held: &Held, modelled: &Modelled) -> io::Result<Taken> {
        let listener = self.listener(held.own.as_ref());
        let waits = modelled.model.decide(Head::Nothing, held.blocking) == Decision::Wait;
        if !waits || held.due.is_some() {
            let due = held.due.filter(|_| waits).unwrap_or(Moment(0));
            await_ready(listener, Some(due))?;
            return self.take(listener.as_raw_fd());
        }
        loop {
            match self.take(listener.as_raw_fd()) {
                // Somebody has set O_NONBLOCK since: this call waits all the same.
                Err(error)
                    if error.kind() == io::ErrorKind::WouldBlock
                        && SockRef::from(&listener).nonblocking()? =>
                {
                    await_ready(listener, None)?;
                }
                result => return result,
            }
        }
    }
}

/// A connection that is nobody's yet: released unless it is handed over.
struct Taken(OwnedFd);

impl Taken {
    fn into_raw(self) -> RawFd {
        self.0.into_raw_fd()
    }
}

/// Waits until the listener is ready, at most until `due`.
///
/// # Errors
///
/// EWOULDBLOCK when `due` has passed; EINTR, as an accept with a time limit (signal(7)).
fn await_ready(listener: BorrowedFd<'_>, due: Option<Moment>) -> io::Result<()> {
    loop {
        let timeout = due.map_or(PollTimeout::NONE, |due| {
            // Rounded up, so as not to be early.
            let left = due.remaining().saturating_add(Duration::from_nanos(999_999));
            PollTimeout::try_from(left.as_millis()).unwrap_or(PollTimeout::MAX)
        });
        let mut entry = [PollFd::new(listener, PollFlags::POLLIN)];
        match poll(&mut entry, timeout)? {
            0 if due.is_none_or(|due| !due.remaining().is_zero()) => {}
            0 => return Err(outcome::would_block()),
            _ => return Ok(()),
        }
    }
}
