//! What dead connections cost a loop that recognises and drops them.

use super::taker::{self, Task};
use super::{Group, Miss, Rig, Sample, Subject, each_backend, handicap, number};
use crate::accept_loop::Discipline;
use crate::clock;
use crate::evidence::reset::{self, Ended};
use crate::interpose;
use crate::kernel::{self, Kernel};
use crate::limits;
use crate::peer::Peer;

/// How many connections are queued before the loop wakes.
const OFFERED: usize = 256;

pub(super) const GROUP: Group = Group {
    name: "abort_storm",
    about: "256 connections are queued and a percentage of them reset before the loop wakes: the \
            wait, the accepts, one SO_ERROR a connection, and the closing of the dead. Every reset \
            is known to have arrived, and must be observed.",
    value: "time to deal with 256 queued connections",
    reference: "poll",
    rounds: 40,
    parameters: &[Some("0"), Some("10"), Some("50"), Some("100")],
    elements: |_| OFFERED as u64,
    kernel: kernel::NATIVE,
    on_request: false,
    each: |_| each_backend(),
    counts_cost: false,
    rig: |context, kernel, parameter| {
        if let Some((cpu, _)) = context.pin {
            limits::pin(cpu)?;
        }
        Ok(Box::new(AbortStorm { kernel, percent: number(parameter) }))
    },
};

struct AbortStorm {
    kernel: &'static Kernel,
    percent: usize,
}

impl Rig for AbortStorm {
    fn sample(&mut self, subject: Subject, _round: u64) -> Result<Sample, Miss> {
        let Subject::Backend { driver, mode, .. } = subject else {
            return Err(Miss::Broken("this group has no floor".to_owned()));
        };
        let listener = taker::listen(mode, OFFERED)?;
        let queue = listener.duplicate().map_err(Miss::of("a descriptor"))?;
        let model = self.kernel.model.map(|model| interpose::put_in_force(queue.socket(), model));
        let _in_force = model.transpose().map_err(Miss::of("a modelled kernel"))?;
        let mut backend =
            handicap::open(driver, listener.into_socket()).map_err(Miss::of("opening"))?;
        backend.watch_listener().map_err(Miss::of("watching"))?;
        let clients = taker::fill(queue.socket(), OFFERED)?;
        let (resets, clients) = self.storm(clients)?;
        let task = Task { offered: OFFERED, discipline: Discipline::Drain, inspect: true };
        let taken = taker::take(&mut *backend, driver, task)?;
        let observed = taken.dead + taken.aborted;
        if observed != resets {
            let message = format!("{resets} resets were injected and {observed} observed");
            return Err(Miss::Broken(message));
        }
        // A model tells of each by an error, and hands over none.
        if !self.kernel.is_native() && taken.dead > 0 {
            return Err(Miss::Broken(format!("{} connections came out dead", taken.dead)));
        }
        backend.disarm().map_err(Miss::void("disarming"))?;
        let counts = [
            ("offered", OFFERED as u64),
            ("resets", resets as u64),
            ("dead", taken.dead as u64),
            ("aborted", taken.aborted as u64),
            ("would_blocks", taken.would_blocks),
            ("wakeups", taken.wakeups),
        ];
        taker::dismiss(clients);
        Ok(Sample {
            value_ns: taker::value(taken.took),
            counts: counts.map(|(name, n)| (name.to_owned(), n)).into(),
            ..Sample::default()
        })
    }
}

impl AbortStorm {
    /// Resets the percentage, spread evenly over the queue, and returns once each is known to
    /// have arrived.
    fn storm(&self, clients: Vec<Peer>) -> Result<(usize, Vec<Peer>), Miss> {
        let (mut gone, mut stay) = (Vec::new(), Vec::new());
        for (i, client) in clients.into_iter().enumerate() {
            let due = (i + 1) * self.percent / 100 > i * self.percent / 100;
            if due {
                gone.push(client.reset().map_err(Miss::void("a reset"))?);
            } else {
                stay.push(client);
            }
        }
        let deadline = clock::now().after(std::time::Duration::from_secs(2));
        for &(client, server) in &gone {
            reset::await_ended(Ended::Reset, client, server, deadline)
                .map_err(Miss::void("a reset has not arrived"))?;
        }
        Ok((gone.len(), stay))
    }
}
