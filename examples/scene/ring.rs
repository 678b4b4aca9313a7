//! io_uring(7), for the examples that need it: one request is submitted at a time.
#![allow(unsafe_code)]

use std::process;

use io_uring::{EnterFlags, IoUring, cqueue, squeue};

/// A ring, or the end of the program, with status 77, where the system has none. What becomes
/// of a request in flight is worked on in [`look`] and [`next`] and nowhere else
/// (IORING_SETUP_DEFER_TASKRUN, Linux 6.1), so that each step of an example comes in its turn.
pub fn open() -> IoUring {
    let mut builder = IoUring::builder();
    builder.setup_single_issuer().setup_defer_taskrun().setup_taskrun_flag();
    builder.build(8).unwrap_or_else(|error| {
        eprintln!("skipped: io_uring_setup, Linux 6.1 and later: {error}");
        process::exit(77);
    })
}

/// Submits one request.
pub fn submit(ring: &mut IoUring, request: &squeue::Entry) {
    // SAFETY: no request of an example points to memory, and each listener stays open.
    unsafe { ring.submission().push(request) }.expect("room for a request");
    look(ring);
}

/// Submits what was pushed, and has the kernel work on what is due, without waiting.
pub fn look(ring: &mut IoUring) {
    let flags = EnterFlags::GETEVENTS.bits();
    let requests = ring.submission().len() as u32;
    // SAFETY: no argument is passed, and no flag that would want one.
    unsafe { ring.submitter().enter::<()>(requests, 0, flags, None) }.expect("io_uring_enter");
}

/// Waits for the next completion, and takes it.
pub fn next(ring: &mut IoUring) -> cqueue::Entry {
    loop {
        if let Some(completion) = { ring.completion().next() } {
            return completion;
        }
        ring.submit_and_wait(1).expect("io_uring_enter");
    }
}
