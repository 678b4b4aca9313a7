//! `rstall report`: the page again, from one recorded run or from several.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use rstall::record::Run;
use rstall::record::store::{self, Stored};
use rstall::report::{self, Links, PAGE, Source};

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  rstall report reports/runs/2026-11-23T07-04-40Z\n  rstall report \
                        reports/runs/* -o compared.html\n  rstall report \
                        reports/criterion@before reports/criterion@after"
)]
pub struct Report {
    /// Runs: folders, or baselines of Criterion as FOLDER@BASELINE. The first is the base. The
    /// newest run of the reports folder if left out
    runs: Vec<String>,
    /// The file to write; index.html in the reports folder if left out
    #[arg(short, long)]
    output: Option<PathBuf>,
    /// The reports folder: where runs and Criterion's pages are
    #[arg(long, default_value = "reports")]
    reports: PathBuf,
}

impl Report {
    pub fn run(&self) -> Result<ExitCode, String> {
        let runs = self.load()?;
        let path = self.output.clone().unwrap_or_else(|| self.reports.join(PAGE));
        let folder = path.parent().unwrap_or(Path::new("."));
        let criterion = self.reports.join("criterion");
        let mut sources = Vec::new();
        for (name, run) in &runs {
            // Criterion keeps the reports of its last run, which is the base if any.
            let criterion = Some(&*criterion).filter(|_| sources.is_empty());
            let links = Links::look(folder, run, Path::new(name), criterion);
            sources.push(Source { name: shortened(name), run, links });
        }
        report::write(&path, &sources).map_err(|error| error.to_string())?;
        let mut text = report::closing(sources[0].run, Some(&path), &[]).join("\n");
        text.push('\n');
        super::show(&text)?;
        Ok(ExitCode::SUCCESS)
    }

    /// The runs by their names; at least one.
    fn load(&self) -> Result<Vec<(String, Run)>, String> {
        if self.runs.is_empty() {
            return self.newest().map(|newest| vec![newest]);
        }
        let load = |name: &String| {
            let run = store::named(name).map_err(|error| error.to_string())?;
            Ok((name.clone(), run))
        };
        self.runs.iter().map(load).collect()
    }

    /// The newest run that can be read; those that cannot are named on the way.
    fn newest(&self) -> Result<(String, Run), String> {
        let nothing = || {
            let reports = self.reports.display();
            format!("there is no run in {reports}/runs: run `cargo bench` first, or name a run")
        };
        let runs = store::list(&self.reports)
            .map_err(|error| format!("{error}\nhelp: run `cargo bench` first, or name a run"))?;
        for Stored { folder, run } in runs {
            match run {
                Ok(run) => return Ok((folder.to_string_lossy().into_owned(), run)),
                Err(error) => anstream::eprintln!("warning: {error}"),
            }
        }
        Err(nothing())
    }
}

/// A run as it is called on the page: the last part of its path.
fn shortened(name: &str) -> String {
    let name = name.trim_end_matches('/').trim_end_matches("/run.json");
    name.rsplit('/').next().unwrap_or(name).to_owned()
}
