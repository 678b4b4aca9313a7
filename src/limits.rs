//! The limits that a run meets, and the CPUs that it is put on.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Raises the soft limit on open files to the hard one. Returns the limit that is in force
/// afterwards; `None` where it cannot be read.
pub fn raise_open_files() -> Option<u64> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).ok()?;
    let raised = setrlimit(Resource::RLIMIT_NOFILE, hard, hard).is_ok();
    Some(if raised { hard } else { soft })
}

/// The soft limit on open files that is in force.
pub fn open_files() -> Option<u64> {
    getrlimit(Resource::RLIMIT_NOFILE).ok().map(|(soft, _)| soft)
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
