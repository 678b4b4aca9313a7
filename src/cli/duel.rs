//! `rstall duel`: two backends against each other, until the data can tell them apart or never
//! will.

use std::fmt::Write;
use std::process::ExitCode;

use clap::Args;
use rstall::bench::duel::{self, Account, End, FIRST, Look};
use rstall::bench::{self, Context, Group, Series};
use rstall::compare;
use rstall::{interrupt, limits};

/// The exit status of a duel that could not be fought.
const TROUBLE: u8 = 2;

#[derive(Debug, Args)]
#[command(
    after_help = "A round takes one sample of each, and one more of the second: what that differs \
                  from itself is the control. The ratio is looked at after 10, 20, 40 ... rounds; \
                  the intervals are wide enough for all of the looks together.\n\nExit status: 0 \
                  the interval is as narrow as asked, 1 it is not, 2 the two could not be \
                  measured, 130 interrupted.\n\nExamples:\n  rstall duel mio poll --bench \
                  accept_burst/16\n  rstall duel epoll poll --bench connect_to_accept --precision \
                  1% --rounds 640\n  rstall duel poll-blocking poll-nonblocking --bench stall/2"
)]
pub struct Duel {
    /// The one: a backend, or a series of the group (poll-blocking, floor)
    #[arg(value_name = "BACKEND")]
    first: String,
    /// The other, with which it is compared
    #[arg(value_name = "BACKEND")]
    second: String,
    /// What is measured; the group's first parameter if left out. See `rstall list`
    #[arg(long, value_name = "GROUP[/PARAMETER]")]
    bench: String,
    /// How near to the ratio both ends of its interval are to come
    #[arg(long, default_value = "2%", value_parser = super::compare::percent)]
    precision: f64,
    /// After how many rounds to give up
    #[arg(long, default_value_t = 320, value_name = "MAX",
          value_parser = clap::value_parser!(u32).range(FIRST as i64..=100_000))]
    rounds: u32,
    /// The seed of the rounds' order
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// What it came to as JSON
    #[arg(long)]
    json: bool,
}

impl Duel {
    pub fn run(&self) -> Result<ExitCode, String> {
        self.fought().or_else(|message| {
            anstream::eprintln!("error: {message}");
            Ok(ExitCode::from(TROUBLE))
        })
    }

    fn fought(&self) -> Result<ExitCode, String> {
        let (group, parameter) = self.group()?;
        let duel = duel::Duel {
            group,
            parameter,
            sides: [side(group, parameter, &self.first)?, side(group, parameter, &self.second)?],
            precision: self.precision,
            most: self.rounds as usize,
        };
        limits::raise_open_files();
        interrupt::listen()?;
        let program = super::this_program()
            .ok_or("cannot find this program to start it again as a worker")?;
        let seed = self.seed.unwrap_or_else(|| fastrand::u64(..1 << 32));
        let context = Context::new(program.to_owned(), seed);
        if !self.json {
            super::show(&self.head(&duel, seed))?;
        }
        // Whoever reads along may have seen enough; the duel goes on to its end.
        let mut told = Ok(());
        let account = duel.fight(&context, |look| {
            if !self.json && told.is_ok() {
                told = super::show(&line(look));
            }
        })?;
        told?;
        let text = match self.json {
            true => serde_json::to_string(&account).map_err(|error| error.to_string())? + "\n",
            false => self.verdict(&account),
        };
        super::show(&text)?;
        Ok(match account.end {
            End::Precise => ExitCode::SUCCESS,
            End::Imprecise(_) => ExitCode::FAILURE,
            End::Interrupted => ExitCode::from(130),
        })
    }

    /// The group and the parameter that were asked for.
    fn group(&self) -> Result<(&'static Group, Option<&'static str>), String> {
        let (name, parameter) = match self.bench.split_once('/') {
            Some((name, parameter)) => (name, Some(parameter)),
            None => (&*self.bench, None),
        };
        let group = bench::find(name).ok_or_else(|| {
            let known: Vec<&str> = bench::GROUPS.iter().map(|group| group.name).collect();
            format!("there is no group {name}; there are {}", known.join(", "))
        })?;
        let Some(parameter) = parameter else {
            return Ok((group, group.parameters.first().copied().flatten()));
        };
        let known: Vec<&'static str> = group.parameters.iter().copied().flatten().collect();
        match known.iter().find(|known| **known == parameter) {
            Some(parameter) => Ok((group, Some(parameter))),
            None if known.is_empty() => Err(format!("{name} has no parameters")),
            None => {
                Err(format!("{name} has no parameter {parameter}; it has {}", known.join(", ")))
            }
        }
    }

    fn head(&self, duel: &duel::Duel, seed: u64) -> String {
        let [first, second] = &duel.sides;
        let id = bench::id(duel.group.name, "*", duel.parameter).replace("/*", "");
        let label = match duel.group.kernel.is_native() {
            true => String::new(),
            false => format!("modelled {}: ", duel.group.kernel.name),
        };
        let looks: Vec<String> = duel.looks().iter().map(usize::to_string).collect();
        let built =
            if cfg!(debug_assertions) { "warning: built without optimisation\n" } else { "" };
        format!(
            "{built}{label}{id}, {} against {}, seed {seed}; looks after {} rounds\n{:>8}  {:<24}  \
             control\n",
            first.name,
            second.name,
            looks.join(", "),
            "rounds",
            "ratio",
        )
    }

    fn verdict(&self, account: &Account) -> String {
        let mut text = String::new();
        if let Some(Look { ratio, .. }) = account.looks.last() {
            let (first, second) = (&self.first, &self.second);
            let spelt = ratio.judged.as_ratio();
            // Writing to a String cannot fail.
            let _ = match ratio.is_tie() {
                true => writeln!(text, "A tie: {first} takes {spelt} of what {second} takes."),
                false => {
                    let word = if ratio.raw.point > 1.0 { "slower" } else { "faster" };
                    writeln!(text, "{first} is {word}: it takes {spelt} of what {second} takes.")
                }
            };
        }
        let precision = 100.0 * self.precision;
        let _ = match &account.end {
            End::Precise => writeln!(text, "Known to within {precision:.1} % before the control."),
            End::Imprecise(why) => writeln!(text, "Not as narrow as asked: {why}."),
            End::Interrupted => writeln!(text, "Interrupted: this is what was known by then."),
        };
        text
    }
}

/// The series of that name, or the only one of that backend.
fn side(group: &Group, parameter: Option<&str>, name: &str) -> Result<Series, String> {
    let all = group.series(parameter);
    let fit = |series: &Series| match &series.subject {
        Ok(_) => Ok(series.clone()),
        Err(why) => Err(format!("{}: {why}", series.name)),
    };
    if let Some(exact) = all.iter().find(|series| series.name == name) {
        return fit(exact);
    }
    let those: Vec<&Series> =
        all.iter().filter(|series| compare::backend(&series.name) == name).collect();
    let names =
        |those: &[&Series]| those.iter().map(|series| &*series.name).collect::<Vec<_>>().join(", ");
    match those[..] {
        [one] => fit(one),
        [] => {
            let has = names(&all.iter().collect::<Vec<_>>());
            Err(format!("{} has no series of {name}; it has {has}", group.name))
        }
        _ => Err(format!("{} has several of {name}: name one of {}", group.name, names(&those))),
    }
}

fn line(look: &Look) -> String {
    let (ratio, control) = (look.ratio.raw.as_ratio(), look.control.as_ratio());
    format!("{:>8}  {ratio:<24}  {control}\n", look.rounds)
}
