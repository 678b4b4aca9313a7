//! `select(2)`: level-triggered, descriptors below FD_SETSIZE.
#![allow(unsafe_code)]

use std::io;
use std::mem::MaybeUninit;
use std::net::TcpListener;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::ptr;
use std::sync::Arc;

use super::{Backend, Driver, Ready, Rearms, Registration, Takes, Token, Unasked};
use crate::accept::accept;
use crate::connection::Connection;
use crate::listener::Mode;

pub(super) const DRIVER: Driver = Driver {
    about: "select(2), level-triggered, below FD_SETSIZE",
    library: None,
    takes: Takes::AfterReport,
    modes: &Mode::ALL,
    watches_others: true,
    edge_triggered: false,
    accepts_unasked: Unasked::Never,
    rearms: Rearms::Never,
    registration: Registration::Bit,
    sets_nonblocking: false,
    wakes_one: false,
    open: |listener| {
        Ok(Box::new(Select {
            listener: Some(listener),
            watched: Vec::new(),
            owned: Vec::new(),
            interest: empty(),
        }))
    },
};

struct Select {
    /// `None` once it is forgotten; its number stays in `interest`.
    listener: Option<TcpListener>,
    /// What is in `interest`, in the order of registration.
    watched: Vec<(RawFd, Token)>,
    /// Keeps the others open, so that no number in `interest` can be reused.
    owned: Vec<Arc<OwnedFd>>,
    interest: libc::fd_set,
}

impl Select {
    fn add(&mut self, fd: RawFd, token: Token) -> io::Result<()> {
        // FD_SET beyond the set is undefined behaviour (select(2), BUGS).
        if usize::try_from(fd).is_ok_and(|fd| fd < libc::FD_SETSIZE) {
            // SAFETY: `fd` is within the set's FD_SETSIZE bits, and the set was zeroed.
            unsafe { libc::FD_SET(fd, &mut self.interest) };
            self.watched.push((fd, token));
            return Ok(());
        }
        let limit = libc::FD_SETSIZE;
        let message = format!("descriptor {fd} is not below FD_SETSIZE ({limit})");
        Err(io::Error::new(io::ErrorKind::Unsupported, message))
    }
}

impl Backend for Select {
    fn watch_listener(&mut self) -> io::Result<()> {
        self.add(super::still_open(&self.listener)?.as_raw_fd(), Token::LISTENER)
    }

    fn unwatch_listener(&mut self) -> io::Result<()> {
        let Select { watched, interest, .. } = self;
        watched.retain(|&(fd, token)| {
            if token == Token::LISTENER {
                // SAFETY: `add` let only descriptors below FD_SETSIZE in (select(2)).
                unsafe { libc::FD_CLR(fd, interest) };
            }
            token != Token::LISTENER
        });
        Ok(())
    }

    fn forget_listener(&mut self) -> io::Result<()> {
        self.listener = None;
        Ok(())
    }

    fn watch(&mut self, fd: Arc<OwnedFd>, token: Token) -> io::Result<()> {
        self.add(fd.as_raw_fd(), token)?;
        self.owned.push(fd);
        Ok(())
    }

    fn wait(&mut self, ready: &mut Ready) -> io::Result<()> {
        ready.clear();
        let mut readable = self.interest;
        let highest = self.watched.iter().map(|&(fd, _)| fd).max().unwrap_or(-1);
        // SAFETY: `readable` is an initialised fd_set that outlives the call; the other sets
        // and the timeout may be null (select(2)).
        let n = unsafe {
            libc::select(
                highest + 1,
                &mut readable,
                ptr::null_mut(),
                ptr::null_mut(),
                ptr::null_mut(),
            )
        };
        let mut left = super::check(n)?;
        for &(fd, token) in &self.watched {
            if left == 0 {
                break;
            }
            // SAFETY: `add` let only descriptors below FD_SETSIZE in.
            if unsafe { libc::FD_ISSET(fd, &readable) } {
                ready.report(token);
                left -= 1;
            }
        }
        Ok(())
    }

    fn accept(&mut self) -> io::Result<Connection> {
        accept(super::still_open(&self.listener)?)
    }
}

fn empty() -> libc::fd_set {
    let mut set = MaybeUninit::uninit();
    // SAFETY: FD_ZERO initialises the whole set that it is given (select(2)).
    unsafe {
        libc::FD_ZERO(set.as_mut_ptr());
        set.assume_init()
    }
}
