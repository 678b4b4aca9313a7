//! The verdicts can fail: each disease is real, each cure cures, each rule is some loop's, and
//! a loop that is broken on purpose gets the verdict that names what is broken.

use std::path::Path;

use rstall::accept_loop::{Discipline, Policy};
use rstall::backend::{self, Driver, Entry};
use rstall::fault::{self, Arm, Case, Fault, Scene, Steps};
use rstall::kernel;
use rstall::listener::{Family, ListenerSpec};
use rstall::trial::{Cell, Timing};
use rstall::verdict::Verdict;
use rstall::verdict::rules;
use rstall::verdict::sweep::{self, Plan, Tried};

rstall::interpose_accept!();

/// How often each is tried.
const TRIALS: usize = 3;

fn timing() -> Timing {
    let program = Some(Path::new(env!("CARGO_BIN_EXE_rstall")));
    Timing { program, ..Timing::sweep() }
}

fn backends() -> Vec<(&'static Entry, &'static Driver)> {
    backend::ALL.iter().filter_map(|entry| Some((entry, entry.driver().ok()?))).collect()
}

fn fault(name: &str) -> &'static Fault {
    fault::find(name).unwrap_or_else(|| panic!("no fault is named {name}"))
}

/// The loop of a case on one backend; `None` where it makes no sense there.
fn cell(
    backend: (&'static Entry, &'static Driver),
    fault: &'static Fault,
    case: Case,
) -> Option<Cell> {
    let arm = fault.arm(case.arm).expect("the case's arm");
    let (entry, driver) = backend;
    let cell = Cell {
        backend: entry.name,
        driver,
        listener: ListenerSpec { mode: case.mode, family: Family::Ipv4, backlog: 128 },
        policy: Policy { habit: arm.habit, ..Policy::new(case.discipline, case.retry) },
        fault,
        arm,
        kernel: kernel::find(case.kernel).expect("the case's kernel"),
        count: 4,
    };
    cell.misfit().is_none().then_some(cell)
}

/// The same loop, without what goes wrong.
fn without(cell: Cell, steps: Steps) -> Cell {
    let arm = Arm { scene: Scene::One(steps), ..*cell.arm };
    Cell { arm: Box::leak(Box::new(arm)), ..cell }
}

/// What it came to, which has to be what its rule says.
fn come_to(cell: &Cell) -> Verdict {
    let tried = sweep::try_one(cell, TRIALS, timing());
    assert!(tried.is_as_expected(), "{tried:#?}");
    let Ok(seen) = &tried.result else { panic!("it was not tried: {tried:#?}") };
    let worst = seen.worst.as_ref().unwrap_or_else(|| panic!("no verdict: {tried:#?}"));
    worst.verdict
}

#[test]
fn each_disease_is_real_and_each_cure_cures_it() {
    for fault in fault::ALL {
        let Some(cases) = &fault.cases else { continue };
        let mut proved = Vec::new();
        for backend in backends() {
            let of = |case| cell(backend, fault, case);
            let (Some(mut ill), Some(mut cured)) = (of(cases.ill), of(cases.cured)) else {
                continue;
            };
            // One cure does not do another's work: an edge wants to be drained as well.
            let same_discipline = cases.ill.discipline == cases.cured.discipline;
            if same_discipline && rules::of(&cured).name == "an_edge_is_told_once" {
                ill.policy.discipline = Discipline::Drain;
                cured.policy.discipline = Discipline::Drain;
            }
            // And some backends it does not cure alone, as their rules say.
            if rules::of(&cured).verdicts.iter().any(|&verdict| verdict > Verdict::Wastes) {
                continue;
            }
            // A loop that falls ill without anything being done to it proves nothing here.
            let control = without(ill, cases.without);
            let may_be_well = rules::of(&ill).verdicts.contains(&Verdict::Safe);
            if may_be_well || rules::of(&control).verdicts != [Verdict::Safe] {
                continue;
            }
            let (ill, control, cured) = (come_to(&ill), come_to(&control), come_to(&cured));
            let what = format!("{} on {}", fault.name, backend.0.name);
            assert!(ill > Verdict::Safe, "{what}: the ill loop is well");
            assert_eq!(control, Verdict::Safe, "{what}: without the injection");
            assert!(cured < ill && cured <= Verdict::Wastes, "{what}: the cure makes it {cured}");
            proved.push(backend.0.name);
        }
        let here = cfg!(target_os = "linux");
        assert!(!proved.is_empty() || !here, "{} is proved on no backend", fault.name);
        eprintln!("{}: {}", fault.name, proved.join(" "));
    }
}

