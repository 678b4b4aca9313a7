//! A client connects, and the process has no descriptor left to accept it with.

mod scene;

use std::io;
use std::net::Shutdown;
use std::os::fd::{AsFd, AsRawFd};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::resource::{Resource, getrlimit, rlim_t, setrlimit};

const TIMES: usize = 100;

/// No descriptor is left from here on (getrlimit(2)): gives the limits as they were.
fn exhaust() -> (rlim_t, rlim_t) {
    let before = getrlimit(Resource::RLIMIT_NOFILE).expect("getrlimit");
    let next = io::stderr().as_fd().try_clone_to_owned().expect("dup").as_raw_fd();
    let none = rlim_t::try_from(next).expect("a number");
    setrlimit(Resource::RLIMIT_NOFILE, none, before.1).expect("setrlimit");
    before
}

fn main() {
    let cured = scene::cured();
    let listener = scene::listening();
    listener.set_nonblocking(true).expect("O_NONBLOCK");
    let client = scene::connect_and_wait(&listener);
    let served = scene::accept_and_tell(&listener).expect("the first client's connection");
    let _second = scene::connect_and_wait(&listener);
    let before = exhaust();
    println!("a second client has connected, and no descriptor is left");

    if cured {
        scene::accept_and_tell(&listener).expect_err("EMFILE");
        println!("the loop stops watching the listener");
        client.shutdown(Shutdown::Write).expect("shutdown");
        scene::wait_readable(&served);
        scene::read_and_tell("the first client's connection", &served).expect("its end");
        drop(served);
        println!("a descriptor is free: the loop watches the listener again");
    } else {
        let (mut reports, mut failures) = (0, 0);
        while failures < TIMES {
            let mut one = [PollFd::new(listener.as_fd(), PollFlags::POLLIN)];
            reports += poll(&mut one, PollTimeout::NONE).expect("poll");
            let error = listener.accept().expect_err("no descriptor");
            failures += usize::from(error.raw_os_error() == Some(libc::EMFILE));
        }
        println!("{reports} reports, {failures} times EMFILE: the loop spins");
        setrlimit(Resource::RLIMIT_NOFILE, before.0, before.1).expect("setrlimit");
        println!("the limit is raised");
    }
    scene::wait_for_report(&listener);
    scene::accept_and_tell(&listener).expect("the second client's connection");
}
