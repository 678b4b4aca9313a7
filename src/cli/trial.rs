//! `rstall trial`: one cell, once or often.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::process::ExitCode;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use clap::Args;
use clap::builder::PossibleValuesParser;
use rstall::accept_loop::{Discipline, Policy};
use rstall::backend::Driver;
use rstall::fault::{Arm, Fault};
use rstall::kernel::{self, Kernel};
use rstall::listener::{Family, ListenerSpec, Mode};
use rstall::outcome::RetrySet;
use rstall::trial::{self, Call, Cell, Ending, Record, Timing, timeline};
use rstall::verdict::Verdict;
use rstall::verdict::judge::judge;
use rstall::{backend, fault, interrupt, limits};

#[derive(Debug, Args)]
#[command(
    after_help = "Exit status: 0 done, 1 void or failed, 2 usage or not applicable.\n\nExamples:\n  \
                        rstall trial --fault rival_in_window\n  rstall trial --backend mio --listener \
                        nonblocking --fault burst --count 8 --discipline drain\n  rstall trial --backend \
                        epoll --fault drain_to_empty --trials 100 --json\n  rstall trial --kernel berkeley \
                        --fault reset_in_window"
)]
pub struct Trial {
    /// The backend under test
    #[arg(long, default_value = "poll", value_parser = names(backend::ALL.iter().map(|e| e.name)))]
    backend: String,
    /// The listener's mode
    #[arg(long, default_value = "blocking", value_parser = names(Mode::ALL.iter().map(|m| m.name())))]
    listener: String,
    /// What happens to the connections; see `rstall list`
    #[arg(long, value_parser = names(fault::ALL.iter().map(|f| f.name)))]
    fault: String,
    /// In which of the fault's ways, where it has several; the first if left out
    #[arg(long)]
    arm: Option<String>,
    /// The kernel whose accept queue it stands on; all but native are modelled
    #[arg(long, default_value = "native", value_parser = names(kernel::ALL.iter().map(|k| k.name)))]
    kernel: String,
    /// Accepts per report: one, drain or budget:N; the fault's own if left out
    #[arg(long)]
    discipline: Option<Discipline>,
    /// After which errors the loop goes on
    #[arg(long, default_value = "stevens", value_parser = names(RetrySet::ALL.iter().map(|r| r.name())))]
    retry: String,
    /// The loopback address family
    #[arg(long, default_value = "ipv4", value_parser = names(Family::ALL.iter().map(|f| f.name())))]
    family: String,
    /// How many clients connect in a burst
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1024))]
    count: u16,
    /// The backlog asked of listen(2)
    #[arg(long, default_value_t = 1024, value_parser = clap::value_parser!(i32).range(1..))]
    backlog: i32,
    /// From the bystander's byte to the next client, in milliseconds
    #[arg(long, default_value_t = 2, value_name = "MS", value_parser = clap::value_parser!(u64).range(1..=60_000))]
    rescue: u64,
    /// How many trials
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    trials: u64,
    /// One line of JSON a trial
    #[arg(long)]
    json: bool,
}

fn names(names: impl Iterator<Item = &'static str>) -> PossibleValuesParser {
    PossibleValuesParser::new(names)
}

impl Trial {
    pub fn run(&self) -> Result<ExitCode, String> {
        if let Some(fault) = fault::find(&self.fault).filter(|fault| self.arm(fault).is_none()) {
            let arms: Vec<&str> = fault.arms.iter().map(|arm| arm.name).collect();
            let has = if arms == [""] { "none".to_owned() } else { arms.join(", ") };
            anstream::eprintln!("error: {} has no such arm; it has: {has}", fault.name);
            return Ok(ExitCode::from(2));
        }
        let cell = self.cell()?;
        if let Some(misfit) = cell.misfit() {
            let (backend, fault, kernel) = (cell.backend, cell.fault.name, cell.kernel.name);
            anstream::eprintln!("{backend} under {fault} on {kernel}: {misfit}");
            return Ok(ExitCode::from(2));
        }
        limits::raise_open_files();
        interrupt::listen()?;
        let rescue_after = Duration::from_millis(self.rescue);
        let watchdog = Timing::default().watchdog + rescue_after;
        let program = super::this_program();
        let timing = Timing { rescue_after, watchdog, program, ..Timing::default() };
        let mut tally = Tally::default();
        for _ in 0..self.trials {
            if interrupt::asked() {
                break;
            }
            let record = trial::run(&cell, timing)?;
            if self.json {
                let line = serde_json::to_string(&record).map_err(|error| error.to_string())?;
                super::show(&format!("{line}\n"))?;
            } else if self.trials == 1 {
                let drawn = timeline::draw(&record);
                let told = sentence(&record, cell.driver);
                super::show(&format!("{}{drawn}\n{told}", label(cell.kernel)))?;
            }
            tally.add(&record, cell.driver);
        }
        if !self.json && self.trials > 1 {
            super::show(&format!("{}{}", label(cell.kernel), tally.text()))?;
        }
        let interrupted = tally.trials < self.trials;
        Ok(match (interrupted, tally.failed) {
            (true, _) => ExitCode::from(130),
            (false, 0) => ExitCode::SUCCESS,
            (false, _) => ExitCode::FAILURE,
        })
    }