/// What differs between two cases: with one thing only, taking the cure away from the one
/// makes it the other.
#[test]
fn each_cure_is_one_thing() {
    for fault in fault::ALL {
        let Some(cases) = &fault.cases else { continue };
        let (ill, cured) = (cases.ill, cases.cured);
        let differ = [
            ill.arm != cured.arm,
            ill.mode != cured.mode,
            ill.discipline != cured.discipline,
            ill.retry != cured.retry,
            ill.kernel != cured.kernel,
        ];
        assert_eq!(differ.iter().filter(|&&one| one).count(), 1, "{}", fault.name);
        assert_eq!(ill.kernel, cured.kernel, "{}: another kernel is no cure", fault.name);
    }
}

#[test]
#[cfg(target_os = "linux")]
fn each_rule_is_some_loop_s_and_names_what_it_comes_to() {
    let (plan, _) = Plan::of_this_machine(&sweep::DISCIPLINES, 1);
    let cells: Vec<Cell> =
        plan.cells().into_iter().filter(|cell| cell.misfit().is_none()).collect();
    let mut verdicts = Vec::new();
    for rule in rules::all() {
        let of_it = cells.iter().find(|cell| rules::of(cell).name == rule.name);
        let cell = of_it.unwrap_or_else(|| panic!("{} is nobody's rule", rule.name));
        // Which holds it against the rule.
        come_to(cell);
        assert!(!rule.why.is_empty() && !rule.source.is_empty(), "{}", rule.name);
        verdicts.extend(rule.verdicts);
    }
    for verdict in Verdict::ALL {
        assert!(verdicts.contains(&verdict), "no rule names {verdict}");
    }
}

/// What is broken, where, and what it makes of the loop.
#[test]
#[cfg(target_os = "linux")]
fn a_loop_that_is_broken_on_purpose_gets_the_verdict_that_names_it() {
    use Verdict::{Dies, Loses, Stalls, Starves, Wastes};
    use rstall::listener::Mode;
    use rstall::outcome::RetrySet;
    const SOUND: Case = Case::SOUND;
    let drains = Case { discipline: Discipline::Drain, ..SOUND };
    let naive = Case { retry: RetrySet::Naive, ..SOUND };
    let arm = |arm| Case { arm, ..SOUND };
    let broken = [
        ("it accepts once for an edge", "epoll_et", "burst", drains, SOUND, Loses),
        ("it never arms again", "epoll_oneshot", "not_rearmed", arm("always"), arm("never"), Loses),
        (
            "it arms no second multishot",
            "io_uring_multishot",
            "multishot_ended",
            arm("always"),
            arm("never"),
            Loses,
        ),
        ("it ignores EMFILE", "poll", "descriptors_exhausted", arm("pause"), arm("ignore"), Wastes),
        ("it ends on EMFILE", "poll", "descriptors_exhausted", arm("back_off"), arm("fatal"), Dies),
        (
            "it forgets to go on",
            "mio",
            "descriptors_exhausted",
            Case { discipline: Discipline::Drain, ..arm("pause") },
            arm("pause_for_good"),
            Loses,
        ),
        (
            "it ends on EPROTO",
            "select",
            "reset_queued",
            Case { kernel: "svr4", ..SOUND },
            Case { kernel: "svr4", ..naive },
            Dies,
        ),
        (
            "it ends on ECONNABORTED",
            "tokio",
            "reset_queued",
            Case { kernel: "posix", ..SOUND },
            Case { kernel: "posix", ..naive },
            Dies,
        ),
        ("it ends on EWOULDBLOCK", "polling", "rival_in_window", SOUND, naive, Dies),
        (
            "its listener blocks",
            "epoll",
            "rival_in_window",
            SOUND,
            Case { mode: Mode::Blocking, ..SOUND },
            Stalls,
        ),
        ("it drains where one is enough", "poll", "clean", SOUND, drains, Wastes),
        (
            "it has no budget",
            "poll",
            "storm",
            Case { discipline: Discipline::Budget(2), ..SOUND },
            drains,
            Starves,
        ),
        (
            "it drops what a cancelled accept brought",
            "io_uring",
            "accept_cancelled",
            arm("keeps"),
            arm("drops"),
            Loses,
        ),
        (
            "it closes before it deregisters",
            "epoll",
            "stale_registration",
            arm("deregistered"),
            arm("forgotten"),
            Wastes,
        ),
        ("all of a herd are woken", "epoll", "herd", arm("own_4"), arm("shared_4"), Wastes),
    ];
    for (what, name, fault_name, whole, broken, verdict) in broken {
        let entry = backend::find(name).expect("in the registry");
        let backend = (entry, entry.driver().expect("on this machine"));
        let of = |case| cell(backend, fault(fault_name), case).expect("it makes sense");
        assert_eq!(come_to(&of(whole)), Verdict::Safe, "before: {what} ({name})");
        assert_eq!(come_to(&of(broken)), verdict, "{what} ({name})");
        let rule = |case| rules::of(&of(case)).name;
        assert_ne!(rule(whole), rule(broken), "{what} ({name})");
    }
}

