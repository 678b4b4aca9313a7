//! The headlines under load: every core is kept busy by other work, each cell is tried again
//! and again, and comes to the same each time.
//!
//! ```sh
//! cargo test --release --test headline -- --ignored
//! ```
//!
//! tries every kernel a thousand times in each cell, which takes a minute; without
//! `--ignored` it is fifty.

use std::hint;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use rstall::accept_loop::Policy;
use rstall::backend;
use rstall::fault;
use rstall::interpose;
use rstall::kernel::{self, Kernel, Model};
use rstall::listener::{Family, ListenerSpec, Mode};
use rstall::outcome::{Abort, Outcome, RetrySet};
use rstall::trial::{self, Cell, Ending, Record, Timing};

rstall::interpose_accept!();

/// How many cells are tried side by side.
const ABREAST: usize = 14;

/// Tries each cell so often, with every core spinning; the first trial that is not `judged`
/// well ends it all.
fn under_load(cells: &[Cell], trials: usize, judge: fn(&Cell, &Record, &str)) {
    assert!(!cells.is_empty(), "there is nothing to try");
    let (stop, next) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        let cores = thread::available_parallelism().map_or(2, usize::from);
        for _ in 0..cores {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    hint::spin_loop();
                }
            });
        }
        let body = || {
            while let Some(cell) = cells.get(next.fetch_add(1, Ordering::Relaxed)) {
                again_and_again(cell, trials, judge);
            }
        };
        let workers: Vec<_> = (0..ABREAST).map(|_| scope.spawn(body)).collect();
        let results: Vec<_> = workers.into_iter().map(thread::ScopedJoinHandle::join).collect();
        stop.store(true, Ordering::Relaxed);
        for result in results {
            if let Err(panic) = result {
                std::panic::resume_unwind(panic);
            }
        }
    });
}

fn again_and_again(cell: &Cell, trials: usize, judge: fn(&Cell, &Record, &str)) {
    // The rescue comes as soon as the park is seen: only the order matters here.
    let timing = Timing {
        rescue_after: Duration::ZERO,
        watchdog: Duration::from_secs(60),
        ..Timing::default()
    };
    for trial in 0..trials {
        let record = trial::run(cell, timing).expect("a trial can be set up");
        let what = format!(
            "{} {:?} {:?} on {}, trial {trial}",
            cell.backend, cell.listener.mode, cell.policy.retry, cell.kernel.name
        );
        assert_eq!(record.void, None, "{what}");
        judge(cell, &record, &what);
        if let Some(stall) = record.stall {
            assert!(stall.accept_entered < stall.rescue_began, "{what}");
            assert!(stall.rescue_began < stall.accept_returned, "{what}");
            assert!(stall.park_seen || !cfg!(target_os = "linux"), "{what}: no park was seen");
        }
    }
}

/// Every readiness backend, on each listener mode that it can be on.
fn cells(fault: &str, kernel: &'static Kernel, retry: RetrySet) -> Vec<Cell> {
    let fault = fault::find(fault).expect("in the registry");
    let policy = Policy::new(fault.discipline, retry);
    let drivers = backend::ALL.iter().filter_map(|entry| Some((entry.name, entry.driver().ok()?)));
    let all = drivers.flat_map(|(backend, driver)| {
        driver.modes.iter().map(move |&mode| {
            let listener = ListenerSpec { mode, family: Family::Ipv4, backlog: 16 };
            let arm = &fault.arms[0];
            Cell { backend, driver, listener, policy, fault, arm, kernel, count: 1 }
        })
    });
    all.filter(|cell| cell.misfit().is_none()).collect()
}

#[test]
fn a_rival_parks_every_blocking_listener_and_no_other() {
    let cells = cells("rival_in_window", kernel::NATIVE, RetrySet::Stevens);
    under_load(&cells, 1_000, |cell, record, what| {
        assert_eq!(record.ending, Ending::Done, "{what}: {:#?}", record.events);
        let parks = cell.listener.mode == Mode::Blocking;
        assert_eq!(record.stall.is_some(), parks, "{what}: {:#?}", record.events);
        assert_eq!(record.would_blocks, usize::from(!parks), "{what}");
    });
}

/// The four kernels, both retry sets.
fn resets_in_the_window() -> Vec<Cell> {
    let kernels = kernel::ALL.iter().copied();
    let offered = kernels.filter(|kernel| kernel.is_native() || interpose::offered().is_ok());
    let each = |kernel| RetrySet::ALL.map(|retry| cells("reset_in_window", kernel, retry));
    offered.flat_map(each).flatten().collect()
}

/// What the theory gives: 4.4BSD parks blocking listeners, and nothing else; SVR4 and POSIX
/// end naive loops, and nothing else; this machine's own kernel does what it was probed to do.
fn judge_a_reset_in_the_window(cell: &Cell, record: &Record, what: &str) {
    let (blocking, naive) =
        (cell.listener.mode == Mode::Blocking, cell.policy.retry == RetrySet::Naive);
    let told = record.accepts.first().map(|accept| accept.outcome.clone());
    let aborted = |abort: Abort| Outcome::Aborted(abort.name().to_owned());
    let bsd = cfg!(any(target_os = "freebsd", target_os = "netbsd", target_os = "openbsd"));
    let (stalls, outcome) = match cell.kernel.model {
        Some(Model::Vanishes) if blocking => (true, Outcome::Accepted),
        Some(Model::Vanishes) => (false, Outcome::WouldBlock),
        Some(Model::Fails(abort)) => (false, aborted(abort)),
        None if bsd => (false, aborted(Abort::Connection)),
        None => (false, Outcome::AcceptedDead("ECONNRESET".to_owned())),
    };
    let ending = match RetrySet::Naive.survives(&outcome) || !naive {
        true => Ending::Done,
        false => Ending::Died(outcome.clone()),
    };
    assert_eq!(record.stall.is_some(), stalls, "{what}: {:#?}", record.events);
    assert_eq!(told, Some(outcome), "{what}: {:#?}", record.events);
    assert_eq!(record.ending, ending, "{what}: {:#?}", record.events);
    let vanished = usize::from(cell.kernel.drops_aborted());
    assert_eq!(record.vanished(), vanished, "{what}: {:#?}", record.events);
}

#[test]
fn each_kernel_gives_its_answer_to_a_reset_in_the_window() {
    under_load(&resets_in_the_window(), 50, judge_a_reset_in_the_window);
}

#[test]
#[ignore = "it takes a minute: cargo test --release --test headline -- --ignored"]
fn each_kernel_gives_its_answer_a_thousand_times() {
    let cells = resets_in_the_window();
    if cfg!(target_os = "linux") {
        assert_eq!(cells.len(), 8 * 2 * 2 * 4, "backends, modes, retry sets, kernels");
    }
    under_load(&cells, 1_000, judge_a_reset_in_the_window);
}

/// A burst that an edge-triggered loop takes one of loses the rest, and a drained one nothing.
#[test]
#[ignore = "it takes a minute: cargo test --release --test headline -- --ignored"]
fn an_edge_loses_a_burst_a_thousand_times() {
    let one = cells("burst", kernel::NATIVE, RetrySet::Stevens);
    let edges = one.into_iter().filter(|cell| cell.driver.edge_triggered);
    let cells: Vec<Cell> = edges.map(|cell| Cell { count: 5, ..cell }).collect();
    under_load(&cells, 1_000, |_, record, what| {
        assert_eq!((record.taken(), record.lost()), (1, 4), "{what}: {:#?}", record.events);
    });
}
