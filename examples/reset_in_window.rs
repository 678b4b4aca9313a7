//! The client resets after the listener was reported and before accept: UNP 16.6. On Linux the
//! connection stays queued, and both arms print the same.

mod scene;

use std::io::{self, ErrorKind};

/// The errors that the book has a loop go on after.
fn passes(error: &io::Error) -> bool {
    use ErrorKind::{ConnectionAborted, Interrupted, WouldBlock};
    let kinds = [WouldBlock, ConnectionAborted, Interrupted];
    kinds.contains(&error.kind()) || error.raw_os_error() == Some(libc::EPROTO)
}

fn main() {
    let cured = scene::cured();
    let listener = scene::listening();
    if cured {
        listener.set_nonblocking(true).expect("O_NONBLOCK");
    }

    let client = scene::connected(&listener);
    scene::wait_for_report(&listener);

    scene::reset_and_wait(client);
    println!("the client has reset its connection");

    scene::next_client_once_parked(&listener);
    match scene::accept_and_tell(&listener) {
        Ok(connection) => drop(scene::read_and_tell("the loop", &connection)),
        Err(error) if passes(&error) => println!("the loop goes on"),
        Err(_) => {}
    }
}
