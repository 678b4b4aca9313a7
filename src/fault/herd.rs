//! One connection, and everybody gets up.

use super::{Arm, Case, Cases, Fault, Needs, Queues, Scene, Steps};
use crate::accept_loop::{Discipline, Habit};

pub(super) const FAULT: Fault = Fault {
    name: "herd",
    pitfall: "the thundering herd",
    about: "several loops wait and one client connects",
    symptom: "all wake and all but one find nothing: they waste a wake-up each, or park on a blocking listener",
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
        Arm {
            name: "shared",
            about: "they share one listener",
            scene: Scene::Herd(Queues::Shared),
            habit: Habit::Sound,
        },
        Arm {
            name: "own",
            about: "each has a listener of its own (SO_REUSEPORT)",
            scene: Scene::Herd(Queues::Own),
            habit: Habit::Sound,
        },
    ],
    discipline: Discipline::One,
    needs: Needs::Nothing,
    has_figures: true,
    cases: Some(Cases {
        ill: Case { arm: "shared", ..Case::SOUND },
        cured: Case { arm: "own", ..Case::SOUND },
        without: Steps::CLEAN,
    }),
};
