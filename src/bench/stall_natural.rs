//! Stalls that nobody forces: processes share a listener, clients come as they come.

use std::collections::{HashMap, VecDeque};
use std::io::{BufReader, Read, Write};
use std::net::TcpStream;
use std::os::fd::AsFd;
use std::process::{Child, ChildStdout};
use std::thread;
use std::time::Duration;

use fastrand::Rng;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use socket2::SockRef;

use super::role::Role;
use super::taker;
use super::worker::{self, Account};
use super::{Context, Group, Miss, Rig, Sample, Subject, each_mode, number, serves_others};
use crate::backend::Takes;
use crate::clock::{self, Moment};
use crate::evidence::overflow;
use crate::evidence::park::{Doing, Watch};
use crate::kernel;
use crate::limits;
use crate::listener::Listener;
use crate::peer::Peer;

/// How many clients come in one sample.
const CLIENTS: usize = 40;

/// The mean time between two clients, and between two bytes of one bystander.
const MEAN_GAP: Duration = Duration::from_millis(1);

/// How long the workers may take to end: a safety net.
const FAREWELL: Duration = Duration::from_secs(3);

pub(super) const GROUP: Group = Group {
    name: "stall_natural",
    about: "Processes share one listener, each with a bystander; clients and bytes come at planned \
            random times (Poisson, a mean gap of 1 ms each) and nobody forces anything. From the \
            time at which a byte was planned to its echo. A byte counts as stalled where order \
            proves it: accept was entered, the byte was sent, a client's connect began, and that \
            accept returned that client; and where the worker was seen parked in accept(2) before \
            that connect (Linux). A byte that was never answered \
            counts until the end of the sample: its latency is a lower bound.",
    value: "mean bystander latency",
    reference: "poll-nonblocking",
    rounds: 10,
    parameters: &[Some("2"), Some("4")],
    elements: |_| 1,
    kernel: kernel::NATIVE,
    on_request: false,
    each: |_| each_mode(serves_others),
    counts_cost: false,
    rig: |context, _, parameter| {
        if let Some((_, cpu)) = context.pin {
            limits::pin(cpu)?;
        }
        Ok(Box::new(StallNatural { context: context.clone(), workers: number(parameter) }))
    },
};

struct StallNatural {
    context: Context,
    workers: usize,
}

impl Rig for StallNatural {
    fn sample(&mut self, subject: Subject, round: u64) -> Result<Sample, Miss> {
        let Subject::Backend { name, driver, mode } = subject else {
            return Err(Miss::Broken("this group has no floor".to_owned()));
        };
        let listener = taker::listen(mode, CLIENTS)?;
        let cpu = self.context.pin.map(|(cpu, _)| cpu);
        let role = Role::Share { backend: name.to_owned(), mode, cpu };
        let mut crew = Crew::default();
        for _ in 0..self.workers {
            let child = worker::start(&self.context.worker, &listener, &role);
            crew.engage(child.map_err(Miss::of("starting a worker"))?)?;
        }
        let overflows = overflow::count();
        // One plan a round: everybody meets the same arrivals.
        let mut rng = Rng::with_seed(self.context.seed.wrapping_add(round));
        let plan = Plan::draw(&mut rng, self.workers);
        let mut day = Day::new(&listener, crew.bystanders()?);
        day.run(&plan)?;
        if overflow::count() != overflows {
            return Err(Miss::Void(
                "ListenOverflows moved: an accept queue was overrun".to_owned(),
            ));
        }
        let Day { bystanders, clients, arrived, .. } = day;
        let over = clock::now();
        let spoken: Vec<Vec<Byte>> = bystanders.into_iter().map(|b| b.bytes(over)).collect();
        let accounts = crew.dismiss(&listener)?;
        for client in clients {
            let _ = client.reset();
        }
        judge(&spoken, &arrived, &accounts, driver.takes)
    }
}

/// The times of one sample, planned before it begins.
struct Plan {
    /// Offsets from the beginning, in order; `None` is a client, else a worker's bystander.
    arrivals: Vec<(Duration, Option<usize>)>,
}

impl Plan {
    fn draw(rng: &mut Rng, workers: usize) -> Plan {
        let mut arrivals = Vec::new();
        for who in std::iter::once(None).chain((0..workers).map(Some)) {
            let mut at = Duration::ZERO;
            for _ in 0..CLIENTS {
                // Exponential gaps make a Poisson process; 1 - f64() is never zero.
                at += MEAN_GAP.mul_f64(-(1.0 - rng.f64()).ln());
                arrivals.push((at, who));
            }
        }
        arrivals.sort_by_key(|&(at, _)| at);
        Plan { arrivals }
    }
}

