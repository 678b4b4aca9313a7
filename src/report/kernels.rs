//! The kernels of the book in one table, each with what was seen of it, and what a model costs.

use super::number;
use crate::kernel;
use crate::record::{Group, KernelSeen, Run};

/// The section on the kernels.
#[derive(Debug)]
pub struct Kernels {
    /// One row a kernel.
    pub rows: Vec<Row>,
    /// What a model adds to an accept, in a sentence.
    pub price: String,
}

/// One kernel.
#[derive(Debug)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// `observed` or `modelled`; `not observed` for the machine's own where nobody looked.
    pub mark: &'static str,
    /// Whether it is modelled.
    pub modelled: bool,
    /// Which systems it stands for.
    pub systems: String,
    /// What becomes of an aborted connection: its parts, and whether each is code.
    pub about: Vec<(String, bool)>,
    /// Where that is to be read.
    pub source: String,
    /// What was seen: the reset before the wait, in the window on a blocking listener, in the
    /// window on a non-blocking one. Or why nothing was.
    pub seen: Result<[String; 3], String>,
}

impl Kernels {
    /// Of a run: the kernels of its record, and behind them those that it does not know.
    pub fn of(run: &Run) -> Kernels {
        let mut rows: Vec<Row> = run.kernels.iter().map(seen).collect();
        let unknown = kernel::ALL
            .iter()
            .filter(|kernel| run.kernels.iter().all(|seen| seen.name != kernel.name));
        rows.extend(unknown.map(|kernel| {
            seen(&KernelSeen {
                name: kernel.name.to_owned(),
                systems: kernel.systems.to_owned(),
                about: kernel.about.to_owned(),
                source: kernel.source.to_owned(),
                modelled: !kernel.is_native(),
                seen: Err("not looked at in this run".to_owned()),
            })
        }));
        Kernels { rows, price: price(run) }
    }
}

fn seen(seen: &KernelSeen) -> Row {
    // A record does not make another kernel this machine's own.
    let modelled = seen.modelled || seen.name != kernel::NATIVE.name;
    Row {
        name: seen.name.clone(),
        mark: match (modelled, &seen.seen) {
            (true, _) => "modelled",
            (false, Ok(_)) => "observed",
            (false, Err(_)) => "not observed",
        },
        modelled,
        systems: seen.systems.clone(),
        about: code(&seen.about),
        source: seen.source.clone(),
        seen: seen.seen.as_ref().map_err(Clone::clone).map(|resets| {
            [&resets.queued, &resets.in_window_blocking, &resets.in_window_nonblocking]
                .map(String::clone)
        }),
    }
}

/// A text's parts, and whether each is code: it stood between backticks.
pub fn code(text: &str) -> Vec<(String, bool)> {
    let parts = text.split('`').zip(std::iter::repeat([false, true]).flatten());
    parts.map(|(part, is_code)| (part.to_owned(), is_code)).collect()
}

fn price(run: &Run) -> String {
    let what = "What a model adds to an accept that no reset concerns";
    match &run.price {
        None => format!("{what} was not measured in this run."),
        Some(Err(why)) => format!("{what} was not measured: {why}."),
        Some(Ok(price)) => {
            let told = |estimate| {
                let interval = number::time_interval(estimate);
                format!("{} {interval}", number::time(estimate.point))
            };
            format!(
                "{what} was measured in this run: {}, beside the {} of an accept on this machine's \
                 own kernel (medians with their 95 % intervals).",
                told(&price.added_ns),
                told(&price.native_ns)
            )
        }
    }
}

/// The kernel of a group in words, its systems in brackets where they are known:
/// `berkeley (4.4BSD and kernels of its time)`.
pub fn words(run: &Run, group: &Group) -> String {
    let seen = run.kernels.iter().find(|kernel| kernel.name == group.kernel);
    let seen = seen.map(|kernel| kernel.systems.as_str());
    match seen.or_else(|| kernel::find(&group.kernel).map(|kernel| kernel.systems)) {
        Some(systems) => format!("{} ({systems})", group.kernel),
        None => group.kernel.clone(),
    }
}

/// The name of a group's kernel where it is modelled: what it is marked with.
pub fn mark(group: &Group) -> Option<String> {
    group.is_modelled().then(|| group.kernel.clone())
}
