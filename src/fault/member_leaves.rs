//! The queue of a listener goes with the listener.

use super::{Arm, Case, Cases, Fault, Needs, Step, Steps};
use crate::accept_loop::{Discipline, Habit};

pub(super) const FAULT: Fault = Fault {
    name: "member_leaves",
    pitfall: "a SO_REUSEPORT member leaves with connections queued",
    about: "clients connect to one of two listeners on a port, and its loop is told to stop",
    symptom: "what is queued is reset, though another listener stays",
    cure: "drain before closing, or net.ipv4.tcp_migrate_req",
    seen_in: &[
        "socket(7)",
        "ip-sysctl tcp_migrate_req",
        "emmett-framework/granian#567",
        "cloudflare/pingora#427",
    ],
    arms: &[
        Arm::new(
            "at_once",
            "it closes at once",
            Steps { before_wait: &[Step::ConnectAll, Step::Leave], ..Steps::NONE },
            Habit::Leaves { drained: false },
        ),
        Arm::new(
            "drained",
            "it takes what is queued, then closes",
            Steps { before_wait: &[Step::ConnectAll, Step::Leave], ..Steps::NONE },
            Habit::Leaves { drained: true },
        ),
        Arm::new(
            "migrating",
            "it closes at once, and the kernel moves what is queued",
            Steps { before_wait: &[Step::ConnectAll, Step::LeaveMigrating], ..Steps::NONE },
            Habit::Leaves { drained: false },
        ),
    ],
    discipline: Discipline::One,
    needs: Needs::Nothing,
    has_figures: false,
    cases: Some(Cases {
        ill: Case { arm: "at_once", ..Case::SOUND },
        cured: Case { arm: "drained", ..Case::SOUND },
        without: Steps { before_wait: &[Step::ConnectAll], ..Steps::NONE },
    }),
};
