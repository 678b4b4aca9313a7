//! `mio::Poll`: edge-triggered on Linux and the BSDs alike, by mio's contract.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll};

use super::{Backend, Driver, Ready, Rearms, Registration, Takes, Token, Unasked};
use crate::connection::Connection;
use crate::listener::Mode;
use crate::outcome;

/// mio stands on epoll(7) or on kqueue(2).
const REGISTRATION: Registration = if cfg!(any(target_os = "linux", target_os = "android")) {
    Registration::File
} else {
    Registration::Descriptor
};

pub(super) const DRIVER: Driver = Driver {
    about: "mio::Poll, edge-triggered, to be drained",
    library: Some("mio"),
    takes: Takes::AfterReport,
    modes: &Mode::ALL,
    watches_others: true,
    edge_triggered: true,
    accepts_unasked: Unasked::Never,
    rearms: Rearms::Never,
    registration: REGISTRATION,
    // Apple's systems have no accept4: there mio leaves it to inheritance from the listener.
    sets_nonblocking: cfg!(not(target_vendor = "apple")),
    wakes_one: false,
    open: |listener| {
        Ok(Box::new(Mio {
            poll: Poll::new()?,
            // Leaves O_NONBLOCK as it is: "left up to the user", says its documentation.
            listener: Some(mio::net::TcpListener::from_std(listener)),
            owned: Vec::new(),
            events: Events::with_capacity(1024),
        }))
    },
};

struct Mio {
    poll: Poll,
    /// `None` once it is forgotten. mio's has no drop of its own: dropping it closes the
    /// descriptor, and deregistering is the user's affair (`mio::event::Source`).
    listener: Option<mio::net::TcpListener>,
    /// Keeps the others open while they are registered.
    owned: Vec<Arc<OwnedFd>>,
    events: Events,
}

impl Backend for Mio {
    fn watch_listener(&mut self) -> io::Result<()> {
        let token = mio::Token(Token::LISTENER.0);
        let listener = self.listener.as_mut().ok_or_else(outcome::no_such_descriptor)?;
        self.poll.registry().register(listener, token, Interest::READABLE)
    }

    fn unwatch_listener(&mut self) -> io::Result<()> {
        let listener = self.listener.as_mut().ok_or_else(outcome::no_such_descriptor)?;
        self.poll.registry().deregister(listener)
    }

    fn forget_listener(&mut self) -> io::Result<()> {
        self.listener = None;
        Ok(())
    }

    fn watch(&mut self, fd: Arc<OwnedFd>, token: Token) -> io::Result<()> {
        let raw = fd.as_raw_fd();
        let registry = self.poll.registry();
        registry.register(&mut SourceFd(&raw), mio::Token(token.0), Interest::READABLE)?;
        self.owned.push(fd);
        Ok(())
    }

    fn wait(&mut self, ready: &mut Ready) -> io::Result<()> {
        ready.clear();
        self.poll.poll(&mut self.events, None)?;
        for event in &self.events {
            ready.report(Token(event.token().0));
        }
        Ok(())
    }

    fn accept(&mut self) -> io::Result<Connection> {
        let (stream, peer) = super::still_open(&self.listener)?.accept()?;
        // As std's stream it is a bare descriptor: mio knows of no stream until it is registered.
        Ok(Connection::new(std::net::TcpStream::from(stream).into(), Some(peer)))
    }
}
