//! `poll(2)`: level-triggered, the whole set handed over at each wait.
#![allow(unsafe_code)]

use std::io;
use std::net::TcpListener;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::Arc;

use super::{Backend, Driver, Ready, Rearms, Registration, Takes, Token, Unasked};
use crate::accept::accept;
use crate::connection::Connection;
use crate::listener::Mode;

pub(super) const DRIVER: Driver = Driver {
    about: "poll(2), level-triggered; the reference of the benchmarks",
    library: None,
    takes: Takes::AfterReport,
    modes: &Mode::ALL,
    watches_others: true,
    edge_triggered: false,
    accepts_unasked: Unasked::Never,
    rearms: Rearms::Never,
    registration: Registration::Number,
    sets_nonblocking: false,
    wakes_one: false,
    open: |listener| {
        Ok(Box::new(Poll {
            listener: Some(listener),
            set: Vec::new(),
            tokens: Vec::new(),
            owned: Vec::new(),
        }))
    },
};

struct Poll {
    /// `None` once it is forgotten; its number stays in `set`.
    listener: Option<TcpListener>,
    set: Vec<libc::pollfd>,
    /// The token of each entry of `set`.
    tokens: Vec<Token>,
    /// Keeps the others open, so that no number in `set` can be reused.
    owned: Vec<Arc<OwnedFd>>,
}

impl Poll {
    fn add(&mut self, fd: RawFd, token: Token) {
        self.set.push(libc::pollfd { fd, events: libc::POLLIN, revents: 0 });
        self.tokens.push(token);
    }
}

impl Backend for Poll {
    fn watch_listener(&mut self) -> io::Result<()> {
        self.add(super::still_open(&self.listener)?.as_raw_fd(), Token::LISTENER);
        Ok(())
    }

    fn unwatch_listener(&mut self) -> io::Result<()> {
        if let Some(at) = self.tokens.iter().position(|&token| token == Token::LISTENER) {
            self.set.remove(at);
            self.tokens.remove(at);
        }
        Ok(())
    }

    fn forget_listener(&mut self) -> io::Result<()> {
        self.listener = None;
        Ok(())
    }

    fn watch(&mut self, fd: Arc<OwnedFd>, token: Token) -> io::Result<()> {
        self.add(fd.as_raw_fd(), token);
        self.owned.push(fd);
        Ok(())
    }

    fn wait(&mut self, ready: &mut Ready) -> io::Result<()> {
        ready.clear();
        // SAFETY: the pointer and the length are those of one initialised array, which the
        // call may write to and does not keep (poll(2)). -1 is no timeout.
        let n = unsafe { libc::poll(self.set.as_mut_ptr(), self.set.len() as libc::nfds_t, -1) };
        let mut left = super::check(n)?;
        for (entry, &token) in self.set.iter().zip(&self.tokens) {
            if left == 0 {
                break;
            }
            if entry.revents != 0 {
                ready.report(token);
                left -= 1;
            }
        }
        Ok(())
    }

    fn accept(&mut self) -> io::Result<Connection> {
        accept(super::still_open(&self.listener)?)
    }
}
