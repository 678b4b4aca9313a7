//! `rstall report`: the page again, from what is on disk.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use rstall::record::store::{self, Stored};
use rstall::report;

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  rstall report reports/runs/2026-11-23T07-04-40Z")]
pub struct Report {
    /// A run's folder; the newest one of the reports folder if left out
    run: Option<PathBuf>,
    /// The reports folder: where the page goes, and Criterion's pages are
    #[arg(long, default_value = "reports")]
    reports: PathBuf,
}

impl Report {
    pub fn run(&self) -> Result<ExitCode, String> {
        let (folder, run) = match &self.run {
            Some(folder) => (folder.clone(), store::load(folder).map_err(|e| e.to_string())?),
            None => self.newest()?,
        };
        let criterion = self.reports.join("criterion");
        let page = report::write(&self.reports, &run, &folder, Some(&criterion))
            .map_err(|error| error.to_string())?;
        let mut text = report::closing(&run, Some(&page), &[]).join("\n");
        text.push('\n');
        super::show(&text)?;
        Ok(ExitCode::SUCCESS)
    }

    /// The newest run that can be read; those that cannot are named on the way.
    fn newest(&self) -> Result<(PathBuf, rstall::record::Run), String> {
        let nothing = || {
            let reports = self.reports.display();
            format!("there is no run in {reports}/runs: run `cargo bench` first, or name a run")
        };
        let runs = store::list(&self.reports)
            .map_err(|error| format!("{error}\nhelp: run `cargo bench` first, or name a run"))?;
        for Stored { folder, run } in runs {
            match run {
                Ok(run) => return Ok((folder, run)),
                Err(error) => anstream::eprintln!("warning: {error}"),
            }
        }
        Err(nothing())
    }
}
