//! `rstall trial`: one cell, once or often.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::process::ExitCode;

use clap::Args;
use rstall::backend::Driver;
use rstall::fault::Case;
use rstall::timeline::{Drawing, Timeline};
use rstall::trial::{self, Ending, Record};
use rstall::verdict::Verdict;
use rstall::verdict::judge::judge;
use rstall::{fault, interrupt, limits};

use super::cell::{CellOptions, fault_of, names};
use super::draw::{self, GlyphOptions};

/// The backend unless another is asked for.
const BACKEND: &str = "poll";

#[derive(Debug, Args)]
#[command(after_help = "What is left out: --backend poll --listener blocking --kernel native \
                        --retry stevens, the fault's own discipline and its first arm.\n\nExit status: 0 done, 1 void or failed, 2 usage or not applicable.\n\nExamples:\n  \
                        rstall trial --fault rival_in_window\n  rstall trial --backend mio --listener \
                        nonblocking --fault burst --count 8 --discipline drain\n  rstall trial --backend \
                        epoll --fault drain_to_empty --trials 100 --json\n  rstall trial --kernel berkeley \
                        --fault reset_in_window")]
pub struct Trial {
    /// What happens to the connections; see `rstall list`
    #[arg(long, value_parser = names(fault::ALL.iter().map(|f| f.name)))]
    fault: String,
    #[command(flatten)]
    cell: CellOptions,
    #[command(flatten)]
    glyphs: GlyphOptions,
    /// How many trials
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    trials: u64,
    /// One line of JSON a trial
    #[arg(long)]
    json: bool,
}

impl Trial {
    pub fn run(&self) -> Result<ExitCode, String> {
        let fault = fault_of(&self.fault)?;
        let unless = Case { discipline: fault.discipline, ..Case::BLOCKING };
        let Some(case) = self.cell.case(fault, &unless) else { return Ok(ExitCode::from(2)) };
        let backend = self.cell.backend.as_deref().unwrap_or(BACKEND);
        let Some(cell) = self.cell.cell(fault, &case, backend)? else {
            return Ok(ExitCode::from(2));
        };
        limits::raise_open_files();
        interrupt::listen()?;
        let timing = self.cell.timing();
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
                let drawing = Drawing::of(&Timeline::of(&record));
                let drawn = draw::drawing(&drawing, cell.kernel, self.glyphs.glyphs());
                super::show(&format!("{drawn}\n{}", draw::sentence(&record, cell.driver)))?;
            }
            tally.add(&record, cell.driver);
        }
        if !self.json && self.trials > 1 {
            super::show(&format!("{}{}", draw::label(cell.kernel), tally.text()))?;
        }
        let interrupted = tally.trials < self.trials;
        Ok(match (interrupted, tally.failed) {
            (true, _) => ExitCode::from(130),
            (false, 0) => ExitCode::SUCCESS,
            (false, _) => ExitCode::FAILURE,
        })
    }
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
