//! UNIX Network Programming 16.6, with a rendezvous in the place of its sleep(5).

use super::{Arm, Case, Cases, Fault, Needs, Step, Steps};
use crate::accept_loop::Discipline;

pub(super) const FAULT: Fault = Fault {
    name: "reset_in_window",
    pitfall: "readiness promises a connection that is gone",
    about: "one client connects; after the listener was reported and before accept, it resets",
    symptom: "where the kernel drops the connection, accept on a blocking listener parks",
    cure: "a non-blocking listener, and a loop that goes on after EWOULDBLOCK, ECONNABORTED, \
           EPROTO and EINTR",
    seen_in: &["UNIX Network Programming 16.6", "accept(2)", "apache/nuttx#19564"],
    arms: &[Arm::only(Steps {
        before_wait: &[Step::Connect],
        in_window: &[Step::Reset],
        ..Steps::NONE
    })],
    discipline: Discipline::One,
    needs: Needs::Bystander,
    has_figures: false,
    cases: Some(Cases {
        ill: Case { kernel: "berkeley", ..Case::BLOCKING },
        cured: Case { kernel: "berkeley", ..Case::SOUND },
        without: Steps::CLEAN,
    }),
};