/// One byte of a bystander.
struct Byte {
    planned: Moment,
    sent: Moment,
    /// When its echo came, or when the sample was over.
    until: Moment,
    answered: bool,
}

/// The client's side of one worker's bystander.
struct Bystander {
    stream: TcpStream,
    /// Looks at the worker's thread.
    watch: Watch,
    /// Sent, and not answered yet: planned and sent.
    open: VecDeque<(Moment, Moment)>,
    closed: Vec<Byte>,
}

/// One sample while it runs.
struct Day<'a> {
    listener: &'a Listener,
    bystanders: Vec<Bystander>,
    clients: Vec<Peer>,
    /// The clients' arrivals by port.
    arrived: HashMap<u16, Arrival>,
}

/// One client's arrival.
struct Arrival {
    /// When its connect began.
    began: Moment,
    /// What each worker was seen doing just before.
    doing: Vec<Doing>,
}

impl<'a> Day<'a> {
    fn new(listener: &'a Listener, bystanders: Vec<Bystander>) -> Day<'a> {
        Day { listener, bystanders, clients: Vec::new(), arrived: HashMap::new() }
    }

    fn run(&mut self, plan: &Plan) -> Result<(), Miss> {
        let start = clock::now();
        for &(offset, who) in &plan.arrivals {
            let planned = start.after(offset);
            self.listen_until(planned)?;
            match who {
                None => self.connect()?,
                Some(worker) => {
                    let bystander = &mut self.bystanders[worker];
                    bystander.open.push_back((planned, clock::now()));
                    bystander.stream.write_all(b"b").map_err(Miss::void("a bystander's byte"))?;
                }
            }
        }
        // Who is parked still is released by clients that come now, a gap apart. A loop that
        // parks again at once answers nobody, however many come: its bytes stay open.
        for _ in 0..CLIENTS {
            self.listen_until(clock::now().after(MEAN_GAP))?;
            if self.bystanders.iter().all(|bystander| bystander.open.is_empty()) {
                break;
            }
            self.connect()?;
        }
        Ok(())
    }

    fn connect(&mut self) -> Result<(), Miss> {
        let doing = self.bystanders.iter().map(|bystander| bystander.watch.look()).collect();
        let began = clock::now();
        let client = Peer::connect(self.listener.addr()).map_err(Miss::of("a client's connect"))?;
        self.arrived.insert(client.local().port(), Arrival { began, doing });
        self.clients.push(client);
        Ok(())
    }

    /// Takes in echoes until the moment has come: poll(2) to the millisecond below, and the
    /// rest by looking again.
    fn listen_until(&mut self, until: Moment) -> Result<(), Miss> {
        loop {
            let left = until.remaining();
            let timeout = PollTimeout::try_from(left.as_millis()).unwrap_or(PollTimeout::MAX);
            let streams = self.bystanders.iter().map(|bystander| bystander.stream.as_fd());
            let mut set: Vec<PollFd> =
                streams.map(|fd| PollFd::new(fd, PollFlags::POLLIN)).collect();
            let n = poll(&mut set, timeout).unwrap_or(0);
            let ready: Vec<bool> = set.iter().map(|entry| entry.any().unwrap_or(false)).collect();
            if n > 0 {
                for (bystander, _) in
                    self.bystanders.iter_mut().zip(ready).filter(|(_, ready)| *ready)
                {
                    bystander.hear()?;
                }
            } else if left.is_zero() {
                return Ok(());
            } else {
                thread::yield_now();
            }
        }
    }
}

impl Bystander {
    fn hear(&mut self) -> Result<(), Miss> {
        let mut echo = [0; 64];
        let n = self.stream.read(&mut echo).map_err(Miss::void("a bystander's echo"))?;
        if n == 0 {
            return Err(Miss::Broken("a worker hung up".to_owned()));
        }
        let until = clock::now();
        for (planned, sent) in self.open.drain(..n.min(self.open.len())) {
            self.closed.push(Byte { planned, sent, until, answered: true });
        }
        Ok(())
    }

    /// All its bytes; those without an answer are censored at the end of the sample. Dropping
    /// the stream then tells the worker that the sample is over.
    fn bytes(self, over: Moment) -> Vec<Byte> {
        let unanswered = self.open.into_iter();
        let censored =
            unanswered.map(|(planned, sent)| Byte { planned, sent, until: over, answered: false });
        self.closed.into_iter().chain(censored).collect()
    }
}

/// The worker processes of one sample; killed if they are dropped before they were dismissed.
#[derive(Default)]
struct Crew {
    workers: Vec<(Child, BufReader<ChildStdout>)>,
}

impl Crew {
    fn engage(&mut self, mut child: Child) -> Result<(), Miss> {
        let output = child.stdout.take();
        let output = output.ok_or_else(|| Miss::Void("a worker without output".to_owned()));
        match output {
            Ok(output) => {
                self.workers.push((child, BufReader::new(output)));
                Ok(())
            }
            Err(miss) => {
                let _ = child.kill();
                let _ = child.wait();
                Err(miss)
            }
        }
    }

