//! A clean close (FIN) while queued: the control of `reset_queued`, since a reset is also the
//! usual cure for TIME_WAIT.

use super::{Fault, Step};
use crate::accept_loop::Discipline;

pub(super) const FAULT: Fault = Fault {
    name: "close_queued",
    about: "one client connects and closes with a FIN while it is queued",
    symptom: "none: the connection is accepted and reads end of file",
    before_wait: &[Step::Connect, Step::Close],
    in_window: &[],
    discipline: Discipline::One,
    needs_bystander: false,
};
