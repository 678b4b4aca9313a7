//! A client says something and closes with a FIN, before anybody has accepted its connection.

mod scene;

use std::io::Write;

fn main() {
    let listener = scene::listening();
    let mut client = scene::connect_and_wait(&listener);
    client.write_all(b"hello").expect("write");
    scene::close_and_wait(client);
    println!("the client has closed its connection, which is queued");

    scene::wait_for_report(&listener);
    let connection = scene::accept_and_tell(&listener).expect("a connection");
    scene::read_and_tell("the loop", &connection).expect("what the client said");
    scene::read_and_tell("the loop", &connection).expect("the end");
}
