//! The loop closes its listener, of which somebody else holds a descriptor.
#![allow(unsafe_code)]

#[macro_use]
mod scene;

linux_only! {
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::ptr::null_mut;

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};

fn main() {
    let cured = scene::cured();
    let listener = scene::listening();
    let set = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).expect("epoll_create1");
    let event = EpollEvent::new(EpollFlags::EPOLLIN, listener.as_raw_fd() as u64);
    set.add(&listener, event).expect("epoll_ctl");

    // A forked child, an older or a newer process: the open file description has two holders.
    let other = listener.try_clone().expect("dup");
    let _client = scene::connected(&other);
    scene::wait_for_report(&other);

    if cured {
        set.delete(&listener).expect("epoll_ctl");
    }
    drop(listener);
    println!("the loop has closed its listener");

    // Ill, each wait has something to tell. Cured, none has: it looks, and no more.
    let patience = if cured { EpollTimeout::ZERO } else { EpollTimeout::NONE };
    let mut events = [EpollEvent::empty()];
    let mut told = 0;
    for _ in 0..100 {
        told += set.wait(&mut events, patience).expect("epoll_wait");
    }
    println!("{told} of 100 waits tell of it");
    if cured {
        return;
    }

    let fd = events[0].data() as RawFd;
    let last = io::Error::last_os_error;
    // SAFETY: no pointer is passed, and what is not open is refused.
    if unsafe { libc::accept(fd, null_mut(), null_mut()) } < 0 {
        println!("accept: {}", scene::name_of(&last()));
    }
    // SAFETY: as above.
    if unsafe { libc::epoll_ctl(set.0.as_raw_fd(), libc::EPOLL_CTL_DEL, fd, null_mut()) } < 0 {
        println!("to stop watching it: {}", scene::name_of(&last()));
    }
}
}
