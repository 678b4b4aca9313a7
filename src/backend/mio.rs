//! `mio::Poll`: edge-triggered on Linux and the BSDs alike, by mio's contract.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll};

use super::{Backend, Driver, Ready, Takes, Token, Unasked};
use crate::connection::Connection;
use crate::listener::Mode;

pub(super) const DRIVER: Driver = Driver {
    about: "mio::Poll, edge-triggered, to be drained",
    library: Some("mio"),
    takes: Takes::AfterReport,
    modes: &Mode::ALL,
    watches_others: true,
    edge_triggered: true,
    accepts_unasked: Unasked::Never,
    open: |listener| {
        Ok(Box::new(Mio {
            poll: Poll::new()?,
            // Leaves O_NONBLOCK as it is: "left up to the user", says its documentation.
            listener: mio::net::TcpListener::from_std(listener),
            owned: Vec::new(),
            events: Events::with_capacity(1024),
        }))
    },
};

struct Mio {
    poll: Poll,
    listener: mio::net::TcpListener,
    /// Keeps the others open while they are registered.
    owned: Vec<Arc<OwnedFd>>,
    events: Events,
}

impl Backend for Mio {
    fn watch_listener(&mut self) -> io::Result<()> {
        let token = mio::Token(Token::LISTENER.0);
        self.poll.registry().register(&mut self.listener, token, Interest::READABLE)
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
        let (stream, peer) = self.listener.accept()?;
        // As std's stream it is a bare descriptor: mio knows of no stream until it is registered.
        Ok(Connection::new(std::net::TcpStream::from(stream).into(), Some(peer)))
    }
}
