//! Several connections before one wait.

use super::{Arm, Case, Cases, Fault, Needs, Step, Steps};
use crate::accept_loop::Discipline;

pub(super) const FAULT: Fault = Fault {
    name: "burst",
    pitfall: "an edge is told once",
    about: "several clients connect before the loop first waits",
    symptom: "an edge-triggered loop that accepts once per report loses all but one",
    cure: "drain: accept until EWOULDBLOCK",
    seen_in: &["epoll(7)", "tokio-rs/mio#845", "memcached/memcached#476"],
    arms: &[Arm::only(Steps { before_wait: &[Step::ConnectAll], ..Steps::NONE })],
    discipline: Discipline::One,
    needs: Needs::Nothing,
    has_figures: false,
    cases: Some(Cases {
        ill: Case::SOUND,
        cured: Case { discipline: Discipline::Drain, ..Case::SOUND },
        without: Steps::CLEAN,
    }),
};
