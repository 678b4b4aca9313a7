//! What one accept costs beside n idle connections.

use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use super::taker::{self, Task};
use super::{Group, Miss, Rig, Sample, Series, Subject, each_backend, handicap};
use crate::accept_loop::Discipline;
use crate::backend::{Backend, Driver, Token};
use crate::kernel;
use crate::limits;
use crate::listener::{Family, Listener};
use crate::peer;

/// How many accepts a sample times, one a wait.
const ACCEPTS: usize = 8;

/// Descriptors that a run needs beside the idle set: listeners, rings, report files.
const SPARE: u64 = 128;

pub(super) const GROUP: Group = Group {
    name: "idle_set",
    about: "One connection at a time is taken (one wait, one accept) while n idle connections are \
            watched beside the listener, which was registered before all of them or after. \
            Registering is outside; a first accept, which warms up, too.",
    value: "time for one wait and one accept",
    reference: "poll",
    rounds: 20,
    parameters: &[
        Some("16-first"),
        Some("16-last"),
        Some("256-first"),
        Some("256-last"),
        Some("4096-first"),
        Some("4096-last"),
    ],
    elements: |_| 1,
    kernel: kernel::NATIVE,
    on_request: false,
    each: |_| {
        let with_others = |mut series: Series| {
            series.subject = series.subject.and_then(|subject| match subject {
                Subject::Backend { driver, .. } => {
                    super::serves_others(driver)
                        .map_err(|_| "not applicable: it watches no other descriptor")?;
                    Ok(subject)
                }
                Subject::Floor => Ok(subject),
            });
            series
        };
        each_backend().into_iter().map(with_others).collect()
    },
    counts_cost: false,
    rig: |context, _, parameter| {
        if let Some((cpu, _)) = context.pin {
            limits::pin(cpu)?;
        }
        let (idle, place) = parameter.and_then(|p| p.split_once('-')).unwrap_or(("16", "first"));
        let idle: usize = idle.parse().map_err(|_| "not a number of idle connections")?;
        let needed = 2 * idle as u64 + SPARE;
        if let Some(limit) = limits::open_files().filter(|&limit| limit < needed) {
            return Err(format!(
                "{idle} idle connections need {needed} descriptors and the limit is {limit}: \
                 raise the hard limit (ulimit -Hn)"
            ));
        }
        let (pairs, _) = peer::established(Family::Ipv4, idle)
            .map_err(|error| format!("cannot open {idle} idle connections: {error}"))?;
        let (clients, servers): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
        let servers = servers.into_iter().map(Arc::new).collect();
        Ok(Box::new(IdleSet { _clients: clients, servers, listener_first: place == "first" }))
    },
};

struct IdleSet {
    /// Kept open, and silent.
    _clients: Vec<TcpStream>,
    servers: Vec<Arc<OwnedFd>>,
    listener_first: bool,
}

impl IdleSet {
    fn open(
        &self,
        driver: &'static Driver,
        listener: Listener,
    ) -> std::io::Result<Box<dyn Backend>> {
        let mut backend = handicap::open(driver, listener.into_socket())?;
        if self.listener_first {
            backend.watch_listener()?;
        }
        for (i, server) in self.servers.iter().enumerate() {
            backend.watch(Arc::clone(server), Token(i))?;
        }
        if !self.listener_first {
            backend.watch_listener()?;
        }
        Ok(backend)
    }
}

impl Rig for IdleSet {
    fn sample(&mut self, subject: Subject, _round: u64) -> Result<Sample, Miss> {
        let Subject::Backend { driver, mode, .. } = subject else {
            return Err(Miss::Broken("this group has no floor".to_owned()));
        };
        let listener = taker::listen(mode, 1)?;
        let queue = listener.duplicate().map_err(Miss::of("a descriptor"))?;
        let mut backend = self.open(driver, listener).map_err(|error| match error.kind() {
            std::io::ErrorKind::Unsupported => Miss::Unfit(error.to_string()),
            _ => Miss::of("opening")(error),
        })?;
        let task = Task { offered: 1, discipline: Discipline::One, inspect: false };
        let mut total = Duration::ZERO;
        for accept in 0..=ACCEPTS {
            let clients = taker::fill(queue.socket(), 1)?;
            let taken = taker::take(&mut *backend, driver, task)?;
            if accept > 0 {
                total += taken.took;
            }
            backend.disarm().map_err(Miss::void("disarming"))?;
            drop(taken.alive);
            taker::dismiss(clients);
        }
        Ok(Sample { value_ns: taker::value(total) / ACCEPTS as f64, ..Sample::default() })
    }
}
