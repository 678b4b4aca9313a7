//! CPU time and system calls per connection: a pass of its own, after the times.
//!
//! Each subject runs in a process of its own, which times its thread's CPU and then lets
//! itself be traced (ptrace(2)) while it empties one more queue. The calls of that thread are
//! counted; those of a library's helper threads are not.

use std::io::{self, BufRead, BufReader, Write};
use std::process::Child;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

use super::role::{self, Role};
use super::taker::{self, Task};
use super::{Context, Group, Miss, Series, Subject, number};
use crate::accept_loop::Discipline;
use crate::backend;
use crate::clock;
use crate::interrupt;
use crate::limits;
use crate::program;
use crate::record::{self, Cost};

/// How many queues the CPU time is taken over.
const BURSTS: usize = 20;

/// How long one process may take: a safety net, after which it is killed.
const PATIENCE: Duration = Duration::from_secs(20);

/// Adds what each measured cell costs, where the group counts it. A subject whose process
/// fails stays without a cost.
pub fn add(
    context: &Context,
    group: &Group,
    parameter: Option<&str>,
    series: &[Series],
    collection: &mut record::Collection,
) {
    if !group.counts_cost {
        return;
    }
    for (series, cell) in series.iter().zip(&mut collection.cells) {
        if let (Ok(subject), false) = (&series.subject, interrupt::asked()) {
            cell.cost = measure(context, *subject, number(parameter)).ok();
        }
    }
}

fn measure(context: &Context, subject: Subject, k: usize) -> io::Result<Cost> {
    let backend = match subject {
        Subject::Backend { name, .. } => Some(name.to_owned()),
        Subject::Floor => None,
    };
    let role = Role::Cost { backend, k, cpu: context.pin.map(|(cpu, _)| cpu) };
    let mut child = program::command(&context.worker, role::VARIABLE, &role)?.spawn()?;
    let (done, watched) = mpsc::channel::<()>();
    let pid = Pid::from_raw(child.id().cast_signed());
    let watchdog = thread::spawn(move || {
        if watched.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
            // It is our child and has not been waited for, so the number is still its own.
            let _ = kill(pid, Signal::SIGKILL);
        }
    });
    let told = follow(&mut child, pid);
    let _ = kill(pid, Signal::SIGKILL);
    drop(done);
    let _ = watchdog.join();
    let _ = child.wait();
    let (Told { cpu_ns }, system_calls) = told?;
    Ok(Cost { cpu_ns, system_calls: system_calls.map(|calls| per_connection(calls, k)) })
}

fn per_connection(calls: Calls, k: usize) -> std::collections::BTreeMap<String, f64> {
    calls.into_iter().map(|(name, n)| (name, n as f64 / k as f64)).collect()
}

/// System calls by name, and how often each was made.
type Calls = std::collections::BTreeMap<String, usize>;

/// What the process says before it is traced.
#[derive(Serialize, Deserialize)]
struct Told {
    cpu_ns: f64,
}

fn follow(child: &mut Child, pid: Pid) -> io::Result<(Told, Option<Calls>)> {
    let output = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
    let mut line = String::new();
    BufReader::new(output).read_line(&mut line)?;
    Ok((serde_json::from_str(&line)?, trace::count(pid)))
}

/// Plays the process that is measured.
pub(super) fn play(backend: Option<&str>, k: usize, cpu: Option<usize>) -> Result<(), String> {
    cpu.map_or(Ok(()), limits::pin)?;
    let miss = |miss: Miss| match miss {
        Miss::Void(reason) | Miss::Unfit(reason) | Miss::Broken(reason) => reason,
    };
    let mut queue = Queue::open(backend, k).map_err(miss)?;
    queue.empty(|| {}).map_err(miss)?;
    let mut spent = Duration::ZERO;
    for _ in 0..BURSTS {
        spent += queue.empty(|| {}).map_err(miss)?;
    }
    let told = Told { cpu_ns: clock::nanos(spent) as f64 / (BURSTS * k) as f64 };
    let text = serde_json::to_string(&told).map_err(|error| error.to_string())?;
    writeln!(io::stdout(), "{text}").map_err(|error| error.to_string())?;
    if trace::let_me_be_traced() {
        queue.empty(trace::mark).map_err(miss)?;
    }
    Ok(())
}

