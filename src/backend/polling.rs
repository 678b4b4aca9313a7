//! `polling::Poller` in its default mode: one-shot, renewed before each wait. It has no
//! accept of its own, so accept(2) it is, as in its documentation.
#![allow(unsafe_code)]

use std::collections::HashMap;
use std::io;
use std::net::TcpListener;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use polling::{Event, Events, Poller};

use super::{Backend, Driver, Ready, Rearms, Registration, Takes, Token, Unasked};
use crate::accept::accept;
use crate::connection::Connection;
use crate::listener::Mode;

pub(super) const DRIVER: Driver = Driver {
    about: "polling::Poller, one-shot, renewed before each wait",
    library: Some("polling"),
    takes: Takes::AfterReport,
    modes: &Mode::ALL,
    watches_others: true,
    edge_triggered: false,
    accepts_unasked: Unasked::Never,
    rearms: Rearms::EachReport,
    registration: Registration::Contract,
    sets_nonblocking: false,
    wakes_one: false,
    open: |listener| {
        Ok(Box::new(Polling {
            poller: Poller::new()?,
            listener: Some(listener),
            registered: false,
            others: HashMap::new(),
            spent: Vec::new(),
            rearms: true,
            events: Events::new(),
        }))
    },
};

struct Polling {
    poller: Poller,
    listener: Option<TcpListener>,
    /// Whether the poller knows the listener, and it must not be closed.
    registered: bool,
    /// The others: kept open, and found again when they are to be renewed.
    others: HashMap<Token, Arc<OwnedFd>>,
    /// Registrations that have reported since the last wait.
    spent: Vec<Token>,
    /// Whether the listener's registration is renewed.
    rearms: bool,
    events: Events,
}

impl Polling {
    fn add(&self, fd: BorrowedFd<'_>, token: Token) -> io::Result<()> {
        // SAFETY: the source must be deleted before it is closed. `self` keeps every source
        // open and `drop` deletes them all.
        unsafe { self.poller.add(fd.as_raw_fd(), Event::readable(token.0)) }
    }
}

impl Backend for Polling {
    fn watch_listener(&mut self) -> io::Result<()> {
        self.add(super::still_open(&self.listener)?.as_fd(), Token::LISTENER)?;
        self.registered = true;
        Ok(())
    }

    fn unwatch_listener(&mut self) -> io::Result<()> {
        self.poller.delete(super::still_open(&self.listener)?)?;
        self.registered = false;
        self.spent.retain(|&token| token != Token::LISTENER);
        Ok(())
    }

    fn forget_listener(&mut self) -> io::Result<()> {
        if self.registered {
            let message = "polling forbids to close a source before it is deleted (Poller::add)";
            return Err(io::Error::new(io::ErrorKind::Unsupported, message));
        }
        self.listener = None;
        Ok(())
    }

    fn stop_rearming(&mut self) {
        self.rearms = false;
    }

    fn watch(&mut self, fd: Arc<OwnedFd>, token: Token) -> io::Result<()> {
        self.add(fd.as_fd(), token)?;
        self.others.insert(token, fd);
        Ok(())
    }

    fn wait(&mut self, ready: &mut Ready) -> io::Result<()> {
        ready.clear();
        for token in self.spent.drain(..) {
            let fd = match (self.others.get(&token), &self.listener) {
                (Some(fd), _) => fd.as_fd(),
                (None, Some(listener)) if self.rearms => listener.as_fd(),
                _ => continue,
            };
            self.poller.modify(fd, Event::readable(token.0))?;
        }
        self.events.clear();
        self.poller.wait(&mut self.events, None)?;
        for event in self.events.iter() {
            let token = Token(event.key);
            ready.report(token);
            self.spent.push(token);
        }
        Ok(())
    }

    fn accept(&mut self) -> io::Result<Connection> {
        accept(super::still_open(&self.listener)?)
    }
}

impl Drop for Polling {
    fn drop(&mut self) {
        // The listener may never have been watched; either way it is about to be closed.
        let _ = self.listener.as_ref().map(|listener| self.poller.delete(listener));
        for fd in self.others.values() {
            let _ = self.poller.delete(fd);
        }
    }
}
