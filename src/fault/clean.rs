//! Nothing goes wrong: the control of all the others.

use super::{Fault, Step};
use crate::accept_loop::Discipline;

pub(super) const FAULT: Fault = Fault {
    name: "clean",
    about: "one client connects and stays",
    symptom: "none",
    before_wait: &[Step::Connect],
    in_window: &[],
    discipline: Discipline::One,
    needs_bystander: false,
};
