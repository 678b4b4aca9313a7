//! A server that shares its port hands over to the next, and closes with clients in its queue.

mod scene;

use std::io::Write;

const CLIENTS: usize = 3;

fn main() {
    let cured = scene::cured();
    let listener = scene::listening_beside(None);
    let clients: Vec<_> = (0..CLIENTS).map(|_| scene::connect_and_wait(&listener)).collect();
    let next = scene::listening_beside(Some(&listener));
    println!("{CLIENTS} clients have connected, and another listener has joined");

    let mut served = Vec::new();
    if cured {
        listener.set_nonblocking(true).expect("O_NONBLOCK");
        while let Ok(mut connection) = scene::accept_and_tell(&listener) {
            connection.write_all(b"hello").expect("send");
            served.push(connection);
        }
    }
    drop(listener);
    println!("the first listener is closed");

    for client in &clients {
        let _ = scene::read_and_tell("a client", client);
    }
    next.set_nonblocking(true).expect("O_NONBLOCK");
    print!("the other listener: ");
    scene::accept_and_tell(&next).expect_err("its queue is empty");
}
