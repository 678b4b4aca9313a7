//! `io_uring(7)`: one accept request that brings connection after connection.

use super::io_uring::{Ring, Shots};
use super::{Driver, Rearms, Registration, Takes, Unasked};
use crate::listener::Mode;

pub(super) const DRIVER: Driver = Driver {
    about: "io_uring(7), multishot accept; asks getpeername(2) for the address",
    library: Some("io-uring"),
    takes: Takes::InWait,
    modes: &Mode::ALL,
    watches_others: true,
    edge_triggered: false,
    accepts_unasked: Unasked::Never,
    rearms: Rearms::AtItsEnd,
    registration: Registration::Request,
    sets_nonblocking: false,
    wakes_one: true,
    open: |listener| Ring::open(listener, Shots::Multi),
};
