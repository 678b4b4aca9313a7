//! A client resets its connection while it is queued; another stands behind it, and is well.

mod scene;

use std::io::{self, ErrorKind, Write};

/// Errors that are one connection's affair: accept's on most systems, read's on Linux.
fn passes(error: &io::Error) -> bool {
    use ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted, WouldBlock};
    let kinds = [ConnectionAborted, Interrupted, WouldBlock, ConnectionReset];
    kinds.contains(&error.kind()) || error.raw_os_error() == Some(libc::EPROTO)
}

fn main() {
    let cured = scene::cured();
    let listener = scene::listening();
    scene::reset_and_wait(scene::connect_and_wait(&listener));
    println!("the first client has reset its connection, which is queued");
    let mut second = scene::connected(&listener);
    second.write_all(b"hello").expect("write");

    for _ in 0..2 {
        let accepted = scene::accept_and_tell(&listener);
        match accepted.and_then(|connection| scene::read_and_tell("the loop", &connection)) {
            Ok(_) => {}
            Err(error) if cured && passes(&error) => println!("the loop goes on"),
            Err(_) => {
                println!("the loop ends, and the second client is not served");
                break;
            }
        }
    }
}
