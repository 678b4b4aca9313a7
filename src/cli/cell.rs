//! Which trial is asked for: the options that `rstall trial` and `rstall show` share.

use std::time::Duration;

use clap::Args;
use clap::builder::PossibleValuesParser;
use rstall::accept_loop::Discipline;
use rstall::fault::{Case, Fault};
use rstall::listener::{Family, ListenerSpec, Mode};
use rstall::outcome::RetrySet;
use rstall::trial::{Cell, Timing};
use rstall::{backend, fault, kernel};

#[derive(Debug, Args)]
pub struct CellOptions {
    /// The backend under test
    #[arg(long, value_parser = names(backend::ALL.iter().map(|e| e.name)))]
    pub backend: Option<String>,
    /// The listener's mode
    #[arg(long, value_parser = names(Mode::ALL.iter().map(|m| m.name())))]
    listener: Option<String>,
    /// In which of the fault's ways, where it has several; see `rstall list`
    #[arg(long)]
    arm: Option<String>,
    /// The kernel whose accept queue it stands on; all but native are modelled
    #[arg(long, value_parser = names(kernel::ALL.iter().map(|k| k.name)))]
    kernel: Option<String>,
    /// Accepts per report: one, drain or budget:N
    #[arg(long)]
    discipline: Option<Discipline>,
    /// After which errors the loop goes on
    #[arg(long, value_parser = names(RetrySet::ALL.iter().map(|r| r.name())))]
    retry: Option<String>,
    /// The loopback address family
    #[arg(long, default_value = "ipv4", value_parser = names(Family::ALL.iter().map(|f| f.name())))]
    family: String,
    /// How many clients connect in a burst
    #[arg(long, default_value_t = Cell::COUNT as u16, value_parser = clap::value_parser!(u16).range(1..=1024))]
    count: u16,
    /// The backlog asked of listen(2)
    #[arg(long, default_value_t = 1024, value_parser = clap::value_parser!(i32).range(1..))]
    backlog: i32,
    /// From the bystander's byte to the next client, in milliseconds
    #[arg(long, default_value_t = 2, value_name = "MS", value_parser = clap::value_parser!(u64).range(1..=60_000))]
    rescue: u64,
}

/// A parser that lets only these names through, and tells the nearest of another.
pub fn names(names: impl Iterator<Item = &'static str>) -> PossibleValuesParser {
    PossibleValuesParser::new(names)
}

/// What a fault is called; the parsers let no other name through.
pub fn fault_of(name: &str) -> Result<&'static Fault, String> {
    fault::find(name).ok_or_else(|| format!("there is no fault {name}: see `rstall list`"))
}

impl CellOptions {
    /// A case with what was asked for in its place. `None` where the fault has no such arm,
    /// which is told on standard error.
    pub fn case(&self, fault: &'static Fault, unless: &Case) -> Option<Case> {
        let arm = fault.arm(self.arm.as_deref().unwrap_or(unless.arm));
        if arm.is_none() {
            let arms: Vec<&str> = fault.arms.iter().map(|arm| arm.name).collect();
            let has = if arms == [""] { "none".to_owned() } else { arms.join(", ") };
            anstream::eprintln!("error: {} has no such arm; it has: {has}", fault.name);
        }
        let kernel = self.kernel.as_deref().and_then(kernel::find);
        let mode = |name: &str| Mode::ALL.into_iter().find(|mode| mode.name() == name);
        let retry = |name: &str| RetrySet::ALL.into_iter().find(|retry| retry.name() == name);
        Some(Case {
            arm: arm?.name,
            mode: self.listener.as_deref().and_then(mode).unwrap_or(unless.mode),
            discipline: self.discipline.unwrap_or(unless.discipline),
            retry: self.retry.as_deref().and_then(retry).unwrap_or(unless.retry),
            kernel: kernel.map_or(unless.kernel, |kernel| kernel.name),
        })
    }

    /// The cell of a case. `None` where it cannot be tried, which is told on standard error.
    ///
    /// # Errors
    ///
    /// Where this machine has no such backend, and why.
    pub fn cell(
        &self,
        fault: &'static Fault,
        case: &Case,
        backend: &str,
    ) -> Result<Option<Cell>, String> {
        let entry = backend::find(backend)
            .ok_or_else(|| format!("there is no backend {backend}: see `rstall list`"))?;
        let cell = Cell::of(entry, fault, case)?;
        let family = Family::ALL.into_iter().find(|family| family.name() == self.family);
        let family = family.unwrap_or(cell.listener.family);
        let listener = ListenerSpec { family, backlog: self.backlog, ..cell.listener };
        let cell = Cell { listener, count: self.count.into(), ..cell };
        if let Some(misfit) = cell.misfit() {
            anstream::eprintln!("{backend} under {} on {}: {misfit}", fault.name, case.kernel);
            return Ok(None);
        }
        Ok(Some(cell))
    }

    /// How long things may take.
    pub fn timing(&self) -> Timing {
        let rescue_after = Duration::from_millis(self.rescue);
        let watchdog = Timing::default().watchdog + rescue_after;
        Timing { rescue_after, watchdog, program: super::this_program(), ..Timing::default() }
    }
}
