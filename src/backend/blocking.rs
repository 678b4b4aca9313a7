//! `accept(2)` alone, on a blocking listener: the wait is the accept.

use std::io;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use super::{Backend, Driver, Ready, Rearms, Registration, Takes, Token, Unasked};
use crate::accept::accept;
use crate::connection::Connection;
use crate::listener::Mode;

pub(super) const DRIVER: Driver = Driver {
    about: "accept(2) that parks; no readiness",
    library: None,
    takes: Takes::InAccept,
    modes: &[Mode::Blocking],
    watches_others: false,
    edge_triggered: false,
    accepts_unasked: Unasked::Never,
    rearms: Rearms::Never,
    registration: Registration::None,
    sets_nonblocking: false,
    wakes_one: true,
    open: |listener| Ok(Box::new(Blocking { listener })),
};

struct Blocking {
    listener: TcpListener,
}

impl Backend for Blocking {
    fn watch_listener(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn unwatch_listener(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn forget_listener(&mut self) -> io::Result<()> {
        let message = "accept(2) alone has no registration that could outlive the descriptor";
        Err(io::Error::new(io::ErrorKind::Unsupported, message))
    }

    fn watch(&mut self, _fd: Arc<OwnedFd>, _token: Token) -> io::Result<()> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "accept(2) watches the listener only"))
    }

    fn wait(&mut self, ready: &mut Ready) -> io::Result<()> {
        ready.clear();
        ready.accepts = 1;
        Ok(())
    }

    fn accept(&mut self) -> io::Result<Connection> {
        accept(&self.listener)
    }
}
