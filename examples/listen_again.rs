//! Another holder of the listener shuts it down and has it listen again, which empties its queue.

mod scene;

use std::io::ErrorKind::WouldBlock;
use std::net::Shutdown;

use socket2::SockRef;

fn main() {
    let cured = scene::cured();
    let listener = scene::listening();
    if cured {
        listener.set_nonblocking(true).expect("O_NONBLOCK");
    }

    let client = scene::connected(&listener);
    scene::wait_for_report(&listener);

    // A forked worker, the process that handed the listener over: the socket is the same.
    let other = listener.try_clone().expect("dup");
    SockRef::from(&other).shutdown(Shutdown::Read).expect("shutdown");
    SockRef::from(&other).listen(128).expect("listen");
    println!("another holder has shut the listener down, and it listens again");
    scene::read_and_tell("the client", &client).expect_err("its connection is gone");

    scene::next_client_once_parked(&listener);
    match scene::accept_and_tell(&listener) {
        Err(error) if error.kind() == WouldBlock => println!("the loop goes on"),
        _ => {}
    }
}
