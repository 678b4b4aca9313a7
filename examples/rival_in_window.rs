//! The listener is reported readable, and another acceptor is faster.

mod scene;

use std::io::ErrorKind::WouldBlock;

fn main() {
    let cured = scene::cured();
    let listener = scene::listening();
    if cured {
        listener.set_nonblocking(true).expect("O_NONBLOCK");
    }

    let _client = scene::connected(&listener);
    scene::wait_for_report(&listener);

    // A thread, a forked child, another process: whoever accepts from the same listener.
    let _rival = listener.accept().expect("the rival's connection");
    println!("another acceptor took the connection");

    scene::next_client_once_parked(&listener);
    match scene::accept_and_tell(&listener) {
        Err(error) if error.kind() == WouldBlock => println!("the loop goes on"),
        _ => {}
    }
}
