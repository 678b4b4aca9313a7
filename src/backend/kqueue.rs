//! `kqueue(2)`: EVFILT_READ, level-triggered as it is by default, registered once.
#![allow(unsafe_code)]

use std::io;
use std::mem;
use std::net::TcpListener;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;
use std::sync::Arc;

use super::{Backend, Driver, Ready, Rearms, Registration, Takes, Token, Unasked};
use crate::accept::accept;
use crate::connection::Connection;
use crate::listener::Mode;

pub(super) const DRIVER: Driver = Driver {
    about: "kqueue(2), EVFILT_READ, level-triggered",
    library: None,
    takes: Takes::AfterReport,
    modes: &Mode::ALL,
    watches_others: true,
    edge_triggered: false,
    accepts_unasked: Unasked::Never,
    rearms: Rearms::Never,
    registration: Registration::Descriptor,
    sets_nonblocking: false,
    wakes_one: false,
    open: |listener| {
        // SAFETY: takes no argument; the result is checked before it is used.
        let fd = super::check(unsafe { libc::kqueue() })?;
        // SAFETY: the descriptor is new and nobody else owns it. It is not inherited by a
        // child (kqueue(2)), so it needs no close-on-exec.
        let queue = unsafe { OwnedFd::from_raw_fd(fd) };
        let events = Vec::with_capacity(CAPACITY);
        Ok(Box::new(Kqueue { queue, listener: Some(listener), owned: Vec::new(), events }))
    },
};

/// How many events one wait can bring.
const CAPACITY: usize = 1024;

struct Kqueue {
    queue: OwnedFd,
    /// `None` once it is forgotten.
    listener: Option<TcpListener>,
    /// Keeps the others open: closing one would end its registration.
    owned: Vec<Arc<OwnedFd>>,
    events: Vec<libc::kevent>,
}

impl Kqueue {
    /// Adds a registration or ends it: `flags` is EV_ADD or EV_DELETE.
    fn change(&self, flags: u16, fd: RawFd, token: Token) -> io::Result<()> {
        // SAFETY: kevent is a plain C structure, for which all zeroes is a value; its fields
        // differ in type, and in number, between the systems.
        let mut change: libc::kevent = unsafe { mem::zeroed() };
        change.ident = fd as libc::uintptr_t;
        change.filter = libc::EVFILT_READ as _;
        change.flags = flags as _;
        change.udata = token.0 as _;
        // SAFETY: one initialised change that outlives the call; no events are asked for.
        let result = unsafe {
            libc::kevent(self.queue.as_raw_fd(), &change, 1, ptr::null_mut(), 0, ptr::null())
        };
        super::check(result).map(drop)
    }
}

impl Backend for Kqueue {
    fn watch_listener(&mut self) -> io::Result<()> {
        let listener = super::still_open(&self.listener)?.as_raw_fd();
        self.change(libc::EV_ADD as _, listener, Token::LISTENER)
    }

    fn unwatch_listener(&mut self) -> io::Result<()> {
        let listener = super::still_open(&self.listener)?.as_raw_fd();
        self.change(libc::EV_DELETE as _, listener, Token::LISTENER)
    }

    fn forget_listener(&mut self) -> io::Result<()> {
        self.listener = None;
        Ok(())
    }

    fn watch(&mut self, fd: Arc<OwnedFd>, token: Token) -> io::Result<()> {
        self.change(libc::EV_ADD as _, fd.as_raw_fd(), token)?;
        self.owned.push(fd);
        Ok(())
    }

    fn wait(&mut self, ready: &mut Ready) -> io::Result<()> {
        ready.clear();
        self.events.clear();
        let room = self.events.capacity() as _;
        // SAFETY: no changes are given, the buffer has room for `room` events, and a null
        // timeout waits without limit (kqueue(2)).
        let n = super::check(unsafe {
            libc::kevent(
                self.queue.as_raw_fd(),
                ptr::null(),
                0,
                self.events.as_mut_ptr(),
                room,
                ptr::null(),
            )
        })?;
        // SAFETY: kevent wrote the first `n` events.
        unsafe { self.events.set_len(n as usize) };
        for event in &self.events {
            ready.report(Token(event.udata as usize));
        }
        Ok(())
    }

    fn accept(&mut self) -> io::Result<Connection> {
        accept(super::still_open(&self.listener)?)
    }
}
