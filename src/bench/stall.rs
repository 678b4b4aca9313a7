//! The headline: how long a bystander waits when a rival has taken the connection.

use std::time::Duration;

use super::{Context, Group, Miss, Rig, Sample, Subject, each_mode, has_window, number};
use crate::accept_loop::Policy;
use crate::fault::{self, Fault};
use crate::kernel::{self, Kernel};
use crate::limits;
use crate::listener::{Family, ListenerSpec, Mode};
use crate::outcome::RetrySet;
use crate::trial::{self, Cell, Ending, Timing};

pub(super) const GROUP: Group = Group {
    name: "stall",
    about: "rival_in_window: after the listener was reported, another acceptor takes the \
            connection. From the bystander's byte to its echo, with the next client coming so many \
            milliseconds after the byte if nobody has answered. One trial a sample.",
    value: "bystander latency",
    reference: "poll-nonblocking",
    rounds: 20,
    parameters: &[Some("2"), Some("8"), Some("32")],
    elements: |_| 1,
    kernel: kernel::NATIVE,
    on_request: false,
    each: |_| each_mode(has_window),
    counts_cost: false,
    rig: |context, kernel, parameter| rig(context, kernel, "rival_in_window", parameter),
};

/// Gets ready to try loops under a fault that makes blocking listeners stall, and no others,
/// on this kernel.
pub(super) fn rig(
    context: &Context,
    kernel: &'static Kernel,
    fault: &str,
    parameter: Option<&str>,
) -> Result<Box<dyn Rig>, String> {
    if let Some((_, cpu)) = context.pin {
        limits::pin(cpu)?;
    }
    let timing = Timing {
        rescue_after: Duration::from_millis(number(parameter) as u64),
        loop_cpu: context.pin.map(|(cpu, _)| cpu),
        ..Timing::default()
    };
    let fault = fault::find(fault).ok_or("the fault is not in the registry")?;
    Ok(Box::new(Stall { timing, fault, kernel }))
}

struct Stall {
    timing: Timing,
    fault: &'static Fault,
    kernel: &'static Kernel,
}

impl Rig for Stall {
    fn sample(&mut self, subject: Subject, _round: u64) -> Result<Sample, Miss> {
        let Subject::Backend { name, driver, mode } = subject else {
            return Err(Miss::Broken("this group has no floor".to_owned()));
        };
        let cell = Cell {
            backend: name,
            driver,
            listener: ListenerSpec { mode, family: Family::Ipv4, backlog: 128 },
            policy: Policy::new(self.fault.discipline, RetrySet::Stevens),
            fault: self.fault,
            arm: &self.fault.arms[0],
            kernel: self.kernel,
            count: 1,
        };
        let record = trial::run(&cell, self.timing).map_err(Miss::Void)?;
        if let Some(reason) = &record.void {
            return Err(Miss::Void(reason.clone()));
        }
        let stalled = record.stall.is_some();
        if stalled != (mode == Mode::Blocking) {
            let what = if stalled { "stalled" } else { "did not stall" };
            return Err(Miss::Broken(format!("a {} listener {what}", mode.name())));
        }
        let latency = match (record.bystander_ns, &record.ending) {
            (Some(latency), Ending::Done) => latency,
            (_, ending) => return Err(Miss::Broken(format!("no echo came: {ending:?}"))),
        };
        let counts = [("stalled".to_owned(), u64::from(stalled))].into();
        let latencies_ns = vec![latency];
        Ok(Sample { value_ns: latency as f64, latencies_ns, counts, trial: Some(record) })
    }
}
