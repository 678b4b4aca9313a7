//! Where the model ends: other protocols, other listeners, other processes, other calls.

use std::io;
use std::net::TcpListener;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Arc;

use nix::errno::Errno;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};
use rstall::backend::{self, Backend, Driver, Ready, Rearms, Registration, Takes, Token, Unasked};
use rstall::connection::Connection;
use rstall::interpose::{capture, put_in_force};
use rstall::kernel::Model;
use rstall::listener::{Family, Mode};
use rstall::outcome::Abort;
use socket2::{Domain, Protocol, Socket, Type};

use super::call::Client::{Alive, Reset};
use super::call::{Queue, Symbol, call, kernel};

const POSIX: Model = Model::Fails(Abort::Connection);

#[test]
fn a_listener_without_a_model_is_this_machine_s_own_beside_one_with() {
    let _beside = super::beside_others();
    let modelled = Queue::v4(kernel("posix"), Mode::NonBlocking, &[Reset]);
    let native = Queue::v4(kernel("native"), Mode::NonBlocking, &[Reset]);
    let dead = call(Symbol::Accept, native.fd(), 64);
    assert!(dead.result.is_ok(), "handed over dead: {dead:?}");
    assert_eq!((native.index(dead.port()), dead.length), (Some(0), 16));
    let aborted = call(Symbol::Accept, modelled.fd(), 64);
    assert_eq!(aborted.result.map(drop), Err(Errno::ECONNABORTED));
}

#[test]
fn a_model_is_in_force_for_every_descriptor_of_its_listener_until_it_is_dropped() {
    let _beside = super::beside_others();
    let mut queue = Queue::v4(kernel("posix"), Mode::NonBlocking, &[Reset, Reset, Reset]);
    let other = queue.listener.duplicate().expect("a descriptor");
    let aborted = call(Symbol::Accept, other.socket().as_raw_fd(), 64);
    assert_eq!(aborted.result.map(drop), Err(Errno::ECONNABORTED));
    let std = queue.listener.socket().accept().map(drop);
    assert_eq!(std.expect_err("std's accept too").raw_os_error(), Some(libc::ECONNABORTED));
    // Another model stays in force: the table is looked at all the same.
    let _neighbour = Queue::v4(kernel("svr4"), Mode::NonBlocking, &[]);
    queue.in_force = None;
    call(Symbol::Accept, other.socket().as_raw_fd(), 64).result.expect("handed over dead");
}

#[test]
fn a_listener_has_one_model_at_a_time() {
    let _beside = super::beside_others();
    let queue = Queue::v4(kernel("berkeley"), Mode::NonBlocking, &[]);
    let error = put_in_force(queue.listener.socket(), POSIX).expect_err("it has one");
    assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
}

#[test]
fn other_protocols_have_no_model_and_pass_through() {
    let _beside = super::beside_others();
    let _modelled = Queue::v4(kernel("posix"), Mode::NonBlocking, &[]);
    let folder = tempfile::tempdir().expect("a folder");
    let unix = UnixListener::bind(folder.path().join("listener")).expect("a listener");
    let refused = |socket: &dyn Fn() -> io::Result<()>| {
        assert_eq!(socket().expect_err("no TCP").kind(), io::ErrorKind::Unsupported);
    };
    refused(&|| put_in_force(&unix, POSIX).map(drop));
    let _client = UnixStream::connect(folder.path().join("listener")).expect("a client");
    let returned = call(Symbol::Accept, unix.as_raw_fd(), 64);
    assert!(returned.result.is_ok(), "{returned:?}");
    assert_eq!(returned.length, 2, "a client without a name");
    let unbound = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    refused(&|| put_in_force(&unbound, POSIX).map(drop));
    match Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::MPTCP)) {
        Ok(mptcp) => {
            mptcp.listen(1).expect("listen");
            refused(&|| put_in_force(&mptcp, POSIX).map(drop));
        }
        Err(error) => eprintln!("skipped: this kernel has no Multipath TCP: {error}"),
    }
}

#[test]
fn a_forked_process_has_its_parent_s_models() {
    let _alone = super::alone();
    let queue = Queue::v4(kernel("posix"), Mode::NonBlocking, &[Reset, Alive]);
    // SAFETY: the child calls accept and ends; no other thread of this program holds a lock
    // that it needs, since this test runs alone.
    match unsafe { fork() }.expect("fork") {
        ForkResult::Child => {
            let mut length = 0_u32;
            // SAFETY: no address is wanted; _exit(2) takes no pointer and never returns.
            unsafe {
                let fd = libc::accept(queue.fd(), std::ptr::null_mut(), &mut length);
                libc::_exit(if fd == -1 { Errno::last_raw() } else { 0 });
            }
        }
        ForkResult::Parent { child } => {
            let status = waitpid(child, None).expect("it ends");
            assert_eq!(status, WaitStatus::Exited(child, libc::ECONNABORTED));
        }
    }
    assert_eq!(queue.length(), 1);
}

/// A poll(2) backend whose accept is the system call itself: no symbol is called for it.
struct Raw {
    poll: Box<dyn Backend>,
    listener: TcpListener,
}

impl Backend for Raw {
    fn watch_listener(&mut self) -> io::Result<()> {
        self.poll.watch_listener()
    }

    fn unwatch_listener(&mut self) -> io::Result<()> {
        self.poll.unwatch_listener()
    }

    fn forget_listener(&mut self) -> io::Result<()> {
        self.poll.forget_listener()
    }

    fn watch(&mut self, fd: Arc<OwnedFd>, token: Token) -> io::Result<()> {
        self.poll.watch(fd, token)
    }

    fn wait(&mut self, ready: &mut Ready) -> io::Result<()> {
        self.poll.wait(ready)
    }

    fn accept(&mut self) -> io::Result<Connection> {
        let null = std::ptr::null_mut::<libc::c_void>();
        // SAFETY: no pointer is passed (accept(2)).
        let fd = unsafe {
            libc::syscall(libc::SYS_accept4, self.listener.as_raw_fd(), null, null, 0) as i32
        };
        if fd == -1 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor is new and nobody else owns it.
        Ok(Connection::new(unsafe { OwnedFd::from_raw_fd(fd) }, None))
    }
}

static RAW: Driver = Driver {
    about: "a raw system call",
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
        let poll = backend::find("poll").and_then(|entry| entry.built()).expect("poll is built");
        let own = TcpListener::from(listener.as_fd().try_clone_to_owned()?);
        Ok(Box::new(Raw { poll: (poll.open)(listener)?, listener: own }))
    },
};

#[test]
fn a_call_that_slips_past_the_symbols_is_found_by_the_self_test() {
    let _beside = super::beside_others();
    let reason = capture::of(&RAW).expect_err("no symbol is called");
    assert!(reason.contains("does not pass through"), "{reason}");
    let poll = backend::find("poll").and_then(|entry| entry.built()).expect("poll is built");
    assert_eq!(capture::of(poll), Ok(()));
}

#[test]
fn a_model_is_put_in_force_over_both_address_families() {
    let _beside = super::beside_others();
    for family in Family::ALL {
        let queue = Queue::of(kernel("svr4"), Mode::NonBlocking, family, &[Reset]);
        let aborted = call(Symbol::Accept4(0), queue.fd(), 64);
        assert_eq!(aborted.result.map(drop), Err(Errno::EPROTO), "{family:?}");
    }
}
