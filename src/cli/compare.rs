//! `rstall compare`: two runs, and what got better or worse from one to the other.

use std::process::ExitCode;

use clap::Args;
use regex::Regex;
use rstall::compare::{self, Telling};
use rstall::record::store;

/// The exit status of a comparison that could not be made.
const TROUBLE: u8 = 2;

#[derive(Debug, Args)]
#[command(
    after_help = "Exit status: 0 nothing got worse, 1 something got worse beyond the threshold and \
                  the noise, 2 the two could not be compared.\n\nExamples:\n  rstall compare \
                  reports/runs/2026-11-23T07-04-40Z reports/runs/2026-11-24T09-12-01Z\n  rstall \
                  compare reports/criterion@before reports/criterion@after --threshold 3%"
)]
pub struct Compare {
    /// The base: a run's folder or its run.json, or a baseline of Criterion as FOLDER@BASELINE
    base: String,
    /// What is compared with it
    other: String,
    /// What counts as worse: beyond this, and beyond the noise
    #[arg(long, default_value = "5%", value_parser = percent)]
    threshold: f64,
    /// A regular expression: only cells whose id it matches; how noisy the runs are is still told
    /// by all
    #[arg(long)]
    filter: Option<Regex>,
    /// A line for every cell, not only for those that changed
    #[arg(long)]
    all: bool,
    /// All of it as JSON
    #[arg(long)]
    json: bool,
}

/// Parses `5%` or `5` as 0.05.
pub fn percent(text: &str) -> Result<f64, String> {
    let number = text.trim().trim_end_matches('%').trim_end().parse::<f64>();
    match number {
        Ok(percent) if (0.0..=1_000.0).contains(&percent) => Ok(percent / 100.0),
        _ => Err("expected 0% to 1000%".to_owned()),
    }
}

impl Compare {
    pub fn run(&self) -> Result<ExitCode, String> {
        self.compared().or_else(|message| {
            anstream::eprintln!("error: {message}");
            Ok(ExitCode::from(TROUBLE))
        })
    }

    fn compared(&self) -> Result<ExitCode, String> {
        let load = |name: &String| store::named(name).map_err(|error| error.to_string());
        let (base, other) = (load(&self.base)?, load(&self.other)?);
        let wanted = |id: &str| self.filter.as_ref().is_none_or(|filter| filter.is_match(id));
        let comparison = compare::compare_those(&base, &other, wanted);
        if comparison.cells.iter().all(|cell| cell.change.is_err()) {
            return Err(self.nothing());
        }
        let text = if self.json {
            let json = serde_json::to_string(&comparison).map_err(|error| error.to_string())?;
            format!("{json}\n")
        } else {
            let telling = Telling { threshold: self.threshold, all: self.all };
            compare::text(&comparison, telling)
        };
        super::show(&text)?;
        let is_worse = !comparison.worse(self.threshold).is_empty();
        Ok(if is_worse { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }

    fn nothing(&self) -> String {
        match &self.filter {
            Some(filter) => format!("the two have no ratio in common that {filter} matches"),
            None => "the two have no cell with a ratio to a reference in common".to_owned(),
        }
    }
}
