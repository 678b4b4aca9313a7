//! Four loops wait, and one client connects.

#[macro_use]
mod scene;

linux_only! {
use std::io::ErrorKind::WouldBlock;
use std::net::TcpListener;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::thread;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

const LOOPS: usize = 4;

static WOKEN: AtomicUsize = AtomicUsize::new(0);
static FOUND_NOTHING: AtomicUsize = AtomicUsize::new(0);
static MAY_ACCEPT: AtomicBool = AtomicBool::new(false);

fn event_loop(listener: &TcpListener, stop: BorrowedFd) {
    let watched = PollFd::new(listener.as_fd(), PollFlags::POLLIN);
    let mut both = [watched, PollFd::new(stop, PollFlags::empty())];
    poll(&mut both, PollTimeout::NONE).expect("poll");
    if both[0].any() == Some(false) {
        return;
    }
    WOKEN.fetch_add(1, SeqCst);

    // None is faster than another is woken: so many as can be are.
    while !MAY_ACCEPT.load(SeqCst) {
        thread::yield_now();
    }
    if listener.accept().is_err_and(|error| error.kind() == WouldBlock) {
        FOUND_NOTHING.fetch_add(1, SeqCst);
    }
}

fn main() {
    let cured = scene::cured();
    let first = scene::listening_beside(None);
    let another = || match cured {
        true => scene::listening_beside(Some(&first)),
        false => first.try_clone().expect("dup"),
    };
    let listeners: Vec<_> = (0..LOOPS - 1).map(|_| another()).collect();

    let (end, stop) = UnixStream::pair().expect("socketpair");
    let _client = thread::scope(|scope| {
        for listener in listeners.iter().chain([&first]) {
            listener.set_nonblocking(true).expect("O_NONBLOCK");
            scope.spawn(|| event_loop(listener, stop.as_fd()));
        }
        let client = scene::connect_and_wait(&first);
        while WOKEN.load(SeqCst) < if cured { 1 } else { LOOPS } {
            thread::yield_now();
        }
        MAY_ACCEPT.store(true, SeqCst);
        drop(end);
        client
    });
    println!("1 client has connected, {} of {LOOPS} loops woke up", WOKEN.load(SeqCst));
    println!("{} accepts: EWOULDBLOCK", FOUND_NOTHING.load(SeqCst));
}
}
