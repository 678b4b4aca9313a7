//! Whether a thread is parked in accept. It schedules a trial's next step and corroborates
//! its proof; the proof itself is order.

#[cfg(target_os = "linux")]
use std::os::unix::fs::FileExt;

/// What a thread is doing, as far as the system tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doing {
    /// Blocked in accept or accept4.
    ParkedInAccept,
    /// Blocked in another system call.
    Blocked,
    /// Running, or about to.
    Running,
    /// The system does not tell: no /proc, no permission, not Linux.
    Unknown,
}

/// Looks at one thread of this process.
#[derive(Debug)]
pub struct Watch {
    #[cfg(target_os = "linux")]
    file: Option<std::fs::File>,
}

/// The identity by which another thread can watch this one.
pub type ThreadId = i32;

/// The calling thread's identity, zero where the system has none.
pub fn this_thread() -> ThreadId {
    #[cfg(target_os = "linux")]
    return nix::unistd::gettid().as_raw();
    #[cfg(not(target_os = "linux"))]
    0
}

#[cfg(target_os = "linux")]
impl Watch {
    /// Begins to watch a thread of this process.
    pub fn new(thread: ThreadId) -> Watch {
        Watch { file: std::fs::File::open(format!("/proc/self/task/{thread}/syscall")).ok() }
    }

    /// Begins to watch the main thread of a child process (ptrace(2), "access mode checking":
    /// a parent may, even under Yama).
    pub fn child(process: u32) -> Watch {
        Watch { file: std::fs::File::open(format!("/proc/{process}/syscall")).ok() }
    }

    /// What the thread is doing now. The file begins with the number of the system call that
    /// the thread is blocked in, or says `running` (proc_pid_syscall(5)).
    pub fn look(&self) -> Doing {
        let mut text = [0_u8; 256];
        let Some(n) = self.file.as_ref().and_then(|file| file.read_at(&mut text, 0).ok()) else {
            return Doing::Unknown;
        };
        let text = std::str::from_utf8(&text[..n]).unwrap_or_default();
        match text.split_whitespace().next() {
            Some("running") => Doing::Running,
            Some(number) => match number.parse() {
                Ok(libc::SYS_accept | libc::SYS_accept4) => Doing::ParkedInAccept,
                Ok(_) => Doing::Blocked,
                Err(_) => Doing::Unknown,
            },
            None => Doing::Unknown,
        }
    }
}

#[cfg(not(target_os = "linux"))]
impl Watch {
    /// Begins to watch a thread of this process; this system tells nothing about it.
    pub fn new(_thread: ThreadId) -> Watch {
        Watch {}
    }

    /// Begins to watch the main thread of a child process; this system tells nothing.
    pub fn child(_process: u32) -> Watch {
        Watch {}
    }

    /// Always [`Doing::Unknown`] here.
    pub fn look(&self) -> Doing {
        Doing::Unknown
    }
}
