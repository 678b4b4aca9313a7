//! One connection, and everybody gets up.

use super::{Arm, Case, Cases, Fault, Needs, Queues, Steps};
use crate::accept_loop::Discipline;

pub(super) const FAULT: Fault = Fault {
    name: "herd",
    pitfall: "the thundering herd",
    about: "several loops wait and one client connects",
    symptom: "all wake and all but one find nothing: they waste a wake-up each, or park on a \
              blocking listener",
    cure: "EPOLLEXCLUSIVE, a blocking accept, or with SO_REUSEPORT a listener for each",
    seen_in: &[
        "epoll_ctl(2)",
        "socket(7)",
        "unbit/uwsgi#1224",
        "benoitc/gunicorn#792",
        "h2o/h2o#1737",
        "grpc/grpc#6110",
    ],
    arms: &[
        Arm::herd("shared_2", "two share one listener", Queues::Shared, 2),
        Arm::herd("shared_4", "four share one listener", Queues::Shared, 4),
        Arm::herd("shared_8", "eight share one listener", Queues::Shared, 8),
        Arm::herd("own_2", "two have a listener each (SO_REUSEPORT)", Queues::Own, 2),
        Arm::herd("own_4", "four have a listener each (SO_REUSEPORT)", Queues::Own, 4),
        Arm::herd("own_8", "eight have a listener each (SO_REUSEPORT)", Queues::Own, 8),
    ],
    discipline: Discipline::One,
    needs: Needs::Nothing,
    has_figures: true,
    cases: Some(Cases {
        ill: Case { arm: "shared_4", ..Case::SOUND },
        cured: Case { arm: "own_4", ..Case::SOUND },
        without: Steps::CLEAN,
    }),
};
