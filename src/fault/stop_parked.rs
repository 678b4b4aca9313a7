//! Closing a listener does not wake who waits in accept.

use super::{Arm, Case, Cases, Fault, Needs, Step, Steps};
use crate::accept_loop::{Discipline, Habit};

pub(super) const FAULT: Fault = Fault {
    name: "stop_parked",
    pitfall: "stopping a loop that is parked in accept",
    about: "the loop waits for a client in accept and is told to stop",
    symptom: "close(2) from another thread wakes nobody: the loop goes on until the next client",
    cure: "shutdown(2) on Linux, a client of one's own everywhere, or a loop that watches a \
           descriptor for this",
    seen_in: &[
        "close(2)",
        "shutdown(2)",
        "nurl-lang/nurl#93",
        "drhelius/Gearlynx#55",
        "dragonwell-project/dragonwell8#144",
    ],
    arms: &[
        Arm::new(
            "by_close",
            "another thread closes the listener",
            Steps { once_parked: &[Step::StopByClose], ..Steps::NONE },
            Habit::Sound,
        ),
        Arm::new(
            "by_shutdown",
            "another thread shuts the listener down",
            Steps { once_parked: &[Step::StopByShutdown], ..Steps::NONE },
            Habit::Sound,
        ),
        Arm::new(
            "by_client",
            "a client connects",
            Steps { once_parked: &[Step::StopByClient], ..Steps::NONE },
            Habit::Sound,
        ),
    ],
    discipline: Discipline::One,
    needs: Needs::ParksInAccept,
    has_figures: false,
    cases: Some(Cases {
        ill: Case { arm: "by_close", ..Case::BLOCKING },
        cured: Case { arm: "by_client", ..Case::BLOCKING },
        without: Steps::NONE,
    }),
};
