//! The backends: every way to wait for a connection and take it, behind one trait.
//!
//! A backend watches the listener and other descriptors, says which are ready, and takes
//! connections with its own library's accept. It never changes O_NONBLOCK, never retries
//! and never rewrites an error: what the kernel or the library said is what the loop gets.
//!
//! To add one: write `<name>.rs` with a `pub(super) const DRIVER: Driver`, and add its line
//! to the registry below.

use std::io;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::connection::Connection;
use crate::listener::{Family, Listener, ListenerSpec, Mode};
use crate::outcome;

/// Waits for, and takes, connections from one listener.
///
/// A backend lives and dies on one thread.
pub trait Backend {
    /// Begins to watch the listener; where it comes among the calls of [`Backend::watch`] is
    /// where the listener stands in the set. Called again only after
    /// [`Backend::unwatch_listener`]: then readiness that is there already is reported, by an
    /// edge-triggered backend too, whose registration is a new one. Blocks never.
    ///
    /// # Errors
    ///
    /// What the registration gave. EBADF after [`Backend::forget_listener`].
    fn watch_listener(&mut self) -> io::Result<()>;

    /// Stops watching the listener, and keeps it: until [`Backend::watch_listener`] is called
    /// again no wait reports it and no accept is armed. A connection that an accept in
    /// flight had already taken stays for the next wait, as with [`Backend::disarm`].
    /// Nothing to do for [`Takes::InAccept`], which has no set. Blocks for as long as a
    /// cancel takes, where an accept is in flight.
    ///
    /// # Errors
    ///
    /// What ending the registration gave: ENOENT from epoll_ctl(2) where there was none.
    /// EBADF after [`Backend::forget_listener`], where a kernel is to be told the number.
    fn unwatch_listener(&mut self) -> io::Result<()>;

    /// Closes the listener's descriptor and does nothing else about it: what a program does
    /// that forgets to deregister. What becomes of the registration is in
    /// [`Driver::registration`]; another descriptor of the same open file description may
    /// live on elsewhere. The others stay watched. accept gives EBADF from then on, but for
    /// what a request in flight still brings. Blocks never.
    ///
    /// The number is free for the next descriptor that this process opens, whose readiness a
    /// set of numbers then takes for the listener's ([`Registration::Number`]).
    ///
    /// # Errors
    ///
    /// `Unsupported` where it would break the library's contract, or where there is no
    /// registration to outlive the descriptor. The listener is then as it was.
    fn forget_listener(&mut self) -> io::Result<()>;

    /// From now on the listener's one-shot registration is not renewed once it has reported,
    /// nor its accept request once that has ended; the others' are. A registration that
    /// [`Backend::watch_listener`] makes is a first one and no renewal. Does nothing where
    /// nothing is renewed ([`Rearms::Never`]). Blocks never.
    fn stop_rearming(&mut self) {}

    /// Begins to watch another descriptor for reading, and keeps it open while it does.
    ///
    /// # Errors
    ///
    /// `Unsupported` where the backend cannot watch others ([`Driver::watches_others`]) or
    /// not this one (select(2) and FD_SETSIZE).
    fn watch(&mut self, fd: Arc<OwnedFd>, token: Token) -> io::Result<()>;

    /// Blocks until something watched is ready, without limit, and says what in `ready`,
    /// which it clears first. May report nothing at all. One-shot registrations are renewed
    /// on entry, for what the wait before reported.
    ///
    /// # Errors
    ///
    /// What the wait itself gave, EINTR included. Errors of accept come from
    /// [`Backend::accept`], also where the accept completed in here.
    fn wait(&mut self, ready: &mut Ready) -> io::Result<()>;

    /// Takes one connection. After a report of n accepts from a backend of
    /// [`Takes::InWait`], n calls return at once with what the wait completed. Others call
    /// accept(2) here, which parks on a blocking listener whose queue is empty.
    ///
    /// # Errors
    ///
    /// accept's own, untouched.
    fn accept(&mut self) -> io::Result<Connection>;

