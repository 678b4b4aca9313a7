//! From a run to finished strings for the template.

use askama::Template;

use super::ReportError;
use super::answer::{self, Finding};
use super::caveats::Caveats;
use super::charts::{self, Drawing, Frame, Trials};
use super::findings;
use super::links::Links;
use super::natural::{Half, Natural};
use super::number;
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
    chart: Option<Chart>,
    natural: Option<Natural>,
    standing: Vec<(String, String)>,
    groups: Vec<Group>,
    unreached: String,
    absent: Vec<Absent>,
    surroundings: Vec<Part>,
    caveats: Vec<(usize, &'static str)>,
}

/// The headline chart in two sizes.
struct Chart {
    wide: Drawing,
    narrow: Drawing,
    description: String,
}

/// The section of a group.
struct Group {
    anchor: String,
    name: String,
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
    /// Of a run.
    ///
    /// # Errors
    ///
    /// Where a chart cannot be drawn.
    pub fn of(run: &Run, links: &Links) -> Result<Page, ReportError> {
        let caveats = Caveats::of(run);
        let groups = run.groups.iter().enumerate();
        Ok(Page {
            version: run.rstall.clone(),
            host: host(run),
            began: run.began.clone(),
            record: links.record("run.json"),
            marks: marks(run),
            lead: answer::lead(run),
            findings: answer::findings(run),
            chart: chart(run)?,
            natural: Natural::of(run, &caveats),
            standing: standing(run),
            groups: groups.map(|(at, g)| group(at, g, &caveats, links)).collect(),
            unreached: unreached(run).join(", "),
            absent: findings::absent(run).iter().map(absent).collect(),
            surroundings: surroundings(run),
            caveats: caveats.list(),
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
    let failures = answer::failures(run);
    if failures > 0 {
        let why = "failed: a count came out wrong, a sample hung or a thread panicked.";
        marks.push(("failures", format!("{} {why}", number::of(failures, "cell"))));
    }
    marks
}

fn chart(run: &Run) -> Result<Option<Chart>, ReportError> {
    let Some(trials) = Trials::of(run) else {
        return Ok(None);
    };
    // The legend has one row a backend at the right, and one for two below.
    let backends = trials.backends.len().min(100) as i32;
    let wide = Frame { width: 1120, height: (40 + 24 * backends).max(500), legend_right: true };
    let narrow = Frame { width: 340, height: 390 + 10 * backends, legend_right: false };
    Ok(Some(Chart {
        wide: charts::stall(&trials, wide)?,
        narrow: charts::stall(&trials, narrow)?,
        description: trials.description(),
    }))
}

/// The groups' telling collections, and how their series stand to the reference.
fn standing(run: &Run) -> Vec<(String, String)> {
    let telling = findings::telling(run).into_iter();
    telling
        .map(|(group, collection, standing)| {
            let name = format!("{} against {}", title(group, collection), group.reference);
            (name, standing.words(NAMED, "\u{d7}"))
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

fn group(at: usize, group: &record::Group, caveats: &Caveats, links: &Links) -> Group {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let is_plain = !group.name.is_empty() && group.name.chars().all(plain);
    let anchor = if is_plain { group.name.clone() } else { at.to_string() };
    let collections = group.collections.iter().map(|c| collection(group, c, caveats, links));
    Group {
        anchor: format!("group-{anchor}"),
        name: group.name.clone(),
        about: group
            .about
            .split('`')
            .zip(std::iter::repeat([false, true]).flatten())
            .map(|(t, c)| (t.to_owned(), c))
            .collect(),
        reference: group.reference.clone(),
        collections: collections.collect(),
    }
}

fn collection(
    group: &record::Group,
    collection: &record::Collection,
    caveats: &Caveats,
    links: &Links,
) -> Collection {
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
    Collection {
        facts: format!("The value is the {}.{connections}{noise}", group.value),
        noisy: collection.control.is_some_and(|control| (control.point - 1.0).abs() > NOISY),
        skipped: collection.skipped.clone(),
        caption: format!("{name}: {}, all series, compared with {}", group.value, group.reference),
        table: table::table(group, collection, caveats, links),
        name,
    }
}

/// The groups that this rstall knows and the run does not have.
pub fn unreached(run: &Run) -> Vec<&'static str> {
    let known = GROUPS.iter().map(|group| group.name);
    known.filter(|name| run.groups.iter().all(|group| group.name != *name)).collect()
}

fn absent(absent: &findings::Absent<'_>) -> Absent {
    // One series of one group at many parameters is one entry.
    let mut ids: Vec<(String, Vec<&str>)> = Vec::new();
    for (group, collection, cell) in &absent.cells {
        let series = format!("{}/{}", group.name, cell.series);
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
