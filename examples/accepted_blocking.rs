//! The listener is non-blocking; the connection that it gives is not.

mod scene;

use std::io::{ErrorKind::WouldBlock, Write};
use std::thread;

use nix::fcntl::{FcntlArg, OFlag, fcntl};

fn main() {
    let cured = scene::cured();
    let listener = scene::listening();
    listener.set_nonblocking(true).expect("O_NONBLOCK");
    let mut client = scene::connected(&listener);
    scene::wait_for_report(&listener);

    let (connection, _) = listener.accept().expect("a connection");
    if cured {
        connection.set_nonblocking(true).expect("O_NONBLOCK");
    }
    let flags = fcntl(&connection, FcntlArg::F_GETFL).expect("fcntl");
    let is_set = OFlag::from_bits_retain(flags).contains(OFlag::O_NONBLOCK);
    println!("O_NONBLOCK of the connection is {}", if is_set { "set" } else { "not set" });

    thread::spawn(move || {
        while !scene::is_parked() {
            thread::yield_now();
        }
        println!("read is parked: nothing goes on until the client sends");
        client.write_all(b"hello").expect("send");
        thread::park();
    });
    match scene::read_and_tell("the server", &connection) {
        Err(error) if error.kind() == WouldBlock => println!("the loop goes on"),
        _ => {}
    }
}
