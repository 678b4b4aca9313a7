//! System V Release 4: accept fails with EPROTO.
//!
//! Sockets stood on TLI there. Where the disconnect indication comes after the connect
//! indication was taken, T_CONN_RES fails with TBADSEQ, which most SVR4 kernels translated
//! into EPROTO. (One that came before removed the connect indication: that is `berkeley`.)

use super::{Kernel, Model};
use crate::outcome::Abort;

/// accept fails with EPROTO.
pub const KERNEL: Kernel = Kernel {
    name: "svr4",
    systems: "most System V Release 4 kernels",
    about: "the connection stays queued, and the accept that comes to it fails with EPROTO",
    source: "UNP 5.11; TBADSEQ in the SVR4 sockets' error tables",
    model: Some(Model::Fails(Abort::Protocol)),
};
