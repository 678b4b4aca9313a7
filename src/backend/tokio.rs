//! `tokio::net::TcpListener` on a current-thread runtime. accept completes inside the wait:
//! tokio remembers readiness and calls accept by itself until it says EWOULDBLOCK.
#![allow(unsafe_code)]

use std::collections::{HashMap, VecDeque};
use std::future::poll_fn;
use std::io;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::panic::catch_unwind;
use std::sync::Arc;
use std::task::Poll;

use tokio::io::unix::AsyncFd;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::{Backend, Driver, Ready, Rearms, Registration, Takes, Token, Unasked};
use crate::connection::Connection;
use crate::listener::Mode;

pub(super) const DRIVER: Driver = Driver {
    about: "tokio::net::TcpListener, current-thread runtime",
    library: Some("tokio"),
    takes: Takes::InWait,
    modes: &Mode::ALL,
    watches_others: true,
    edge_triggered: false,
    accepts_unasked: Unasked::Remembered,
    rearms: Rearms::Never,
    registration: Registration::Library,
    // Through mio, which on Apple's systems leaves it to inheritance from the listener.
    sets_nonblocking: cfg!(not(target_vendor = "apple")),
    wakes_one: false,
    open: |listener| {
        let runtime = Builder::new_current_thread().enable_io().build()?;
        let (reporter, reports) = unbounded_channel();
        Ok(Box::new(Tokio {
            unwatched: Some(listener),
            listener: None,
            watched: false,
            completed: VecDeque::new(),
            others: HashMap::new(),
            unarmed: Vec::new(),
            reporter,
            reports,
            runtime,
        }))
    },
};

struct Tokio {
    /// The listener until it is first watched: tokio registers as it takes it.
    unwatched: Option<TcpListener>,
    /// `None` again once it is forgotten.
    listener: Option<tokio::net::TcpListener>,
    /// Whether its accept is polled. tokio's registration stays either way: a program of
    /// tokio's that wants no more connections just does not call accept.
    watched: bool,
    completed: VecDeque<io::Result<Connection>>,
    others: HashMap<Token, Arc<AsyncFd<Arc<OwnedFd>>>>,
    /// Those of the others that need a task to await them: new, or reported by the last
    /// wait and read since. Each has a task of its own, as a connection of a tokio program
    /// has, so that thousands of idle ones cost a wait nothing.
    unarmed: Vec<Token>,
    reporter: UnboundedSender<Token>,
    reports: UnboundedReceiver<Token>,
    runtime: Runtime,
}

impl Tokio {
    fn arm(&mut self) {
        for token in self.unarmed.drain(..) {
            let Some(fd) = self.others.get(&token) else { continue };
            let (fd, reporter) = (Arc::clone(fd), self.reporter.clone());
            self.runtime.spawn(async move {
                // Cleared at once: the loop reads until the socket is empty, and what comes
                // after that is a new edge. An error is reported too: reading meets it.
                if let Ok(mut guard) = fd.readable().await {
                    guard.clear_ready();
                }
                let _ = reporter.send(token);
            });
        }
    }
}

impl Backend for Tokio {
    fn watch_listener(&mut self) -> io::Result<()> {
        if let Some(listener) = self.unwatched.take() {
            let _entered = self.runtime.enter();
            // With tokio's debug assertions on, from_std panics on a blocking listener. Ours
            // is an owned value that nobody sees again after an unwind.
            let taken = catch_unwind(|| tokio::net::TcpListener::from_std(listener));
            self.listener = Some(taken.unwrap_or_else(|_| {
                let message = "tokio's debug assertions refuse a blocking listener";
                Err(io::Error::new(io::ErrorKind::Unsupported, message))
            })?);
        }
        super::still_open(&self.listener)?;
        self.watched = true;
        Ok(())
    }

    fn unwatch_listener(&mut self) -> io::Result<()> {
        self.watched = false;
        Ok(())
    }

    fn forget_listener(&mut self) -> io::Result<()> {
        (self.unwatched, self.listener) = (None, None);
        Ok(())
    }

    fn watch(&mut self, fd: Arc<OwnedFd>, token: Token) -> io::Result<()> {
        let _entered = self.runtime.enter();
        // SAFETY: the descriptor must stay open, and the same, until the AsyncFd is dropped,
        // which owns it: an Arc<OwnedFd> gives one number for as long as it lives.
        let fd = unsafe { AsyncFd::register_with_interest(fd, tokio::io::Interest::READABLE) }
            .map_err(|error| error.into_parts().1)?;
        self.others.insert(token, Arc::new(fd));
        self.unarmed.push(token);
        Ok(())
    }

    fn wait(&mut self, ready: &mut Ready) -> io::Result<()> {
        ready.clear();
        self.arm();
        let Tokio { listener, watched, reports, completed, runtime, unarmed, .. } = self;
        runtime.block_on(poll_fn(|cx| {
            if let Some(listener) = listener
                && *watched
                && let Poll::Ready(result) = listener.poll_accept(cx)
            {
                completed.push_back(result.map(|(s, peer)| Connection::library(s, peer)));
            }
            while let Poll::Ready(Some(token)) = reports.poll_recv(cx) {
                ready.others.push(token);
            }
            if completed.is_empty() && ready.others.is_empty() {
                return Poll::Pending;
            }
            Poll::Ready(())
        }));
        unarmed.extend(&ready.others);
        ready.accepts = completed.len();
        Ok(())
    }

    fn accept(&mut self) -> io::Result<Connection> {
        self.completed.pop_front().unwrap_or_else(|| Err(io::ErrorKind::WouldBlock.into()))
    }
}
