//! `cargo bench`: collects every group in rounds, hands the samples to Criterion, writes
//! rstall's own page, and ends with a dozen lines that a person can read.

mod adapter;
mod arguments;

rstall::interpose_accept!();

use std::env;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use arguments::{Arguments, Mode};
use rstall::bench::session::Session;
use rstall::bench::{Context, handicap, worker};
use rstall::record::Options;
use rstall::report::{self, Links, ReportError, Source};
use rstall::{interrupt, limits};

fn main() -> ExitCode {
    worker::run_if_asked();
    let arguments = Arguments::parse();
    if arguments.needs_fresh_start() {
        return start_again(&arguments);
    }
    let outcome = interrupt::listen().and_then(|()| run(&arguments));
    outcome.unwrap_or_else(|message| {
        eprintln!("error: {message}");
        ExitCode::FAILURE
    })
}

/// Criterion reads its folder from the environment and refuses options that are not its own:
/// so this program starts itself again, with both as Criterion wants them.
fn start_again(arguments: &Arguments) -> ExitCode {
    let program = match env::current_exe() {
        Ok(program) => program,
        Err(error) => {
            eprintln!("error: cannot find this program to start it again: {error}");
            return ExitCode::FAILURE;
        }
    };
    let error =
        Command::new(program).args(arguments.for_criterion()).envs(arguments.environment()).exec();
    eprintln!("error: cannot start this program again: {error}");
    ExitCode::FAILURE
}

fn run(arguments: &Arguments) -> Result<ExitCode, String> {
    limits::raise_open_files();
    let worker =
        env::current_exe().map_err(|error| format!("cannot find this program: {error}"))?;
    if let Some(handicap) = &arguments.handicap {
        eprintln!("warning: slowed down on purpose: {handicap}");
        handicap::put_in_force(handicap.clone());
    }
    let context = Context { pin: arguments.pin, ..Context::new(worker, arguments.seed) };
    match arguments.mode {
        Mode::List | Mode::Test | Mode::Sequential => adapter::one_by_one(arguments, &context),
        Mode::Replay => {
            adapter::replay_stored(arguments);
            Ok(ExitCode::SUCCESS)
        }
        Mode::Rounds => in_rounds(arguments, context),
    }
}

/// Writes the page of the run, and returns its path.
fn page(
    reports: &Path,
    session: &Session,
    criterion: Option<&Path>,
) -> Result<PathBuf, ReportError> {
    let (run, folder) = (session.run(), session.folder());
    let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let links = Links::look(reports, run, folder, criterion);
    let path = reports.join(report::PAGE);
    report::write(&path, &[Source { name, run, links }])?;
    Ok(path)
}

fn in_rounds(arguments: &Arguments, context: Context) -> Result<ExitCode, String> {
    let options = Options {
        arguments: arguments.given.clone(),
        seed: arguments.seed,
        pin: arguments.pin,
        handicap: arguments.handicap.clone(),
        optimised: !cfg!(debug_assertions),
    };
    let reports = &arguments.reports;
    let mut session = Session::begin(reports, context, options)
        .map_err(|error| format!("{error}\nhelp: name another folder with --reports DIR"))?;
    adapter::map(&mut session);
    adapter::timelines(&mut session);
    adapter::in_rounds(arguments, &mut session);
    let criterion = env::var_os("CRITERION_HOME").map(PathBuf::from);
    let page = page(reports, &session, criterion.as_deref());
    if let Err(error) = &page {
        session.trouble(error.to_string());
    }
    println!();
    let page = page.ok();
    for line in report::closing(session.run(), page.as_deref(), session.troubles()) {
        println!("{line}");
    }
    Ok(match (session.run().interrupted, session.troubles().is_empty()) {
        (true, _) => ExitCode::from(130),
        (false, true) => ExitCode::SUCCESS,
        (false, false) => ExitCode::FAILURE,
    })
}
