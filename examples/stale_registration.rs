//! The loop closes its listener, of which there is another descriptor: epoll goes on reporting it.
#![allow(unsafe_code)]

mod scene;

use std::io::Error;
use std::os::fd::{AsRawFd, RawFd};
use std::ptr;

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};

/// Removes a number from the set. `Epoll::delete` wants a descriptor that is open.
fn delete(set: &Epoll, number: RawFd) -> Result<(), Error> {
    // SAFETY: it touches no memory, and a number that is not open is an error.
    let result =
        unsafe { libc::epoll_ctl(set.0.as_raw_fd(), libc::EPOLL_CTL_DEL, number, ptr::null_mut()) };
    if result < 0 { Err(Error::last_os_error()) } else { Ok(()) }
}

fn main() {
    let cured = scene::cured();
    let listener = scene::listening();
    let set = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).expect("an epoll set");
    let number = listener.as_raw_fd();
    let event = EpollEvent::new(EpollFlags::EPOLLIN, number as u64);
    set.add(&listener, event).expect("EPOLL_CTL_ADD");

    // A forked child, the new process of an upgrade: somebody else holds the listener too.
    let other = listener.try_clone().expect("dup");
    let _client = scene::connected(&other);
    if cured {
        set.delete(&listener).expect("EPOLL_CTL_DEL");
    }
    drop(listener);
    println!("the loop has closed its listener");

    scene::wait_for_report(&other);
    let mut got = [EpollEvent::empty()];
    let mut reports = 0;
    for _ in 0..100 {
        reports += set.wait(&mut got, EpollTimeout::ZERO).expect("epoll_wait");
    }
    println!("epoll_wait: 100 waits, {reports} reports");

    if reports > 0
        && let Err(error) = delete(&set, got[0].data() as RawFd)
    {
        println!("EPOLL_CTL_DEL: {}", scene::name_of(&error));
    }
}
