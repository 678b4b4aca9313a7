//! A clean close (FIN) while queued: the control of `reset_queued`, since a reset is also the
//! usual cure for TIME_WAIT.

use super::{Arm, Fault, Needs, Step, Steps};
use crate::accept_loop::Discipline;

pub(super) const FAULT: Fault = Fault {
    name: "close_queued",
    pitfall: "none",
    about: "one client connects and closes with a FIN while it is queued",
    symptom: "none: the connection is accepted and reads end of file",
    cure: "none needed",
    seen_in: &[],
    arms: &[Arm::only(Steps { before_wait: &[Step::Connect, Step::Close], ..Steps::NONE })],
    discipline: Discipline::One,
    needs: Needs::Nothing,
    has_figures: false,
    cases: None,
};
