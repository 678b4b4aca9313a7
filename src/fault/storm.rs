//! Accepting is work, and others wait for its end.

use super::{Arm, Case, Cases, Fault, Needs, Step, Steps};
use crate::accept_loop::Discipline;

pub(super) const FAULT: Fault = Fault {
    name: "storm",
    pitfall: "accepting starves the established connections",
    about: "a storm of clients connects, and then a byte comes from a connection that the loop \
            serves",
    symptom: "a loop that drains takes the whole storm first",
    cure: "a budget: so many accepts, then the others",
    seen_in: &[
        "redis/redis src/networking.c MAX_ACCEPTS_PER_CALL",
        "envoyproxy/envoy#27773",
        "nodejs/node-v0.x-archive#1056",
    ],
    arms: &[Arm::only(Steps { before_wait: &[Step::Storm(64), Step::Byte], ..Steps::NONE })],
    discipline: Discipline::One,
    needs: Needs::Bystander,
    has_figures: true,
    cases: Some(Cases {
        ill: Case { discipline: Discipline::Drain, ..Case::SOUND },
        cured: Case { discipline: Discipline::Budget(2), ..Case::SOUND },
        without: Steps { before_wait: &[Step::Byte], ..Steps::NONE },
    }),
};
