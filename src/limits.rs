//! The limits that a run meets, and the CPUs that it is put on.
#![allow(unsafe_code)]

use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

use nix::fcntl::{FcntlArg, fcntl};
use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Raises the soft limit on open files to the hard one, and has the descriptor table grow
/// once and for all: in a program of several threads each growth waits for an RCU grace
/// period (Linux, fs/file.c `expand_fdtable`), and an accept that meets one takes milliseconds.
/// Returns the limit that is in force afterwards; `None` where it cannot be read.
pub fn raise_open_files() -> Option<u64> {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).ok()?;
    // What cannot be raised stays as it is, and whoever needs more says so.
    let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
    let limit = open_files()?;
    let last = limit.min(TABLE).saturating_sub(1).try_into().unwrap_or_default();
    // Where it cannot grow now it grows later, as it would have.
    let _ = fcntl(std::io::stderr(), FcntlArg::F_DUPFD_CLOEXEC(last)).map(|fd| {
        // SAFETY: the descriptor is new and nobody else owns it.
        drop(unsafe { OwnedFd::from_raw_fd(fd) })
    });
    Some(limit)
}

/// No descriptor is left in this process: the limit on open files is what is open. Ends when
/// it is dropped.
#[derive(Debug)]
pub(crate) struct Shortage {
    soft: libc::rlim_t,
    hard: libc::rlim_t,
}

impl Shortage {
    /// Lowers the soft limit to the lowest number that is free: whatever is opened from now on
    /// fails with EMFILE (getrlimit(2), RLIMIT_NOFILE: one more than the highest number).
    ///
    /// # Errors
    ///
    /// Those of dup(2), getrlimit(2) and setrlimit(2).
    pub(crate) fn begin() -> std::io::Result<Shortage> {
        let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
        // dup(2) gives the lowest number that is free, and it is given back at once.
        let lowest = std::io::stderr().as_fd().try_clone_to_owned()?.as_raw_fd();
        #[allow(clippy::useless_conversion, reason = "rlim_t is signed on FreeBSD")]
        let lowest = libc::rlim_t::try_from(lowest).unwrap_or(soft);
        setrlimit(Resource::RLIMIT_NOFILE, lowest, hard)?;
        Ok(Shortage { soft, hard })
    }
}

impl Drop for Shortage {
    fn drop(&mut self) {
        // It was allowed before.
        let _ = setrlimit(Resource::RLIMIT_NOFILE, self.soft, self.hard);
    }
}

/// More descriptors than any benchmark has open: two for each connection of the largest idle
/// set.
const TABLE: u64 = 16_384;

/// The soft limit on open files that is in force.
#[allow(clippy::useless_conversion, reason = "rlim_t is signed on FreeBSD")]
pub fn open_files() -> Option<u64> {
    let (soft, _) = getrlimit(Resource::RLIMIT_NOFILE).ok()?;
    u64::try_from(soft).ok()
}

/// Puts the calling thread, and those that it starts from now on, on one CPU.
///
/// # Errors
///
/// A message for the user where the CPU does not exist or the system cannot pin.
#[cfg(target_os = "linux")]
pub fn pin(cpu: usize) -> Result<(), String> {
    let mut set = nix::sched::CpuSet::new();
    set.set(cpu)
        .and_then(|()| nix::sched::sched_setaffinity(nix::unistd::Pid::from_raw(0), &set))
        .map_err(|error| format!("cannot pin to CPU {cpu}: {error}; see nproc(1) and taskset(1)"))
}

/// Puts the calling thread on one CPU: not offered by this system.
#[cfg(not(target_os = "linux"))]
pub fn pin(_cpu: usize) -> Result<(), String> {
    Err("pinning is done with sched_setaffinity(2), which only Linux has".to_owned())
}
