//! A reset in the accept queue, before the loop asks for readiness.

use super::{Arm, Case, Cases, Fault, Needs, Step, Steps};
use crate::accept_loop::Discipline;
use crate::outcome::RetrySet;

pub(super) const FAULT: Fault = Fault {
    name: "reset_queued",
    pitfall: "an aborted connection ends the loop",
    about: "one client connects and resets while it is queued, before the wait",
    symptom: "a naive loop ends where accept says ECONNABORTED or EPROTO; elsewhere a dead socket",
    cure: "take ECONNABORTED and EPROTO for passing errors and go on",
    seen_in: &[
        "UNIX Network Programming 5.11",
        "accept(2)",
        "tiny-http/tiny-http#283",
        "hickory-dns/hickory-dns#3726",
        "grpc/grpc#29318",
        "python/cpython#127529",
    ],
    arms: &[Arm::only(Steps { before_wait: &[Step::Connect, Step::Reset], ..Steps::NONE })],
    discipline: Discipline::One,
    needs: Needs::Nothing,
    has_figures: false,
    cases: Some(Cases {
        ill: Case { retry: RetrySet::Naive, kernel: "posix", ..Case::SOUND },
        cured: Case { kernel: "posix", ..Case::SOUND },
        without: Steps::CLEAN,
    }),
};
