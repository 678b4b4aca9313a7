//! `epoll(7)`, edge-triggered (EPOLLET), to be drained.

use super::epoll::{Epoll, Trigger};
use super::{Driver, Takes, Unasked};
use crate::listener::Mode;

pub(super) const DRIVER: Driver = Driver {
    about: "epoll(7), edge-triggered (EPOLLET), to be drained",
    library: None,
    takes: Takes::AfterReport,
    modes: &Mode::ALL,
    watches_others: true,
    edge_triggered: true,
    accepts_unasked: Unasked::Never,
    open: |listener| Epoll::open(listener, Trigger::Edge),
};
