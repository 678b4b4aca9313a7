//! How many waiters one connection wakes.
//!
//! Each waiter has an epoll instance of its own on one shared non-blocking listener, as
//! processes have. A wake-up is a wait that returned; whoever finds nothing to accept was
//! woken for nothing. How many there are depends on the number of CPUs as well: a waiter
//! that is woken looks once more, and waits on where another was faster.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How epoll was asked to report the listener (epoll_ctl(2)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// Level-triggered.
    Level,
    /// Edge-triggered: EPOLLET.
    Edge,
    /// Level-triggered with EPOLLEXCLUSIVE (Linux 4.5): one waiter at least is woken, and not
    /// all.
    Exclusive,
}

impl Trigger {
    /// All of them.
    pub const ALL: [Trigger; 3] = [Trigger::Level, Trigger::Edge, Trigger::Exclusive];

    /// The name used in reports.
    pub fn name(self) -> &'static str {
        match self {
            Trigger::Level => "level-triggered",
            Trigger::Edge => "edge-triggered",
            Trigger::Exclusive => "exclusive",
        }
    }
}

/// The wake-ups of some connections, one after the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wakeups {
    /// How the listener was watched.
    pub trigger: Trigger,
    /// How many waited.
    pub waiters: usize,
    /// How many wake-ups a connection led to, and how many connections did so.
    pub connections: BTreeMap<usize, usize>,
}

impl Wakeups {
    /// The mean number of wake-ups a connection.
    pub fn mean(&self) -> f64 {
        // In floating point: a record may hold any number.
        let all: f64 = self.connections.iter().map(|(&woken, &n)| woken as f64 * n as f64).sum();
        let n: f64 = self.connections.values().map(|&n| n as f64).sum();
        all / n.max(1.0)
    }
}

#[cfg(target_os = "linux")]
pub use imp::count;

/// Counts wake-ups: not offered here.
///
/// # Errors
///
/// Always.
#[cfg(not(target_os = "linux"))]
pub fn count(_trigger: Trigger, _waiters: usize) -> Result<Wakeups, String> {
    Err("they are counted with epoll(7), which Linux alone has".to_owned())
}

#[cfg(target_os = "linux")]
mod imp {
    use std::collections::BTreeMap;
    use std::io::{self, PipeReader};
    use std::net::TcpListener;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc::{self, Receiver, Sender};
    use std::thread;
    use std::time::Duration;

