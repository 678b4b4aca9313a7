//! A report is still to be dealt with when its listener is closed, and another gets the number.

mod scene;

use std::collections::HashMap;
use std::net::TcpListener;
use std::os::fd::AsRawFd;

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};

/// What the loop watches, by number, and beside each a serial number, which is not used twice.
struct Watched {
    set: Epoll,
    listeners: HashMap<i32, (u32, TcpListener)>,
    last_serial: u32,
}

impl Watched {
    fn listen(&mut self) -> i32 {
        let listener = scene::listening();
        let number = listener.as_raw_fd();
        self.last_serial += 1;
        let name = u64::from(self.last_serial) << 32 | number as u64;
        let event = EpollEvent::new(EpollFlags::EPOLLIN, name);
        self.set.add(&listener, event).expect("EPOLL_CTL_ADD");
        self.listeners.insert(number, (self.last_serial, listener));
        number
    }
}

fn main() {
    let cured = scene::cured();
    let set = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).expect("an epoll set");
    let mut watched = Watched { set, listeners: HashMap::new(), last_serial: 0 };
    let first = watched.listen();

    let _client = scene::connected(&watched.listeners[&first].1);
    let mut got = [EpollEvent::empty()];
    watched.set.wait(&mut got, EpollTimeout::NONE).expect("epoll_wait");
    println!("epoll_wait: a listener is readable");

    // Something that comes first in the batch: a reload, a timer, a request to stop.
    watched.listeners.remove(&first);
    let second = watched.listen();
    if second == first {
        println!("it is closed, and another listener has its number");
    }

    let reported = got[0].data();
    let (serial, listener) = &watched.listeners[&(reported as i32)];
    if cured && u64::from(*serial) != reported >> 32 {
        println!("the report is of a listener that is gone: dropped");
        return;
    }
    scene::next_client_once_parked(&watched.listeners[&second].1);
    let _connection = scene::accept_and_tell(listener);
}
