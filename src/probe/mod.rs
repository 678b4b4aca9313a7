//! The probe: what this kernel does with connections that are gone before accept, observed,
//! and put beside what sources say of it.
//!
//! A verdict comes from experiments, never from the system's name: the name only chooses what
//! is put beside them. On a modelled kernel the same experiments are made, and must tell it
//! from this one.

pub mod documented;
pub mod experiment;
pub mod transport;
pub mod verdict;
pub mod wakeups;

use std::io;
use std::time::Duration;

use nix::sys::utsname::uname;
use serde::{Deserialize, Serialize};

use crate::accept_loop::{Discipline, Policy};
use crate::evidence::queue;
use crate::kernel::Kernel;
use crate::listener::{Family, Listener, ListenerSpec, Mode};
use crate::outcome::{self, RetrySet};
use crate::peer::Peer;
use crate::trial::{self, Cell, Timing};
use crate::{backend, clock, fault};
use experiment::{Answers, Ending};
use transport::Transport;
use verdict::Verdict;
use wakeups::{Trigger, Wakeups};

/// How many waiters wake-ups are counted of.
const WAITERS: [usize; 2] = [2, 4];

/// How long a connection may take into the queue: a safety net.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a kernel was seen to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Probe {
    /// The system, as uname(2) names it.
    pub system: String,
    /// Its release.
    pub release: String,
    /// The kernel whose accept queue was probed; all but `native` are modelled.
    pub kernel: String,
    /// What its answer to a reset is.
    pub verdict: Verdict,
    /// The experiments that it rests on, and those with other protocols.
    pub experiments: Vec<Experiment>,
    /// What was left out.
    pub absent: Vec<Absent>,
    /// What each backend's accept made of a connection that was reset while it was queued.
    pub backends: Vec<BackendAnswer>,
    /// Whether accepted sockets inherit O_NONBLOCK from their listener; `None` where it could
    /// not be seen.
    pub inherits_nonblocking: Option<bool>,
    /// What is documented of that; `None` where no source says.
    pub inherits_nonblocking_documented: Option<bool>,
    /// How many waiters a connection wakes.
    pub wakeups: Vec<Wakeups>,
}

/// One experiment and what is documented of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Experiment {
    /// The protocol: `tcp4`, `tcp6`, `mptcp`, `unix`.
    pub transport: String,
    /// What the client did: `reset`, `data, reset`, `FIN, reset`.
    pub ending: String,
    /// What was seen.
    pub observed: Answers,
    /// What sources say.
    pub documented: Answers,
    /// The fields in which the two differ.
    pub differs: Vec<String>,
}

/// Something that could not be probed, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Absent {
    /// What.
    pub what: String,
    /// Why.
    pub why: String,
}

/// What a backend's accept made of a reset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackendAnswer {
    /// The backend.
    pub backend: String,
    /// The outcome of its first accept; `no accept` where it made none.
    pub outcome: String,
}

/// Probes a kernel. Takes about a tenth of a second, and is bounded by the limits of its
/// parts. What cannot be probed is in [`Probe::absent`].
pub fn run(kernel: &'static Kernel) -> Probe {
    let name = uname().ok();
    let field = |read: fn(&nix::sys::utsname::UtsName) -> &std::ffi::OsStr| {
        name.as_ref().map_or_else(String::new, |name| read(name).to_string_lossy().into_owned())
    };
    let system = field(nix::sys::utsname::UtsName::sysname);
    let mut absent = Vec::new();
    let experiments = experiments(&system, kernel, &mut absent);
    let backends = backends(kernel, &mut absent);
    let inherits = inherits_nonblocking();
    if let Err(error) = &inherits {
        absent.push(Absent { what: "O_NONBLOCK".to_owned(), why: outcome::explain(error) });
    }
    Probe {
        verdict: Verdict::of(&experiments),
        experiments,
        backends,
        inherits_nonblocking: inherits.ok(),
        inherits_nonblocking_documented: documented::inherits_nonblocking(&system),
        // Who is woken is decided before any accept: a model has no part in it.
        wakeups: if kernel.is_native() { wakeups(&mut absent) } else { Vec::new() },
        absent,
        system,
        release: field(nix::sys::utsname::UtsName::release),
        kernel: kernel.name.to_owned(),
    }
}

