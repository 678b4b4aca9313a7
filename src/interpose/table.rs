//! The kernels in force: which listener has which, and what they have done.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use socket2::SockRef;

use super::Vanished;
use super::system_calls::{reset_peer_port, take};
use crate::clock;
use crate::evidence::queue;
use crate::kernel::Model;
use crate::outcome;

/// How many listeners have a kernel in force: the one thing that every accept of an
/// interposed program looks at.
pub(super) static IN_FORCE: AtomicUsize = AtomicUsize::new(0);

/// The kernels in force, by their listener's SO_COOKIE.
pub(super) static MODELLED: RwLock<BTreeMap<u64, Arc<Modelled>>> = RwLock::new(BTreeMap::new());

/// A kernel in force for a listener, and what it has done.
#[derive(Debug)]
pub(super) struct Modelled {
    pub(super) model: Model,
    /// How many calls came here.
    pub(super) captured: AtomicU64,
    /// The connections that it discarded.
    vanished: Mutex<Vec<Vanished>>,
}

/// Puts a modelled kernel in force for a listener, under each of its descriptors, in this
/// process and in those that it forks from now on; until what is returned is dropped.
///
/// # Errors
///
/// `Unsupported` where the socket is no TCP listener or this system gives it no SO_COOKIE;
/// `AlreadyExists` where a kernel is in force for it.
pub fn put_in_force(listener: &impl AsFd, model: Model) -> io::Result<InForce> {
    let cookie = tcp_listener(listener)?;
    let modelled =
        Arc::new(Modelled { model, captured: AtomicU64::new(0), vanished: Mutex::default() });
    let mut table = MODELLED.write().unwrap_or_else(PoisonError::into_inner);
    if table.contains_key(&cookie) {
        let message = "a modelled kernel is in force for this listener already";
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, message));
    }
    table.insert(cookie, Arc::clone(&modelled));
    IN_FORCE.fetch_add(1, Ordering::Release);
    Ok(InForce { cookie, modelled })
}

/// The SO_COOKIE of a TCP listener. Other protocols are none of the models' affair: they
/// answer for TCP.
fn tcp_listener(listener: &impl AsFd) -> io::Result<u64> {
    let socket = SockRef::from(listener);
    if socket.protocol()? != Some(socket2::Protocol::TCP) || !socket.is_listener()? {
        let message = "only TCP listeners are modelled, and this is none";
        return Err(io::Error::new(io::ErrorKind::Unsupported, message));
    }
    socket.cookie().map_err(|error| {
        let why = format!("this kernel gives a listener no SO_COOKIE to know it by: {error}");
        io::Error::new(io::ErrorKind::Unsupported, why)
    })
}

/// A modelled kernel in force; dropping it gives the listener back to the machine's own.
#[derive(Debug)]
pub struct InForce {
    cookie: u64,
    modelled: Arc<Modelled>,
}

impl InForce {
    /// How many calls of accept on the listener have come to the model.
    pub fn captured(&self) -> u64 {
        self.modelled.captured.load(Ordering::Acquire)
    }

    /// The connections that the model has discarded so far, in order.
    pub fn vanished(&self) -> Vec<Vanished> {
        self.modelled.vanished.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes the aborted connection at the head of the queue off, past the model, and returns
    /// its client's port: for a kernel that drops such a connection before anybody asks for
    /// readiness. Blocks never, unless somebody else accepts at the same time.
    ///
    /// # Errors
    ///
    /// accept's own, EWOULDBLOCK where the queue is empty; `InvalidData` where its head is
    /// alive, and lost by that: the caller has to give the queue up.
    pub fn reap(&self, listener: &impl AsFd) -> io::Result<u16> {
        if !queue::readable(listener)? {
            return Err(outcome::would_block());
        }
        let taken = take(listener.as_fd().as_raw_fd(), libc::SOCK_CLOEXEC)?;
        let alive = SockRef::from(&taken).peer_addr().is_ok();
        match (alive, reset_peer_port(&taken)) {
            (false, Some(port)) => Ok(port),
            _ => {
                let message = "the connection at the head of the accept queue is not aborted";
                Err(io::Error::new(io::ErrorKind::InvalidData, message))
            }
        }
    }
}

impl Drop for InForce {
    fn drop(&mut self) {
        MODELLED.write().unwrap_or_else(PoisonError::into_inner).remove(&self.cookie);
        IN_FORCE.fetch_sub(1, Ordering::Release);
    }
}

impl Modelled {
    /// Notes a connection that is about to be discarded.
    pub(super) fn note_vanished(&self, port: Option<u16>) {
        let at = clock::now();
        self.vanished.lock().unwrap_or_else(PoisonError::into_inner).push(Vanished { at, port });
    }
}
