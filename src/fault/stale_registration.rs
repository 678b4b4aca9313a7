//! A registration can outlive the descriptor that it was made with.

use super::{Arm, Case, Cases, Fault, Needs, Step, Steps, Turns};
use crate::accept_loop::{Discipline, Habit};

const STEPS: Steps = Steps {
    at_bystander: Turns::First(&[Step::Connect]),
    at_the_end: &[Step::Collect],
    ..Steps::NONE
};

pub(super) const FAULT: Fault = Fault {
    name: "stale_registration",
    pitfall: "a registration that outlives its descriptor",
    about: "the loop closes its listener, of which another process holds a descriptor, and a \
            client connects",
    symptom: "the closed listener is reported again and again, and cannot be removed any more",
    cure: "stop watching, then close",
    seen_in: &["epoll(7)", "libuv/libuv#4323", "h2o/h2o#1100"],
    arms: &[
        Arm::new(
            "forgotten",
            "it closes the descriptor and no more",
            STEPS,
            Habit::Closes { deregisters: false },
        ),
        Arm::new(
            "deregistered",
            "it stops watching first",
            STEPS,
            Habit::Closes { deregisters: true },
        ),
    ],
    discipline: Discipline::One,
    needs: Needs::Registration,
    has_figures: false,
    cases: Some(Cases {
        ill: Case { arm: "forgotten", ..Case::SOUND },
        cured: Case { arm: "deregistered", ..Case::SOUND },
        without: Steps::CLEAN,
    }),
};
