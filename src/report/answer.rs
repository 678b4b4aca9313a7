//! The answer first: what a run found, in sentences that the page and the closing lines share.

use super::findings::Finding;
use super::stalls::{self, FORCED, NATURAL, Stalls, Tally};
use super::{kernels, number, probe};
use crate::record::{Group, Run, Status};

/// The headline of a run.
pub fn lead(run: &Run) -> String {
    let Some(stalls) = stalls::native(run, FORCED).and_then(Stalls::of) else {
        return "The stall was not measured in this run.".to_owned();
    };
    let ill = stalls.blocking.stalled().len();
    match (stalls.blocking.loops.len(), stalls.cured()) {
        (0, _) => {
            let (n, stalled) = (stalls.nonblocking.loops.len(), stalls.nonblocking.stalled().len());
            format!("On a non-blocking listener {stalled} of {n} loops stalled.")
        }
        (all, (0, _)) => format!("On a blocking listener {ill} of {all} loops stalled."),
        (all, (tried, cured)) => format!(
            "On a blocking listener {ill} of {all} loops stalled. A non-blocking one cured {cured} \
             of {tried}."
        ),
    }
}

/// What a run found: what a reset came to, then the stalls, forced and not; behind them those
/// on modelled kernels.
pub fn findings(run: &Run) -> Vec<Finding> {
    let mut found = vec![probe::finding(run)];
    if let Some(stalls) = stalls::native(run, FORCED).and_then(Stalls::of) {
        forced(&stalls, &mut found);
    }
    if let Some(group) = stalls::native(run, NATURAL)
        && let Some(stalls) = Stalls::of(group)
    {
        natural(group, &stalls, &mut found);
    }
    for group in stalls::modelled(run) {
        found.extend(Stalls::of(group).map(|stalls| modelled(run, group, &stalls)));
    }
    found
}

fn forced(stalls: &Stalls<'_>, found: &mut Vec<Finding>) {
    let (blocking, nonblocking) = (&stalls.blocking, &stalls.nonblocking);
    if !blocking.loops.is_empty() {
        let (tries, stalled) = blocking.tries();
        found.push(Finding {
            figure: format!("{} of {}", blocking.stalled().len(), blocking.loops.len()),
            text: format!(
                "loops on a blocking listener stalled when a rival took the connection \
                 (rival_in_window), in {} of {} trials",
                number::count(stalled),
                number::count(tries)
            ),
            more: "Nobody on such a loop is served until the next client comes".to_owned(),
            modelled: None,
        });
    }
    if nonblocking.loops.is_empty() {
        return;
    }
    let ((tries, stalled), (ill, cured)) = (nonblocking.tries(), stalls.cured());
    let in_trials =
        format!("stalled in {} of {} trials", number::count(stalled), number::count(tries));
    let (figure, text) = if ill > 0 {
        let text = "such loops were cured by a non-blocking listener";
        (format!("{cured} of {ill}"), format!("{text}, which {in_trials}"))
    } else {
        let (stalled, all) = (nonblocking.stalled().len(), nonblocking.loops.len());
        (format!("{stalled} of {all}"), format!("loops on a non-blocking listener {in_trials}"))
    };
    let medians = nonblocking.medians.map(|(low, high)| {
        let instead = blocking.medians.map_or_else(String::new, |(low, high)| {
            format!(", on a blocking one {}", number::span(low, high))
        });
        let own = number::span(low, high);
        format!("A bystander's median latency on a non-blocking listener is {own}{instead}")
    });
    found.push(Finding { figure, text, more: medians.unwrap_or_default(), modelled: None });
}

fn natural(group: &Group, stalls: &Stalls<'_>, found: &mut Vec<Finding>) {
    let (blocking, nonblocking) = (&stalls.blocking, &stalls.nonblocking);
    let (bytes, stalled) = nonblocking.tries();
    let (ill, all) = (nonblocking.stalled().len(), nonblocking.loops.len());
    let in_bytes = format!("in {} of {} bytes", number::count(stalled), number::count(bytes));
    if blocking.loops.is_empty() {
        let text = "loops on a non-blocking listener stalled with nobody forcing anything";
        found.push(Finding {
            figure: format!("{ill} of {all}"),
            text: format!("{text} (stall_natural), {in_bytes}"),
            more: String::new(),
            modelled: None,
        });
        return;
    }
    let share = stalls::extremes(group).map_or_else(String::new, |(low, high)| {
        if low == high {
            format!(": {low} of the bystanders' bytes")
        } else {
            format!(": {low} to {high} of the bystanders' bytes")
        }
    });
    let cure = if nonblocking.loops.is_empty() {
        String::new()
    } else {
        format!("; on a non-blocking one {ill} of {all}, {in_bytes}")
    };
    let well: Vec<&str> =
        blocking.loops.iter().filter(|(_, (_, n))| *n == 0).map(|(b, _)| *b).collect();
    let more = match well.as_slice() {
        [] => String::new(),
        names => format!("Never stalled, on a blocking listener either: {}", names.join(", ")),
    };
    found.push(Finding {
        figure: format!("{} of {}", blocking.stalled().len(), blocking.loops.len()),
        text: format!(
            "loops on a blocking listener stalled with nobody forcing anything \
             (stall_natural){share}{cure}"
        ),
        more,
        modelled: None,
    });
}

/// The stalls of a group on a modelled kernel, in one sentence of their own. A model answers
/// for aborted connections alone, so it was the client's reset that did it.
fn modelled(run: &Run, group: &Group, stalls: &Stalls<'_>) -> Finding {
    let (blocking, nonblocking) = (&stalls.blocking, &stalls.nonblocking);
    let on_one = |tally: &Tally<'_>| {
        let (tries, stalled) = tally.tries();
        format!("{} of {}", number::count(stalled), number::count(tries))
    };
    let (tally, mode) = match blocking.loops.is_empty() {
        true => (nonblocking, "non-blocking"),
        false => (blocking, "blocking"),
    };
    let ill = tally.stalled().len();
    let cure = if blocking.loops.is_empty() || nonblocking.loops.is_empty() {
        String::new()
    } else {
        format!("; on a non-blocking one {}", on_one(nonblocking))
    };
    let more = "The reset connection is gone from the modelled accept queue; the accept that parks \
                is this machine's own";
    Finding {
        figure: format!("{ill} of {}", tally.loops.len()),
        text: format!(
            "loops on a {mode} listener stalled on modelled {} when the client reset ({}), in {} \
             {}{cure}",
            kernels::words(run, group),
            group.name,
            on_one(tally),
            stalls.tries
        ),
        more: if ill > 0 { more.to_owned() } else { String::new() },
        modelled: kernels::mark(group),
    }
}

/// The noise floor of a run in a sentence without its full stop; `None` without a control.
pub fn noise(run: &Run) -> Option<String> {
    let off = run.control()?;
    // As Run::control has them: a modelled kernel's are not this machine's noise.
    let native = run.groups.iter().filter(|group| !group.is_modelled());
    let controls = native.flat_map(|group| &group.collections).filter(|c| c.control.is_some());
    let noisy = if run.is_noisy() {
        "; that is more than 2 %: this run is NOISY, small differences are not to be trusted"
    } else {
        ""
    };
    Some(format!(
        "the reference differs from itself by {}, the median of {}{noisy}",
        number::off(1.0 + off),
        number::of(controls.count(), "control"),
    ))
}

/// How many cells failed.
pub fn failures(run: &Run) -> usize {
    run.cells().filter(|(_, _, cell)| matches!(cell.status, Status::Failed(_))).count()
}
