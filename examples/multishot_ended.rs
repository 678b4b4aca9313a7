//! A multishot accept meets its first error, which is its last completion.

#[macro_use]
mod scene;

linux_only! {
use std::io;
use std::os::fd::AsRawFd;

use io_uring::{IoUring, cqueue, opcode, types};
use nix::sys::resource::{Resource, setrlimit};
use scene::ring;

fn next_and_tell(ring: &mut IoUring) -> cqueue::Entry {
    let completion = ring::next(ring);
    let result = match completion.result() {
        error @ ..0 => scene::name_of(&io::Error::from_raw_os_error(-error)),
        _ => "a connection".to_owned(),
    };
    let more = cqueue::more(completion.flags());
    println!("completion: {result}{}", if more { "" } else { ", without IORING_CQE_F_MORE" });
    completion
}

fn main() {
    let cured = scene::cured();
    setrlimit(Resource::RLIMIT_NOFILE, 32, 32).expect("setrlimit");
    let listener = scene::listening();
    let mut ring = ring::open();

    let accepts = opcode::AcceptMulti::new(types::Fd(listener.as_raw_fd())).build().user_data(1);
    ring::submit(&mut ring, &accepts);
    let _first = scene::connected(&listener);
    next_and_tell(&mut ring);

    // The next client comes when there is no descriptor left. Later there are some again.
    let _second = scene::connected(&listener);
    let mut all = Vec::new();
    while let Ok(one) = listener.try_clone() {
        all.push(one);
    }
    let completion = next_and_tell(&mut ring);
    drop(all);
    println!("descriptors are free again");

    if cured && !cqueue::more(completion.flags()) {
        ring::submit(&mut ring, &accepts);
        next_and_tell(&mut ring);
        return;
    }
    // The loop would wait for its request here. Is there one? A cancel knows.
    ring::submit(&mut ring, &opcode::AsyncCancel::new(1).build());
    if ring::next(&mut ring).result() == -libc::ENOENT {
        println!("no request is left, and nothing will be completed");
    }
    scene::wait_for_report(&listener);
}
}
