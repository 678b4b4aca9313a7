//! Nothing goes wrong: one client connects, says something, and stays.

mod scene;

use std::io::Write;

fn main() {
    let listener = scene::listening();
    let mut client = scene::connected(&listener);
    client.write_all(b"hello").expect("write");

    scene::wait_for_report(&listener);
    let connection = scene::accept_and_tell(&listener).expect("a connection");
    scene::read_and_tell("the loop", &connection).expect("what the client said");
}
