//! An accept is in flight, and another acceptor is always faster.

#[macro_use]
mod scene;

linux_only! {
use std::net::TcpListener;
use std::os::fd::AsRawFd;
use std::ptr::null_mut;
use std::{fs, io, thread};

use io_uring::{IoUring, opcode, types};
use scene::ring;

/// A client connects, the kernel tells the request of it, and before the request can have the
/// connection another acceptor has taken it.
fn robbed(ring: &mut IoUring, listener: &TcpListener) {
    let _client = scene::connected(listener);
    while !ring.submission().taskrun() {
        thread::yield_now();
    }
    let _rivals = listener.accept().expect("the rival's connection");
    ring::look(ring);
}

/// Whether one of this process's threads waits in accept(2) (proc_pid_wchan(5)).
fn one_waits_in_accept() -> bool {
    let threads = fs::read_dir("/proc/self/task").expect("/proc/self/task");
    let waits_in = |thread: fs::DirEntry| fs::read_to_string(thread.path().join("wchan"));
    threads.flatten().flat_map(waits_in).any(|function| function.contains("accept"))
}

fn main() {
    let cured = scene::cured();
    let listener = scene::listening();
    if cured {
        listener.set_nonblocking(true).expect("O_NONBLOCK");
    }
    let mut ring = ring::open();
    let fd = types::Fd(listener.as_raw_fd());
    let accepts = opcode::Accept::new(fd, null_mut(), null_mut()).build();
    ring::submit(&mut ring, &accepts);

    for _ in 0..127 {
        robbed(&mut ring, &listener);
    }
    println!("127 times another acceptor took the connection");

    if cured {
        let error = -ring::next(&mut ring).result();
        println!("completion: {}", scene::name_of(&io::Error::from_raw_os_error(error)));
        if error == libc::EAGAIN {
            ring::submit(&mut ring, &accepts);
        }
    } else {
        while !one_waits_in_accept() {
            thread::yield_now();
        }
        println!("a kernel thread of this process is parked in accept");
    }

    let _client = scene::connected(&listener);
    match ring::next(&mut ring).result() {
        error @ ..0 => println!("completion: {}", io::Error::from_raw_os_error(-error)),
        _ => println!("completion: the next client's connection"),
    }
}
}
