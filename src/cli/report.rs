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
        let given: Vec<&str> = runs.iter().map(|(name, _)| name.as_str()).collect();
        for ((name, run), told) in runs.iter().zip(told_apart(&given)) {
            // Criterion keeps the reports of its last run, which is the base if any.
            let criterion = Some(&*criterion).filter(|_| sources.is_empty());
            let links = Links::look(folder, run, Path::new(name), criterion);
            sources.push(Source { name: told, run, links });
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

/// Runs as they are called on the page: of each path as many of its last parts as tell it from
/// the others, and a number where it was named before.
fn told_apart(paths: &[&str]) -> Vec<String> {
    let parts = |path: &str| -> Vec<String> {
        let path = path.trim_end_matches('/').trim_end_matches("/run.json");
        path.split('/').map(str::to_owned).collect()
    };
    let all: Vec<Vec<String>> = paths.iter().map(|path| parts(path)).collect();
    let told = |(at, own): (usize, &Vec<String>)| {
        let is_clear = |many: &usize| {
            let last = &own[own.len() - many..];
            all.iter().all(|other| other == own || !other.ends_with(last))
        };
        let many = (1..=own.len()).find(is_clear).unwrap_or(own.len());
        let name = own[own.len() - many..].join("/");
        match all[..at].iter().filter(|before| *before == own).count() {
            0 => name,
            before => format!("{name} ({})", before + 1),
        }
    };
    all.iter().enumerate().map(told).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_that_end_alike_are_told_apart() {
        let cases: [(&[&str], &[&str]); 4] = [
            (&["reports/runs/1/", "2/run.json"], &["1", "2"]),
            (&["a/runs/1", "b/runs/1", "a/runs/2"], &["a/runs/1", "b/runs/1", "2"]),
            (&["1", "1/", "a/1"], &["1", "1 (2)", "a/1"]),
            (
                &["reports/criterion@before", "criterion@after"],
                &["criterion@before", "criterion@after"],
            ),
        ];
        for (paths, names) in cases {
            assert_eq!(told_apart(paths), names, "{paths:?}");
        }
    }
}
