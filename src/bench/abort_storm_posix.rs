//! `abort_storm` where accept fails with ECONNABORTED: what a loop that retries pays for it.

use super::{Group, abort_storm};
use crate::kernel;

pub(super) const GROUP: Group = Group {
    name: "abort_storm_posix",
    about: "Modelled. As `abort_storm`, on a kernel that answers ECONNABORTED for a connection that \
            was reset: the loop retries, and has no dead socket to recognise and close. The closing \
            is the model's, in accept, as it would be the kernel's; and the model's price is in \
            every accept.",
    kernel: &kernel::posix::KERNEL,
    rounds: 20,
    ..abort_storm::GROUP
};
