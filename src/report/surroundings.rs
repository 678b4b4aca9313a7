//! What a run was measured on, and what it was asked for.

use super::number;
use crate::record::Run;

/// Names and values.
#[derive(Debug)]
pub struct Part {
    /// What they are of.
    pub name: &'static str,
    /// Names and values.
    pub facts: Vec<(String, String)>,
}

/// The machine in one line.
pub fn host(run: &Run) -> String {
    let host = &run.host;
    let cpu = host.cpu.as_deref().unwrap_or("unknown CPU");
    let cpus = number::of(host.cpus, "CPU");
    format!("{} {}, {}, {cpu}, {cpus}", host.system, host.kernel, host.architecture)
}

/// Of a run.
pub fn of(run: &Run) -> Vec<Part> {
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
