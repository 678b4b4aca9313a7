//! A reset in the accept queue, before the loop asks for readiness.

use super::{Fault, Step};
use crate::accept_loop::Discipline;

pub(super) const FAULT: Fault = Fault {
    name: "reset_queued",
    about: "one client connects and resets while it is queued, before the wait",
    symptom: "a naive loop ends where accept says ECONNABORTED or EPROTO; elsewhere a dead socket",
    before_wait: &[Step::Connect, Step::Reset],
    in_window: &[],
    discipline: Discipline::One,
    needs_bystander: false,
};
