//! The probe's part of a report: its verdict in a sentence, and its experiments as tables.

use super::findings::Finding;
use super::number;
use crate::kernel;
use crate::probe::verdict::Answer;
use crate::probe::wakeups::Wakeups;
use crate::probe::{Experiment, Probe};
use crate::record::Run;

/// How many experiments that differ the verdict's sentence names.
const NAMED: usize = 2;

/// What the probe found of a reset, or that there was no probe: a report never leaves it out.
pub fn finding(run: &Run) -> Finding {
    let what = "a TCP connection that is reset before accept";
    let Some(probe) = &run.probe else {
        return Finding {
            figure: "No probe".to_owned(),
            text: format!("says what this kernel does with {what}: this run was not probed"),
            more: String::new(),
            modelled: None,
        };
    };
    let tcp = || probe.experiments.iter().filter(|e| e.transport.starts_with("tcp"));
    let all = tcp().count();
    let verdict = &probe.verdict;
    let agree = tcp().filter(|e| e.observed.answer() == verdict.answer).count();
    let (figure, outcome) = match verdict.answer {
        _ if all == 0 => ("0".to_owned(), "none could be made".to_owned()),
        Some(answer) => {
            let outcome = format!("{} (family {})", answer.words(), verdict.family);
            (format!("{agree} of {all}"), outcome)
        }
        None => (all.to_string(), "they do not come to the same".to_owned()),
    };
    let modelled = modelled(probe);
    let on = modelled.as_ref().map_or_else(String::new, |kernel| format!(", on modelled {kernel}"));
    let differs = differing(probe).map_or_else(String::new, |clause| format!("; {clause}"));
    Finding {
        figure,
        text: format!("experiments of the probe with {what}{on}: {outcome}{differs}"),
        more: if all > 0 { meaning(probe) } else { String::new() },
        modelled,
    }
}

/// The kernel that was probed, where it was not the machine's own.
fn modelled(probe: &Probe) -> Option<String> {
    (probe.kernel != kernel::NATIVE.name).then(|| probe.kernel.clone())
}

/// What follows from the verdict, in sentences without the last full stop; may be empty.
fn meaning(probe: &Probe) -> String {
    let stale = "The listener was reported ready for a connection that was gone";
    let parts =
        [probe.verdict.answer.map(Answer::meaning), probe.verdict.stale_readiness.then_some(stale)];
    parts.into_iter().flatten().collect::<Vec<_>>().join(". ")
}

/// Which experiments differ from what is documented, in a clause; `None` where none does.
fn differing(probe: &Probe) -> Option<String> {
    let differing: Vec<&Experiment> = probe.differing().collect();
    let one = |e: &&Experiment| format!("{}, {}: {}", e.transport, e.ending, e.differs.join(", "));
    let mut named: Vec<String> = differing.iter().take(NAMED).map(one).collect();
    if differing.len() > NAMED {
        named.push(format!("{} more", differing.len() - NAMED));
    }
    let verb = if differing.len() == 1 { "differs" } else { "differ" };
    (!differing.is_empty()).then(|| {
        format!(
            "{} of all {} {verb} from what is documented ({})",
            number::count(differing.len() as u64),
            number::of(probe.experiments.len(), "experiment"),
            named.join("; ")
        )
    })
}

