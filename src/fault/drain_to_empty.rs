//! No fault at all: a loop that drains, as edge-triggered readiness asks it to.

use super::{Arm, Case, Cases, Fault, Needs, Step, Steps};
use crate::accept_loop::Discipline;

pub(super) const FAULT: Fault = Fault {
    name: "drain_to_empty",
    pitfall: "draining a listener that blocks, and what draining costs",
    about: "one client connects and the loop accepts until the queue is empty",
    symptom: "on a blocking listener there is no EWOULDBLOCK to stop at: accept parks; on another \
              the last accept is in vain",
    cure: "a non-blocking listener; where readiness is level-triggered, one accept for a report",
    seen_in: &[
        "epoll(7)",
        "tokio-rs/tokio#3099",
        "tokio-rs/tokio#7172",
        "hyperium/hyper#1493",
        "libuv/libuv#3696",
    ],
    arms: &[Arm::only(Steps { before_wait: &[Step::Connect], ..Steps::NONE })],
    discipline: Discipline::Drain,
    needs: Needs::Bystander,
    has_figures: true,
    cases: Some(Cases {
        ill: Case { discipline: Discipline::Drain, ..Case::BLOCKING },
        cured: Case { discipline: Discipline::Drain, ..Case::SOUND },
        without: Steps::NONE,
    }),
};
