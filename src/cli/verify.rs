//! `rstall verify`: every cell tried, judged, and held against what it had to come to.

use std::process::ExitCode;

use clap::Args;
use clap::builder::PossibleValuesParser;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use rstall::accept_loop::Discipline;
use rstall::record::map::Map;
use rstall::trial::Timing;
use rstall::verdict::sweep::{self, Plan, Tried};
use rstall::{backend, clock, fault, interrupt, kernel, limits};
use serde_json::json;

use super::{figures, matrix};

#[derive(Debug, Args)]
#[command(
    after_help = "Exit status: 0 every cell came to what it had to, 1 one did not, 2 usage, 130 \
                  interrupted.\n\nExamples:\n  rstall verify\n  rstall verify --fault descriptors_exhausted \
                  --fault burst\n  rstall verify --backend epoll --backend tokio --kernel native\n  \
                  rstall verify --fault reset_in_window --kernel berkeley --trials 1000\n  rstall verify \
                  --json | jq -c 'select(.expected | not)'"
)]
pub struct Verify {
    /// A backend, and again another; all if left out
    #[arg(long, value_parser = PossibleValuesParser::new(backend::ALL.iter().map(|e| e.name)))]
    backend: Vec<String>,
    /// A kernel, and again another; all if left out
    #[arg(long, value_parser = PossibleValuesParser::new(kernel::ALL.iter().map(|k| k.name)))]
    kernel: Vec<String>,
    /// A fault, and again another; all if left out
    #[arg(long, value_parser = PossibleValuesParser::new(fault::ALL.iter().map(|f| f.name)))]
    fault: Vec<String>,
    /// Accepts per report: one, drain or budget:N, and again another
    #[arg(long, default_values = ["one", "drain", "budget:2"])]
    discipline: Vec<Discipline>,
    /// How often each cell is tried; costly ones a third as often
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    trials: u32,
    /// One line of JSON a cell
    #[arg(long)]
    json: bool,
}

impl Verify {
    pub fn run(&self) -> Result<ExitCode, String> {
        limits::raise_open_files();
        interrupt::listen()?;
        let (plan, absent) = self.plan();
        let cells = plan.cells();
        if cells.is_empty() {
            let message = "nothing is left to try: none of these backends or kernels is on this \
                           machine; see rstall list";
            return Err(message.to_owned());
        }
        let bar = bar(cells.len() as u64);
        let timing = Timing { program: super::this_program(), ..Timing::sweep() };
        let began = clock::now();
        let tried = sweep::run(&cells, plan.trials, timing, || bar.inc(1))?;
        let took = (clock::now() - began).as_secs_f64();
        bar.finish_and_clear();
        if self.json {
            // What is news comes first, as in the text.
            let (expected, news): (Vec<_>, Vec<_>) =
                tried.iter().partition(|tried| tried.is_as_expected());
            for tried in news.into_iter().chain(expected) {
                super::show(&format!("{}\n", line(tried)))?;
            }
        } else {
            let map = Map::of(&plan, &tried, absent, took);
            // Of all faults they would be hundreds of lines, and the page has them.
            let figures = if self.fault.is_empty() { String::new() } else { figures::draw(&map) };
            super::show(&format!("{figures}{}", matrix::draw(&map)))?;
        }
        Ok(match (interrupt::asked(), tried.iter().all(Tried::is_as_expected)) {
            (true, _) => ExitCode::from(130),
            (false, true) => ExitCode::SUCCESS,
            (false, false) => ExitCode::FAILURE,
        })
    }

    /// What was asked for, of all that this machine has.
    fn plan(&self) -> (Plan, Vec<(String, String)>) {
        let asked =
            |names: &[String], name: &str| names.is_empty() || names.iter().any(|one| one == name);
        let (mut plan, mut absent) = Plan::of_this_machine(&self.discipline, self.trials as usize);
        plan.backends.retain(|(entry, _)| asked(&self.backend, entry.name));
        plan.kernels.retain(|kernel| asked(&self.kernel, kernel.name));
        plan.faults.retain(|fault| asked(&self.fault, fault.name));
        absent.retain(|(name, _)| asked(&self.backend, name));
        (plan, absent)
    }
}

/// On a terminal; elsewhere nothing is drawn.
fn bar(cells: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(cells), ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} cells, {eta} left");
    // The template is known to be good; a bar without it is a bar too.
    if let Ok(style) = style {
        bar.set_style(style);
    }
    bar
}

/// One cell, for scripts.
fn line(tried: &Tried) -> serde_json::Value {
    let cell = &tried.cell;
    let mut line = json!({
        "backend": cell.backend,
        "mode": cell.listener.mode,
        "discipline": cell.policy.discipline,
        "retry": cell.policy.retry,
        "fault": cell.fault.name,
        "arm": cell.arm.name,
        "kernel": cell.kernel.name,
        "modelled": !cell.kernel.is_native(),
        "expected": tried.is_as_expected(),
    });
    match &tried.result {
        Err(misfit) => line["not_tried"] = json!(misfit.to_string()),
        Ok(seen) => {
            line["verdict"] = json!(seen.worst.as_ref().map(|worst| worst.verdict));
            line["counts"] = json!(seen.counts);
            line["trials"] = json!(seen.trials());
            line["per_connection"] = json!(seen.worst.as_ref().map(|worst| worst.per_connection));
            line["seen"] = json!(seen.worst.as_ref().map(|worst| &worst.seen));
            line["unjudged"] = json!(seen.unjudged);
            line["allowed"] = json!(tried.rule.verdicts);
            line["rule"] = json!(tried.rule.name);
            line["why"] = json!(tried.rule.why);
            line["source"] = json!(tried.rule.source);
            line["figures"] = json!(seen.figures);
        }
    }
    line
}