/// The page's section on the probe, its texts spelt.
#[derive(Debug)]
pub struct Probed {
    /// What was probed: the system and its release.
    pub on: String,
    /// The modelled kernel's name, where it was not the machine's own.
    pub modelled: Option<String>,
    /// The verdict, and what follows from it, in sentences.
    pub verdict: String,
    /// How what was seen stands to what is documented, in a sentence.
    pub documented: String,
    /// Whether any experiment differs.
    pub differs: bool,
    /// The table of the experiments.
    pub experiments: Vec<Row>,
    /// What the backends' accepts made of a reset, and which backends.
    pub backends: Vec<(String, String)>,
    /// Whether O_NONBLOCK is inherited, in a sentence, and whether that differs from what is
    /// documented.
    pub inheritance: (String, bool),
    /// The wake-ups: how the listener was watched, of how many waiters, the mean, all counts.
    pub wakeups: Vec<(&'static str, String, String, String)>,
    /// What was not probed, and why.
    pub absent: Vec<(String, String)>,
}

/// One experiment.
#[derive(Debug)]
pub struct Row {
    /// The protocol.
    pub transport: String,
    /// What the client did.
    pub ending: String,
    /// What was seen, field by field; what differs has beside it what is documented.
    pub fields: Vec<(String, Option<String>)>,
    /// How it stands to what is documented: `the same`, `differs: …`, `nothing`.
    pub documented: String,
    /// Whether it differs.
    pub differs: bool,
}

impl Probed {
    /// Of a run; `None` where it was not probed.
    pub fn of(run: &Run) -> Option<Probed> {
        let probe = run.probe.as_ref()?;
        let mut verdict = format!("{}.", capital(&probe.verdict.words()));
        let meaning = meaning(probe);
        if !meaning.is_empty() {
            verdict = format!("{verdict} {meaning}.");
        }
        let differs = differing(probe);
        let known = probe.experiments.iter().any(is_documented);
        Some(Probed {
            on: format!("{} {}", probe.system, probe.release),
            modelled: modelled(probe),
            verdict,
            documented: match (&differs, known) {
                (Some(clause), _) => format!("{clause}."),
                (None, true) => "Wherever a source says what to expect, that was seen.".to_owned(),
                (None, false) => "No source says what to expect of this system.".to_owned(),
            },
            differs: differs.is_some(),
            experiments: probe.experiments.iter().map(row).collect(),
            backends: backends(probe),
            inheritance: inheritance(probe),
            wakeups: probe.wakeups.iter().map(wakeups).collect(),
            absent: probe.absent.iter().map(|one| (one.what.clone(), one.why.clone())).collect(),
        })
    }
}

fn capital(words: &str) -> String {
    let mut letters = words.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

/// What a field has in the table where it has nothing.
fn spelt(field: Option<&str>) -> String {
    field.unwrap_or(number::NONE).to_owned()
}

/// Whether any source says what to expect of it.
fn is_documented(experiment: &Experiment) -> bool {
    experiment.documented.fields().iter().any(|(_, field)| field.is_some())
}

fn row(experiment: &Experiment) -> Row {
    let pairs = experiment.observed.fields().into_iter().zip(experiment.documented.fields());
    let fields = pairs.map(|((name, seen), (_, documented))| {
        let differs = experiment.differs.iter().any(|field| field == name);
        (spelt(seen), differs.then(|| spelt(documented)))
    });
    let known = is_documented(experiment);
    let differs = !experiment.differs.is_empty();
    Row {
        transport: experiment.transport.clone(),
        ending: experiment.ending.clone(),
        fields: fields.collect(),
        documented: match (differs, known) {
            (true, _) => format!("differs: {}", experiment.differs.join(", ")),
            (false, true) => "the same".to_owned(),
            (false, false) => "nothing".to_owned(),
        },
        differs,
    }
}

/// By outcome, in the order in which each was first seen.
fn backends(probe: &Probe) -> Vec<(String, String)> {
    let mut outcomes: Vec<(&str, Vec<&str>)> = Vec::new();
    for answer in &probe.backends {
        match outcomes.iter_mut().find(|(outcome, _)| *outcome == answer.outcome) {
            Some((_, names)) => names.push(&answer.backend),
            None => outcomes.push((&answer.outcome, vec![&answer.backend])),
        }
    }
    outcomes.into_iter().map(|(outcome, names)| (outcome.to_owned(), names.join(", "))).collect()
}

fn inheritance(probe: &Probe) -> (String, bool) {
    let told = |inherits: bool| if inherits { "is inherited" } else { "is not inherited" };
    let Some(seen) = probe.inherits_nonblocking.map(told) else {
        return ("was not looked at whether accepted sockets inherit it".to_owned(), false);
    };
    let (beside, differs) =
        match (probe.inherits_nonblocking, probe.inherits_nonblocking_documented) {
            (Some(seen), Some(documented)) if seen == documented => {
                (", as documented".to_owned(), false)
            }
            (Some(_), Some(documented)) => {
                (format!("; documented is that it {}", told(documented)), true)
            }
            (_, None) | (None, _) => (String::new(), false),
        };
    (format!("{seen} by the sockets that accept(2) gives{beside}"), differs)
}

fn wakeups(wakeups: &Wakeups) -> (&'static str, String, String, String) {
    let one = |(woken, connections): (&usize, &usize)| {
        format!("{} woke {}", number::count(*connections as u64), number::count(*woken as u64))
    };
    let counts: Vec<String> = wakeups.connections.iter().map(one).collect();
    let mean = match counts.as_slice() {
        [] => number::NONE.to_owned(),
        _ => format!("{:.2}", wakeups.mean()),
    };
    let waiters = number::count(wakeups.waiters as u64);
    (wakeups.trigger.name(), waiters, mean, counts.join(", "))
}
