//! The numbers of a group: a chart of its medians, and for each parameter a table of all series
//! and a chart of their latencies.

use super::ReportError;
use super::caveats::Caveats;
use super::drawing::Drawing;
use super::kernels;
use super::links::Links;
use super::medians::Medians;
use super::number;
use super::percentiles::Percentiles;
use super::table::{self, Table};
use crate::record::{self, NOISY, Run};

/// The section of a group.
#[derive(Debug)]
pub struct Group {
    /// Its id.
    pub anchor: String,
    /// Its name.
    pub name: String,
    /// The kernel's name, where it is modelled.
    pub modelled: Option<String>,
    /// Its parts, and whether each is code.
    pub about: Vec<(String, bool)>,
    /// The series that ratios are to.
    pub reference: String,
    /// Its medians, where it has any.
    pub chart: Option<Chart>,
    /// Its tables.
    pub collections: Vec<Collection>,
}

/// A drawing, and the same in words.
#[derive(Debug)]
pub struct Chart {
    /// What it shows.
    pub title: String,
    /// What is to be seen in it.
    pub description: String,
    /// The drawing.
    pub drawing: Drawing,
}

/// The table of a parameter, and what is said above it.
#[derive(Debug)]
pub struct Collection {
    /// Its group, and its parameter where it has one.
    pub name: String,
    /// What is to be known of it.
    pub facts: String,
    /// Whether its control is off by too much.
    pub noisy: bool,
    /// Why nothing could be measured.
    pub skipped: Option<String>,
    /// The table's caption.
    pub caption: String,
    /// The table.
    pub table: Table,
    /// Its latencies by percentile, where it has any.
    pub chart: Option<Chart>,
}

/// The groups of a run: the modelled ones stand apart, behind the others.
///
/// # Errors
///
/// Where a chart cannot be drawn.
pub fn of(run: &Run, caveats: &Caveats, links: &Links) -> Result<Vec<Group>, ReportError> {
    let mut places: Vec<usize> = (0..run.groups.len()).collect();
    places.sort_by_key(|&at| run.groups[at].is_modelled());
    places.into_iter().map(|at| group(at, run, caveats, links)).collect()
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
    let title = format!("{}medians of {}", prefix(group), group.name);
    let medians = Medians::of(title.clone(), group);
    let chart = medians.map(|medians| {
        let description = medians.description();
        Ok(Chart { title, description, drawing: medians.draw()? })
    });
    Ok(Group {
        name: group.name.clone(),
        modelled: kernels::mark(group),
        about: kernels::code(&group.about),
        reference: group.reference.clone(),
        chart: chart.transpose()?,
        collections: collections.collect::<Result<_, _>>()?,
        anchor: format!("group-{anchor}"),
    })
}

/// What stands before all that a modelled kernel brought about: a drawing must not lose that
/// where it is cut out of the page.
fn prefix(group: &record::Group) -> String {
    kernels::mark(group).map_or_else(String::new, |kernel| format!("modelled, {kernel}: "))
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
    let title = format!("{}latency by percentile, {name}", prefix(group));
    let chart = Percentiles::of(title.clone(), collection).map(|percentiles| {
        let description = percentiles.description();
        Ok(Chart { title, description, drawing: percentiles.draw()? })
    });
    Ok(Collection {
        facts: format!("The value is the {}.{connections}{noise}", group.value),
        noisy: collection.control.is_some_and(|control| (control.point - 1.0).abs() > NOISY),
        skipped: collection.skipped.clone(),
        caption: format!(
            "{modelled}{name}: {}, all series, compared with {}",
            group.value, group.reference
        ),
        table: table::table(group, collection, caveats, links),
        chart: chart.transpose()?,
        name,
    })
}
