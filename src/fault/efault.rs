//! An accept that fails takes a connection with it.

use super::{Arm, Case, Cases, Fault, Needs, Step, Steps};
use crate::accept_loop::{Discipline, Habit};

pub(super) const FAULT: Fault = Fault {
    name: "efault",
    pitfall: "an accept that fails after it has taken the connection",
    about: "one client connects; after the listener was reported, another acceptor passes accept \
            a bad address pointer, or none",
    symptom: "EFAULT: the connection is off the queue and closed, nobody has it, and accept on a \
              blocking listener parks",
    cure: "a valid pointer, or a null one and getpeername(2)",
    seen_in: &["accept(2)", "Linux net/socket.c do_accept", "rust-lang/socket2#38"],
    arms: &[
        Arm::new(
            "bad_address",
            "the pointer is bad",
            Steps { before_wait: &[Step::Connect], in_window: &[Step::Efault], ..Steps::NONE },
            Habit::Sound,
        ),
        Arm::new(
            "null_address",
            "the pointer is null",
            Steps { before_wait: &[Step::Connect], in_window: &[Step::Rival], ..Steps::NONE },
            Habit::Sound,
        ),
    ],
    discipline: Discipline::One,
    needs: Needs::Bystander,
    has_figures: false,
    cases: Some(Cases {
        ill: Case { arm: "bad_address", ..Case::SOUND },
        cured: Case { arm: "null_address", ..Case::SOUND },
        without: Steps::CLEAN,
    }),
};
