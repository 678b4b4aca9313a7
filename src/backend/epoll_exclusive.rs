//! `epoll(7)`, level-triggered, of several waiters on one listener not all woken
//! (EPOLLEXCLUSIVE).

use super::epoll::{Epoll, Trigger};
use super::{Driver, Rearms, Registration, Takes, Unasked};
use crate::listener::Mode;

pub(super) const DRIVER: Driver = Driver {
    about: "epoll(7), level-triggered, waking not all (EPOLLEXCLUSIVE)",
    library: None,
    takes: Takes::AfterReport,
    modes: &Mode::ALL,
    watches_others: true,
    edge_triggered: false,
    accepts_unasked: Unasked::Never,
    rearms: Rearms::Never,
    registration: Registration::File,
    sets_nonblocking: false,
    wakes_one: true,
    open: |listener| Epoll::open(listener, Trigger::Exclusive),
};
