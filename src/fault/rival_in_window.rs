//! Another acceptor is faster: the stall that every kernel has today.

use super::{Arm, Case, Cases, Fault, Needs, Step, Steps};
use crate::accept_loop::Discipline;

pub(super) const FAULT: Fault = Fault {
    name: "rival_in_window",
    pitfall: "readiness promises a connection that somebody else takes",
    about: "one client connects; after the listener was reported, another acceptor takes it",
    symptom: "accept on a blocking listener parks until the next client",
    cure: "a non-blocking listener, and a loop that goes on after EWOULDBLOCK",
    seen_in: &["accept(2)", "php/php-src#13220", "oven-sh/bun#37815"],
    arms: &[Arm::only(Steps {
        before_wait: &[Step::Connect],
        in_window: &[Step::Rival],
        ..Steps::NONE
    })],
    discipline: Discipline::One,
    needs: Needs::Bystander,
    has_figures: false,
    cases: Some(Cases { ill: Case::BLOCKING, cured: Case::SOUND, without: Steps::CLEAN }),
};
