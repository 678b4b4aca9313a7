//! From a run to finished strings for the template.

use askama::Template;

use super::ReportError;
use super::Source;
use super::answer;
use super::caveats::Caveats;
use super::charts::{self, Drawing, Frame, Trials};
use super::findings;
use super::findings::Finding;
use super::kernels::{self, Kernels};
use super::links::Links;
use super::map;
use super::natural::{Half, Natural};
use super::number;
use super::percentiles::Percentiles;
use super::pitfalls::{self, Pitfall};
use super::probe::Probed;
use super::remedies;
use super::runs::Runs;
use super::script;
use super::stalls::{self, FORCED};
use super::table::{self, Field, Table};
use crate::bench::GROUPS;
use crate::record::{self, NOISY, Run};

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
    probed: Option<Probed>,
    chart: Option<Chart>,
    natural: Option<Natural>,
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

/// A stall chart in two sizes.
struct Chart {
    /// What its ids begin with.
    id: String,
    group: String,
    /// The kernel's name, where it is modelled, and with what it stands for.
    modelled: Option<String>,
    kernel: String,
    /// Each with the class that says where it is shown.
    drawings: [(&'static str, Drawing); 2],
    description: String,
}

/// How the series of a group's telling collection stand to the reference.
struct Standing {
    name: String,
    /// The kernel's name, where it is modelled.
    modelled: Option<String>,
    words: String,
}

/// The section of a group.
struct Group {
    anchor: String,
    name: String,
    /// The kernel's name, where it is modelled.
    modelled: Option<String>,
    /// Its parts, and whether each is code.
    about: Vec<(String, bool)>,
    reference: String,
    collections: Vec<Collection>,
}

/// The table of a parameter, and what is said above it.
struct Collection {
    name: String,
    facts: String,
    noisy: bool,
    skipped: Option<String>,
    caption: String,
    table: Table,
    /// Its latencies by percentile, and the same in words.
    percentiles: Option<(Drawing, String)>,
}

/// What was not measured for one and the same reason.
struct Absent {
    what: &'static str,
    why: String,
    count: String,
    ids: String,
}

/// Names and values.
struct Part {
    name: &'static str,
    facts: Vec<(String, String)>,
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
        let mut groups: Vec<(usize, &record::Group)> = run.groups.iter().enumerate().collect();
        // The modelled ones stand apart, behind the others.
        groups.sort_by_key(|(_, group)| group.is_modelled());
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
            marks: marks(run),
            lead: answer::lead(run),
            findings: answer::findings(run),
            probed: Probed::of(run),
            chart: forced.transpose()?.flatten(),
            natural: Natural::of(run, &caveats),
            map: map::of(run),
            pitfalls: pitfalls::of(run)?,
            remedies: remedies::of(run),
            kernels: Kernels::of(run),
            modelled: modelled?.into_iter().flatten().collect(),
            standing,
            modelled_standing,
            groups: groups
                .into_iter()
                .map(|(at, _)| group(at, run, &caveats, links))
                .collect::<Result<_, _>>()?,
            runs: Runs::of(sources),
            unreached: unreached(run).join(", "),
            absent: findings::absent(run).iter().map(absent).collect(),
            surroundings: surroundings(run),
            caveats: caveats.list(),
            policy: script::policy(),
        })
    }
}

/// The machine in one line.
pub fn host(run: &Run) -> String {
    let host = &run.host;
    let cpu = host.cpu.as_deref().unwrap_or("unknown CPU");
    let cpus = number::of(host.cpus, "CPU");
    format!("{} {}, {}, {cpu}, {cpus}", host.system, host.kernel, host.architecture)
}

