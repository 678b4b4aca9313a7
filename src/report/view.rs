//! From a run to finished strings for the template.

use askama::Template;

use super::ReportError;
use super::Source;
use super::answer;
use super::caveats::Caveats;
use super::charts::{self, Trials};
use super::drawing::Drawing;
use super::findings::{self, Finding};
use super::groups::{self, Group, title};
use super::kernels::{self, Kernels};
use super::map;
use super::natural::{Half, Natural, Short};
use super::number;
use super::pitfalls::{self, Pitfall};
use super::probe::Probed;
use super::remedies;
use super::runs::Runs;
use super::script;
use super::stalls::{self, FORCED};
use super::surroundings::{self, Part, host};
use super::table::Field;
use super::verdicts;
use crate::bench::GROUPS;
use crate::record::{self, Run};

/// How many ratios of a kind are named where the page is short.
const NAMED: usize = 5;

/// The page.
#[derive(Template)]
#[template(path = "page.html", config = "src/report/askama.toml")]
pub struct Page {
    version: String,
    host: String,
    began: String,
    record: String,
    marks: Vec<(&'static str, String)>,
    lead: String,
    findings: Vec<Finding>,
    /// What loops came to, in short.
    verdicts: Vec<verdicts::Line>,
    probed: Option<Probed>,
    chart: Option<Chart>,
    natural: Option<Natural>,
    unforced: Option<Short>,
    map: Result<map::Shown, String>,
    pitfalls: Vec<Pitfall>,
    remedies: Vec<remedies::Table>,
    kernels: Kernels,
    /// One a group of stalls on a modelled kernel, never with the native one.
    modelled: Vec<Chart>,
    standing: Vec<Standing>,
    modelled_standing: Vec<Standing>,
    groups: Vec<Group>,
    runs: Option<Runs>,
    unreached: String,
    absent: Vec<Absent>,
    surroundings: Vec<Part>,
    caveats: Vec<(usize, &'static str)>,
    policy: String,
}

/// A stall chart.
struct Chart {
    /// What its ids begin with.
    id: String,
    group: String,
    /// The kernel's name, where it is modelled, and with what it stands for.
    modelled: Option<String>,
    kernel: String,
    drawing: Drawing,
    description: String,
}

/// How the series of a group's telling collection stand to the reference.
struct Standing {
    name: String,
    /// The kernel's name, where it is modelled.
    modelled: Option<String>,
    words: String,
}

/// What was not measured for one and the same reason.
struct Absent {
    what: &'static str,
    why: String,
    count: String,
    ids: String,
}

impl Page {
    /// Of runs, the first in full and the others beside it.
    ///
    /// # Errors
    ///
    /// Where there is none, or a chart cannot be drawn.
    pub fn of(sources: &[Source<'_>]) -> Result<Page, ReportError> {
        let Some(Source { run, links, .. }) = sources.first() else {
            return Err(ReportError::Page("there is no run to show".to_owned()));
        };
        let caveats = Caveats::of(run);
        let natural = Natural::of(run, &caveats);
        let runs = Runs::of(sources);
        let (modelled_standing, standing) =
            standing(run).into_iter().partition(|standing| standing.modelled.is_some());
        let forced = stalls::native(run, FORCED).map(|group| chart(run, group, "chart".to_owned()));
        let modelled = stalls::modelled(run).enumerate();
        let modelled: Result<Vec<Option<Chart>>, ReportError> =
            modelled.map(|(at, group)| chart(run, group, format!("modelled-{at}"))).collect();
        Ok(Page {
            version: run.rstall.clone(),
            host: host(run),
            began: run.began.clone(),
            record: links.record("run.json"),
            marks: marks(run, runs.as_ref()),
            lead: answer::lead(run),
            findings: answer::findings(run),
            verdicts: verdicts::of(run),
            probed: Probed::of(run),
            chart: forced.transpose()?.flatten(),
            unforced: natural.as_ref().map(Natural::short),
            natural,
            map: map::of(run),
            pitfalls: pitfalls::of(run)?,
            remedies: remedies::of(run),
            kernels: Kernels::of(run),
            modelled: modelled?.into_iter().flatten().collect(),
            standing,
            modelled_standing,
            groups: groups::of(run, &caveats, links)?,
            runs,
            unreached: unreached(run).join(", "),
            absent: findings::absent(run).iter().map(absent).collect(),
            surroundings: surroundings::of(run),
            caveats: caveats.list(),
            policy: script::policy(),
        })
    }
}

/// What must be known of the whole run before anything is read.
fn marks(run: &Run, runs: Option<&Runs>) -> Vec<(&'static str, String)> {
    let mut marks = Vec::new();
    if let Some(runs) = runs.filter(|runs| !runs.differing.is_empty()) {
        let names = runs.differing.join(", ");
        let why = "not like the base in kernel, CPU, limits, versions or options: see the runs \
                   side by side.";
        marks.push(("runs differ", format!("{names}: {why}")));
    }
    if let Some(runs) = runs.filter(|runs| !runs.minded.is_empty()) {
        let names = runs.minded.join(", ");
        let why = "compared with the base under a reservation: see the runs side by side.";
        marks.push(("to be minded", format!("{names}: {why}")));
    }
    if run.interrupted {
        marks.push((
            "interrupted",
            "The run was ended early: what is here is what it had.".to_owned(),
        ));
    }
    if !run.options.optimised {
        let why = "Built without optimisation: no time here is one that a release build has.";
        marks.push(("unoptimised", why.to_owned()));
    }
    if let (true, Some(off)) = (run.is_noisy(), run.control()) {
        let why = "The reference differs from itself by";
        let means = "in the median of all controls: small differences are not to be trusted.";
        marks.push(("noisy", format!("{why} {} {means}", number::off(1.0 + off))));
    }
    if let Some(Ok(map)) = &run.map
        && !map.unexpected.is_empty()
    {
        let n = number::of(map.unexpected.len(), "cell");
        marks.push(("unexpected", format!("{n} of the map did not come to what the rules say.")));
    }
    let failures = answer::failures(run);
    if failures > 0 {
        let why = "failed: a count came out wrong, a sample hung or a thread panicked.";
        marks.push(("failures", format!("{} {why}", number::of(failures, "cell"))));
    }
    marks
}

fn chart(run: &Run, group: &record::Group, id: String) -> Result<Option<Chart>, ReportError> {
    let Some(trials) = Trials::of(group) else {
        return Ok(None);
    };
    Ok(Some(Chart {
        id,
        group: group.name.clone(),
        modelled: kernels::mark(group),
        kernel: kernels::words(run, group),
        drawing: charts::stall(&trials)?,
        description: trials.description(),
    }))
}

/// The groups' telling collections, and how their series stand to the reference.
fn standing(run: &Run) -> Vec<Standing> {
    let telling = findings::telling(run).into_iter();
    telling
        .map(|(group, collection, standing)| {
            let name = format!("{} against {}", title(group, collection), group.reference);
            let words = standing.words(NAMED, "\u{d7}");
            Standing { name, modelled: kernels::mark(group), words }
        })
        .collect()
}

/// The groups that this rstall knows and the run does not have.
pub fn unreached(run: &Run) -> Vec<String> {
    let unreached = GROUPS.iter().filter(|known| run.groups.iter().all(|g| g.name != known.name));
    let told = unreached.map(|group| match group.on_request {
        true => format!("{} (on request only)", group.name),
        false => group.name.to_owned(),
    });
    told.collect()
}

fn absent(absent: &findings::Absent<'_>) -> Absent {
    // One series of one group at many parameters is one entry.
    let mut ids: Vec<(String, Vec<&str>)> = Vec::new();
    for (group, collection, cell) in &absent.cells {
        let modelled = if group.is_modelled() { "modelled " } else { "" };
        let series = format!("{modelled}{}/{}", group.name, cell.series);
        let parameter = collection.parameter.as_deref();
        match ids.iter_mut().find(|(known, _)| *known == series) {
            Some((_, parameters)) => parameters.extend(parameter),
            None => ids.push((series, parameter.into_iter().collect())),
        }
    }
    let entry = |(series, parameters): (String, Vec<&str>)| match parameters.as_slice() {
        [] => series,
        [one] => format!("{series}/{one}"),
        many => format!("{series} ({})", many.join(", ")),
    };
    let what = if absent.what == "void" { "sample" } else { "cell" };
    Absent {
        what: absent.what,
        why: absent.why.to_owned(),
        count: number::of(absent.count, what),
        ids: ids.into_iter().map(entry).collect::<Vec<_>>().join(", "),
    }
}
