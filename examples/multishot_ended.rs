//! A multishot accept runs out of descriptors. That ends it, and later nothing is accepted.

#[path = "scene/ring.rs"]
mod ring;
mod scene;

use std::fs::File;
use std::net::TcpStream;
use std::os::fd::AsRawFd;

use io_uring::cqueue;
use nix::sys::resource::{Resource, setrlimit};

/// How many descriptors may be opened beyond those that are open.
fn leave_descriptors(count: u64) {
    let next = File::open("/dev/null").expect("a descriptor").as_raw_fd() as u64;
    setrlimit(Resource::RLIMIT_NOFILE, next + count, next + count).expect("RLIMIT_NOFILE");
}

/// The next completion in words, what it brought, and whether the request stays.
fn completion_told(ring: &mut ring::Ring) -> (Option<TcpStream>, bool) {
    let done = ring.wait();
    let stays = cqueue::more(done.flags());
    let accepted = ring::accepted(&done);
    let brought = match &accepted {
        Ok(_) => "a connection".to_owned(),
        Err(error) => scene::name_of(error),
    };
    println!("accept: {brought}, and the request {}", if stays { "stays" } else { "has ended" });
    (accepted.ok(), stays)
}

fn main() {
    let cured = scene::cured();
    let listener = scene::listening();
    let mut ring = ring::Ring::open();

    let _clients = [scene::connected(&listener), scene::connected(&listener)];
    leave_descriptors(1);

    ring.accept_multi(&listener);
    let (first, _) = completion_told(&mut ring);
    let (_, stays) = completion_told(&mut ring);

    drop(first);
    println!("the first connection is closed: there is a descriptor again");
    scene::wait_for_report(&listener);
    if cured && !stays {
        ring.accept_multi(&listener);
    }

    ring.look();
    match ring.next().map(|done| ring::accepted(&done)) {
        Some(Ok(_)) => println!("accept: a connection"),
        Some(Err(error)) => println!("accept: {}", scene::name_of(&error)),
        None => println!("nothing completes: the second client is not accepted"),
    }
}