/// What must be known of the whole run before anything is read.
fn marks(run: &Run) -> Vec<(&'static str, String)> {
    let mut marks = Vec::new();
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
    // The legend has one row a backend at the right, and one for two below.
    let backends = trials.backends.len().min(100) as i32;
    let wide = Frame { width: 1120, height: (40 + 24 * backends).max(420), legend_right: true };
    let narrow = Frame { width: 340, height: 390 + 10 * backends, legend_right: false };
    Ok(Some(Chart {
        id,
        group: group.name.clone(),
        modelled: kernels::mark(group),
        kernel: kernels::words(run, group),
        drawings: [
            ("wide", charts::stall(&trials, wide)?),
            ("narrow", charts::stall(&trials, narrow)?),
        ],
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

/// What a collection is called: its group, and its parameter where it has one.
pub fn title(group: &record::Group, collection: &record::Collection) -> String {
    match &collection.parameter {
        Some(parameter) => format!("{}/{parameter}", group.name),
        None => group.name.clone(),
    }
}

fn group(at: usize, run: &Run, caveats: &Caveats, links: &Links) -> Result<Group, ReportError> {
    let group = &run.groups[at];
    // Named after the group where that is plain and nobody else's, else after its place.
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let is_first = run.groups[..at].iter().all(|before| before.name != group.name);
    let anchor = match is_first && !group.name.is_empty() && group.name.chars().all(is_plain) {
        true => group.name.clone(),
        false => format!("at-{at}"),
    };
    let collections = group.collections.iter().map(|c| collection(group, c, caveats, links));
    Ok(Group {
        anchor: format!("group-{anchor}"),
        name: group.name.clone(),
        modelled: kernels::mark(group),
        about: kernels::code(&group.about),
        reference: group.reference.clone(),
        collections: collections.collect::<Result<_, _>>()?,
    })
}

fn collection(
    group: &record::Group,
    collection: &record::Collection,
    caveats: &Caveats,
    links: &Links,
) -> Result<Collection, ReportError> {
    let name = title(group, collection);
    let connections = match collection.elements {
        0 | 1 => String::new(),
        n => format!(" One iteration stands for {} connections.", number::count(n)),
    };
    let noise = match &collection.control {
        Some(control) => format!(
            " Noise floor: {} against itself {}\u{d7} {}, off by {}.",
            group.reference,
            number::ratio(control.point),
            number::ratio_interval(control),
            number::off(control.point)
        ),
        None => format!(" {} was not run twice here: there is no noise floor.", group.reference),
    };
    let modelled = match kernels::mark(group) {
        Some(kernel) => format!("Modelled, {kernel}: "),
        None => String::new(),
    };
    let latencies = Percentiles::of(collection);
    let drawn = latencies.map(|drawn| Ok((drawn.draw()?, drawn.description())));
    Ok(Collection {
        percentiles: drawn.transpose()?,
        facts: format!("The value is the {}.{connections}{noise}", group.value),
        noisy: collection.control.is_some_and(|control| (control.point - 1.0).abs() > NOISY),
        skipped: collection.skipped.clone(),
        caption: format!(
            "{modelled}{name}: {}, all series, compared with {}",
            group.value, group.reference
        ),
        table: table::table(group, collection, caveats, links),
        name,
    })
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

fn surroundings(run: &Run) -> Vec<Part> {
    let (host, options) = (&run.host, &run.options);
    let fact = |name: &str, value: String| (name.to_owned(), value);
    let map = |map: &std::collections::BTreeMap<String, String>| -> Vec<(String, String)> {
        map.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
    };
    let pin = options.pin.map_or_else(
        || "none".to_owned(),
        |(server, clients)| format!("loop on CPU {server}, clients on CPU {clients}"),
    );
    let arguments =
        if options.arguments.is_empty() { "none".to_owned() } else { options.arguments.join(" ") };
    vec![
        Part {
            name: "Machine",
            facts: vec![
                fact("System", format!("{} {}", host.system, host.kernel)),
                fact("Architecture", host.architecture.clone()),
                fact("CPU", host.cpu.clone().unwrap_or_else(|| "unknown".to_owned())),
                fact("CPUs in use", host.cpus.to_string()),
            ],
        },
        Part {
            name: "Run",
            facts: vec![
                fact("Began", run.began.clone()),
                fact("Arguments", arguments),
                fact("Seed", options.seed.to_string()),
                fact("Pinned", pin),
                fact("Optimised build", if options.optimised { "yes" } else { "no" }.to_owned()),
                fact("Ended early", if run.interrupted { "yes" } else { "no" }.to_owned()),
                fact("Record format", run.schema.to_string()),
            ],
        },
        Part { name: "Limits and settings", facts: map(&host.limits) },
        Part { name: "Versions", facts: map(&host.versions) },
    ]
}
