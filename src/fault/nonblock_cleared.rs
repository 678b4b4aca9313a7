//! O_NONBLOCK belongs to the open file description, and whoever holds it can clear it.

use super::{Arm, Case, Cases, Fault, Needs, Step, Steps};
use crate::accept_loop::{Discipline, Habit};

pub(super) const FAULT: Fault = Fault {
    name: "nonblock_cleared",
    pitfall: "O_NONBLOCK is shared",
    about: "one client connects; after the listener was reported, somebody clears O_NONBLOCK and \
            another acceptor takes the connection",
    symptom: "the loop opened its listener non-blocking, and parks in accept all the same",
    cure: "an open file description of one's own: with SO_REUSEPORT each process has its own \
           listener",
    seen_in: &["fcntl(2)", "open(2)", "owl-lisp/owl#50", "cloud-hypervisor/cloud-hypervisor#7269"],
    arms: &[
        Arm::new(
            "shared",
            "the flag of the loop's own listener is cleared",
            Steps {
                before_wait: &[Step::Connect],
                in_window: &[Step::ClearNonblock, Step::Rival],
                ..Steps::NONE
            },
            Habit::Sound,
        ),
        Arm::new(
            "own",
            "the flag of another listener on the port is cleared",
            Steps {
                before_wait: &[Step::Connect],
                in_window: &[Step::ClearNonblockOfAnother, Step::Rival],
                ..Steps::NONE
            },
            Habit::Sound,
        ),
    ],
    discipline: Discipline::One,
    needs: Needs::Bystander,
    has_figures: false,
    cases: Some(Cases {
        ill: Case { arm: "shared", ..Case::SOUND },
        cured: Case { arm: "own", ..Case::SOUND },
        without: Steps::CLEAN,
    }),
};
