//! `rstall list`: what there is.

use std::process::ExitCode;

use clap::Args;
use rstall::backend::{self, Takes};
use rstall::outcome::RetrySet;
use rstall::{bench, fault, interpose, kernel};

use super::table::{Table, row, section};

#[derive(Debug, Args)]
pub struct List {}

impl List {
    pub fn run(&self) -> Result<ExitCode, String> {
        let mut text = String::new();
        section(&mut text, "Backends", &backends());
        section(&mut text, "Faults", &faults());
        section(&mut text, "Kernels", &kernels());
        section(&mut text, "Disciplines", &disciplines());
        section(&mut text, "Retry sets", &retry_sets());
        section(&mut text, "Benchmarks", &benchmarks());
        super::show(&text)?;
        Ok(ExitCode::SUCCESS)
    }
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
    let mut table = vec![row(["name", "arms", "what happens", "what a wrong loop comes to"])];
    table.extend(fault::ALL.iter().map(|fault| {
        let arms: Vec<&str> = fault.arms.iter().map(|arm| arm.name).collect();
        row([fault.name, &arms.join(", "), fault.about, fault.symptom])
    }));
    table
}

fn kernels() -> Table {
    let mut table =
        vec![row(["name", "stands for", "a connection that is aborted before accept", "is"])];
    table.extend(kernel::ALL.iter().map(|kernel| {
        let is = match (kernel.is_native(), interpose::offered()) {
            (true, _) => "observed",
            (false, Ok(())) => "modelled",
            (false, Err(reason)) => reason,
        };
        row([kernel.name, kernel.systems, kernel.about, is])
    }));
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
    let mut table = vec![row(["group", "parameters", "reference", "rounds", "kernel", ""])];
    table.extend(bench::GROUPS.iter().map(|group| {
        let parameters: Vec<&str> = group.parameters.iter().copied().flatten().collect();
        let rounds = group.rounds.to_string();
        let asked = if group.on_request { "runs where --kernel asks for it" } else { "" };
        let kernel = group.kernel.name;
        row([group.name, &parameters.join(", "), group.reference, &rounds, kernel, asked])
    }));
    table
}
