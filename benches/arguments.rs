//! The arguments of `cargo bench --`: Criterion's, which are passed on, and rstall's own.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use regex::Regex;
use rstall::bench::handicap::Handicap;
use rstall::bench::{GROUPS, Group};
use rstall::kernel::{self, Kernel};

/// What is to be done with the benchmarks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Name them.
    List,
    /// Run each once and look that it works.
    Test,
    /// Collect in rounds: the default.
    Rounds,
    /// One after the other, as Criterion does by itself: asked for with `--quick` or a time.
    Sequential,
    /// Compare stored baselines, and measure nothing.
    Replay,
}

/// The arguments, parsed.
#[derive(Debug)]
pub struct Arguments {
    /// What is to be done.
    pub mode: Mode,
    /// How many rounds, where the user has said so.
    pub rounds: Option<usize>,
    /// Whether the user has set Criterion's own resamples and noise threshold.
    pub sets_resamples: bool,
    /// As `sets_resamples`.
    pub sets_noise: bool,
    /// The seed of everything that is random.
    pub seed: u64,
    /// The CPUs of the loop and of the clients.
    pub pin: Option<(usize, usize)>,
    /// The backend that is slowed down on purpose.
    pub handicap: Option<Handicap>,
    /// The kernels whose groups run; empty where the user has not said.
    kernels: Vec<&'static Kernel>,
    /// Where reports go.
    pub reports: PathBuf,
    /// The arguments as they were given.
    pub given: Vec<String>,
    filter: Filter,
    own_on_command_line: bool,
}

#[derive(Debug)]
enum Filter {
    All,
    Exact(String),
    Pattern(Regex),
}

/// rstall's own options; each has an environment variable too.
const OWN: [(&str, &str); 5] = [
    ("kernel", "RSTALL_KERNEL"),
    ("seed", "RSTALL_SEED"),
    ("pin", "RSTALL_PIN"),
    ("handicap", "RSTALL_HANDICAP"),
    ("reports", "RSTALL_REPORTS"),
];

/// Criterion's flags.
const FLAGS: &[&str] = &[
    "verbose",
    "quiet",
    "noplot",
    "discard-baseline",
    "ignored",
    "nocapture",
    "show-output",
    "include-ignored",
    "list",
    "exact",
    "quick",
    "test",
    "bench",
];

/// Criterion's options that take a value.
const VALUES: &[&str] = &[
    "color",
    "save-baseline",
    "baseline",
    "baseline-lenient",
    "format",
    "nresamples",
    "noise-threshold",
    "confidence-level",
    "significance-level",
    "plotting-backend",
    "output-format",
    "load-baseline",
    "warm-up-time",
    "measurement-time",
    "profile-time",
];

impl Arguments {
    /// Parses the process's arguments; a usage error or `--help` ends it.
    pub fn parse() -> Arguments {
        let matches = command().get_matches();
        Arguments::from(&matches).unwrap_or_else(|message| {
            command().error(clap::error::ErrorKind::InvalidValue, message).exit()
        })
    }

    fn from(matches: &ArgMatches) -> Result<Arguments, String> {
        let given = |name: &str| matches.value_source(name) == Some(ValueSource::CommandLine);
        let times = ["quick", "warm-up-time", "measurement-time", "profile-time"];
        let mode = if matches.get_flag("list") {
            Mode::List
        } else if matches.get_flag("test") || !matches.get_flag("bench") {
            // As Criterion does: without `--bench` it is `cargo test` that runs this.
            Mode::Test
        } else if given("load-baseline") {
            Mode::Replay
        } else if times.into_iter().any(given) {
            Mode::Sequential
        } else {
            Mode::Rounds
        };
        let filter = match matches.get_one::<String>("FILTER") {
            None => Filter::All,
            Some(filter) if matches.get_flag("exact") => Filter::Exact(filter.clone()),
            Some(filter) => Filter::Pattern(
                Regex::new(filter).map_err(|error| format!("not a filter: {error}"))?,
            ),
        };
        Ok(Arguments {
            mode,
            rounds: matches.get_one::<u64>("sample-size").and_then(|&n| n.try_into().ok()),
            sets_resamples: given("nresamples"),
            sets_noise: given("noise-threshold"),
            // A seed that nobody chose differs from run to run, and is recorded.
            seed: matches.get_one("seed").copied().unwrap_or_else(|| fastrand::u64(..1 << 32)),
            pin: matches.get_one::<String>("pin").map(|text| pin(text)).transpose()?,
            handicap: matches.get_one("handicap").cloned(),
            kernels: match matches.get_one::<String>("kernel") {
                Some(names) => names.split(',').map(kernel).collect::<Result<_, _>>()?,
                None => Vec::new(),
            },
            reports: matches
                .get_one("reports")
                .cloned()
                .unwrap_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/reports"))),
            given: env::args().skip(1).filter(|arg| arg != "--bench").collect(),
            filter,
            own_on_command_line: OWN.into_iter().any(|(name, _)| given(name)),
        })
    }