    /// Connects every worker's bystander; a worker that could not open says why here.
    fn bystanders(&mut self) -> Result<Vec<Bystander>, Miss> {
        let connect = |(child, output): &mut (Child, BufReader<ChildStdout>)| {
            let addr =
                worker::bystander_address(output).map_err(|e| Miss::Broken(e.to_string()))?;
            let stream = TcpStream::connect(addr).map_err(Miss::of("a bystander's connect"))?;
            stream.set_nodelay(true).map_err(Miss::void("a bystander's TCP_NODELAY"))?;
            let watch = Watch::child(child.id());
            Ok(Bystander { stream, watch, open: VecDeque::new(), closed: Vec::new() })
        };
        self.workers.iter_mut().map(connect).collect()
    }

    /// Takes the accounts of workers whose bystanders have hung up. Those that are parked in
    /// accept are woken: on Linux by a shutdown of the listener, which fails their accept
    /// with EINVAL, elsewhere by clients, one after the other.
    fn dismiss(mut self, listener: &Listener) -> Result<Vec<Account>, Miss> {
        let _ = SockRef::from(listener.socket()).shutdown(std::net::Shutdown::Both);
        let deadline = clock::now().after(FAREWELL);
        let mut wakers = Vec::new();
        while self.workers.iter_mut().any(|(child, _)| matches!(child.try_wait(), Ok(None))) {
            if deadline.remaining().is_zero() {
                return Err(Miss::Broken("a worker did not end".to_owned()));
            }
            // Each finds at most one who is parked; more than the backlog are never open.
            if wakers.len() < taker::BACKLOG as usize / 2 {
                wakers.extend(Peer::connect_within(listener.addr(), FAREWELL));
            }
            thread::yield_now();
        }
        taker::dismiss(wakers);
        let account = |(_, output): &mut (Child, BufReader<ChildStdout>)| {
            worker::account(output).map_err(Miss::void("a worker's account"))
        };
        self.workers.iter_mut().map(account).collect()
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        for (child, _) in &mut self.workers {
            // One that has ended needs no kill, and is waited for all the same.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn judge(
    spoken: &[Vec<Byte>],
    arrived: &HashMap<u16, Arrival>,
    accounts: &[Account],
    takes: Takes,
) -> Result<Sample, Miss> {
    let mut latencies = Vec::new();
    let (mut stalled, mut unanswered) = (0, 0);
    for (worker, (bytes, account)) in spoken.iter().zip(accounts).enumerate() {
        for byte in bytes {
            latencies.push(taker::latency(byte.planned, byte.until));
            unanswered += u64::from(!byte.answered);
            let by = |accept: &&worker::Accepted| {
                let client = accept.port.and_then(|port| arrived.get(&port));
                let released = |client: &Arrival| {
                    byte.sent < client.began
                        && match client.doing[worker] {
                            Doing::ParkedInAccept => true,
                            // Where no system tells, order has to do; inside a wait it cannot.
                            Doing::Unknown => takes != Takes::InWait,
                            Doing::ParkedInRead
                            | Doing::Locked
                            | Doing::Blocked
                            | Doing::Running => false,
                        }
                };
                accept.entered < byte.sent
                    && client.is_some_and(released)
                    && accept.returned < byte.until
            };
            stalled += u64::from(account.accepts.iter().find(by).is_some());
        }
    }
    if latencies.len() != CLIENTS * spoken.len() {
        return Err(Miss::Broken(format!("{} bytes are accounted for", latencies.len())));
    }
    let sum = |count: fn(&Account) -> u64| accounts.iter().map(count).sum::<u64>();
    let counts = [
        ("offered", arrived.len() as u64),
        ("bytes", latencies.len() as u64),
        ("stalled", stalled),
        ("unanswered", unanswered),
        ("wakeups", sum(|account| account.wakeups)),
        ("would_blocks", sum(|account| account.would_blocks)),
    ];
    let total: u64 = latencies.iter().sum();
    Ok(Sample {
        value_ns: total as f64 / latencies.len() as f64,
        latencies_ns: latencies,
        counts: counts.map(|(name, n)| (name.to_owned(), n)).into(),
        ..Sample::default()
    })
}
