//! EMFILE: the connection stays queued and the listener ready.

use super::{Arm, Case, Cases, Fault, Needs, Step, Steps};
use crate::accept_loop::{Discipline, Habit, Remedy};

const STEPS: Steps = Steps {
    before_wait: &[Step::ConnectAll, Step::Exhaust],
    once_exhausted: &[Step::Relieve],
    ..Steps::NONE
};

pub(super) const FAULT: Fault = Fault {
    name: "descriptors_exhausted",
    pitfall: "descriptors run out",
    about: "clients connect while the process has no descriptor left; later it has some again",
    symptom: "a level-triggered loop spins on EMFILE, an edge-triggered one never comes back, \
              another ends",
    cure: "stop watching the listener until a descriptor may have come free",
    seen_in: &[
        "accept(2)",
        "joyent/libuv#315",
        "nodejs/node#45242",
        "hyperium/hyper#1358",
        "yesodweb/wai#830",
        "ninenines/ranch#36",
    ],
    arms: &[
        Arm::new("ignore", "waits again at once", STEPS, Habit::Exhausted(Remedy::Ignore)),
        Arm::new("fatal", "ends", STEPS, Habit::Sound),
        Arm::new(
            "reserve",
            "gives up a reserve descriptor and closes what it accepts",
            STEPS,
            Habit::Exhausted(Remedy::Reserve),
        ),
        Arm::new(
            "pause",
            "stops watching until it has served somebody",
            STEPS,
            Habit::Exhausted(Remedy::Pause),
        ),
        Arm::new(
            "pause_for_good",
            "stops watching, and never watches again",
            STEPS,
            Habit::Exhausted(Remedy::PauseForGood),
        ),
        Arm::new(
            "back_off",
            "stops watching for 5 ms, then twice as long, up to 1 s",
            STEPS,
            Habit::Exhausted(Remedy::BackOff),
        ),
    ],
    discipline: Discipline::One,
    needs: Needs::Nothing,
    has_figures: true,
    cases: Some(Cases {
        ill: Case { arm: "ignore", ..Case::SOUND },
        cured: Case { arm: "pause", ..Case::SOUND },
        without: Steps::CLEAN,
    }),
};
