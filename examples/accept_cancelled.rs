//! The loop withdraws its accept, which has just brought a connection.
#![allow(unsafe_code)]

#[macro_use]
mod scene;

linux_only! {
use std::io::Write;
use std::net::TcpStream;
use std::os::fd::{AsRawFd, FromRawFd};
use std::ptr::null_mut;

use io_uring::{opcode, types};
use scene::ring;

const ACCEPT: u64 = 1;
const CANCEL: u64 = 2;

fn main() {
    let cured = scene::cured();
    let listener = scene::listening();
    let mut ring = ring::open();
    let fd = types::Fd(listener.as_raw_fd());
    let accepts = opcode::Accept::new(fd, null_mut(), null_mut()).build().user_data(ACCEPT);
    let cancels = opcode::AsyncCancel::new(ACCEPT).build().user_data(CANCEL);
    ring::submit(&mut ring, &accepts);

    // A client connects, and the accept completes. The loop has not looked yet: it is to stop,
    // or has waited long enough, and withdraws the accept.
    let client = scene::connected(&listener);
    ring.submit_and_wait(1).expect("io_uring_enter");
    ring::submit(&mut ring, &cancels);

    let mut completion = ring::next(&mut ring);
    let mut connection = None;
    if completion.user_data() == ACCEPT && completion.result() >= 0 {
        // SAFETY: the kernel made this descriptor for this completion; nobody else owns it.
        connection = Some(unsafe { TcpStream::from_raw_fd(completion.result()) });
        println!("the accept has completed: a connection");
        completion = ring::next(&mut ring);
    }
    if completion.user_data() == CANCEL && completion.result() == -libc::ENOENT {
        println!("the cancel has found nothing to cancel");
    }

    if let (true, Some(connection)) = (cured, &mut connection) {
        connection.write_all(b"hello").expect("the client is there");
    }
    drop(connection);
    scene::read_and_tell("the client", &client).expect("the client reads");
}
}
