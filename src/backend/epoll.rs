//! `epoll(7)`: level-triggered, registered once. Edge-triggered, one-shot and
//! exclusive are siblings that differ in one flag.
#![allow(unsafe_code)]

use std::collections::HashMap;
use std::io;
use std::net::TcpListener;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::sync::Arc;

use super::{Backend, Driver, Ready, Rearms, Registration, Takes, Token, Unasked};
use crate::accept::accept;
use crate::connection::Connection;
use crate::listener::Mode;

pub(super) const DRIVER: Driver = Driver {
    about: "epoll(7), level-triggered",
    library: None,
    takes: Takes::AfterReport,
    modes: &Mode::ALL,
    watches_others: true,
    edge_triggered: false,
    accepts_unasked: Unasked::Never,
    rearms: Rearms::Never,
    registration: Registration::File,
    sets_nonblocking: false,
    wakes_one: false,
    open: |listener| Epoll::open(listener, Trigger::Level),
};

/// How many events one wait can bring.
const CAPACITY: usize = 1024;

/// When a registration reports (epoll_ctl(2)).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Trigger {
    /// As long as the descriptor is ready.
    Level,
    /// When it becomes ready (EPOLLET).
    Edge,
    /// Once, until it is armed again (EPOLLONESHOT).
    OneShot,
    /// As `Level`, and of several waiters not all are woken for the listener
    /// (EPOLLEXCLUSIVE, Linux 4.5). EPOLL_CTL_MOD is not allowed on such a registration.
    Exclusive,
}

pub(super) struct Epoll {
    epoll: OwnedFd,
    /// `None` once it is forgotten.
    listener: Option<TcpListener>,
    trigger: Trigger,
    /// The others: kept open, and found again when a one-shot is to be renewed.
    others: HashMap<Token, Arc<OwnedFd>>,
    /// One-shot registrations that have reported since the last wait.
    spent: Vec<Token>,
    /// Whether the listener's one-shot registration is renewed.
    rearms: bool,
    events: Vec<libc::epoll_event>,
}

impl Epoll {
    pub(super) fn open(listener: TcpListener, trigger: Trigger) -> io::Result<Box<dyn Backend>> {
        // SAFETY: takes no pointer; the result is checked before it is used.
        let fd = super::check(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?;
        // SAFETY: the descriptor is new and nobody else owns it.
        let epoll = unsafe { OwnedFd::from_raw_fd(fd) };
        let events = Vec::with_capacity(CAPACITY);
        let (others, spent) = (HashMap::new(), Vec::new());
        let listener = Some(listener);
        Ok(Box::new(Epoll { epoll, listener, trigger, others, spent, rearms: true, events }))
    }

    fn control(&self, operation: libc::c_int, fd: RawFd, token: Token) -> io::Result<()> {
        let trigger = match self.trigger {
            Trigger::Level => 0,
            Trigger::Edge => libc::EPOLLET,
            Trigger::OneShot => libc::EPOLLONESHOT,
            // The others belong to one loop: nobody else waits for them.
            Trigger::Exclusive if token == Token::LISTENER => libc::EPOLLEXCLUSIVE,
            Trigger::Exclusive => 0,
        };
        let mut event =
            libc::epoll_event { events: (libc::EPOLLIN | trigger) as u32, u64: token.0 as u64 };
        // SAFETY: `event` is initialised and outlives the call, which copies it; both
        // descriptors are open, since `self` owns them (epoll_ctl(2)). EPOLL_CTL_DEL ignores
        // the event.
        super::check(unsafe { libc::epoll_ctl(self.epoll.as_raw_fd(), operation, fd, &mut event) })
            .map(drop)
    }

    fn renew(&mut self) -> io::Result<()> {
        for token in std::mem::take(&mut self.spent) {
            let fd = match (self.others.get(&token), &self.listener) {
                (Some(fd), _) => fd.as_raw_fd(),
                (None, Some(listener)) if self.rearms => listener.as_raw_fd(),
                _ => continue,
            };
            self.control(libc::EPOLL_CTL_MOD, fd, token)?;
        }
        Ok(())
    }
}

impl Backend for Epoll {
    fn watch_listener(&mut self) -> io::Result<()> {
        let listener = super::still_open(&self.listener)?.as_raw_fd();
        self.control(libc::EPOLL_CTL_ADD, listener, Token::LISTENER)
    }

    fn unwatch_listener(&mut self) -> io::Result<()> {
        let listener = super::still_open(&self.listener)?.as_raw_fd();
        self.control(libc::EPOLL_CTL_DEL, listener, Token::LISTENER)?;
        self.spent.retain(|&token| token != Token::LISTENER);
        Ok(())
    }

    fn forget_listener(&mut self) -> io::Result<()> {
        self.listener = None;
        Ok(())
    }

    fn stop_rearming(&mut self) {
        self.rearms = false;
    }

    fn watch(&mut self, fd: Arc<OwnedFd>, token: Token) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_ADD, fd.as_raw_fd(), token)?;
        self.others.insert(token, fd);
        Ok(())
    }

    fn wait(&mut self, ready: &mut Ready) -> io::Result<()> {
        ready.clear();
        if self.trigger == Trigger::OneShot {
            self.renew()?;
        }
        self.events.clear();
        let epoll = self.epoll.as_raw_fd();
        let capacity = self.events.capacity() as libc::c_int;
        // SAFETY: the buffer has room for `capacity` events; -1 is no timeout.
        let n = super::check(unsafe {
            libc::epoll_wait(epoll, self.events.as_mut_ptr(), capacity, -1)
        })?;
        // SAFETY: epoll_wait(2) wrote the first `n` events.
        unsafe { self.events.set_len(n as usize) };
        for event in &self.events {
            let token = Token(event.u64 as usize);
            ready.report(token);
            if self.trigger == Trigger::OneShot {
                self.spent.push(token);
            }
        }
        Ok(())
    }

    fn accept(&mut self) -> io::Result<Connection> {
        accept(super::still_open(&self.listener)?)
    }
}
