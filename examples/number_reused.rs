//! A report is still to be dealt with when its listener is closed, and another has its number.

#[macro_use]
mod scene;

linux_only! {
use std::collections::HashMap;
use std::net::TcpListener;
use std::os::fd::AsRawFd;

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};

/// What the loop watches, by what epoll is to report it as.
struct Watched {
    set: Epoll,
    listeners: HashMap<u64, TcpListener>,
    names: u64,
    cured: bool,
}

impl Watched {
    fn watch(&mut self, listener: TcpListener) {
        // A number comes back, a name is not given twice.
        self.names += 1;
        let key = if self.cured { self.names } else { listener.as_raw_fd() as u64 };
        self.set.add(&listener, EpollEvent::new(EpollFlags::EPOLLIN, key)).expect("epoll_ctl");
        self.listeners.insert(key, listener);
    }
}

fn main() {
    let cured = scene::cured();
    let set = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).expect("epoll_create1");
    let mut watched = Watched { set, listeners: HashMap::new(), names: 0, cured };
    let listener = scene::listening();
    let number = listener.as_raw_fd();
    let _client = scene::connected(&listener);
    watched.watch(listener);
    let mut events = [EpollEvent::empty()];
    watched.set.wait(&mut events, EpollTimeout::NONE).expect("epoll_wait");
    println!("the loop is told of its listener");

    // Something else that the loop was told of in the same wait, a command to reload perhaps.
    watched.listeners.clear();
    let another = scene::listening();
    if another.as_raw_fd() == number {
        println!("that one is closed, and another has its number");
    }
    scene::next_client_once_parked(&another);
    watched.watch(another);

    match watched.listeners.get(&events[0].data()) {
        Some(listener) => drop(scene::accept_and_tell(listener)),
        None => println!("the report is of a registration that is gone: dropped"),
    }
}
}
