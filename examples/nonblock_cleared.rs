//! The listener was opened non-blocking. Another holder of it clears the flag.

mod scene;

use std::io::ErrorKind::WouldBlock;

use nix::fcntl::{FcntlArg, OFlag, fcntl};

fn main() {
    let cured = scene::cured();
    let listener = scene::listening_beside(None);
    listener.set_nonblocking(true).expect("O_NONBLOCK");
    let _client = scene::connected(&listener);
    scene::wait_for_report(&listener);

    // Inherited over fork, or sent over a socket: another descriptor of the same description.
    let others = if cured {
        scene::listening_beside(Some(&listener))
    } else {
        listener.try_clone().expect("dup")
    };
    others.set_nonblocking(false).expect("O_NONBLOCK");
    println!("O_NONBLOCK was cleared through another descriptor");
    let flags = fcntl(&listener, FcntlArg::F_GETFL).expect("fcntl");
    let is_set = OFlag::from_bits_retain(flags).contains(OFlag::O_NONBLOCK);
    println!("O_NONBLOCK of the loop's listener is {}", if is_set { "set" } else { "cleared" });

    let _rival = listener.accept().expect("the rival's connection");
    println!("another acceptor took the connection");

    scene::next_client_once_parked(&listener);
    match scene::accept_and_tell(&listener) {
        Err(error) if error.kind() == WouldBlock => println!("the loop goes on"),
        _ => {}
    }
}
