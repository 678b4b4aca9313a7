//! No fault at all: a loop that drains, as edge-triggered readiness asks it to.

use super::{Fault, Step};
use crate::accept_loop::Discipline;

pub(super) const FAULT: Fault = Fault {
    name: "drain_to_empty",
    about: "one client connects and the loop accepts until the queue is empty",
    symptom: "on a blocking listener there is no EWOULDBLOCK to stop at: accept parks",
    before_wait: &[Step::Connect],
    in_window: &[],
    discipline: Discipline::Drain,
    needs_bystander: true,
};
