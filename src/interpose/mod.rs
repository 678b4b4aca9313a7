//! Carries a modelled kernel into this process: `accept` and `accept4` themselves.
//!
//! A program that says [`crate::interpose_accept!`] defines the two symbols, so that its own
//! calls and those of std, socket2, mio, tokio and async-io come here, unmodified. A listener
//! for which no kernel is in force gets the system call that the C library would have made,
//! after one load from memory. For one that [`put_in_force`] has named, the real accept is
//! done first (a park is a park in the kernel's own accept), and what it gives is answered as
//! [`Model::decide`] says.
//!
//! Listeners are told apart by their SO_COOKIE (socket(7); net/core/sock_diag.c): a number
//! that the kernel gives each socket once, the same under every descriptor of it, and never
//! to another. So duplicates are covered, and numbers that are closed and used again are not
//! taken for what they were.
//!
//! What does not pass through the C library's accept is not captured: io_uring, raw system
//! calls, other processes that were started anew. [`capture`] finds out, backend by backend.

pub mod capture;

#[cfg(target_os = "linux")]
mod call;

use std::collections::BTreeMap;
use std::io;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use socket2::SockRef;

use crate::clock::{self, Moment};
use crate::kernel::Model;

#[cfg(target_os = "linux")]
#[doc(hidden)]
pub use call::{accept4, c_int, sockaddr, socklen_t};

/// How many listeners have a kernel in force: the one thing that every accept of an
/// interposed program looks at.
static IN_FORCE: AtomicUsize = AtomicUsize::new(0);

/// The kernels in force, by their listener's SO_COOKIE.
static MODELLED: RwLock<BTreeMap<u64, Arc<Modelled>>> = RwLock::new(BTreeMap::new());

/// A kernel in force for a listener, and what it has done.
#[derive(Debug)]
struct Modelled {
    model: Model,
    /// How many calls came here.
    captured: AtomicU64,
    /// The connections that it discarded.
    vanished: Mutex<Vec<Vanished>>,
}

/// A connection that a modelled kernel took off the queue and told nobody of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vanished {
    /// When.
    pub at: Moment,
    /// The client's port; `None` where the socket no longer knew.
    pub port: Option<u16>,
}

/// Why no modelled kernel can be had on this system; `Ok` where one can.
///
/// # Errors
///
/// The reason, in a clause.
pub fn offered() -> Result<(), &'static str> {
    if cfg!(target_os = "linux") {
        Ok(())
    } else {
        Err("modelled kernels are offered on Linux only: nobody has tried the interposition of \
             accept on this system")
    }
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
#[cfg(target_os = "linux")]
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

#[cfg(not(target_os = "linux"))]
fn tcp_listener(_listener: &impl AsFd) -> io::Result<u64> {
    let why = offered().err().unwrap_or_default();
    Err(io::Error::new(io::ErrorKind::Unsupported, why))
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
    /// readiness. Blocks never where a connection is known to be queued.
    ///
    /// # Errors
    ///
    /// accept's own; `InvalidData` where the head of the queue is alive, which it no longer
    /// is afterwards: the caller has to give the queue up.
    #[cfg(target_os = "linux")]
    pub fn reap(&self, listener: &impl AsFd) -> io::Result<u16> {
        let taken = call::take(listener.as_fd())?;
        let alive = SockRef::from(&taken).peer_addr().is_ok();
        match (alive, call::reset_peer_port(&taken)) {
            (false, Some(port)) => Ok(port),
            _ => {
                let message = "the connection at the head of the accept queue is not aborted";
                Err(io::Error::new(io::ErrorKind::InvalidData, message))
            }
        }
    }

    /// As on Linux; no kernel can be in force here.
    #[cfg(not(target_os = "linux"))]
    pub fn reap(&self, _listener: &impl AsFd) -> io::Result<u16> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

impl Drop for InForce {
    fn drop(&mut self) {
        MODELLED.write().unwrap_or_else(PoisonError::into_inner).remove(&self.cookie);
        IN_FORCE.fetch_sub(1, Ordering::Release);
    }
}

#[cfg(target_os = "linux")]
impl Modelled {
    /// Notes a connection that is about to be discarded.
    fn note_vanished(&self, port: Option<u16>) {
        let at = clock::now();
        self.vanished.lock().unwrap_or_else(PoisonError::into_inner).push(Vanished { at, port });
    }
}

/// Defines `accept` and `accept4` in the program that says this, so that a modelled kernel
/// can answer for them. Once in a program, at its root; a library must not.
///
/// On systems where no modelled kernel is [`offered`](crate::interpose::offered) it defines
/// nothing.
#[macro_export]
macro_rules! interpose_accept {
    () => {
        #[cfg(target_os = "linux")]
        #[allow(unsafe_code)]
        mod interposed_accept {
            use ::rstall::interpose::{c_int, sockaddr, socklen_t};

            /// accept(2): accept4 without flags.
            ///
            /// # Safety
            ///
            /// As accept(2): `address` and `length` may be anything, and what the kernel
            /// would refuse is refused.
            #[unsafe(no_mangle)]
            pub unsafe extern "C" fn accept(
                listener: c_int,
                address: *mut sockaddr,
                length: *mut socklen_t,
            ) -> c_int {
                // SAFETY: the caller's own promise.
                unsafe { ::rstall::interpose::accept4(listener, address, length, 0) }
            }

            /// accept4(2).
            ///
            /// # Safety
            ///
            /// As [`accept`].
            #[unsafe(no_mangle)]
            pub unsafe extern "C" fn accept4(
                listener: c_int,
                address: *mut sockaddr,
                length: *mut socklen_t,
                flags: c_int,
            ) -> c_int {
                // SAFETY: the caller's own promise.
                unsafe { ::rstall::interpose::accept4(listener, address, length, flags) }
            }
        }
    };
}
