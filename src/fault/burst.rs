//! Several connections before one wait.

use super::{Fault, Step};
use crate::accept_loop::Discipline;

pub(super) const FAULT: Fault = Fault {
    name: "burst",
    about: "several clients connect before the loop first waits",
    symptom: "an edge-triggered loop that accepts once per report loses all but one",
    before_wait: &[Step::ConnectAll],
    in_window: &[],
    discipline: Discipline::One,
    needs_bystander: false,
};