/// A backend that is not what its driver says is found out.
#[test]
#[cfg(target_os = "linux")]
fn a_driver_that_lies_is_caught() {
    let honest = backend::find("epoll_et").and_then(|e| e.built()).expect("on Linux");
    static LIAR: std::sync::OnceLock<Driver> = std::sync::OnceLock::new();
    let liar = LIAR.get_or_init(|| Driver { edge_triggered: false, ..*honest });
    let entry = backend::find("epoll_et").expect("in the registry");
    let cell = cell((entry, liar), fault("burst"), Case::SOUND).expect("it makes sense");
    let tried: Tried = sweep::try_one(&cell, TRIALS, timing());
    assert!(!tried.is_as_expected(), "{tried:#?}");
    assert_eq!(tried.rule.verdicts, [Verdict::Safe]);
    let seen = tried.result.expect("it was tried");
    assert_eq!(seen.counts.keys().copied().collect::<Vec<_>>(), [Verdict::Loses]);
}

#[test]
fn verdicts_are_ordered_by_badness_and_told_apart_without_colour() {
    assert!(Verdict::ALL.is_sorted());
    let mut letters: Vec<char> = Verdict::ALL.iter().map(|verdict| verdict.letter()).collect();
    letters.extend(['-', '~', '?']);
    letters.sort_unstable();
    letters.dedup();
    assert_eq!(letters.len(), Verdict::ALL.len() + 3);
}

/// The figures beside the verdicts are counts of this trial: what they must be follows from
/// the arm.
#[test]
#[cfg(target_os = "linux")]
fn the_figures_are_those_of_the_trial() {
    let entry = backend::find("poll").expect("in the registry");
    let backend = (entry, entry.driver().expect("on this machine"));
    let figures = |name: &str, case| {
        let cell = cell(backend, fault(name), case).expect("it makes sense");
        sweep::try_one(&cell, 1, timing()).result.expect("it was tried").figures
    };
    let arm = |arm| Case { arm, ..Case::SOUND };
    let drains = Case { discipline: Discipline::Drain, ..Case::SOUND };

    let herd = figures("herd", arm("shared_4"));
    assert_eq!(herd.wakeups_per_connection, Some(4.0));
    assert_eq!(herd.failures_per_connection, Some(3.0));
    assert!(herd.busiest_share.is_some_and(|share| (0.25..=1.0).contains(&share)), "{herd:?}");

    assert_eq!(figures("storm", Case::SOUND).accepts_in_a_row, Some(1.0));
    assert_eq!(figures("storm", drains).accepts_in_a_row, Some(65.0));
    assert_eq!(figures("clean", Case::SOUND).accepts_per_connection, Some(1.0));
    assert_eq!(figures("clean", drains).accepts_per_connection, Some(2.0));

    let (ignore, pause) = (
        figures("descriptors_exhausted", arm("ignore")),
        figures("descriptors_exhausted", arm("pause")),
    );
    assert!(ignore.failures_per_second.is_some_and(|rate| rate > 0.0), "{ignore:?}");
    assert_eq!(pause.failures_per_second, Some(0.0), "{pause:?}");
    for figures in [ignore, pause] {
        assert!(figures.recovery_ns.is_some_and(|ns| ns > 0.0), "{figures:?}");
        assert!(figures.cpu_share.is_some_and(|share| share > 0.0), "{figures:?}");
    }
    assert_eq!(figures("descriptors_exhausted", arm("pause_for_good")).recovery_ns, None);
}
