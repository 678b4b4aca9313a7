//! The loop waits in accept for a client, and another thread tells it to stop.

mod scene;

use std::mem::ManuallyDrop;
use std::net::TcpStream;
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;

static IS_TO_STOP: AtomicBool = AtomicBool::new(false);

fn main() {
    let cured = scene::cured();
    // The stopper closes it, by its number: what ownership would refuse.
    let listener = ManuallyDrop::new(scene::listening());
    let number = listener.as_raw_fd();
    let address = listener.local_addr().expect("an address");

    thread::spawn(move || {
        while !scene::is_parked() {
            thread::yield_now();
        }
        println!("the loop is parked in accept, and is told to stop");
        IS_TO_STOP.store(true, SeqCst);
        if cured {
            println!("a client of its own connects");
            return TcpStream::connect(address).expect("a client");
        }

        nix::unistd::close(number).expect("close");
        if scene::is_parked() {
            println!("the listener is closed, and the loop is parked as before");
        }

        // The port still listens, since accept holds the socket.
        println!("the next client connects");
        TcpStream::connect(address).expect("the next client")
    });

    while !IS_TO_STOP.load(SeqCst) {
        scene::accept_and_tell(&listener).expect("a client");
    }
    println!("the loop has stopped");
}
