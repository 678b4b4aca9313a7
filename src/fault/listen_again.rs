//! The queue is flushed by another holder of the listener.

use super::{Arm, Case, Cases, Fault, Needs, Step, Steps};
use crate::accept_loop::Discipline;

pub(super) const FAULT: Fault = Fault {
    name: "listen_again",
    pitfall: "another process shuts the shared listener down",
    about: "one client connects; after the listener was reported, another holder shuts it down \
            and has it listen again",
    symptom: "the queue is empty: accept on a blocking listener parks, on a kernel that drops no \
              reset",
    cure: "a non-blocking listener, and a loop that goes on after EWOULDBLOCK",
    seen_in: &["shutdown(2)", "Linux net/ipv4/af_inet.c inet_shutdown", "google/gvisor#2468"],
    arms: &[Arm::only(Steps {
        before_wait: &[Step::Connect],
        in_window: &[Step::ListenAgain],
        ..Steps::NONE
    })],
    discipline: Discipline::One,
    needs: Needs::Bystander,
    has_figures: false,
    cases: Some(Cases { ill: Case::BLOCKING, cured: Case::SOUND, without: Steps::CLEAN }),
};
