//! One-shot means once.

use super::{Arm, Case, Cases, Fault, Needs, Step, Steps, Turns};
use crate::accept_loop::{Discipline, Habit};

const STEPS: Steps = Steps {
    before_wait: &[Step::Connect],
    at_bystander: Turns::First(&[Step::Connect]),
    ..Steps::NONE
};

pub(super) const FAULT: Fault = Fault {
    name: "not_rearmed",
    pitfall: "a one-shot registration is not renewed",
    about: "one client connects, and a second after the first was accepted",
    symptom: "the second is never reported",
    cure: "arm the registration again after each report",
    seen_in: &["epoll_ctl(2)", "lesismal/nbio#333"],
    arms: &[
        Arm::new("never", "it is not armed again", STEPS, Habit::NeverRearms),
        Arm::new("always", "it is armed again before each wait", STEPS, Habit::Sound),
    ],
    discipline: Discipline::One,
    needs: Needs::OneShot,
    has_figures: false,
    cases: Some(Cases {
        ill: Case { arm: "never", ..Case::SOUND },
        cured: Case { arm: "always", ..Case::SOUND },
        without: Steps::CLEAN,
    }),
};
