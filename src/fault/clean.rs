//! Nothing goes wrong: the control of all the others.

use super::{Arm, Fault, Needs, Steps};
use crate::accept_loop::Discipline;

pub(super) const FAULT: Fault = Fault {
    name: "clean",
    pitfall: "none",
    about: "one client connects and stays",
    symptom: "none",
    cure: "none needed",
    seen_in: &[],
    arms: &[Arm::only(Steps::CLEAN)],
    discipline: Discipline::One,
    needs: Needs::Nothing,
    has_figures: false,
    cases: None,
};
