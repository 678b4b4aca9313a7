//! A request that is woken in vain too often is given to a worker.

use super::{Arm, Case, Cases, Fault, Needs, Step, Steps, Turns};
use crate::accept_loop::Discipline;

pub(super) const FAULT: Fault = Fault {
    name: "stolen_wakeups",
    pitfall: "an accept in flight that others keep robbing",
    about: "again and again a client connects and another acceptor takes the connection, while \
            the loop has an accept in flight",
    symptom: "after 128 armings a kernel thread does the accept: on a blocking listener it parks \
              in there, on another the request fails with EWOULDBLOCK",
    cure: "a non-blocking listener and a loop that goes on after EWOULDBLOCK, or a multishot \
           accept, which stays armed",
    seen_in: &["Linux io_uring/poll.c APOLL_MAX_RETRY", "axboe/liburing#1286"],
    arms: &[Arm::only(Steps {
        at_bystander: Turns::Robbing(&[Step::Connect, Step::Rival]),
        ..Steps::NONE
    })],
    discipline: Discipline::One,
    needs: Needs::InFlight,
    has_figures: false,
    cases: Some(Cases { ill: Case::BLOCKING, cured: Case::SOUND, without: Steps::CLEAN }),
};
