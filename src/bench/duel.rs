//! Two series of a group against each other, for as long as it takes to tell.
//!
//! The rounds are those of [`collect`](super::collect): each takes a sample of both in a fresh
//! random order, and one more of the second, as the control. After 10, 20, 40 … rounds the
//! ratio is looked at, and the duel ends once its interval is as narrow as was asked for.
//!
//! Who looks often finds a narrow interval by chance sooner or later, and one that does not
//! hold the truth. So the looks are fixed beforehand, and each interval is wide enough that all
//! of them together hold the truth 95 times in 100 (repeated confidence intervals: Jennison and
//! Turnbull 1989, "Interim Analyses: The Repeated Confidence Interval Approach"; the 5 % are
//! shared out evenly, as Bonferroni's inequality allows whatever the looks have in common).

use fastrand::Rng;
use serde::Serialize;

use super::collect::{Collected, Collector, Stopped};
use super::{Context, Group, Series, summary};
use crate::stats::{self, Error, Estimate, Ratio, block};

/// How many rounds are done before the first look.
pub const FIRST: usize = 10;

/// The share of duels whose intervals may miss the truth in one look or another.
const RISK: f64 = 0.05;

/// Neighbours that are more alike than this are worth a word.
const ALIKE: f64 = 0.3;

/// Which two, where, and how precisely.
#[derive(Debug)]
pub struct Duel {
    /// The group.
    pub group: &'static Group,
    /// Its parameter.
    pub parameter: Option<&'static str>,
    /// The two: the second is what the first is compared with.
    pub sides: [Series; 2],
    /// How far each end of the interval may be from its point, as a fraction of it.
    pub precision: f64,
    /// How many rounds there may be.
    pub most: usize,
}

/// The ratio, as far as it was known at a look.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Look {
    /// How many rounds had been done.
    pub rounds: usize,
    /// What the first takes over what the second takes, judged by the control.
    pub ratio: Ratio,
    /// The second's own second run over its first.
    pub control: Estimate,
    /// How much a round resembled the one before it, from 0 to 0.9.
    pub autocorrelation: f64,
}

/// How a duel ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "end", content = "why")]
pub enum End {
    /// The interval is as narrow as was asked for.
    Precise,
    /// All rounds are done and it is not: this is in the way.
    Imprecise(String),
    /// The user ended it.
    Interrupted,
}

/// What a duel came to.
#[derive(Clone, Debug, Serialize)]
pub struct Account {
    /// The looks, in order.
    pub looks: Vec<Look>,
    /// How it ended.
    pub end: End,
}

impl Duel {
    /// After how many rounds the ratio is looked at.
    pub fn looks(&self) -> Vec<usize> {
        let doubled = std::iter::successors(Some(FIRST), |rounds| rounds.checked_mul(2));
        doubled.take_while(|rounds| *rounds < self.most).chain([self.most]).collect()
    }

    /// Fights it out; `looked` is told of each look. Blocks until it ends, or the user
    /// interrupts: then what there is is looked at once more.
    ///
    /// # Errors
    ///
    /// Why one of the two cannot be measured, or is no more.
    pub fn fight(
        &self,
        context: &Context,
        mut looked: impl FnMut(&Look),
    ) -> Result<Account, String> {
        for side in &self.sides {
            side.subject.as_ref().map_err(|why| format!("{}: {why}", side.name))?;
        }
        let (group, parameter) = (self.group, self.parameter);
        let mut collector = Collector::open(context, group, parameter, &self.sides, Some(1))?;
        let mut rng = Rng::with_seed(context.seed);
        let planned = self.looks();
        let level = 1.0 - RISK / planned.len() as f64;
        let mut looks: Vec<Look> = Vec::new();
        for rounds in planned {
            collector.go_on(rounds, || ());
            let interrupted = collector.interrupted();
            if let [first, second, control] = collector.so_far() {
                self.standing([first, second, control])?;
                if let Some(look) = look([first, second, control], level, &mut rng) {
                    looked(&look);
                    looks.push(look);
                }
            }
            let precise = looks.last().is_some_and(|look| width(&look.ratio.raw) <= self.precision);
            match (interrupted, precise) {
                (true, _) => return Ok(Account { looks, end: End::Interrupted }),
                (false, true) => return Ok(Account { looks, end: End::Precise }),
                (false, false) => {}
            }
        }
        let last = looks.last().ok_or("no round gave a ratio: each sample was 0 ns long")?;
        let end = End::Imprecise(self.obstacle(last));
        Ok(Account { looks, end })
    }

    /// That both sides, and the control, still give samples.
    fn standing(&self, collected: [&Collected; 3]) -> Result<(), String> {
        let names = [&self.sides[0].name, &self.sides[1].name, &self.sides[1].name];
        for (name, side) in names.into_iter().zip(collected) {
            match &side.stopped {
                Some(Stopped::Skipped(why)) => return Err(format!("{name} was skipped: {why}")),
                Some(Stopped::Failed(why)) => return Err(format!("{name} failed: {why}")),
                None => {}
            }
        }
        Ok(())
    }

    /// What keeps the interval from being as narrow as was asked for, and how far it has to go.
    fn obstacle(&self, last: &Look) -> String {
        let width = width(&last.ratio.raw);
        let percent = |fraction: f64| format!("{:.1} %", 100.0 * fraction);
        let mut why = format!(
            "after {} rounds each end is within {} of the point, and not within {}",
            last.rounds,
            percent(width),
            percent(self.precision),
        );
        if last.autocorrelation > ALIKE {
            why.push_str("; rounds resemble the ones before them, so that more of them tell less");
        }
        if !last.control.holds(1.0) {
            let off = percent((last.control.point - 1.0).abs());
            why.push_str(&format!("; {} differs from itself by {off}", self.sides[1].name));
        }
        if self.precision > 0.0 {
            // An interval is as wide as the root of the rounds is small.
            let needed = last.rounds as f64 * (width / self.precision).powi(2);
            let rounds = two_digits(needed);
            why.push_str(&format!("; at this noise it would take about {rounds} rounds"));
        }
        why
    }
}

/// A number of rounds, rounded up to two significant digits.
fn two_digits(rounds: f64) -> f64 {
    let step = 10_f64.powf(rounds.log10().floor() - 1.0).max(1.0);
    (rounds / step).ceil() * step
}

/// How far the farther end of an interval is from its point, as a fraction of it.
fn width(estimate: &Estimate) -> f64 {
    (estimate.high / estimate.point - 1.0).max(1.0 - estimate.low / estimate.point)
}

/// Looks at what was collected: the first, the second, the control; in whole rounds.
fn look(collected: [&Collected; 3], level: f64, rng: &mut Rng) -> Option<Look> {
    let rounds = collected.iter().map(|one| one.samples.len()).min()?;
    let [first, second, control] = collected.map(|one| &one.samples[..rounds]);
    let ratios = summary::to_reference(first, second, control);
    let error = block::error(&ratios, stats::median, rng)?;
    let controls = summary::control(second, control);
    let of_control = block::error(&controls, stats::median, rng)?;
    let at = |error: Error, ratios: &[f64]| error.at_level(level, stats::median(ratios));
    let control = at(of_control, &controls);
    Some(Look {
        rounds,
        ratio: Ratio::of(at(error, &ratios), error, Some(control)),
        control,
        autocorrelation: block::autocorrelation(&ratios),
    })
}
