//! An acceptor passes accept a bad pointer. The connection is lost all the same.
#![allow(unsafe_code)]

mod scene;

use std::io;
use std::os::fd::AsRawFd;

fn main() {
    let cured = scene::cured();
    let listener = scene::listening();
    let client = scene::connected(&listener);
    scene::wait_for_report(&listener);

    if cured {
        let connection = scene::accept_and_tell(&listener).expect("a connection");
        println!("getpeername: {}", connection.peer_addr().expect("a peer").ip());
        return;
    }

    let bad = std::ptr::without_provenance_mut(1);
    let mut size = size_of::<libc::sockaddr_in>() as libc::socklen_t;
    // SAFETY: the kernel checks the address, and answers EFAULT.
    if unsafe { libc::accept(listener.as_raw_fd(), bad, &mut size) } < 0 {
        let error = io::Error::last_os_error();
        println!("accept with a bad pointer: {}", scene::name_of(&error));
    }
    scene::read_and_tell("the client", &client).expect("an end");

    // Nothing is queued any more.
    scene::next_client_once_parked(&listener);
    scene::accept_and_tell(&listener).expect("the next client's");
}
