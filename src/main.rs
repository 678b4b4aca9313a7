//! The `rstall` program: what there is, one trial, the page again.

mod cli;

rstall::interpose_accept!();

use std::process::ExitCode;

use clap::Parser;
use rstall::bench::worker;

fn main() -> ExitCode {
    worker::run_if_asked();
    let arguments = cli::Cli::parse();
    match cli::run(arguments) {
        Ok(code) => code,
        Err(message) => {
            anstream::eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}
