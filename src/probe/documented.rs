//! What sources say that a system does: put beside what it was seen to do.
//!
//! Linux: net/ipv4/inet_connection_sock.c `inet_csk_accept`, net/ipv4/tcp_input.c
//! `tcp_reset`, net/mptcp/protocol.c `mptcp_stream_accept`, net/unix/af_unix.c `unix_accept`,
//! read in 6.12. FreeBSD: accept(2), netinet/tcp_usrreq.c `tcp_usr_accept`. NetBSD, OpenBSD:
//! kern/uipc_socket.c `soaccept`. macOS: bsd/kern/uipc_syscalls.c `accept_nocancel` drops the
//! protocol's ECONNABORTED, and bsd/netinet/tcp_usrreq.c `tcp6_usr_accept` then leaves no
//! address. illumos: accept(3SOCKET), inet/tcp/tcp_socket.c `tcp_accept`.

use super::experiment::{Answers, DESCRIPTOR, EMPTY, Ending};
use super::transport::Transport;
use crate::kernel::{Kernel, Model};
use crate::outcome::Abort;

/// What is documented for a system, by uname(2)'s name, or of the kernel that is modelled on
/// it. A field that no source tells is `None`.
pub fn of(system: &str, kernel: &Kernel, transport: Transport, ending: Ending) -> Answers {
    let queued =
        Answers { ready_before: some("yes"), ready_after: some("yes"), ..Answers::default() };
    let fails = |abort: Abort| Answers { accept: some(abort.name()), ..queued.clone() };
    match (kernel.model, system) {
        (Some(Model::Fails(abort)), _) => fails(abort),
        (Some(Model::Vanishes), _) => {
            Answers { ready_after: some("no"), accept: some(EMPTY), ..queued }
        }
        (None, _) if transport == Transport::Unix && system != "Linux" => Answers::default(),
        (None, "Linux") => linux(queued, transport, ending),
        (None, "Darwin") => Answers {
            accept: some(DESCRIPTOR),
            address_length: some(if transport == Transport::Tcp6 { "0" } else { "16" }),
            ..queued
        },
        (None, "FreeBSD" | "NetBSD" | "OpenBSD" | "SunOS") => fails(Abort::Connection),
        (None, _) => Answers::default(),
    }
}

fn linux(queued: Answers, transport: Transport, ending: Ending) -> Answers {
    let dead = Answers { accept: some(DESCRIPTOR), ..queued };
    match transport {
        Transport::Unix => Answers {
            // A client that has not bound itself has no name but its family (unix(7)).
            address_length: some("2"),
            so_error: some("0"),
            reads: some(match ending {
                Ending::DataThenReset => "2 bytes, 0, 0",
                Ending::Reset | Ending::FinThenReset => "0, 0, 0",
            }),
            ..dead
        },
        Transport::Tcp4 | Transport::Tcp6 | Transport::Mptcp => {
            // A FIN before the reset makes the error EPIPE, which no read reports.
            let (error, reads) = match ending {
                Ending::Reset => ("ECONNRESET", "ECONNRESET, 0, 0"),
                Ending::DataThenReset => ("ECONNRESET", "2 bytes, ECONNRESET, 0"),
                Ending::FinThenReset => ("EPIPE", "0, 0, 0"),
            };
            let own = Answers {
                address_length: some(if transport == Transport::Tcp6 { "28" } else { "16" }),
                tcp_state: some("CLOSE"),
                so_error: some(error),
                reads: some(reads),
                ..dead.clone()
            };
            match (transport, ending) {
                // Of Multipath TCP only a bare reset was read and tried. Its error comes from
                // `mptcp_worker`: an accept that is faster finds the subflow closed, closes
                // the connection itself, and there is no error then.
                (Transport::Mptcp, Ending::DataThenReset | Ending::FinThenReset) => dead,
                (Transport::Mptcp, Ending::Reset) => Answers {
                    so_error: some("ECONNRESET or 0"),
                    reads: some("ECONNRESET, 0, 0 or ENOTCONN, ENOTCONN, ENOTCONN"),
                    ..own
                },
                _ => own,
            }
        }
    }
}

/// Whether accepted sockets inherit O_NONBLOCK from their listener: accept(2) of each system.
/// Linux says that they do not; of the BSDs accept(2) says that they do.
pub fn inherits_nonblocking(system: &str) -> Option<bool> {
    match system {
        "Linux" => Some(false),
        "FreeBSD" | "NetBSD" | "OpenBSD" | "DragonFly" | "Darwin" => Some(true),
        _ => None,
    }
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}
