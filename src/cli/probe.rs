//! `rstall probe`: what this kernel does with connections that are gone before accept.

use std::fmt::Write;
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use clap::Args;
use clap::builder::PossibleValuesParser;
use rstall::kernel::{self, Kernel};
use rstall::probe::{self, Experiment};
use rstall::{interpose, limits};

use super::table::{Table, row, section};

#[derive(Debug, Args)]
#[command(
    after_help = "Exit status: 0 probed, 1 not even TCP could be probed, 2 usage or not modelled.\n\n\
                  Examples:\n  rstall probe\n  rstall probe --json\n  rstall probe --kernel berkeley"
)]
pub struct Probe {
    /// The kernel to probe: this machine's own, or a modelled one
    #[arg(long, default_value = "native", value_parser = PossibleValuesParser::new(kernel::ALL.iter().map(|k| k.name)))]
    kernel: String,
    /// The whole record as JSON
    #[arg(long)]
    json: bool,
}

impl Probe {
    pub fn run(&self) -> Result<ExitCode, String> {
        // The parser lets only known names through.
        let kernel = kernel::find(&self.kernel).ok_or("no such kernel")?;
        if let (false, Err(reason)) = (kernel.is_native(), interpose::offered()) {
            anstream::eprintln!("{} is not modelled: {reason}", kernel.name);
            return Ok(ExitCode::from(2));
        }
        limits::raise_open_files();
        let probe = probe::run(kernel);
        if self.json {
            let text = serde_json::to_string_pretty(&probe).map_err(|error| error.to_string())?;
            super::show(&format!("{text}\n"))?;
        } else {
            super::show(&text(&probe, kernel))?;
        }
        let any_tcp = probe.experiments.iter().any(|e| e.transport.starts_with("tcp"));
        Ok(if any_tcp { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn text(probe: &probe::Probe, kernel: &Kernel) -> String {
    let bold = Style::new().bold();
    let on = match kernel.is_native() {
        true => format!("{} {}", probe.system, probe.release),
        false => format!("{} (modelled: {})", kernel.name, kernel.systems),
    };
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{bold}{on}{bold:#}: {}.", probe.verdict.words());
    if let Some(answer) = probe.verdict.answer {
        let _ = writeln!(text, "{}.", answer.meaning());
    }
    if probe.verdict.stale_readiness {
        let _ = writeln!(text, "The listener was reported ready for a connection that was gone.");
    }
    text.push('\n');
    section(&mut text, "A connection that its client has ended before accept", &experiments(probe));
    for experiment in probe.differing() {
        let _ = writeln!(text, "{}", difference(experiment));
    }
    if !probe.backends.is_empty() {
        section(&mut text, "What each backend's accept makes of a reset", &backends(probe));
    }
    if !probe.wakeups.is_empty() {
        section(&mut text, "How many waiters one connection wakes", &wakeups(probe));
    }
    let _ = writeln!(text, "{bold}O_NONBLOCK of a listener{bold:#}\n  {}.\n", inheritance(probe));
    if !probe.absent.is_empty() {
        let mut table = vec![row(["what", "why"])];
        table.extend(probe.absent.iter().map(|absent| row([&absent.what, &absent.why])));
        section(&mut text, "Not probed", &table);
    }
    text
}

fn experiments(probe: &probe::Probe) -> Table {
    let mut table = vec![row([
        "protocol",
        "ended by",
        "ready before, after",
        "accept",
        "address",
        "SO_ERROR",
        "state",
        "reads",
        "documented",
    ])];
    table.extend(probe.experiments.iter().map(|experiment| {
        let seen = &experiment.observed;
        let field = |field: &Option<String>| field.clone().unwrap_or_else(|| "-".to_owned());
        let ready = format!("{}, {}", field(&seen.ready_before), field(&seen.ready_after));
        let known = experiment.documented.fields().iter().filter(|(_, f)| f.is_some()).count();
        let documented = match (experiment.differs.as_slice(), known) {
            (_, 0) => "nothing".to_owned(),
            ([], _) => "the same".to_owned(),
            (differs, _) => format!("DIFFERS: {}", differs.join(", ")),
        };
        vec![
            experiment.transport.clone(),
            experiment.ending.clone(),
            ready,
            field(&seen.accept),
            field(&seen.address_length),
            field(&seen.so_error),
            field(&seen.tcp_state),
            field(&seen.reads),
            documented,
        ]
    }));
    table
}

/// Where what was seen is not what is documented.
fn difference(experiment: &Experiment) -> String {
    let red = Style::new().fg_color(Some(AnsiColor::Red.into())).bold();
    let pairs = experiment.observed.fields().into_iter().zip(experiment.documented.fields());
    let told = pairs.filter(|((name, _), _)| experiment.differs.iter().any(|d| d == name)).map(
        |((name, seen), (_, documented))| {
            format!("{name} {} (documented: {})", seen.unwrap_or("-"), documented.unwrap_or("-"))
        },
    );
    let told = told.collect::<Vec<_>>().join("; ");
    format!("{red}differs{red:#}: {}, {}: {told}\n", experiment.transport, experiment.ending)
}

fn backends(probe: &probe::Probe) -> Table {
    let mut table = vec![row(["backend", "its accept"])];
    table.extend(probe.backends.iter().map(|answer| row([&answer.backend, &answer.outcome])));
    table
}

fn wakeups(probe: &probe::Probe) -> Table {
    let mut table = vec![row([
        "each waits on an epoll of its own",
        "waiters",
        "mean",
        "connections by wake-ups",
    ])];
    table.extend(probe.wakeups.iter().map(|wakeups| {
        let counts: Vec<String> = wakeups
            .connections
            .iter()
            .map(|(woken, connections)| format!("{connections} woke {woken}"))
            .collect();
        let (waiters, mean) = (wakeups.waiters.to_string(), format!("{:.2}", wakeups.mean()));
        row([wakeups.trigger.name(), &waiters, &mean, &counts.join(", ")])
    }));
    table
}

fn inheritance(probe: &probe::Probe) -> String {
    let told = |inherits: bool| if inherits { "is inherited" } else { "is not inherited" };
    let Some(seen) = probe.inherits_nonblocking.map(told) else {
        return "It was not looked at whether accepted sockets inherit it".to_owned();
    };
    let beside = match (probe.inherits_nonblocking, probe.inherits_nonblocking_documented) {
        (Some(seen), Some(documented)) if seen == documented => ", as documented".to_owned(),
        (Some(_), Some(documented)) => format!(" (DIFFERS: documented: it {})", told(documented)),
        (_, None) | (None, _) => String::new(),
    };
    format!("It {seen} by the sockets that accept(2) gives{beside}")
}