impl Probe {
    /// The experiments that differ from what is documented.
    pub fn differing(&self) -> impl Iterator<Item = &Experiment> {
        self.experiments.iter().filter(|experiment| !experiment.differs.is_empty())
    }
}

fn experiments(system: &str, kernel: &Kernel, absent: &mut Vec<Absent>) -> Vec<Experiment> {
    let mut experiments = Vec::new();
    for transport in Transport::ALL {
        // Models answer for TCP alone.
        let modelled = matches!(transport, Transport::Tcp4 | Transport::Tcp6);
        let missing = match transport.listen() {
            Err(error) => Some(outcome::explain(&error)),
            Ok(_) if !kernel.is_native() && !modelled => {
                Some("not modelled: the models answer for TCP".to_owned())
            }
            Ok(_) => None,
        };
        if let Some(why) = missing {
            absent.push(Absent { what: transport.name().to_owned(), why });
            continue;
        }
        for ending in Ending::ALL {
            match experiment::observe(transport, ending, kernel) {
                Ok(observed) => {
                    let documented = documented::of(system, kernel, transport, ending);
                    experiments.push(Experiment {
                        transport: transport.name().to_owned(),
                        ending: ending.name().to_owned(),
                        differs: observed.differences(&documented),
                        observed,
                        documented,
                    });
                }
                Err(error) => absent.push(Absent {
                    what: format!("{}, {}", transport.name(), ending.name()),
                    why: outcome::explain(&error),
                }),
            }
        }
    }
    experiments
}

fn backends(kernel: &'static Kernel, absent: &mut Vec<Absent>) -> Vec<BackendAnswer> {
    let mut answers = Vec::new();
    let Some(fault) = fault::find("reset_queued") else { return answers };
    for entry in backend::ALL {
        let answer = entry.driver().and_then(|driver| {
            let mode = driver.modes[driver.modes.len() - 1];
            let cell = Cell {
                backend: entry.name,
                driver,
                listener: ListenerSpec { mode, family: Family::Ipv4, backlog: 16 },
                policy: Policy::new(Discipline::One, RetrySet::Stevens),
                fault,
                arm: &fault.arms[0],
                kernel,
                count: 1,
            };
            if let Some(misfit) = cell.misfit() {
                return Err(misfit.to_string());
            }
            let record = trial::run(&cell, Timing::default())?;
            match (record.void, record.accepts.first()) {
                (Some(reason), _) => Err(format!("void: {reason}")),
                (None, Some(accept)) => Ok(accept.outcome.to_string()),
                (None, None) => Ok("no accept".to_owned()),
            }
        });
        match answer {
            Ok(outcome) => {
                answers.push(BackendAnswer { backend: entry.name.to_owned(), outcome });
            }
            Err(why) => absent.push(Absent { what: entry.name.to_owned(), why }),
        }
    }
    answers
}

/// Looks at a socket that a non-blocking listener's accept(2) gave.
fn inherits_nonblocking() -> io::Result<bool> {
    let spec = ListenerSpec { mode: Mode::NonBlocking, family: Family::Ipv4, backlog: 1 };
    let listener = Listener::bind(spec)?;
    let client = Peer::connect(listener.addr())?;
    queue::await_length(listener.socket(), 1, clock::now().after(PATIENCE))?;
    // accept(2) without flags, as every program has it: accept4(2) takes them from its caller.
    let accepted = socket2::SockRef::from(listener.socket()).accept_raw()?.0;
    let inherited = accepted.nonblocking();
    client.reset()?;
    inherited
}

fn wakeups(absent: &mut Vec<Absent>) -> Vec<Wakeups> {
    let mut counted = Vec::new();
    for trigger in Trigger::ALL {
        for waiters in WAITERS {
            match wakeups::count(trigger, waiters) {
                Ok(wakeups) => counted.push(wakeups),
                Err(why) => {
                    let what = format!("wake-ups, {}, of {waiters}", trigger.name());
                    absent.push(Absent { what, why });
                }
            }
        }
    }
    counted
}
