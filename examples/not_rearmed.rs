//! A one-shot registration reports once. The next client is never reported.

mod scene;

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};

fn main() {
    let cured = scene::cured();
    let listener = scene::listening();
    let set = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).expect("an epoll set");
    let mut once = EpollEvent::new(EpollFlags::EPOLLIN | EpollFlags::EPOLLONESHOT, 0);
    set.add(&listener, once).expect("EPOLL_CTL_ADD");
    let mut got = [EpollEvent::empty()];

    let _first = scene::connected(&listener);
    set.wait(&mut got, EpollTimeout::NONE).expect("epoll_wait");
    println!("epoll_wait: the listener is readable");
    let _served = scene::accept_and_tell(&listener);
    if cured {
        set.modify(&listener, &mut once).expect("EPOLL_CTL_MOD");
    }

    let _second = scene::connected(&listener);
    // Another means of waiting: the second client is in the queue for certain.
    scene::wait_for_report(&listener);
    if set.wait(&mut got, EpollTimeout::ZERO).expect("epoll_wait") == 0 {
        println!("epoll_wait: nothing, and so for ever");
        return;
    }
    println!("epoll_wait: the listener is readable");
    let _served = scene::accept_and_tell(&listener);
}
