//! From a client's connect to the server holding the connection, the server already waiting.

use std::io;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

use super::taker;
use super::{Group, Miss, Rig, Sample, Subject, each_backend, handicap};
use crate::accept_loop::{self, Discipline, Observer, Policy};
use crate::backend::Driver;
use crate::clock::{self, Moment};
use crate::connection::Connection;
use crate::evidence::overflow;
use crate::evidence::park::{self, Doing, ThreadId, Watch};
use crate::kernel;
use crate::limits;
use crate::listener::Listener;
use crate::outcome::{Outcome, RetrySet};
use crate::peer::Peer;

/// How many connections one sample holds, one after the other.
const CONNECTIONS: usize = 32;

/// How long the server may take for one connection: a safety net.
const PATIENCE: Duration = Duration::from_secs(2);

pub(super) const GROUP: Group = Group {
    name: "connect_to_accept",
    about: "One client at a time connects to a server that is known to be waiting: from before \
            the client's connect to after the server's accept, wake-up and hand-over included.",
    value: "time from connect to the accepted connection",
    reference: "poll",
    rounds: 60,
    parameters: &[None],
    elements: |_| 1,
    kernel: kernel::NATIVE,
    on_request: false,
    each: |_| each_backend(),
    counts_cost: false,
    rig: |context, _, _| {
        if let Some((_, cpu)) = context.pin {
            limits::pin(cpu)?;
        }
        Ok(Box::new(ConnectToAccept { server_cpu: context.pin.map(|(cpu, _)| cpu) }))
    },
};

struct ConnectToAccept {
    server_cpu: Option<usize>,
}

impl Rig for ConnectToAccept {
    fn sample(&mut self, subject: Subject, _round: u64) -> Result<Sample, Miss> {
        let Subject::Backend { driver, mode, .. } = subject else {
            return Err(Miss::Broken("this group has no floor".to_owned()));
        };
        let listener = taker::listen(mode, CONNECTIONS)?;
        let server = listener.duplicate().map_err(Miss::of("a descriptor"))?;
        let overflows = overflow::count();
        let stop = AtomicBool::new(false);
        let latencies = thread::scope(|scope| {
            let (sender, receiver) = mpsc::channel();
            let (cpu, stop_ref) = (self.server_cpu, &stop);
            scope.spawn(move || serve(driver, server, cpu, stop_ref, &sender));
            let latencies = connect(&listener, &receiver);
            stop.store(true, Ordering::Release);
            // One more client wakes the server, whatever it waits in.
            let _ = Peer::connect_within(listener.addr(), PATIENCE);
            latencies
        })?;
        if overflow::count() != overflows {
            return Err(Miss::Void(
                "ListenOverflows moved: an accept queue was overrun".to_owned(),
            ));
        }
        let total: u64 = latencies.iter().sum();
        Ok(Sample {
            value_ns: total as f64 / latencies.len() as f64,
            latencies_ns: latencies,
            ..Sample::default()
        })
    }
}

/// What the server tells the client.
enum Told {
    Opened(ThreadId),
    Accepted(Moment),
    Failed(String),
}

fn connect(listener: &Listener, server: &Receiver<Told>) -> Result<Vec<u64>, Miss> {
    let hear = || server.recv_timeout(PATIENCE).map_err(Miss::void("the server says nothing"));
    let watch = match hear()? {
        Told::Opened(thread) => Watch::new(thread),
        Told::Failed(message) => return Err(Miss::Broken(message)),
        Told::Accepted(_) => return Err(Miss::Broken("an accept without a client".to_owned())),
    };
    let mut latencies = Vec::with_capacity(CONNECTIONS);
    for _ in 0..CONNECTIONS {
        until_waiting(&watch);
        let began = clock::now();
        let client = Peer::connect(listener.addr()).map_err(Miss::of("a client's connect"))?;
        match hear()? {
            Told::Accepted(at) => latencies.push(taker::latency(began, at)),
            Told::Failed(message) => return Err(Miss::Broken(message)),
            Told::Opened(_) => return Err(Miss::Broken("the server began again".to_owned())),
        }
        let _ = client.reset();
    }
    Ok(latencies)
}

/// Returns once the server's thread is blocked in its wait. Where the system does not tell,
/// gives it the CPU a number of times instead.
fn until_waiting(watch: &Watch) {
    let patience = clock::now().after(PATIENCE);
    let mut unknown = 0;
    while !patience.remaining().is_zero() && unknown < 100 {
        match watch.look() {
            Doing::Blocked | Doing::Locked | Doing::ParkedInAccept | Doing::ParkedInRead => {
                return;
            }
            Doing::Unknown => unknown += 1,
            Doing::Running => {}
        }
        thread::yield_now();
    }
}

fn serve(
    driver: &'static Driver,
    listener: Listener,
    cpu: Option<usize>,
    stop: &AtomicBool,
    client: &Sender<Told>,
) {
    let opened = cpu.map_or(Ok(()), limits::pin).and_then(|()| {
        let mut backend =
            handicap::open(driver, listener.into_socket()).map_err(|e| e.to_string())?;
        backend.watch_listener().map_err(|e| e.to_string())?;
        Ok(backend)
    });
    // A client that has given up listens no more.
    let mut backend = match opened {
        Ok(backend) => backend,
        Err(message) => return drop(client.send(Told::Failed(message))),
    };
    let _ = client.send(Told::Opened(park::this_thread()));
    let policy = Policy::new(Discipline::One, RetrySet::Stevens);
    let mut server = Server { client, stop };
    let end = accept_loop::run(&mut *backend, driver.takes, policy, &mut server);
    if end != accept_loop::End::Stopped {
        let _ = client.send(Told::Failed(format!("the loop ended: {end:?}")));
    }
}

struct Server<'a> {
    client: &'a Sender<Told>,
    stop: &'a AtomicBool,
}

impl Observer for Server<'_> {
    fn accepted(&mut self, result: io::Result<Connection>) -> (Outcome, ControlFlow<()>) {
        let at = clock::now();
        if self.stop.load(Ordering::Acquire) {
            return (Outcome::Accepted, ControlFlow::Break(()));
        }
        match result {
            Ok(_) => {
                let _ = self.client.send(Told::Accepted(at));
                (Outcome::Accepted, ControlFlow::Continue(()))
            }
            Err(error) => (Outcome::from_error(&error), ControlFlow::Continue(())),
        }
    }
}
