//! `polling::Poller` in its default mode: one-shot, renewed before each wait. It has no
//! accept of its own, so accept(2) it is, as in its documentation.
#![allow(unsafe_code)]

use std::collections::HashMap;
use std::io;
use std::net::TcpListener;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use polling::{Event, Events, Poller};

use super::{Backend, Driver, Ready, Takes, Token, Unasked};
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
    open: |listener| {
        Ok(Box::new(Polling {
            poller: Poller::new()?,
            listener,
            others: HashMap::new(),
            spent: Vec::new(),
            events: Events::new(),
        }))
    },
};

struct Polling {
    poller: Poller,
    listener: TcpListener,
    /// The others: kept open, and found again when they are to be renewed.
    others: HashMap<Token, Arc<OwnedFd>>,
    /// Registrations that have reported since the last wait.
    spent: Vec<Token>,
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
        self.add(self.listener.as_fd(), Token::LISTENER)
    }

    fn watch(&mut self, fd: Arc<OwnedFd>, token: Token) -> io::Result<()> {
        self.add(fd.as_fd(), token)?;
        self.others.insert(token, fd);
        Ok(())
    }

    fn wait(&mut self, ready: &mut Ready) -> io::Result<()> {
        ready.clear();
        for token in self.spent.drain(..) {
            let fd = match self.others.get(&token) {
                Some(fd) => fd.as_fd(),
                None => self.listener.as_fd(),
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
        accept(&self.listener)
    }
}

impl Drop for Polling {
    fn drop(&mut self) {
        // The listener may never have been watched; either way it is about to be closed.
        let _ = self.poller.delete(&self.listener);
        for fd in self.others.values() {
            let _ = self.poller.delete(fd);
        }
    }
}
