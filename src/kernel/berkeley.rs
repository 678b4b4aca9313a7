//! 4.4BSD: the kernel of UNIX Network Programming 16.6.
//!
//! A reset ends in `tcp_close`, which detaches the protocol; `sofree` then takes the socket
//! off its listener's queue, the completed one too (`soqremque(so, 1)`). `accept1` sleeps
//! while `so_qlen` is zero, and `soreadable` asks `so_qlen` as well: an aborted connection
//! is neither accepted nor reported.

use super::{Kernel, Model};

/// An aborted connection vanishes.
pub const KERNEL: Kernel = Kernel {
    name: "berkeley",
    systems: "4.4BSD and kernels of its time",
    about: "the connection is gone from the queue: accept never sees it, and parks or says \
            EWOULDBLOCK where there is no other",
    source: "4.4BSD-Lite2, netinet/tcp_subr.c tcp_close, kern/uipc_socket.c sofree, \
             kern/uipc_syscalls.c accept1; UNP 5.11 and 16.6",
    model: Some(Model::Vanishes),
};
