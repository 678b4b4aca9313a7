//! Many clients connect while a connection that is served has something to say.

mod scene;

use std::io::Write;
use std::os::fd::AsFd;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

const STORM: usize = 64;
const BUDGET: usize = 2;

fn main() {
    let cured = scene::cured();
    let listener = scene::listening();
    listener.set_nonblocking(true).expect("O_NONBLOCK");
    let mut client = scene::connect_and_wait(&listener);
    let (served, _) = listener.accept().expect("the client's connection");

    let _storm: Vec<_> = (0..STORM).map(|_| scene::connected(&listener)).collect();
    scene::wait_until_queued(&listener);
    client.write_all(b"a request").expect("send");
    scene::wait_readable(&served);
    println!("{STORM} clients have connected, and a request has come");

    let budget = if cured { BUDGET } else { usize::MAX };
    let mut connections = Vec::new();
    while connections.len() < STORM {
        let watched = |fd| PollFd::new(fd, PollFlags::POLLIN);
        let mut both = [watched(listener.as_fd()), watched(served.as_fd())];
        poll(&mut both, PollTimeout::NONE).expect("poll");
        if both[0].any().unwrap_or(true) {
            connections.extend(listener.incoming().map_while(Result::ok).take(budget));
        }
        if both[1].any().unwrap_or(true) {
            println!("{} accepts", connections.len());
            scene::read_and_tell("the server", &served).expect("the request");
        }
    }
    println!("{} accepts", connections.len());
}
