//! rstall measures what an accept loop does when a connection is reset, or taken by
//! somebody else, between the moment the kernel reports it and the moment it is accepted.
//!
//! Data flows one way:
//!
//! ```text
//!  fault ─┐                    ┌─ evidence: queued, reset and parked are known, not slept for
//!  peer ──┤ inject             │
//!         ▼                    ▼
//!      listener ──► backend: wait ─► accept ──► outcome ──► record ──► report
//!                   └───────── accept_loop ────────┘
//!                   └──────── trial: one run, bounded ───────┘
//!                   └──────── bench: many, in rounds ────────┘
//! ```
//!
//! - [`backend`], [`fault`] and [`bench::GROUPS`] are registries: one file and one line an
//!   entry. Faults and benchmarks name no backend; what a backend can do is data
//!   ([`backend::Driver`]).
//! - [`outcome`] is the only module that gives an errno a meaning, [`clock`] the only one
//!   that reads a clock.
//! - [`timeline`] draws a trial: what happened, step by step, and nothing else.
//! - [`trial`] never hangs: whatever the loop under test does, a watchdog ends the trial and
//!   the record says so.
#![deny(unsafe_code)]
#![warn(missing_docs, missing_debug_implementations)]

#[cfg(not(unix))]
compile_error!(
    "rstall measures the accept queues of Unix kernels: it builds on Linux, macOS and the BSDs only"
);

mod accept;
pub mod accept_loop;
pub mod backend;
pub mod bench;
pub mod clock;
pub mod compare;
pub mod connection;
pub mod evidence;
pub mod fault;
pub mod interpose;
pub mod interrupt;
pub mod kernel;
pub mod limits;
pub mod listener;
pub mod outcome;
pub mod peer;
pub mod pitfall;
pub mod probe;
pub mod program;
pub mod record;
pub mod report;
pub mod stats;
pub mod timeline;
pub mod trial;
pub mod verdict;