    fn arm(&self, fault: &Fault) -> Option<&'static Arm> {
        fault.arm(self.arm.as_deref().unwrap_or_default())
    }

    fn cell(&self) -> Result<Cell, String> {
        // The parsers let only known names through.
        let entry = backend::find(&self.backend).ok_or("no such backend")?;
        let fault = fault::find(&self.fault).ok_or("no such fault")?;
        let kernel = kernel::find(&self.kernel).ok_or("no such kernel")?;
        let arm = self.arm(fault).ok_or("no such arm")?;
        let mode = Mode::ALL.into_iter().find(|mode| mode.name() == self.listener);
        let family = Family::ALL.into_iter().find(|family| family.name() == self.family);
        let retry = RetrySet::ALL.into_iter().find(|retry| retry.name() == self.retry);
        Ok(Cell {
            backend: entry.name,
            driver: entry
                .driver()
                .map_err(|reason| format!("{} is absent: {reason}", entry.name))?,
            listener: ListenerSpec {
                mode: mode.ok_or("no such listener mode")?,
                family: family.ok_or("no such family")?,
                backlog: self.backlog,
            },
            policy: Policy {
                discipline: self.discipline.unwrap_or(fault.discipline),
                retry: retry.ok_or("no such retry set")?,
                habit: arm.habit,
            },
            fault,
            arm,
            kernel,
            count: self.count.into(),
        })
    }
}

/// What stands above whatever a modelled kernel has brought about; nothing above the machine's
/// own doing.
fn label(kernel: &Kernel) -> String {
    let yellow = Style::new().fg_color(Some(AnsiColor::Yellow.into())).bold();
    match kernel.is_native() {
        true => String::new(),
        false => format!("{yellow}modelled{yellow:#}: {} ({})\n\n", kernel.name, kernel.systems),
    }
}

/// What a trial came to, in a sentence or two.
fn sentence(record: &Record, driver: &Driver) -> String {
    let mut text = String::new();
    let milliseconds = |ns: u64| format!("{:.3} ms", ns as f64 / 1e6);
    // Writing to a String cannot fail.
    let _ = match (judge(record, driver), &record.stall) {
        (Err(reason), _) => {
            let bad = Style::new().fg_color(Some(AnsiColor::Red.into())).bold();
            writeln!(text, "{bad}no verdict{bad:#}: {reason}.")
        }
        (Ok(judgement), Some(stall)) if stall.call == Call::Accept => writeln!(
            text,
            "{}: accept was entered, {} later the rescue's connect began, and that same accept \
             returned the rescue's port {}{}.",
            super::colour::verdict(judgement.verdict),
            milliseconds(rstall::clock::nanos(stall.rescue_began - stall.accept_entered)),
            stall.port,
            if stall.park_seen { "; the thread was seen parked in accept" } else { "" },
        ),
        (Ok(judgement), _) => {
            writeln!(text, "{}: {}.", super::colour::verdict(judgement.verdict), judgement.seen)
        }
    };
    let _ = match record.bystander_ns {
        Some(ns) => writeln!(text, "The bystander waited {} for its echo.", milliseconds(ns)),
        None if record.events.iter().any(|e| e.what == trial::What::ByteSent) => {
            writeln!(text, "The bystander never had its echo.")
        }
        None => Ok(()),
    };
    let vanished = match record.vanished() {
        0 => String::new(),
        n => format!(" {n} dropped by the kernel,"),
    };
    let _ = writeln!(
        text,
        "Connections: {} offered,{vanished} {} taken, {} told of a reset. Wake-ups: {}. EWOULDBLOCK: {}.",
        record.offered,
        record.taken(),
        record.resets_observed(),
        record.wakeups,
        record.would_blocks,
    );
    text
}

/// The counts of many trials.
#[derive(Default)]
struct Tally {
    trials: u64,
    failed: u64,
    results: BTreeMap<String, u64>,
    bystander_ns: Vec<f64>,
}

impl Tally {
    fn add(&mut self, record: &Record, driver: &Driver) {
        self.trials += 1;
        let judged = judge(record, driver);
        self.failed += u64::from(judged.is_err());
        let what = match (judged, &record.ending) {
            (Err(reason), _) => reason,
            (Ok(judgement), Ending::Died(outcome)) if judgement.verdict == Verdict::Dies => {
                format!("{}: {outcome}", judgement.verdict)
            }
            (Ok(judgement), _) => judgement.verdict.to_string(),
        };
        *self.results.entry(what).or_default() += 1;
        for accept in &record.accepts {
            *self.results.entry(format!("  accept: {}", accept.outcome)).or_default() += 1;
        }
        if record.lost() > 0 {
            let lost = "  connections never taken".to_owned();
            *self.results.entry(lost).or_default() += record.lost() as u64;
        }
        self.bystander_ns.extend(record.bystander_ns.map(|ns| ns as f64));
    }

    fn text(&self) -> String {
        let mut text = format!("{} trials\n", self.trials);
        let (accepts, results): (Vec<_>, Vec<_>) =
            self.results.iter().partition(|(what, _)| what.starts_with(' '));
        for (what, n) in results.into_iter().chain(accepts) {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{n:>8}  {what}");
        }
        if let Some(most) = self.bystander_ns.iter().copied().reduce(f64::max) {
            let median = rstall::stats::median(&self.bystander_ns);
            let _ = writeln!(
                text,
                "bystander latency: median {:.3} ms, most {:.3} ms, of {} echoes",
                median / 1e6,
                most / 1e6,
                self.bystander_ns.len(),
            );
        }
        text
    }
}
