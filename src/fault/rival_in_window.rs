//! Another acceptor is faster: the stall that every kernel has today.

use super::{Fault, Step};
use crate::accept_loop::Discipline;

pub(super) const FAULT: Fault = Fault {
    name: "rival_in_window",
    about: "one client connects; after the listener was reported, another acceptor takes it",
    symptom: "accept on a blocking listener parks until the next client",
    before_wait: &[Step::Connect],
    in_window: &[Step::Rival],
    discipline: Discipline::One,
    needs_bystander: true,
};