    /// Withdraws an accept request that is still with the kernel, so that none is armed
    /// until the next wait. Only those of [`Takes::InWait`] can have one. A connection that
    /// the kernel had told the request of is taken, and stays for the next wait. Blocks for
    /// as long as the cancel takes.
    ///
    /// # Errors
    ///
    /// What the cancel gave; the request may then still be there.
    fn disarm(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A name for a watched descriptor, chosen by the caller; `Token::LISTENER` is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Token(pub usize);

impl Token {
    /// The listener's own; below `usize::MAX`, which polling keeps for itself.
    pub(crate) const LISTENER: Token = Token(usize::MAX - 1);

    /// A loop's own timer.
    pub(crate) const TIMER: Token = Token(usize::MAX - 2);
}

/// What a wait reported.
#[derive(Debug, Default)]
pub struct Ready {
    /// How many accepts the report stands for: 0 where the listener was not reported, 1 for
    /// readiness ("at least one, perhaps"), the number of completions for [`Takes::InWait`].
    pub accepts: usize,
    /// The other descriptors that were reported.
    pub others: Vec<Token>,
}

impl Ready {
    /// Forgets the last report, keeping the memory.
    pub fn clear(&mut self) {
        self.accepts = 0;
        self.others.clear();
    }

    /// Notes one readiness report, the listener's or another's.
    fn report(&mut self, token: Token) {
        if token == Token::LISTENER {
            self.accepts = 1;
        } else {
            self.others.push(token);
        }
    }
}

/// Where a connection leaves the accept queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Takes {
    /// In accept, which also does the waiting: there is no readiness to be wrong.
    InAccept,
    /// In accept, after a wait has reported the listener: between the two there is a window.
    AfterReport,
    /// In the wait, which returns with the connection: no window that a caller could see.
    InWait,
}

/// When a backend calls accept on entering its wait, before readiness is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unasked {
    /// It does not.
    Never,
    /// Once the listener was ready, until accept says EWOULDBLOCK: it remembers.
    Remembered,
    /// Always: it tries first, and asks for readiness where accept says EWOULDBLOCK.
    First,
}

/// What of the listener's a loop must renew to go on being told of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rearms {
    /// Nothing: the registration stands until it is ended, or the library sees to it.
    Never,
    /// The registration, or the request, after every report: EPOLLONESHOT (epoll_ctl(2)),
    /// `polling::PollMode::Oneshot`, io_uring_prep_accept(3).
    EachReport,
    /// The request, once a completion comes without IORING_CQE_F_MORE: it failed or was
    /// cancelled (io_uring_prep_multishot_accept(3)).
    AtItsEnd,
}

/// What keeps the listener watched, and so what closing its descriptor does to that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Registration {
    /// Nothing: there is no set.
    None,
    /// A bit in a set that is handed over at each wait, whatever descriptor has that number by
    /// then: a closed one fails the whole wait (select(2), EBADF).
    Bit,
    /// A number in an array that is handed over at each wait, whatever it stands for by then:
    /// a closed one is reported (poll(2), POLLNVAL).
    Number,
    /// The kernel's interest list holds the open file description: closing a descriptor ends
    /// nothing while another one of it is open (epoll(7), "Will closing a file descriptor
    /// cause it to be removed from all epoll interest lists?").
    File,
    /// The kernel's list holds the descriptor: closing it ends the registration, whatever
    /// else is open (kqueue(2): close removes the events that reference the descriptor).
    Descriptor,
    /// The library deregisters as its listener is dropped (tokio, async-io).
    Library,
    /// The library forbids to close the listener before it is deregistered
    /// (`polling::Poller::add`, "Safety").
    Contract,
    /// A request in flight holds the open file description until it completes: closing the
    /// descriptor does not end it (io_uring_prep_cancel(3) does).
    Request,
}

/// What a backend can do, as data, and how it is opened.
#[derive(Debug)]
pub struct Driver {
    /// What it is, in a few words.
    pub about: &'static str,
    /// The crate whose code it tries, by its name in the registry, so that records keep its
    /// version; `None` for bare system calls.
    pub library: Option<&'static str>,
    /// Where a connection leaves the accept queue.
    pub takes: Takes,
    /// The listener modes it can be opened on.
    pub modes: &'static [Mode],
    /// Whether it can watch other descriptors beside the listener.
    pub watches_others: bool,
    /// Whether a listener that stays ready is reported once only, until it was drained.
    pub edge_triggered: bool,
    /// When it accepts by itself, without a report of this wait: why some libraries need a
    /// non-blocking listener.
    pub accepts_unasked: Unasked,
    /// What of the listener's registration the loop must renew.
    pub rearms: Rearms,
    /// What keeps the listener watched.
    pub registration: Registration,
    /// Whether the library sets O_NONBLOCK on the connections that it accepts: it passes
    /// SOCK_NONBLOCK to accept4(2), or calls fcntl(2). Where not, a connection blocks on
    /// Linux, whatever the listener's mode; the BSDs' accept(2) hands the listener's on.
    pub sets_nonblocking: bool,
    /// Whether the kernel, of several such loops that wait on one listener, wakes one for a
    /// connection, as a rule: accept(2) waits exclusively (Linux, net/ipv4/
    /// inet_connection_sock.c, `inet_csk_wait_for_connect`), so does io_uring's request
    /// (io_uring/opdef.c, `poll_exclusive` of IORING_OP_ACCEPT), and so does EPOLLEXCLUSIVE
    /// (epoll_ctl(2), which promises no more than "one or more").
    pub wakes_one: bool,
    /// Opens it on a listener, which it owns from then on. Blocks never.
    pub open: fn(TcpListener) -> io::Result<Box<dyn Backend>>,
}

