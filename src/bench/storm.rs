//! How long a bystander waits while a storm of clients is taken, against the accept budget.

use std::io;
use std::ops::ControlFlow;
use std::os::fd::OwnedFd;
use std::time::Duration;

use super::taker;
use super::{Group, Miss, Rig, Sample, Subject, each_mode, handicap};
use crate::accept_loop::{self, Discipline, End, Observer, Policy};
use crate::backend::{Backend, Driver, Rearms, Takes, Token};
use crate::clock::{self, Moment};
use crate::connection::Connection;
use crate::kernel;
use crate::limits;
use crate::listener::{Family, Mode};
use crate::outcome::{Outcome, RetrySet};
use crate::peer::{self, Bystander};

/// How many clients are queued as the bystander's byte comes.
const CLIENTS: usize = 32;

/// How many storms a sample counts: with 20 rounds a thousand, which carries a p99.
const STORMS: usize = 50;

/// How long an echo that was written may take. A safety net.
const PATIENCE: Duration = Duration::from_secs(2);

const BYSTANDER: Token = Token(0);

pub(super) const GROUP: Group = Group {
    name: "storm",
    about: "32 clients are queued when a byte comes from a connection that the loop serves as \
            well, and the loop takes so many for one report before it turns to the others. From \
            the byte to the loop's echo; one thread does both, so that nothing is waited for. \
            50 storms a sample, and one before them to warm up.",
    value: "mean bystander latency",
    reference: "poll-nonblocking",
    rounds: 20,
    parameters: &[Some("1"), Some("8"), Some("drain")],
    elements: |_| 1,
    kernel: kernel::NATIVE,
    on_request: false,
    each: |_| {
        let mut series = each_mode(heeds_a_budget);
        series.retain(|one| match one.subject {
            Ok(Subject::Backend { mode, .. }) => mode == Mode::NonBlocking,
            _ => true,
        });
        series
    },
    counts_cost: false,
    rig: |context, _, parameter| {
        if let Some((cpu, _)) = context.pin {
            limits::pin(cpu)?;
        }
        let discipline = match parameter.map(str::parse) {
            Some(Ok(budget)) => Discipline::Budget(budget),
            _ => Discipline::Drain,
        };
        Ok(Box::new(Storm { discipline }))
    },
};

/// Whether the loop decides how many it takes, and is told of the rest again.
fn heeds_a_budget(driver: &Driver) -> Result<(), &'static str> {
    match (driver.takes, driver.edge_triggered, driver.rearms) {
        (Takes::AfterReport, false, Rearms::Never) => Ok(()),
        (Takes::AfterReport, true, _) => {
            Err("an edge is told once, so a budget leaves some behind")
        }
        (Takes::AfterReport, false, _) => Err("as the level-triggered sibling, and renewed"),
        (Takes::InAccept, ..) => Err("it watches no other descriptor, so no bystander"),
        (Takes::InWait, ..) => Err("what its wait brings is not for the loop to decide"),
    }
}

struct Storm {
    discipline: Discipline,
}

impl Rig for Storm {
    fn sample(&mut self, subject: Subject, _round: u64) -> Result<Sample, Miss> {
        let Subject::Backend { driver, mode, .. } = subject else {
            return Err(Miss::Broken("this group has no floor".to_owned()));
        };
        let listener = taker::listen(mode, CLIENTS)?;
        let queue = listener.duplicate().map_err(Miss::of("a descriptor"))?;
        let (mut client, server) =
            Bystander::open(Family::Ipv4).map_err(Miss::of("opening a bystander"))?;
        let mut backend = handicap::open(driver, listener.into_socket())
            .map_err(Miss::of("opening a backend"))?;
        backend.watch_listener().map_err(Miss::of("watching the listener"))?;
        backend.watch(server.clone(), BYSTANDER).map_err(Miss::of("watching the bystander"))?;
        let (mut latencies_ns, mut before) = (Vec::with_capacity(STORMS), 0);
        for storm in 0..=STORMS {
            let clients = taker::fill(queue.socket(), CLIENTS)?;
            let began = clock::now();
            client.send().map_err(Miss::void("the bystander's byte"))?;
            let seen = self.run(&mut *backend, driver, &server)?;
            if !client.echoed(PATIENCE).map_err(Miss::void("the echo"))? {
                return Err(Miss::Void("the echo did not come".to_owned()));
            }
            if storm > 0 {
                latencies_ns.push(taker::latency(began, seen.served));
                before += seen.before as u64;
            }
            drop(seen.taken);
            taker::dismiss(clients);
        }
        let sum: u64 = latencies_ns.iter().sum();
        Ok(Sample {
            value_ns: sum as f64 / STORMS as f64,
            latencies_ns,
            counts: [("accepts before the bystander".to_owned(), before)].into(),
            trial: None,
        })
    }
}

impl Storm {
    fn run(
        &self,
        backend: &mut dyn Backend,
        driver: &Driver,
        server: &OwnedFd,
    ) -> Result<Seen, Miss> {
        let mut server = Server { server, taken: Vec::with_capacity(CLIENTS), served: None };
        let policy = Policy::new(self.discipline, RetrySet::Stevens);
        match accept_loop::run(backend, driver.takes, policy, &mut server) {
            End::Stopped => {}
            end => return Err(Miss::Broken(format!("the loop ended: {end:?}"))),
        }
        let Server { taken, served, .. } = server;
        let (served, before) =
            served.ok_or_else(|| Miss::Broken("nobody was served".to_owned()))?;
        let most = self.discipline.budget().min(CLIENTS);
        if before > most {
            return Err(Miss::Broken(format!("{before} accepts came first, of {most} allowed")));
        }
        Ok(Seen { taken, served, before })
    }
}

/// What a loop did in one storm.
struct Seen {
    taken: Vec<Connection>,
    /// When the bystander had its echo written.
    served: Moment,
    /// How many connections were taken before that.
    before: usize,
}

struct Server<'a> {
    server: &'a OwnedFd,
    taken: Vec<Connection>,
    served: Option<(Moment, usize)>,
}

impl Server<'_> {
    fn flow(&self) -> ControlFlow<()> {
        match self.taken.len() == CLIENTS && self.served.is_some() {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }
}

impl Observer for Server<'_> {
    fn accepted(&mut self, result: io::Result<Connection>) -> (Outcome, ControlFlow<()>) {
        let outcome = match result {
            Ok(connection) => {
                self.taken.push(connection);
                Outcome::Accepted
            }
            Err(error) => Outcome::from_error(&error),
        };
        (outcome, self.flow())
    }

    fn serve(&mut self, _token: Token) -> ControlFlow<()> {
        // A bystander that cannot be answered is met with the echo that does not come.
        let _ = peer::echo(self.server);
        self.served = Some((clock::now(), self.taken.len()));
        self.flow()
    }
}
