//! `io_uring(7)`: one accept in flight, which completes inside the wait whatever the
//! listener's mode. The multishot sibling differs in the request and in the address.
#![allow(unsafe_code)]

use std::collections::{HashMap, VecDeque};
use std::io;
use std::mem::{self, MaybeUninit};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::Arc;

use io_uring::squeue::Entry;
use io_uring::{EnterFlags, IoUring, cqueue, opcode, types};
use socket2::SockRef;

use super::{Backend, Driver, Ready, Rearms, Registration, Takes, Token, Unasked};
use crate::accept;
use crate::connection::Connection;
use crate::listener::Mode;
use crate::outcome;

pub(super) const DRIVER: Driver = Driver {
    about: "io_uring(7), one accept in flight",
    library: Some("io-uring"),
    takes: Takes::InWait,
    modes: &Mode::ALL,
    watches_others: true,
    edge_triggered: false,
    accepts_unasked: Unasked::Never,
    rearms: Rearms::EachReport,
    registration: Registration::Request,
    sets_nonblocking: false,
    wakes_one: true,
    open: |listener| Ring::open(listener, Shots::One),
};

/// How many requests one submission can carry; more are submitted in turns.
const ENTRIES: u32 = 256;

/// Room for an address, and its length: what the kernel writes of an accept.
type Address = (MaybeUninit<libc::sockaddr_storage>, libc::socklen_t);

/// No address yet: all zeroes.
const NOWHERE: Address = (MaybeUninit::zeroed(), 0);

/// How many connections one accept request brings.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shots {
    One,
    /// Until the request is cancelled or fails (io_uring_prep_multishot_accept(3), 5.19).
    Multi,
}

pub(super) struct Ring {
    ring: IoUring,
    /// `None` once it is forgotten; the request in flight holds its file.
    listener: Option<TcpListener>,
    shots: Shots,
    /// Whether an accept request is with the kernel.
    armed: bool,
    /// Whether the listener is to be watched at all.
    watched: bool,
    /// Whether no request was made since the listener was watched: the next is the first, and
    /// no renewal.
    fresh: bool,
    /// Whether a request that has ended is made again.
    rearms: bool,
    completed: VecDeque<io::Result<Connection>>,
    /// Kept open while the kernel polls them.
    others: HashMap<Token, Arc<OwnedFd>>,
    /// Those of the others whose poll request has completed, or was never made.
    unarmed: Vec<Token>,
    /// Where the kernel writes the peer's address, and its length, of the accept in flight.
    address: Box<Address>,
}

/// The name of a cancel request, whose own completion tells nothing.
const CANCEL: u64 = u64::MAX;

impl Ring {
    pub(super) fn open(listener: TcpListener, shots: Shots) -> io::Result<Box<dyn Backend>> {
        // Work is done when this thread asks for completions and not in somebody's connect
        // (IORING_SETUP_DEFER_TASKRUN, 6.1). Older kernels get a plain ring.
        let ring =
            IoUring::builder().setup_single_issuer().setup_defer_taskrun().build(ENTRIES).or_else(
                |error| match outcome::is_unknown_option(&error) {
                    true => IoUring::new(ENTRIES),
                    false => Err(error),
                },
            )?;
        Ok(Box::new(Ring {
            ring,
            listener: Some(listener),
            shots,
            armed: false,
            watched: false,
            fresh: false,
            rearms: true,
            completed: VecDeque::new(),
            others: HashMap::new(),
            unarmed: Vec::new(),
            address: Box::new(NOWHERE),
        }))
    }

    fn push(&mut self, entry: &Entry) -> io::Result<()> {
        loop {
            // SAFETY: what an entry points to must live until it completes. Only the accept
            // has pointers, into `self.address`, which `disarm` protects when `self` goes;
            // every descriptor in an entry is kept open by `self`.
            if unsafe { self.ring.submission().push(entry) }.is_ok() {
                return Ok(());
            }
            self.ring.submit()?;
        }
    }

    fn arm(&mut self) -> io::Result<()> {
        for token in mem::take(&mut self.unarmed) {
            let Some(fd) = self.others.get(&token) else { continue };
            let poll = opcode::PollAdd::new(types::Fd(fd.as_raw_fd()), libc::POLLIN as u32);
            self.push(&poll.build().user_data(token.0 as u64))?;
        }
        let due = self.watched && !self.armed && (self.rearms || self.fresh);
        if let (true, Some(listener)) = (due, &self.listener) {
            let listener = types::Fd(listener.as_raw_fd());
            let flags = libc::SOCK_CLOEXEC;
            let accept = match self.shots {
                Shots::Multi => opcode::AcceptMulti::new(listener).flags(flags).build(),
                Shots::One => {
                    let (storage, length) = &mut *self.address;
                    *length = mem::size_of_val(storage) as libc::socklen_t;
                    let storage = storage.as_mut_ptr().cast();
                    opcode::Accept::new(listener, storage, length).flags(flags).build()
                }
            };
            self.push(&accept.user_data(Token::LISTENER.0 as u64))?;
            (self.armed, self.fresh) = (true, false);
        }
        Ok(())
    }

