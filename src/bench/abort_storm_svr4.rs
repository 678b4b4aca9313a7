//! `abort_storm` where accept fails with EPROTO.

use super::{Group, abort_storm_posix};
use crate::kernel;

pub(super) const GROUP: Group = Group {
    name: "abort_storm_svr4",
    about: "Modelled. As `abort_storm_posix`, with EPROTO in the place of ECONNABORTED: the same \
            work, under the name that SVR4 has for it.",
    kernel: &kernel::svr4::KERNEL,
    on_request: true,
    ..abort_storm_posix::GROUP
};
