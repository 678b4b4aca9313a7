//! Whether a thread is parked in accept, or in a read. It schedules a trial's next step and corroborates
//! its proof; the proof itself is order.

#[cfg(target_os = "linux")]
use std::os::unix::fs::FileExt;

use crate::clock::Moment;

/// What a thread is doing, as far as the system tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doing {
    /// Blocked in accept or accept4, waiting for a connection.
    ParkedInAccept,
    /// Blocked in read or recvfrom.
    ParkedInRead,
    /// Blocked in futex: it waits for another thread, to be woken or for a lock.
    Locked,
    /// Blocked in another system call.
    Blocked,
    /// Running, or about to; or held up inside accept by something else than an empty queue.
    Running,
    /// The system does not tell: no /proc, no permission, not Linux.
    Unknown,
}

/// Looks at one thread of this process.
#[derive(Debug)]
pub struct Watch {
    #[cfg(target_os = "linux")]
    syscall: Option<std::fs::File>,
    #[cfg(target_os = "linux")]
    wchan: Option<std::fs::File>,
    #[cfg(target_os = "linux")]
    status: Option<std::fs::File>,
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
        Watch::at(&format!("/proc/self/task/{thread}"))
    }

    /// Begins to watch the main thread of a child process (ptrace(2), "access mode checking":
    /// a parent may, even under Yama).
    pub fn child(process: u32) -> Watch {
        Watch::at(&format!("/proc/{process}"))
    }

    fn at(folder: &str) -> Watch {
        let open = |name: &str| std::fs::File::open(format!("{folder}/{name}")).ok();
        Watch { syscall: open("syscall"), wchan: open("wchan"), status: open("status") }
    }

    /// How often the thread has gone to sleep of its own accord since it began; `None` where
    /// the kernel does not tell (proc_pid_status(5), `voluntary_ctxt_switches`).
    pub fn sleeps(&self) -> Option<u64> {
        let mut buffer = [0_u8; 4096];
        let text = read(self.status.as_ref(), &mut buffer)?;
        let line = text.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))?;
        line.trim().parse().ok()
    }

    /// What the thread is doing now. `syscall` begins with the number of the system call that
    /// the thread is blocked in, or says `running` (proc_pid_syscall(5)).
    pub fn look(&self) -> Doing {
        let mut buffer = [0_u8; 256];
        let text = read(self.syscall.as_ref(), &mut buffer);
        match text.and_then(|text| text.split_whitespace().next()) {
            Some("running") => Doing::Running,
            Some(number) => match number.parse() {
                Ok(libc::SYS_accept | libc::SYS_accept4) if self.is_held_up() => Doing::Running,
                Ok(libc::SYS_accept | libc::SYS_accept4) => Doing::ParkedInAccept,
                Ok(libc::SYS_read | libc::SYS_recvfrom) => Doing::ParkedInRead,
                Ok(libc::SYS_futex) => Doing::Locked,
                // Asleep, but in no system call: for a page of memory.
                Ok(..0) => Doing::Running,
                Ok(_) => Doing::Blocked,
                Err(_) => Doing::Unknown,
            },
            None => Doing::Unknown,
        }
    }

    fn is_in_accept(&self) -> bool {
        let mut buffer = [0_u8; 256];
        let text = read(self.syscall.as_ref(), &mut buffer);
        let number = text.and_then(|text| text.split_whitespace().next()?.parse().ok());
        matches!(number, Some(libc::SYS_accept | libc::SYS_accept4))
    }

    /// Whether a thread that is in accept sleeps for another reason than an empty queue: a
    /// descriptor table that grows waits for an RCU grace period, milliseconds long (fs/file.c
    /// `expand_fdtable`). `wchan` names the kernel function (proc_pid_wchan(5)), `0` where it
    /// does not tell: then the system call has to do.
    fn is_held_up(&self) -> bool {
        let mut buffer = [0_u8; 256];
        match read(self.wchan.as_ref(), &mut buffer) {
            // Not told; or it went on between the two looks.
            None | Some("" | "0") => !self.is_in_accept(),
            Some(function) => !["accept", "wait_for_connect"].iter().any(|f| function.contains(f)),
        }
    }
}

