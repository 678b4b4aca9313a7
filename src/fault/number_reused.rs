//! A descriptor is a number, and numbers come back.

use super::{Arm, Case, Cases, Fault, Needs, Step, Steps};
use crate::accept_loop::{Discipline, Habit};

const STEPS: Steps =
    Steps { before_wait: &[Step::Connect], in_window: &[Step::Renumber], ..Steps::NONE };

pub(super) const FAULT: Fault = Fault {
    name: "number_reused",
    pitfall: "a descriptor number that was reused",
    about: "a report is still to be dealt with when the listener is closed and another is opened, \
            which has its number",
    symptom: "accept is called on the wrong listener, and parks",
    cure: "tell registrations apart by something that is not reused, and drop reports of those \
           that are gone",
    seen_in: &["epoll(7)", "ponylang/ponyc#5722"],
    arms: &[
        Arm::new("trusting", "it accepts on the number that was reported", STEPS, Habit::Sound),
        Arm::new(
            "checking",
            "it asks whether the registration is still the same",
            STEPS,
            Habit::Checks,
        ),
    ],
    discipline: Discipline::One,
    needs: Needs::Bystander,
    has_figures: false,
    cases: Some(Cases {
        ill: Case { arm: "trusting", ..Case::BLOCKING },
        cured: Case { arm: "checking", ..Case::BLOCKING },
        without: Steps::CLEAN,
    }),
};
