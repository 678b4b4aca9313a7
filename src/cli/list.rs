//! `rstall list`: what there is.

use std::fmt::Write;
use std::process::ExitCode;

use anstyle::Style;
use clap::Args;
use rstall::backend::{self, Takes};
use rstall::outcome::RetrySet;
use rstall::{bench, fault};
use tabled::builder::Builder;
use tabled::settings::object::Rows;
use tabled::settings::{Modify, Padding, Style as Borders};

#[derive(Debug, Args)]
pub struct List {}

impl List {
    pub fn run(&self) -> Result<ExitCode, String> {
        let mut text = String::new();
        section(&mut text, "Backends", &backends());
        section(&mut text, "Faults", &faults());
        section(&mut text, "Disciplines", &disciplines());
        section(&mut text, "Retry sets", &retry_sets());
        section(&mut text, "Benchmarks", &benchmarks());
        super::show(&text)?;
        Ok(ExitCode::SUCCESS)
    }
}

type Table = Vec<Vec<String>>;

fn section(text: &mut String, title: &str, rows: &Table) {
    let bold = Style::new().bold();
    let mut table = Builder::from(rows.clone()).build();
    table
        .with(Borders::empty())
        .with(Padding::new(0, 2, 0, 0))
        .with(Modify::new(Rows::first()).with(Padding::new(0, 2, 0, 0)));
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{bold}{title}{bold:#}");
    for line in table.to_string().lines() {
        let _ = writeln!(text, "  {}", line.trim_end());
    }
    text.push('\n');
}

fn row<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.map(str::to_owned).to_vec()
}

fn backends() -> Table {
    let mut table = vec![row([
        "name",
        "takes connections",
        "listener modes",
        "watches others",
        "drains until",
        "",
    ])];
    for entry in backend::ALL {
        table.push(match entry.driver() {
            Err(reason) => row([entry.name, "-", "-", "-", "-", &format!("absent: {reason}")]),
            Ok(driver) => {
                let takes = match driver.takes {
                    Takes::InAccept => "in accept, which waits",
                    Takes::AfterReport => "in accept, after a report",
                    Takes::InWait => "inside its wait",
                };
                let modes: Vec<&str> = driver.modes.iter().map(|mode| mode.name()).collect();
                let others = if driver.watches_others { "yes" } else { "no" };
                let modes = modes.join(", ");
                row([entry.name, takes, &modes, others, driver.drains_until(), driver.about])
            }
        });
    }
    table
}

fn faults() -> Table {
    let mut table = vec![row(["name", "what happens", "what a wrong loop comes to"])];
    table.extend(fault::ALL.iter().map(|fault| row([fault.name, fault.about, fault.symptom])));
    table
}

fn disciplines() -> Table {
    vec![
        row(["name", "accepts per report"]),
        row(["one", "one"]),
        row(["drain", "until EWOULDBLOCK, or all that the wait brought"]),
        row(["budget:N", "as drain, N at most"]),
    ]
}

fn retry_sets() -> Table {
    let describe = |set: &RetrySet| match set {
        RetrySet::Stevens => "EINTR, EWOULDBLOCK, ECONNABORTED, EPROTO",
        RetrySet::Naive => "no error: the loop ends on any",
    };
    let mut table = vec![row(["name", "goes on after"])];
    table.extend(RetrySet::ALL.iter().map(|set| row([set.name(), describe(set)])));
    table
}

fn benchmarks() -> Table {
    let mut table = vec![row(["group", "parameters", "reference", "rounds"])];
    table.extend(bench::GROUPS.iter().map(|group| {
        let parameters: Vec<&str> = group.parameters.iter().copied().flatten().collect();
        let rounds = group.rounds.to_string();
        row([group.name, &parameters.join(", "), group.reference, &rounds])
    }));
    table
}
