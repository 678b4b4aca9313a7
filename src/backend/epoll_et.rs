//! `epoll(7)`, edge-triggered (EPOLLET), to be drained.

use super::epoll::{Epoll, Trigger};
use super::{Driver, Rearms, Registration, Takes, Unasked};
use crate::listener::Mode;

pub(super) const DRIVER: Driver = Driver {
    about: "epoll(7), edge-triggered (EPOLLET), to be drained",
    library: None,
    takes: Takes::AfterReport,
    modes: &Mode::ALL,
    watches_others: true,
    edge_triggered: true,
    accepts_unasked: Unasked::Never,
    rearms: Rearms::Never,
    registration: Registration::File,
    sets_nonblocking: false,
    wakes_one: false,
    open: |listener| Epoll::open(listener, Trigger::Edge),
};
