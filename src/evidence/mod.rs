//! How a trial knows what it waits for: nothing here sleeps and hopes.
//!
//! Linux tells all of it exactly. Where a system does not, a weaker proof is used, and its
//! name goes into the record with the claim.

pub mod overflow;
pub mod park;
pub mod queue;
pub mod reset;
#[cfg(target_os = "linux")]
pub mod tcp_info;

use serde::{Deserialize, Serialize};

/// What a claim about the kernel's state rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// Linux: the listener's TCP_INFO; `tcpi_unacked` is the length of its accept queue
    /// (net/ipv4/tcp.c, `tcp_get_info`).
    TcpInfo,
    /// FreeBSD: the listener's SO_LISTENQLEN (getsockopt(2)).
    ListenQueueLength,
    /// Linux: sock_diag(7) asked for the exact 4-tuple.
    SockDiag,
    /// Elsewhere: connect returned, and the listener polls readable. Says "at least one".
    Readiness,
    /// Elsewhere: a later handshake over the same loopback interface, which delivers in
    /// order, has completed.
    LoopbackOrder,
}
