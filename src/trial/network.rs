//! A network of a process's own, so that a setting of the network's can be changed and nobody
//! else meets it (network_namespaces(7)).
#![allow(unsafe_code)]

/// Moves this process, which must have one thread only, to a network of its own with nothing
/// but a loopback interface, in which the kernel moves what is queued for a listener that
/// closes to another of its group (ip-sysctl, tcp_migrate_req; Linux 5.14).
///
/// # Errors
///
/// What this system [refuses](super::REFUSED): no privilege and no user namespaces, a kernel
/// without the setting, a /proc that is not to be written.
#[cfg(target_os = "linux")]
pub(super) fn leave_for_one_that_migrates() -> Result<(), String> {
    leave_for_an_own()
        .and_then(|()| {
            let set = std::fs::write("/proc/sys/net/ipv4/tcp_migrate_req", "1");
            set.map_err(|error| format!("net.ipv4.tcp_migrate_req cannot be set: {error}"))
        })
        .map_err(|reason| format!("{}{reason}", super::REFUSED))
}

#[cfg(target_os = "linux")]
fn leave_for_an_own() -> Result<(), String> {
    use nix::sched::{CloneFlags, unshare};

    let network = CloneFlags::CLONE_NEWNET;
    unshare(network)
        .or_else(|_| unshare(CloneFlags::CLONE_NEWUSER | network))
        .map_err(|error| format!("no network of one's own is given (unshare(2)): {error}"))?;
    raise_loopback().map_err(|error| format!("cannot raise the loopback interface: {error}"))
}

/// What has no namespaces.
#[cfg(not(target_os = "linux"))]
pub(super) fn leave_for_one_that_migrates() -> Result<(), String> {
    Err(format!("{}network namespaces are Linux's", super::REFUSED))
}

/// Sets IFF_UP on `lo`, which is down in a new network (netdevice(7)).
#[cfg(target_os = "linux")]
fn raise_loopback() -> std::io::Result<()> {
    use std::os::fd::AsRawFd;

    use socket2::{Domain, Socket, Type};

    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    // SAFETY: an ifreq is plain old data, for which all zeroes are valid.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(b"lo") {
        *to = *from as libc::c_char;
    }
    request.ifr_ifru.ifru_flags = libc::IFF_UP as libc::c_short;
    // SAFETY: the request is initialised and outlives the call, which only reads it
    // (netdevice(7), SIOCSIFFLAGS).
    match unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS as _, &request) } {
        -1 => Err(std::io::Error::last_os_error()),
        _ => Ok(()),
    }
}