    /// The groups that run: on the kernels that were asked for, or on every one but those that
    /// run on request only.
    pub fn groups(&self) -> impl Iterator<Item = &'static Group> {
        GROUPS.iter().filter(|group| match self.kernels.as_slice() {
            [] => !group.on_request,
            asked => asked.contains(&group.kernel),
        })
    }

    /// Whether the filter lets a benchmark of this id run.
    pub fn selects(&self, id: &str) -> bool {
        match &self.filter {
            Filter::All => true,
            Filter::Exact(exact) => id == exact,
            Filter::Pattern(pattern) => pattern.is_match(id),
        }
    }

    /// Whether Criterion would stumble over the arguments or the environment as they are.
    pub fn needs_fresh_start(&self) -> bool {
        self.own_on_command_line || env::var_os("CRITERION_HOME").is_none()
    }

    /// The arguments without rstall's own.
    pub fn for_criterion(&self) -> Vec<OsString> {
        let mut arguments = Vec::new();
        let mut given = env::args_os().skip(1);
        while let Some(argument) = given.next() {
            let text = argument.to_string_lossy();
            let name = text.strip_prefix("--").map(|name| name.split('=').next().unwrap_or(name));
            if !OWN.iter().any(|(own, _)| name == Some(own)) {
                arguments.push(argument);
            } else if !text.contains('=') {
                given.next();
            }
        }
        arguments
    }

    /// rstall's own options as environment, and Criterion's folder, which the user's own
    /// setting overrides.
    pub fn environment(&self) -> Vec<(&'static str, OsString)> {
        let mut environment = vec![
            ("RSTALL_SEED", self.seed.to_string().into()),
            ("RSTALL_REPORTS", self.reports.clone().into_os_string()),
        ];
        if !self.kernels.is_empty() {
            let names: Vec<&str> = self.kernels.iter().map(|kernel| kernel.name).collect();
            environment.push(("RSTALL_KERNEL", names.join(",").into()));
        }
        if let Some((own, clients)) = self.pin {
            environment.push(("RSTALL_PIN", format!("{own},{clients}").into()));
        }
        if let Some(Handicap { backend, percent }) = &self.handicap {
            environment.push(("RSTALL_HANDICAP", format!("{backend}={percent}%").into()));
        }
        if env::var_os("CRITERION_HOME").is_none() {
            environment.push(("CRITERION_HOME", self.reports.join("criterion").into_os_string()));
        }
        environment
    }
}

fn kernel(name: &str) -> Result<&'static Kernel, String> {
    kernel::find(name).ok_or_else(|| {
        let known: Vec<&str> = kernel::ALL.iter().map(|kernel| kernel.name).collect();
        format!("no kernel is named {name}; there are {}", known.join(", "))
    })
}

fn pin(text: &str) -> Result<(usize, usize), String> {
    let cpus: Result<Vec<usize>, _> = text.split(',').map(str::parse).collect();
    match cpus.as_deref() {
        Ok([one]) => Ok((*one, *one)),
        Ok([own, clients]) => Ok((*own, *clients)),
        _ => Err(format!("--pin wants one CPU, or two as in 0,1, and not {text}")),
    }
}

fn command() -> Command {
    let own = |name: &'static str, variable: &'static str, value: &'static str| {
        Arg::new(name).long(name).env(variable).value_name(value).help_heading("rstall's options")
    };
    let mut command = Command::new("cargo bench --")
        .about("Collects rstall's benchmarks in rounds and hands the samples to Criterion.")
        .after_help(
            "Examples:\n  cargo bench\n  cargo bench -- stall/\n  cargo bench -- --kernel native\n  cargo bench -- --kernel svr4,posix\n  cargo bench -- --sample-size 20 \
             accept_burst\n  cargo bench -- --save-baseline before\n  cargo bench -- --pin 0,1\n\
             --quick, --warm-up-time, --measurement-time and --profile-time mean Criterion's own \
             sequential mode.",
        )
        .arg(Arg::new("FILTER").help("A regular expression on group/backend/parameter"))
        .arg(own("kernel", "RSTALL_KERNEL", "NAME[,NAME]").help(
            "Runs the groups of these kernels only, and those that run on request: native, \
             berkeley, svr4, posix",
        ))
        .arg(
            own("seed", "RSTALL_SEED", "N")
                .value_parser(value_parser!(u64))
                .help("The seed of the rounds' order and of the planned arrivals"),
        )
        .arg(
            own("pin", "RSTALL_PIN", "CPU[,CPU]")
                .help("Puts the loop on the first CPU and the clients on the second"),
        )
        .arg(
            own("handicap", "RSTALL_HANDICAP", "BACKEND=PERCENT%")
                .value_parser(value_parser!(Handicap))
                .help("Slows a backend down on purpose, to see whether a comparison finds it"),
        )
        .arg(
            own("reports", "RSTALL_REPORTS", "DIR")
                .value_parser(value_parser!(PathBuf))
                .help("Where reports go instead of reports/"),
        )
        .arg(
            Arg::new("sample-size")
                .long("sample-size")
                .value_name("N")
                .value_parser(value_parser!(u64).range(10..))
                .help("How many rounds; at least 10"),
        );
    let short = |name: &str| match name {
        "verbose" => Some('v'),
        "noplot" => Some('n'),
        "color" => Some('c'),
        "save-baseline" => Some('s'),
        "baseline" => Some('b'),
        _ => None,
    };
    for &name in FLAGS {
        let flag = Arg::new(name).long(name).short(short(name)).action(ArgAction::SetTrue);
        command = command.arg(flag.help_heading("Criterion's options"));
    }
    for &name in VALUES {
        let value = Arg::new(name).long(name).short(short(name)).num_args(1);
        command = command.arg(value.help_heading("Criterion's options"));
    }
    command
}
