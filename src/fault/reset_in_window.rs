//! UNIX Network Programming 16.6, with a rendezvous in the place of its sleep(5).

use super::{Fault, Step};
use crate::accept_loop::Discipline;

pub(super) const FAULT: Fault = Fault {
    name: "reset_in_window",
    about: "one client connects; after the listener was reported and before accept, it resets",
    symptom: "where the kernel drops the connection, accept on a blocking listener parks",
    before_wait: &[Step::Connect],
    in_window: &[Step::Reset],
    discipline: Discipline::One,
    needs_bystander: true,
};
