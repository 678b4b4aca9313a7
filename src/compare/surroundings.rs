//! What two runs differ in beside the code that was measured.

use std::collections::BTreeMap;

use crate::record::{NOISY, Run, SCHEMA};

/// By how much the reference's median may move before it is worth a warning.
const MOVED: f64 = 1.25;

/// What is to be minded when the two are compared, the weightiest first.
pub(super) fn warnings(base: &Run, other: &Run) -> Vec<String> {
    let both = [(base, "the base"), (other, "the other run")];
    let strangers = both.iter().filter(|(run, _)| !run.host.is_known());
    let mut warnings: Vec<String> =
        strangers.map(|(_, which)| format!("nothing is known of the machine of {which}")).collect();
    if warnings.is_empty() {
        warnings = differences(base, other);
    }
    // On another machine it would be no surprise.
    if warnings.is_empty() {
        warnings.extend(moved(base, other));
    }
    warnings.extend(both.iter().flat_map(|(run, which)| of_one(run, which)));
    warnings
}

/// What the two were run on and with, where that differs; nothing of what may be said of each
/// alone.
pub fn differences(base: &Run, other: &Run) -> Vec<String> {
    let mut found = Vec::new();
    let mut differs = |what: &str, a: &str, b: &str| {
        if a != b {
            found.push(format!("{what} differs: {a} in the base, {b} in the other run"));
        }
    };
    let (a, b) = (&base.host, &other.host);
    differs("the system", &a.system, &b.system);
    differs("the kernel", &a.kernel, &b.kernel);
    differs("the architecture", &a.architecture, &b.architecture);
    let cpu = |cpu: &Option<String>| cpu.clone().unwrap_or_else(|| "unknown".to_owned());
    differs("the CPU", &cpu(&a.cpu), &cpu(&b.cpu));
    differs("the number of CPUs", &a.cpus.to_string(), &b.cpus.to_string());
    differs("the version of rstall", &base.rstall, &other.rstall);
    for (name, a, b) in unlike(&a.versions, &b.versions) {
        differs(&format!("the version of {name}"), a, b);
    }
    for (name, a, b) in unlike(&a.limits, &b.limits) {
        differs(&format!("the limit {name}"), a, b);
    }
    let (a, b) = (&base.options, &other.options);
    let pin = |pin: Option<(usize, usize)>| match pin {
        Some((own, clients)) => format!("the loop on CPU {own} and the clients on CPU {clients}"),
        None => "none".to_owned(),
    };
    differs("the pinning", &pin(a.pin), &pin(b.pin));
    let built = |optimised| if optimised { "optimised" } else { "not optimised" };
    differs("the build", built(a.optimised), built(b.optimised));
    found
}

/// Where the reference itself took much longer, or much less long, on the same machine.
fn moved(base: &Run, other: &Run) -> Option<String> {
    let of_reference = |run: &Run| -> BTreeMap<String, f64> {
        let cells = run.cells().filter(|(group, _, cell)| cell.series == group.reference);
        cells.filter_map(|(_, _, cell)| Some((cell.id.clone(), cell.median?.point))).collect()
    };
    let (before, after) = (of_reference(base), of_reference(other));
    let moved = before.iter().filter_map(|(id, before)| {
        let ratio = after.get(id)? / before;
        (ratio.ln().abs() > MOVED.ln()).then(|| format!("{id} {ratio:.2}x"))
    });
    let moved: Vec<String> = moved.collect();
    (!moved.is_empty()).then(|| {
        format!(
            "the machine was in another state: the reference itself took {}; what that does not \
             slow down alike looks changed",
            moved.join(", ")
        )
    })
}

/// What is to be minded of one run, whatever it is compared with.
fn of_one(run: &Run, which: &str) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(handicap) = &run.options.handicap {
        found.push(format!("in {which} a backend was slowed down on purpose: {handicap}"));
    }
    if run.interrupted {
        found.push(format!("{which} was interrupted"));
    }
    if let Some(control) = run.control().filter(|control| *control > NOISY) {
        let off = 100.0 * control;
        found.push(format!("{which} is noisy: its reference differs from itself by {off:.1} %"));
    }
    if run.schema < SCHEMA {
        let old = run.schema;
        found
            .push(format!("{which} is of format {old}: its intervals take rounds for independent"));
    }
    found
}

/// What two maps say differently of a name; what one does not have is `none` there.
fn unlike<'a>(
    a: &'a BTreeMap<String, String>,
    b: &'a BTreeMap<String, String>,
) -> impl Iterator<Item = (&'a str, &'a str, &'a str)> {
    let of = |map: &'a BTreeMap<String, String>, name: &str| {
        map.get(name).map_or("none", String::as_str)
    };
    let mut names: Vec<&'a String> = a.keys().chain(b.keys()).collect();
    names.sort();
    names.dedup();
    names.into_iter().map(move |name| (name.as_str(), of(a, name), of(b, name)))
}
