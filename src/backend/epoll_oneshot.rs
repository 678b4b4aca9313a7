//! `epoll(7)`, one-shot (EPOLLONESHOT), renewed before each wait.

use super::epoll::{Epoll, Trigger};
use super::{Driver, Rearms, Registration, Takes, Unasked};
use crate::listener::Mode;

pub(super) const DRIVER: Driver = Driver {
    about: "epoll(7), one-shot (EPOLLONESHOT), renewed before each wait",
    library: None,
    takes: Takes::AfterReport,
    modes: &Mode::ALL,
    watches_others: true,
    edge_triggered: false,
    accepts_unasked: Unasked::Never,
    rearms: Rearms::EachReport,
    registration: Registration::File,
    sets_nonblocking: false,
    wakes_one: false,
    open: |listener| Epoll::open(listener, Trigger::OneShot),
};