    use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};

    use super::{Trigger, Wakeups};
    use crate::clock::{self, Moment};
    use crate::evidence::park::{self, Doing, ThreadId, Watch};
    use crate::listener::{Family, Listener, ListenerSpec, Mode};
    use crate::outcome;
    use crate::peer::Peer;

    /// How many connections are made.
    const CONNECTIONS: usize = 20;

    /// How long anything may take: a safety net.
    const PATIENCE: Duration = Duration::from_secs(2);

    /// What the event of the pipe that ends the waiters carries; the listener's carries 0.
    const STOP: u64 = 1;

    /// Counts the wake-ups of connections that come one at a time, each while all wait.
    /// Takes a few milliseconds.
    ///
    /// # Errors
    ///
    /// Why they cannot be counted: no epoll, no /proc to see who waits.
    pub fn count(trigger: Trigger, waiters: usize) -> Result<Wakeups, String> {
        let spec = ListenerSpec { mode: Mode::NonBlocking, family: Family::Ipv4, backlog: 64 };
        let listener = Listener::bind(spec).map_err(|error| outcome::explain(&error))?;
        let wakeups = AtomicUsize::new(0);
        let (tell, told) = mpsc::channel();
        let (stop, stopper) = io::pipe().map_err(|error| outcome::explain(&error))?;
        thread::scope(|scope| {
            for _ in 0..waiters {
                let (tell, stop) = (tell.clone(), stop.try_clone());
                let (listener, wakeups) = (listener.socket(), &wakeups);
                scope.spawn(move || {
                    let waited = stop
                        .and_then(|stop| wait_and_accept(listener, &stop, trigger, wakeups, &tell));
                    // Nobody listens any more where the count is over.
                    let _ =
                        tell.send(Told::Ended(waited.err().map(|error| outcome::explain(&error))));
                });
            }
            let counted = connect_and_look(&listener, waiters, &wakeups, &told);
            // The pipe's end wakes all of them.
            drop(stopper);
            Ok(Wakeups { trigger, waiters, connections: counted? })
        })
    }

    /// What a waiter tells.
    enum Told {
        Began(ThreadId),
        Accepted,
        Ended(Option<String>),
    }

    fn wait_and_accept(
        listener: &TcpListener,
        stop: &PipeReader,
        trigger: Trigger,
        wakeups: &AtomicUsize,
        tell: &Sender<Told>,
    ) -> io::Result<()> {
        let flags = match trigger {
            Trigger::Level => EpollFlags::empty(),
            Trigger::Edge => EpollFlags::EPOLLET,
            Trigger::Exclusive => EpollFlags::EPOLLEXCLUSIVE,
        };
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        epoll.add(listener, EpollEvent::new(EpollFlags::EPOLLIN | flags, 0))?;
        epoll.add(stop, EpollEvent::new(EpollFlags::EPOLLIN, STOP))?;
        let _ = tell.send(Told::Began(park::this_thread()));
        let mut events = [EpollEvent::empty(); 2];
        loop {
            let n = match epoll.wait(&mut events, EpollTimeout::NONE).map_err(io::Error::from) {
                Err(error) if outcome::is_interrupted(&error) => continue,
                result => result?,
            };
            if events[..n].iter().any(|event| event.data() == STOP) {
                return Ok(());
            }
            wakeups.fetch_add(1, Ordering::AcqRel);
            match listener.accept() {
                Ok(_) => drop(tell.send(Told::Accepted)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn connect_and_look(
        listener: &Listener,
        waiters: usize,
        wakeups: &AtomicUsize,
        told: &Receiver<Told>,
    ) -> Result<BTreeMap<usize, usize>, String> {
        let next = || match told.recv_timeout(PATIENCE) {
            Ok(Told::Ended(Some(why))) => Err(why),
            Ok(told) => Ok(told),
            Err(_) => Err("a waiter did not come to its accept".to_owned()),
        };
        let mut watches = Vec::new();
        for _ in 0..waiters {
            if let Told::Began(thread) = next()? {
                watches.push(Watch::new(thread));
            }
        }
        let mut connections = BTreeMap::new();
        for _ in 0..CONNECTIONS {
            until_all_wait(&watches, clock::now().after(PATIENCE))?;
            let before = wakeups.load(Ordering::Acquire);
            let client = Peer::connect_within(listener.addr(), PATIENCE);
            let client = client.map_err(|error| outcome::explain(&error))?;
            next()?;
            // Who was woken beside the one that accepted is back in its wait by then.
            until_all_wait(&watches, clock::now().after(PATIENCE))?;
            let woken = wakeups.load(Ordering::Acquire) - before;
            *connections.entry(woken).or_default() += 1;
            // So that no TIME_WAIT is left.
            let _ = client.reset();
        }
        Ok(connections)
    }

    /// Returns once every waiter is blocked in a system call: each has only its wait to be
    /// blocked in.
    fn until_all_wait(watches: &[Watch], deadline: Moment) -> Result<(), String> {
        loop {
            let seen = watches.iter().map(Watch::look);
            let mut all = true;
            for doing in seen {
                match doing {
                    Doing::Blocked | Doing::Locked | Doing::ParkedInRead => {}
                    Doing::Unknown => return Err("no /proc tells who waits".to_owned()),
                    Doing::Running | Doing::ParkedInAccept => all = false,
                }
            }
            if all {
                return Ok(());
            }
            if deadline.remaining().is_zero() {
                return Err("a waiter did not come back to its wait".to_owned());
            }
            thread::yield_now();
        }
    }
}