impl Driver {
    /// What draining the accept queue means for this backend.
    pub fn drains_until(&self) -> &'static str {
        match self.takes {
            Takes::AfterReport => "EWOULDBLOCK",
            Takes::InAccept | Takes::InWait => "exactly k",
        }
    }
}

/// A backend in the registry, built on this target or not.
#[derive(Debug)]
pub struct Entry {
    /// The name used in ids, on the command line and in records; also the file's.
    pub name: &'static str,
    built: Result<&'static Driver, &'static str>,
}

impl Entry {
    /// The driver, or why there is none on this machine: not built for this target, or
    /// refused by the kernel at run time. Opens the backend once on a scratch listener.
    pub fn driver(&self) -> Result<&'static Driver, String> {
        let driver = self.built.map_err(str::to_owned)?;
        try_open(driver)
            .map(|()| driver)
            .map_err(|error| format!("this kernel refuses it: {}", outcome::errno_name(&error)))
    }

    /// The driver where it is built for this target, whether or not the kernel allows it.
    pub fn built(&self) -> Option<&'static Driver> {
        self.built.ok()
    }
}

fn try_open(driver: &Driver) -> io::Result<()> {
    let mode = driver.modes[driver.modes.len() - 1];
    let listener = Listener::bind(ListenerSpec { mode, family: Family::Ipv4, backlog: 1 })?;
    (driver.open)(listener.into_socket())?.watch_listener()
}

/// One line declares the module and its entry; `on` says where it is built, `or` what the
/// others are told.
macro_rules! backends {
    ($($name:ident on ($on:meta) $(or $why:literal)?;)*) => {
        $(#[cfg($on)] mod $name;)*

        /// Every backend that rstall knows, in the order in which reports show them.
        pub static ALL: &[Entry] = &[$(
            #[cfg($on)]
            Entry { name: stringify!($name), built: Ok(&$name::DRIVER) },
            $(
                #[cfg(not($on))]
                Entry { name: stringify!($name), built: Err($why) },
            )?
        )*];
    };
}

backends! {
    blocking on (unix);
    select on (unix);
    poll on (unix);
    epoll on (target_os = "linux") or "epoll(7) exists on Linux only";
    epoll_et on (target_os = "linux") or "epoll(7) exists on Linux only";
    epoll_oneshot on (target_os = "linux") or "epoll(7) exists on Linux only";
    epoll_exclusive on (target_os = "linux") or "epoll(7) exists on Linux only";
    kqueue on (any(target_vendor = "apple", target_os = "freebsd", target_os = "netbsd", target_os = "openbsd", target_os = "dragonfly")) or "kqueue(2) exists on macOS and the BSDs only";
    io_uring on (target_os = "linux") or "io_uring(7) exists on Linux only";
    io_uring_multishot on (target_os = "linux") or "io_uring(7) exists on Linux only";
    mio on (unix);
    polling on (unix);
    tokio on (unix);
    async_io on (unix);
}

/// The crates whose code is under test, by name; one may come twice.
pub fn libraries() -> impl Iterator<Item = &'static str> {
    ALL.iter().filter_map(|entry| entry.built()?.library)
}

/// The entry of that name.
pub fn find(name: &str) -> Option<&'static Entry> {
    ALL.iter().find(|entry| entry.name == name)
}

/// The listener of a backend that has it until it is forgotten.
///
/// # Errors
///
/// EBADF, as accept(2) and its kind say of a descriptor that is closed. They are not asked:
/// its number may be somebody else's by now.
fn still_open<T>(listener: &Option<T>) -> io::Result<&T> {
    listener.as_ref().ok_or_else(outcome::no_such_descriptor)
}

/// Turns the C library's -1 into the error it stands for.
#[allow(dead_code, reason = "each target uses it from the backends that it has")]
fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(result) }
}
