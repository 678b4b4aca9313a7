//! O_NONBLOCK of the listener is not that of the connection.

use super::{Arm, Case, Cases, Fault, Needs, Step, Steps};
use crate::accept_loop::{Discipline, Habit};

const STEPS: Steps = Steps { before_wait: &[Step::Connect], ..Steps::NONE };

pub(super) const FAULT: Fault = Fault {
    name: "accepted_blocking",
    pitfall: "O_NONBLOCK that was believed to be inherited",
    about: "one client connects and sends nothing, and the loop reads from the connection as soon \
            as it has it",
    symptom: "on Linux the connection is blocking, whatever the listener is: read parks the loop",
    cure: "set O_NONBLOCK on each connection, or accept4(2) with SOCK_NONBLOCK",
    seen_in: &["accept(2)", "libressl/portable#1323"],
    arms: &[
        Arm::new("assumed", "it reads at once", STEPS, Habit::Reads { sets_nonblocking: false }),
        Arm::new(
            "set",
            "it sets O_NONBLOCK, then reads",
            STEPS,
            Habit::Reads { sets_nonblocking: true },
        ),
    ],
    discipline: Discipline::One,
    needs: Needs::Bystander,
    has_figures: false,
    cases: Some(Cases {
        ill: Case { arm: "assumed", ..Case::SOUND },
        cured: Case { arm: "set", ..Case::SOUND },
        without: Steps::NONE,
    }),
};