/// A queue, and who empties it.
struct Queue {
    listener: crate::listener::Listener,
    taker: Option<(&'static backend::Driver, Box<dyn backend::Backend>)>,
    k: usize,
}

impl Queue {
    fn open(name: Option<&str>, k: usize) -> Result<Queue, Miss> {
        let driver = match name {
            Some(name) => {
                let entry = backend::find(name).ok_or(Miss::Unfit("no such backend".to_owned()))?;
                Some(entry.driver().map_err(Miss::Unfit)?)
            }
            None => None,
        };
        let mode =
            driver.map_or(crate::listener::Mode::NonBlocking, |d| d.modes[d.modes.len() - 1]);
        let listener = taker::listen(mode, k)?;
        let taker = match driver {
            Some(driver) => {
                let own = listener.duplicate().map_err(Miss::of("a descriptor"))?;
                let mut backend = (driver.open)(own.into_socket()).map_err(Miss::of("opening"))?;
                backend.watch_listener().map_err(Miss::of("watching"))?;
                Some((driver, backend))
            }
            None => None,
        };
        Ok(Queue { listener, taker, k })
    }

    /// Fills the queue and has it emptied, with a mark before and after. Returns the CPU time
    /// that the emptying took.
    fn empty(&mut self, mark: fn()) -> Result<Duration, Miss> {
        let clients = taker::fill(self.listener.socket(), self.k)?;
        let before = clock::thread_cpu();
        mark();
        let task = Task { offered: self.k, discipline: Discipline::Drain, inspect: false };
        let taken = match &mut self.taker {
            Some((driver, backend)) => taker::take(&mut **backend, driver, task)?.alive,
            None => taker::floor(self.listener.socket(), self.k)?.1,
        };
        mark();
        let cpu = clock::thread_cpu().saturating_sub(before);
        if let Some((_, backend)) = &mut self.taker {
            backend.disarm().map_err(Miss::void("disarming"))?;
        }
        drop(taken);
        taker::dismiss(clients);
        Ok(cpu)
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod trace {
    #![allow(unsafe_code)]

    use nix::sys::ptrace::{self, Options};
    use nix::sys::signal::{Signal, raise};
    use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
    use nix::unistd::{Pid, getppid};
    use syscalls::Sysno;

    use super::Calls;

    /// A system call that nothing in the loop makes, as a mark in the trace.
    pub(super) fn mark() {
        let _ = getppid();
    }

    /// Asks to be traced by the parent, and stops until it does.
    pub(super) fn let_me_be_traced() -> bool {
        ptrace::traceme().is_ok() && raise(Signal::SIGSTOP).is_ok()
    }

    /// The system calls that the process makes between its two marks; `None` where tracing is
    /// refused (a container without ptrace).
    pub(super) fn count(pid: Pid) -> Option<Calls> {
        let stopped = waitpid(pid, Some(WaitPidFlag::__WALL)).ok()?;
        if !matches!(stopped, WaitStatus::Stopped(_, Signal::SIGSTOP)) {
            return None;
        }
        ptrace::setoptions(pid, Options::PTRACE_O_TRACESYSGOOD | Options::PTRACE_O_EXITKILL)
            .ok()?;
        let mut calls = Calls::new();
        let mut marks = 0;
        let mut signal = None;
        while marks < 2 {
            ptrace::syscall(pid, signal.take()).ok()?;
            match waitpid(pid, Some(WaitPidFlag::__WALL)).ok()? {
                WaitStatus::PtraceSyscall(_) => {}
                WaitStatus::Stopped(_, other) => {
                    signal = Some(other);
                    continue;
                }
                _ => return None,
            }
            let info = ptrace::syscall_info(pid).ok()?;
            if info.op != libc::PTRACE_SYSCALL_INFO_ENTRY {
                continue;
            }
            // SAFETY: `op` says that the union holds the entry of a system call (ptrace(2),
            // PTRACE_GET_SYSCALL_INFO).
            let number = unsafe { info.u.entry.nr };
            match Sysno::new(number as usize) {
                Some(Sysno::getppid) => marks += 1,
                Some(call) if marks == 1 => *calls.entry(call.name().to_owned()).or_default() += 1,
                _ => {}
            }
        }
        Some(calls)
    }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
mod trace {
    use nix::unistd::Pid;

    use super::Calls;

    pub(super) fn mark() {}

    /// System calls are counted on Linux with glibc only.
    pub(super) fn let_me_be_traced() -> bool {
        false
    }

    pub(super) fn count(_pid: Pid) -> Option<Calls> {
        None
    }
}
