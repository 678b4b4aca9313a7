//! A multishot accept ends with its first error.

use super::{Arm, Case, Cases, Fault, Needs, Step, Steps};
use crate::accept_loop::{Discipline, Habit, Remedy};

const STEPS: Steps = Steps {
    before_wait: &[Step::ConnectAll, Step::Exhaust],
    once_exhausted: &[Step::Relieve],
    ..Steps::NONE
};

pub(super) const FAULT: Fault = Fault {
    name: "multishot_ended",
    pitfall: "a multishot accept has ended and nobody noticed",
    about: "descriptors run out, which ends the request; later there are some again",
    symptom: "nothing is accepted any more: the completion without IORING_CQE_F_MORE was not \
              heeded",
    cure: "look for IORING_CQE_F_MORE, and arm anew where it is missing",
    seen_in: &["io_uring_prep_multishot_accept(3)", "axboe/liburing#1062", "netty/netty#14819"],
    arms: &[
        Arm::new("never", "it is not armed again", STEPS, Habit::NeverRearms),
        Arm::new(
            "always",
            "it is armed again, once a descriptor may have come free",
            STEPS,
            Habit::Exhausted(Remedy::Pause),
        ),
    ],
    discipline: Discipline::One,
    needs: Needs::Multishot,
    has_figures: false,
    cases: Some(Cases {
        ill: Case { arm: "never", ..Case::SOUND },
        cured: Case { arm: "always", ..Case::SOUND },
        without: Steps::CLEAN,
    }),
};