    /// Has completions posted without waiting for one: connections are in hand already, and
    /// the others get their turn all the same. With DEFER_TASKRUN only an enter that asks for
    /// events does the work (io_uring_setup(2)).
    fn look(&mut self) -> io::Result<()> {
        let flags = EnterFlags::GETEVENTS.bits();
        let submit = self.ring.submission().len() as u32;
        // SAFETY: no argument is passed, and no flag that would want one; the entries on the
        // queue were pushed by `push`.
        unsafe { self.ring.submitter().enter::<()>(submit, 0, flags, None) }.map(drop)
    }

    fn reap(&mut self, ready: &mut Ready) {
        while let Some(entry) = { self.ring.completion().next() } {
            match Token(entry.user_data() as usize) {
                _ if entry.user_data() == CANCEL => {}
                Token::LISTENER => {
                    self.armed = cqueue::more(entry.flags());
                    let result = self.taken(entry.result());
                    self.completed.push_back(result);
                }
                token => {
                    ready.others.push(token);
                    self.unarmed.push(token);
                }
            }
        }
    }

    /// The connection or the error of an accept's completion.
    fn taken(&self, result: i32) -> io::Result<Connection> {
        if result < 0 {
            return Err(io::Error::from_raw_os_error(-result));
        }
        // SAFETY: the kernel made this descriptor for this completion; nobody else owns it.
        let fd = unsafe { OwnedFd::from_raw_fd(result) };
        let peer = match self.shots {
            Shots::One => self.written_address(),
            // A later shot overwrites the address of an earlier one before anybody could
            // read it, so it has to be asked for. ENOTCONN: the connection is dead.
            Shots::Multi => SockRef::from(&fd).peer_addr().ok().and_then(|addr| addr.as_socket()),
        };
        Ok(Connection::new(fd, peer))
    }

    fn written_address(&self) -> Option<SocketAddr> {
        let (storage, length) = &*self.address;
        // SAFETY: the accept that has completed wrote an address of `length` bytes there
        // (accept(2)); what it did not write was zeroed when the ring was opened.
        unsafe { accept::peer(storage.as_ptr(), *length as usize) }
    }
}

impl Backend for Ring {
    fn watch_listener(&mut self) -> io::Result<()> {
        super::still_open(&self.listener)?;
        (self.watched, self.fresh) = (true, true);
        Ok(())
    }

    fn unwatch_listener(&mut self) -> io::Result<()> {
        self.watched = false;
        self.disarm()
    }

    fn forget_listener(&mut self) -> io::Result<()> {
        // A request names the descriptor only until it is submitted. One that a failed wait
        // has left on the queue must have its file before the number goes.
        if self.armed {
            self.ring.submit()?;
        }
        self.listener = None;
        Ok(())
    }

    fn stop_rearming(&mut self) {
        self.rearms = false;
    }

    fn watch(&mut self, fd: Arc<OwnedFd>, token: Token) -> io::Result<()> {
        self.others.insert(token, fd);
        self.unarmed.push(token);
        Ok(())
    }

    fn wait(&mut self, ready: &mut Ready) -> io::Result<()> {
        ready.clear();
        self.arm()?;
        if self.completed.is_empty() {
            self.ring.submit_and_wait(1)?;
        } else {
            self.look()?;
        }
        self.reap(ready);
        ready.accepts = self.completed.len();
        Ok(())
    }

    fn accept(&mut self) -> io::Result<Connection> {
        self.completed.pop_front().unwrap_or_else(|| Err(io::ErrorKind::WouldBlock.into()))
    }

    fn disarm(&mut self) -> io::Result<()> {
        if !self.armed {
            return Ok(());
        }
        // What is reported of the others here is level-triggered, and comes again.
        let mut ready = Ready::default();
        // A connection that the kernel has told the request of waits for this thread to take
        // it (`look`). A cancel that came first would leave it in the accept queue.
        match self.look() {
            Err(error) if !outcome::is_interrupted(&error) => return Err(error),
            _ => self.reap(&mut ready),
        }
        if self.armed {
            let accept = Token::LISTENER.0 as u64;
            self.push(&opcode::AsyncCancel::new(accept).build().user_data(CANCEL))?;
        }
        while self.armed {
            match self.ring.submit_and_wait(1) {
                Err(error) if !outcome::is_interrupted(&error) => return Err(error),
                _ => self.reap(&mut ready),
            }
        }
        // The last completion is the cancelled request's own. A connection that won the race
        // against the cancel stays for the next wait.
        self.completed.retain(|result| match result {
            Err(error) => !outcome::is_cancelled(error),
            Ok(_) => true,
        });
        Ok(())
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // Closing a ring cancels its requests later, in a kernel worker; until then an
        // accept could still write the address. If the cancel fails, the memory is leaked.
        if self.disarm().is_err() {
            mem::forget(mem::replace(&mut self.address, Box::new(NOWHERE)));
        }
    }
}
