//! `rstall explain`: a pitfall, what people believe of it and what happens, with what it comes
//! to on this machine.

use std::fmt::Write;
use std::process::ExitCode;

use anstyle::Style;
use clap::Args;
use rstall::fault::{self, Case, Cases, Fault};
use rstall::kernel::NATIVE;
use rstall::trial::{self, Cell, Timing};
use rstall::verdict::cases::fitting;
use rstall::verdict::judge::judge;
use rstall::{backend, interrupt, limits, pitfall};

use super::cell::names;
use super::colour;
use super::table::{Table, row, section};

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  rstall explain\n  rstall explain rival_in_window\n  rstall explain \
                        herd | less -R"
)]
pub struct Explain {
    /// The fault that shows it; a list of them if left out
    #[arg(value_parser = names(fault::ALL.iter().map(|f| f.name)))]
    pitfall: Option<String>,
}

impl Explain {
    pub fn run(&self) -> Result<ExitCode, String> {
        let Some(name) = &self.pitfall else {
            super::show(&list())?;
            return Ok(ExitCode::SUCCESS);
        };
        let entry = pitfall::of(name).ok_or_else(|| format!("there is no pitfall {name}"))?;
        super::show(&entry.text())?;
        limits::raise_open_files();
        interrupt::listen()?;
        super::show(&measured(entry.fault))?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Every pitfall by its fault and its title.
fn list() -> String {
    let mut table: Table = vec![row(["fault", "pitfall"])];
    table.extend(pitfall::all().map(|entry| row([entry.fault.name, entry.title])));
    let mut text = String::new();
    section(&mut text, "Pitfalls", &table);
    text.push_str("rstall explain FAULT tells all of one; rstall show FAULT draws it.\n");
    text
}

/// What the loop that falls ill and the one that is cured come to here, tried just now.
fn measured(fault: &'static Fault) -> String {
    let heading = Style::new().bold();
    let mut text = format!("\n{heading}Tried on this machine just now{heading:#}\n\n");
    let Some(cases) = &fault.cases else {
        text.push_str("It is a control: nothing goes wrong in it.\n");
        return text;
    };
    for (what, case) in [("ill", &cases.ill), ("cured", &cases.cured)] {
        let came = came(fault, cases, case).unwrap_or_else(|why| why);
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{what:6} {came}");
    }
    text.push_str("\nThe same step by step: rstall show ");
    text.push_str(fault.name);
    text.push_str(", and with --cured.\n");
    text
}

/// What one loop came to, and which it was.
///
/// # Errors
///
/// Why it could not be tried.
fn came(fault: &'static Fault, cases: &Cases, case: &Case) -> Result<String, String> {
    let name = fitting(fault, Some(cases), case)
        .ok_or("not tried: no backend of this machine can be tried so")?;
    let entry = backend::find(name).ok_or_else(|| format!("not tried: there is no {name}"))?;
    let cell = Cell::of(entry, fault, case)?;
    let timing = Timing { program: super::this_program(), ..Timing::default() };
    let record = trial::run(&cell, timing)?;
    let modelled = match case.kernel == NATIVE.name {
        true => String::new(),
        false => format!(", modelled {}", case.kernel),
    };
    let arm = if case.arm.is_empty() { String::new() } else { format!("{}, ", case.arm) };
    let of = format!(
        "{arm}{name} on a {} listener, {} {}{modelled}",
        case.mode.name(),
        case.discipline,
        case.retry.name()
    );
    Ok(match judge(&record, cell.driver) {
        Ok(judgement) => {
            format!("{}: {}; {of}", colour::verdict(judgement.verdict), judgement.seen)
        }
        Err(why) => format!("no verdict: {why}; {of}"),
    })
}
