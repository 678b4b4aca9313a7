//! An accept that is withdrawn may have a connection already.

use super::{Arm, Case, Cases, Fault, Needs, Step, Steps, Turns};
use crate::accept_loop::{Discipline, Habit};

const STEPS: Steps = Steps { at_bystander: Turns::First(&[Step::Connect]), ..Steps::NONE };

pub(super) const FAULT: Fault = Fault {
    name: "accept_cancelled",
    pitfall: "a cancelled accept loses a connection",
    about: "while the loop turns to somebody else a client connects; then the loop withdraws its \
            accept",
    symptom: "what the accept had brought is dropped with it",
    cure: "take the completion of a cancelled accept seriously: it may hold a connection",
    seen_in: &["io_uring_prep_cancel(3)", "python/cpython#153762", "python/cpython#91780"],
    arms: &[
        Arm::new("drops", "what it brought is dropped", STEPS, Habit::Cancels { keeps: false }),
        Arm::new("keeps", "what it brought is taken", STEPS, Habit::Cancels { keeps: true }),
    ],
    discipline: Discipline::One,
    needs: Needs::InFlight,
    has_figures: false,
    cases: Some(Cases {
        ill: Case { arm: "drops", ..Case::SOUND },
        cured: Case { arm: "keeps", ..Case::SOUND },
        without: Steps::CLEAN,
    }),
};
