//! POSIX, and the BSDs and illumos of today: accept fails with ECONNABORTED.
//!
//! The socket stays in the queue and keeps the listener ready; `soaccept` or the protocol's
//! own accept finds it disconnected. POSIX chose ECONNABORTED since EPROTO can be fatal on
//! STREAMS (UNP 5.11).

use super::{Kernel, Model};
use crate::outcome::Abort;

/// accept fails with ECONNABORTED.
pub const KERNEL: Kernel = Kernel {
    name: "posix",
    systems: "FreeBSD, NetBSD, OpenBSD, illumos",
    about: "the connection stays queued, and the accept that comes to it fails with ECONNABORTED",
    source: "POSIX.1-2017 accept(), ERRORS; FreeBSD netinet/tcp_usrreq.c tcp_usr_accept; NetBSD \
             and OpenBSD kern/uipc_socket.c soaccept; illumos inet/tcp/tcp_socket.c tcp_accept",
    model: Some(Model::Fails(Abort::Connection)),
};
