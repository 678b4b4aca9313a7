//! What the examples of io_uring(7) share: a ring, one request at a time. Completions are posted
//! only when the program asks for them (IORING_SETUP_DEFER_TASKRUN, 6.1), so that the order of
//! things is the program's.

// No example needs all of it.
#![allow(dead_code)]
#![allow(unsafe_code)]

use std::io;
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsRawFd, FromRawFd};
use std::process;

use io_uring::squeue::Entry;
use io_uring::{EnterFlags, IoUring, cqueue, opcode, types};

/// What the accepts are called.
pub const ACCEPT: u64 = 1;
/// What a cancel is called.
pub const CANCEL: u64 = 2;

pub struct Ring(IoUring);

impl Ring {
    /// Opens the ring. Ends the program with 77 where there is no such thing.
    pub fn open() -> Ring {
        match IoUring::builder().setup_single_issuer().setup_defer_taskrun().build(8) {
            Ok(ring) => Ring(ring),
            Err(error) => {
                eprintln!("no io_uring of Linux 6.1 or later here: {error}");
                process::exit(77);
            }
        }
    }

    fn submit(&mut self, request: &Entry) {
        // SAFETY: the requests below point to no memory, and the listeners of the examples stay
        // open for as long as there is a ring.
        unsafe { self.0.submission().push(request) }.expect("room for a request");
        self.look();
    }

    /// One accept.
    pub fn accept(&mut self, listener: &TcpListener) {
        let listener = types::Fd(listener.as_raw_fd());
        let accept = opcode::Accept::new(listener, std::ptr::null_mut(), std::ptr::null_mut());
        self.submit(&accept.flags(libc::SOCK_CLOEXEC).build().user_data(ACCEPT));
    }

    /// An accept for as many as come.
    pub fn accept_multi(&mut self, listener: &TcpListener) {
        let accept = opcode::AcceptMulti::new(types::Fd(listener.as_raw_fd()));
        self.submit(&accept.flags(libc::SOCK_CLOEXEC).build().user_data(ACCEPT));
    }

    /// Withdraws the accept.
    pub fn cancel(&mut self) {
        self.submit(&opcode::AsyncCancel::new(ACCEPT).build().user_data(CANCEL));
    }

    fn enter(&mut self, awaited: u32) {
        let submit = self.0.submission().len() as u32;
        let flags = EnterFlags::GETEVENTS.bits();
        // SAFETY: it has no argument that points anywhere.
        let entered =
            unsafe { self.0.submitter().enter::<libc::sigset_t>(submit, awaited, flags, None) };
        entered.expect("io_uring_enter");
    }

    /// Has the kernel post what has completed. Does not wait.
    pub fn look(&mut self) {
        self.enter(0);
    }

    /// Waits until a completion is posted, and leaves it there.
    pub fn until_posted(&mut self) {
        self.enter(1);
    }

    /// The next completion, if one is posted.
    pub fn next(&mut self) -> Option<cqueue::Entry> {
        self.0.completion().next()
    }

    /// The next completion; waits for it.
    pub fn wait(&mut self) -> cqueue::Entry {
        loop {
            match self.next() {
                Some(done) => return done,
                None => self.until_posted(),
            }
        }
    }
}

/// What an accept has brought. To be asked once for each completion.
pub fn accepted(done: &cqueue::Entry) -> io::Result<TcpStream> {
    match done.result() {
        error if error < 0 => Err(io::Error::from_raw_os_error(-error)),
        // SAFETY: the kernel has opened it for this completion, and nobody else closes it.
        fd => Ok(unsafe { TcpStream::from_raw_fd(fd) }),
    }
}
