//! A loop is parked in accept. Another thread tells it to stop: by close, and by a client.

mod scene;

use std::mem;
use std::net::TcpStream;
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;

static STOPPING: AtomicBool = AtomicBool::new(false);

fn main() {
    let cured = scene::cured();
    let listener = scene::listening();
    let (number, address) = (listener.as_raw_fd(), listener.local_addr().expect("an address"));
    let stop = move || {
        scene::wait_until_parked();
        STOPPING.store(true, SeqCst);
        if !cured {
            nix::unistd::close(number).expect("close");
            println!("another thread closes the listener");
            let sleeps = scene::main_thread_sleeps();
            println!("accept {}", if sleeps { "is parked still" } else { "was woken" });
        }
        println!("{} connects", if cured { "another thread" } else { "the next client" });
        TcpStream::connect(address).expect("a client")
    };
    let thread = thread::spawn(stop);

    while !STOPPING.load(SeqCst) {
        let _connection = scene::accept_and_tell(&listener);
    }
    println!("the loop has stopped");
    thread.join().expect("the other thread ends well");
    if !cured {
        // It is closed already, and its number may be somebody else's.
        mem::forget(listener);
    }
}
