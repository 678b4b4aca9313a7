//! What it costs to take k queued connections.

use std::time::Duration;

use super::taker::{self, Task};
use super::{Group, Miss, Rig, Sample, Series, Subject, each_backend, handicap, number};
use crate::accept_loop::Discipline;
use crate::kernel;
use crate::limits;
use crate::listener::Mode;

pub(super) const GROUP: Group = Group {
    name: "accept_burst",
    about: "The server's cost to take k queued connections: the wait and the accepts, the \
            EWOULDBLOCK that ends a drain included; connecting and closing are outside. `floor` \
            is accept(2) alone. The peer's address is asked for by all.",
    value: "time to take k queued connections",
    reference: "poll",
    rounds: 100,
    parameters: &[Some("1"), Some("16"), Some("256")],
    elements: |parameter| number(parameter) as u64,
    kernel: kernel::NATIVE,
    on_request: false,
    each: |_| {
        let mut series = vec![Series { name: "floor".to_owned(), subject: Ok(Subject::Floor) }];
        series.extend(each_backend());
        series
    },
    counts_cost: true,
    rig: |context, _, parameter| {
        if let Some((cpu, _)) = context.pin {
            limits::pin(cpu)?;
        }
        let k = number(parameter);
        // A sample is long enough for the clock: 50 connections or so.
        Ok(Box::new(AcceptBurst { k, bursts: (48 / k).max(1) }))
    },
};

struct AcceptBurst {
    k: usize,
    bursts: usize,
}

impl Rig for AcceptBurst {
    fn sample(&mut self, subject: Subject, _round: u64) -> Result<Sample, Miss> {
        let (mut total, mut would_blocks, mut wakeups) = (Duration::ZERO, 0, 0);
        match subject {
            Subject::Floor => {
                let listener = taker::listen(Mode::NonBlocking, self.k)?;
                for _ in 0..self.bursts {
                    let clients = taker::fill(listener.socket(), self.k)?;
                    let (took, taken) = taker::floor(listener.socket(), self.k)?;
                    total += took;
                    drop(taken);
                    taker::dismiss(clients);
                }
            }
            Subject::Backend { driver, mode, .. } => {
                let listener = taker::listen(mode, self.k)?;
                let queue = listener.duplicate().map_err(Miss::of("a descriptor"))?;
                let mut backend =
                    handicap::open(driver, listener.into_socket()).map_err(Miss::of("opening"))?;
                backend.watch_listener().map_err(Miss::of("watching"))?;
                let task = Task { offered: self.k, discipline: Discipline::Drain, inspect: false };
                for _ in 0..self.bursts {
                    let clients = taker::fill(queue.socket(), self.k)?;
                    let taken = taker::take(&mut *backend, driver, task)?;
                    total += taken.took;
                    would_blocks += taken.would_blocks;
                    wakeups += taken.wakeups;
                    // Else a multishot accept would take the next burst during its connects.
                    backend.disarm().map_err(Miss::void("disarming"))?;
                    drop(taken.alive);
                    taker::dismiss(clients);
                }
            }
        }
        let counts = [
            ("offered", (self.k * self.bursts) as u64),
            ("would_blocks", would_blocks),
            ("wakeups", wakeups),
        ];
        Ok(Sample {
            value_ns: taker::value(total) / self.bursts as f64,
            counts: counts.map(|(name, n)| (name.to_owned(), n)).into(),
            ..Sample::default()
        })
    }
}
