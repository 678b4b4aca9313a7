//! `async_io::Async<TcpListener>`, taken as it is with `Async::new_nonblocking`. accept
//! completes inside the wait, and is tried before readiness is asked for.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use async_channel::{Receiver, Sender};
use async_executor::LocalExecutor;
use async_io::Async;

use super::{Backend, Driver, Ready, Rearms, Registration, Takes, Token, Unasked};
use crate::connection::Connection;
use crate::listener::Mode;

pub(super) const DRIVER: Driver = Driver {
    about: "async_io::Async<TcpListener> (smol), through new_nonblocking",
    library: Some("async-io"),
    takes: Takes::InWait,
    modes: &Mode::ALL,
    watches_others: true,
    edge_triggered: false,
    accepts_unasked: Unasked::First,
    rearms: Rearms::Never,
    registration: Registration::Library,
    sets_nonblocking: true,
    wakes_one: false,
    open: |listener| {
        let (reporter, reports) = async_channel::unbounded();
        Ok(Box::new(AsyncIo {
            unwatched: Some(listener),
            listener: None,
            watched: false,
            completed: VecDeque::new(),
            others: HashMap::new(),
            unarmed: Vec::new(),
            reporter,
            reports,
            executor: LocalExecutor::new(),
        }))
    },
};

struct AsyncIo {
    /// The listener until it is first watched: async-io registers as it takes it.
    unwatched: Option<TcpListener>,
    /// `None` again once it is forgotten.
    listener: Option<Async<TcpListener>>,
    /// Whether its accept is awaited. The registration stays either way: a program that wants
    /// no more connections just does not call accept.
    watched: bool,
    completed: VecDeque<io::Result<Connection>>,
    others: HashMap<Token, Arc<Async<Arc<OwnedFd>>>>,
    /// Those of the others that need a task to await them: new, or reported by the last
    /// wait and read since.
    unarmed: Vec<Token>,
    reporter: Sender<Token>,
    reports: Receiver<Token>,
    executor: LocalExecutor<'static>,
}

impl AsyncIo {
    fn arm(&mut self) {
        for token in self.unarmed.drain(..) {
            let Some(fd) = self.others.get(&token) else { continue };
            let (fd, reporter) = (Arc::clone(fd), self.reporter.clone());
            let task = async move {
                // An error is reported like readiness: reading then meets it.
                let _ = fd.readable().await;
                let _ = reporter.send(token).await;
            };
            self.executor.spawn(task).detach();
        }
    }
}

impl Backend for AsyncIo {
    fn watch_listener(&mut self) -> io::Result<()> {
        if let Some(listener) = self.unwatched.take() {
            self.listener = Some(Async::new_nonblocking(listener)?);
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
        self.others.insert(token, Arc::new(Async::new_nonblocking(fd)?));
        self.unarmed.push(token);
        Ok(())
    }

    fn wait(&mut self, ready: &mut Ready) -> io::Result<()> {
        ready.clear();
        self.arm();
        let AsyncIo { listener, watched, reports, completed, others, executor, unarmed, .. } = self;
        let in_hand = !completed.is_empty();
        let accept = async {
            match listener {
                // Taken before, and not fetched: nothing to wait for.
                _ if in_hand => None,
                Some(listener) if *watched => Some(listener.accept().await),
                _ => std::future::pending().await,
            }
        };
        // Where nothing else is watched, no task needs the executor.
        let accepted = if others.is_empty() {
            async_io::block_on(accept)
        } else {
            let report = async {
                ready.others.extend(reports.recv().await);
                None
            };
            let either = futures_lite::future::or(accept, report);
            async_io::block_on(executor.run(either))
        };
        completed
            .extend(accepted.map(|result| result.map(|(s, peer)| Connection::library(s, peer))));
        while let Ok(token) = reports.try_recv() {
            ready.others.push(token);
        }
        unarmed.extend(&ready.others);
        ready.accepts = completed.len();
        Ok(())
    }

    fn accept(&mut self) -> io::Result<Connection> {
        self.completed.pop_front().unwrap_or_else(|| Err(io::ErrorKind::WouldBlock.into()))
    }
}