/// How many of io_uring's worker threads, of this process, are parked in accept. Waits until
/// each has taken its name, which it does as it first runs, and sleeps; at most until the
/// deadline.
#[cfg(target_os = "linux")]
pub fn workers_in_accept(deadline: Moment) -> usize {
    loop {
        let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
        let workers: Vec<Worker> = tasks.filter_map(|task| Worker::of(&task.path())).collect();
        let settled = |one: &Worker| one.is_named() && !matches!(&*one.wchan, "" | "0");
        if workers.iter().all(settled) || deadline.remaining().is_zero() {
            let parked = |one: &&Worker| one.is_named() && one.wchan.contains("accept");
            return workers.iter().filter(parked).count();
        }
        std::thread::yield_now();
    }
}

/// A kernel thread that works for an io_uring ring: in the process's list of threads, and named
/// so as it first runs (io_uring/io-wq.c, `io_wq_worker`). The number in the name is of the
/// whole machine, and of no use in a namespace.
#[cfg(target_os = "linux")]
struct Worker {
    name: String,
    wchan: String,
}

#[cfg(target_os = "linux")]
impl Worker {
    fn is_named(&self) -> bool {
        self.name.starts_with("iou-")
    }

    /// The worker of this folder of /proc; `None` where it is another thread.
    fn of(task: &std::path::Path) -> Option<Worker> {
        /// PF_IO_WORKER (include/linux/sched.h).
        const IO_WORKER: u64 = 0x10;
        let says = |file: &str| std::fs::read_to_string(task.join(file)).ok();
        // After the name in brackets, the flags are the seventh field (proc_pid_stat(5)).
        let stat = says("stat")?;
        let flags = stat.rsplit_once(')')?.1.split_whitespace().nth(6)?.parse::<u64>().ok()?;
        let name = says("comm")?.trim_end().to_owned();
        (flags & IO_WORKER != 0).then(|| Worker { name, wchan: says("wchan").unwrap_or_default() })
    }
}

/// io_uring is Linux's.
#[cfg(not(target_os = "linux"))]
pub fn workers_in_accept(_deadline: Moment) -> usize {
    0
}

/// What a file of /proc says now.
#[cfg(target_os = "linux")]
fn read<'a>(file: Option<&std::fs::File>, buffer: &'a mut [u8]) -> Option<&'a str> {
    let n = file?.read_at(buffer, 0).ok()?;
    std::str::from_utf8(&buffer[..n]).ok()
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

    /// This system does not tell.
    pub fn sleeps(&self) -> Option<u64> {
        None
    }

    /// Always [`Doing::Unknown`] here.
    pub fn look(&self) -> Doing {
        Doing::Unknown
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    /// What is seen of a thread of which /proc says this.
    fn seen(syscall: &str, wchan: &str) -> Doing {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("syscall"), syscall).expect("a file");
        std::fs::write(folder.path().join("wchan"), wchan).expect("a file");
        Watch::at(folder.path().to_str().expect("a name")).look()
    }

    #[test]
    fn a_thread_that_is_held_up_inside_accept_is_not_parked() {
        let accept = format!("{} 0x3 0x0 0x0 0x80000 0x0 0x0 0x7ffc 0x7f00", libc::SYS_accept4);
        assert_eq!(seen(&accept, "inet_csk_accept"), Doing::ParkedInAccept);
        assert_eq!(seen(&accept, "inet_csk_wait_for_connect"), Doing::ParkedInAccept);
        assert_eq!(seen(&accept, "synchronize_rcu_normal"), Doing::Running);
        // Where the kernel does not tell, the system call has to do.
        assert_eq!(seen(&accept, "0"), Doing::ParkedInAccept);
        assert_eq!(seen(&accept, ""), Doing::ParkedInAccept);
        let poll = format!("{} 0x3", libc::SYS_ppoll);
        assert_eq!(seen(&poll, "do_poll"), Doing::Blocked);
        assert_eq!(seen(&format!("{} 0x3", libc::SYS_futex), "futex_do_wait"), Doing::Locked);
        assert_eq!(seen("-1 0x7ffc 0x7f00", "folio_wait_bit"), Doing::Running);
        assert_eq!(seen("running", "0"), Doing::Running);
        assert_eq!(seen("", "0"), Doing::Unknown);
    }
}
