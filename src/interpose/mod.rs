//! Carries a modelled kernel into this process: `accept` and `accept4` themselves.
//!
//! A program that says [`crate::interpose_accept!`] defines the two symbols, so that its own
//! calls and those of std, socket2, mio, tokio and async-io come here, unmodified. A listener
//! for which no kernel is in force gets the system call that the C library would have made,
//! after one load from memory. For one that [`put_in_force`] has named, the real accept is
//! done first (a park is a park in the kernel's own accept), and what it gives is answered as
//! [`Model::decide`](crate::kernel::Model::decide) says.
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
#[cfg(not(target_os = "linux"))]
mod elsewhere;
mod symbols;
#[cfg(target_os = "linux")]
mod system_calls;
#[cfg(target_os = "linux")]
mod table;

use crate::clock::Moment;

#[cfg(target_os = "linux")]
#[doc(hidden)]
pub use call::accept4;
#[cfg(not(target_os = "linux"))]
pub use elsewhere::{InForce, put_in_force};
#[cfg(target_os = "linux")]
#[doc(hidden)]
pub use system_calls::{c_int, sockaddr, socklen_t};
#[cfg(target_os = "linux")]
pub use table::{InForce, put_in_force};

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
