//! `epoll(7)`, one-shot (EPOLLONESHOT), renewed before each wait.

use super::epoll::{Epoll, Trigger};
use super::{Driver, Takes};
use crate::listener::Mode;

pub(super) const DRIVER: Driver = Driver {
    about: "epoll(7), one-shot (EPOLLONESHOT), renewed before each wait",
    library: None,
    takes: Takes::AfterReport,
    modes: &Mode::ALL,
    watches_others: true,
    edge_triggered: false,
    accepts_unasked: false,
    open: |listener| Epoll::open(listener, Trigger::OneShot),
};
