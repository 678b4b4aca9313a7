//! The lines at the end of `cargo bench`.

use std::path::Path;

use super::answer;
use super::findings::{self, Finding, telling};
use super::map;
use super::number;
use super::view;
use crate::record::{Run, plain};

/// How many ratios of a kind, or failed cells, a line names; the others are counted.
const NAMED: usize = 3;

/// How many troubles get a line of their own.
const TROUBLES: usize = 3;

/// What a person should know at the end of a run, in about a dozen lines of plain text: what was
/// found, which differences are real, how large the noise is, what is missing, and where the
/// page is. `page` is `None` where there is none; `troubles` are what went wrong.
pub fn closing(run: &Run, page: Option<&Path>, troubles: &[String]) -> Vec<String> {
    let mut lines = Vec::new();
    let system = format!("{} {}", run.host.system, run.host.kernel);
    let ended = if run.interrupted { ", ended early" } else { "" };
    let build = if run.options.optimised { "" } else { ", built without optimisation" };
    let slowed = run.options.handicap.as_ref();
    let slowed = slowed.map_or_else(String::new, |by| format!(", slowed down on purpose: {by}"));
    lines.push(format!("rstall {} on {system}{ended}{build}{slowed}", run.rstall));
    lines.extend(answer::findings(run).iter().map(sentence));
    for (group, collection, standing) in telling(run) {
        let parameter = collection.parameter.as_ref().map_or_else(String::new, |p| format!("/{p}"));
        let words = standing.words(NAMED, "x");
        let label = match group.is_modelled() {
            true => format!("Modelled {}: ", group.kernel),
            false => String::new(),
        };
        let name = format!("{}{parameter} against {}", group.name, group.reference);
        lines.push(format!("{label}{name}: {words}"));
    }
    lines.extend(map::line(run));
    lines.extend(answer::noise(run).map(|noise| format!("Noise floor: {noise}")));
    lines.push(missing(run));
    lines.extend(troubles.iter().take(TROUBLES).map(|trouble| format!("Trouble: {trouble}")));
    if troubles.len() > TROUBLES {
        lines.push(format!("and {} more", number::of(troubles.len() - TROUBLES, "trouble")));
    }
    lines.push(match page {
        Some(page) => format!("Report: {}", page.display()),
        None => "Report: none was written".to_owned(),
    });
    lines.iter().map(|line| plain(line)).collect()
}

fn sentence(finding: &Finding) -> String {
    format!("{} {}", finding.figure, finding.text)
}

/// What was not measured, by kind.
fn missing(run: &Run) -> String {
    let absent = findings::absent(run);
    let kinds = ["failed", "void", "skipped", "interrupted", "not selected"];
    let told = kinds.into_iter().filter_map(|kind| {
        let all = || absent.iter().filter(|one| one.what == kind);
        let what = if kind == "void" { "sample" } else { "cell" };
        let count = all().fold(0, |sum: usize, one| sum.saturating_add(one.count));
        let reasons = all().filter(|one| !one.why.is_empty()).count();
        let ids: Vec<&str> =
            all().flat_map(|one| &one.cells).map(|(_, _, cell)| cell.id.as_str()).collect();
        let detail = match (kind, reasons) {
            (_, 0) => String::new(),
            // What failed is worth its name.
            ("failed", _) if ids.len() <= NAMED => format!(" ({})", ids.join(", ")),
            (_, n) => format!(" for {}", number::of(n, "reason")),
        };
        (count > 0).then(|| format!("{} {kind}{detail}", number::of(count, what)))
    });
    let mut told: Vec<String> = told.collect();
    if !absent.iter().any(|one| one.what == "failed") {
        told.insert(0, "nothing failed".to_owned());
    }
    let unreached = view::unreached(run);
    if !unreached.is_empty() {
        told.push(format!("not in this run: {}", unreached.join(", ")));
    }
    format!("Missing: {}", told.join("; "))
}
