//! The command line: one file a command, dispatch here.

mod cell;
mod colour;
mod compare;
mod draw;
mod duel;
mod explain;
mod figures;
mod list;
mod matrix;
mod probe;
mod report;
mod show;
mod table;
mod trial;
mod verify;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Shows what accept loops do when a connection is gone before accept, and measures it.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Examples:\n  rstall list\n  rstall probe\n  rstall trial --backend poll --listener blocking --fault \
                  rival_in_window\n  rstall trial --backend epoll --listener nonblocking --fault \
                  rival_in_window --trials 1000\n  rstall show rival_in_window\n  rstall report\n\nThe benchmarks are run by `cargo \
                  bench`."
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Lists backends, what they can do and why some are absent, faults and benchmarks
    List(list::List),
    /// Runs one cell and prints it: a timeline of one trial, or the counts of many
    Trial(trial::Trial),
    /// Runs one trial of a fault and draws it, with a sentence for each step
    Show(show::Show),
    /// Tries every cell, and holds its verdict against what it had to come to
    Verify(verify::Verify),
    /// Tells what this machine's kernel does with connections that are gone before accept
    Probe(probe::Probe),
    /// Explains a pitfall: what people believe, what happens, the cure, and how to see it
    Explain(explain::Explain),
    /// Writes the page again, from a run on disk
    Report(report::Report),
    /// Compares two runs: what got better or worse, and what the data cannot tell
    Compare(compare::Compare),
    /// Measures two backends against each other, until their ratio is known as precisely as asked
    Duel(duel::Duel),
}

/// Runs the command.
///
/// # Errors
///
/// A message for the user: what failed and what to do next.
pub fn run(cli: Cli) -> Result<ExitCode, String> {
    match cli.command {
        Command::List(list) => list.run(),
        Command::Trial(trial) => trial.run(),
        Command::Show(show) => show.run(),
        Command::Verify(verify) => verify.run(),
        Command::Probe(probe) => probe.run(),
        Command::Explain(explain) => explain.run(),
        Command::Report(report) => report.run(),
        Command::Compare(compare) => compare.run(),
        Command::Duel(duel) => duel.run(),
    }
}

/// This program, to be started again for a trial that needs a process of its own. It is never
/// given back: it is asked once, and lives as long as the process.
fn this_program() -> Option<&'static Path> {
    // Without /proc, Linux tells no program where it is; how it was called may.
    let called = || std::env::args_os().next().map(PathBuf::from).filter(|path| path.is_file());
    let path = std::env::current_exe().ok().or_else(called)?;
    Some(Box::leak(path.into_boxed_path()))
}

/// Writes to standard output, without colour where it is piped or NO_COLOR is set. A reader
/// that has seen enough (`| head`) is no error.
fn show(text: &str) -> Result<(), String> {
    let mut output = anstream::stdout().lock();
    match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(format!("cannot write to standard output: {error}"))
        }
        _ => Ok(()),
    }
}
