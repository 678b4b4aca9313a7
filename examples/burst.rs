//! Five clients connect before the loop waits. mio tells of them once, as epoll does for it.

mod scene;

use std::os::fd::AsRawFd;
use std::time::Duration;

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};

const CLIENTS: usize = 5;

fn main() {
    let cured = scene::cured();
    let listener = scene::listening();
    listener.set_nonblocking(true).expect("O_NONBLOCK");
    let _clients: Vec<_> = (0..CLIENTS).map(|_| scene::connect_and_wait(&listener)).collect();
    println!("{CLIENTS} clients have connected");

    let mut poll = Poll::new().expect("epoll_create1");
    let mut events = Events::with_capacity(8);
    let (number, token) = (listener.as_raw_fd(), Token(0));
    let registry = poll.registry();
    registry.register(&mut SourceFd(&number), token, Interest::READABLE).expect("epoll_ctl");

    loop {
        // A server waits without end. This one only looks (0 ms), so that it comes to one.
        poll.poll(&mut events, Some(Duration::ZERO)).expect("epoll_wait");
        if events.is_empty() {
            break;
        }
        println!("epoll: the listener is readable");
        if cured {
            while scene::accept_and_tell(&listener).is_ok() {}
        } else {
            let _ = scene::accept_and_tell(&listener);
        }
    }
    println!("epoll: nothing to report");

    let left = std::iter::from_fn(|| listener.accept().ok()).count();
    println!("{left} of {CLIENTS} clients were left in the queue");
}
