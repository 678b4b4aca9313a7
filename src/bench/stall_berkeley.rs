//! UNIX Network Programming 16.6 itself: the client resets in the window, on a kernel that
//! then drops the connection.

use super::{Group, stall};
use crate::kernel;

pub(super) const GROUP: Group = Group {
    name: "stall_berkeley",
    about: "Modelled. reset_in_window on 4.4BSD's accept queue: after the listener was reported, \
            the client resets and the connection is gone. From the bystander's byte to its echo, \
            with the next client coming so many milliseconds after the byte if nobody has answered. \
            One trial a sample.",
    kernel: &kernel::berkeley::KERNEL,
    rounds: 15,
    rig: |context, kernel, parameter| stall::rig(context, kernel, "reset_in_window", parameter),
    ..stall::GROUP
};
