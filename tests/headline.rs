//! The headline under load: a rival in the window parks every blocking listener and no
//! non-blocking one, a thousand times each, with every core kept busy by other work.

use std::hint;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rstall::accept_loop::Policy;
use rstall::backend;
use rstall::fault;
use rstall::kernel;
use rstall::listener::{Family, ListenerSpec, Mode};
use rstall::outcome::RetrySet;
use rstall::trial::{self, Cell, Ending, Timing};

const TRIALS: usize = 1_000;

#[test]
fn a_rival_parks_every_blocking_listener_and_no_other() {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let cores = thread::available_parallelism().map_or(2, usize::from);
        for _ in 0..cores {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    hint::spin_loop();
                }
            });
        }
        let trials: Vec<_> = cells().map(|cell| scope.spawn(move || thousand(&cell))).collect();
        let results: Vec<_> = trials.into_iter().map(thread::ScopedJoinHandle::join).collect();
        stop.store(true, Ordering::Relaxed);
        assert!(!results.is_empty(), "no backend has a window");
        for result in results {
            if let Err(panic) = result {
                std::panic::resume_unwind(panic);
            }
        }
    });
}

fn cells() -> impl Iterator<Item = Cell> {
    let fault = fault::find("rival_in_window").expect("in the registry");
    let policy = Policy { discipline: fault.discipline, retry: RetrySet::Stevens };
    let drivers = backend::ALL.iter().filter_map(|entry| Some((entry.name, entry.driver().ok()?)));
    drivers.flat_map(move |(backend, driver)| {
        driver.modes.iter().filter(move |_| fault.misfit(driver).is_none()).map(move |&mode| {
            let listener = ListenerSpec { mode, family: Family::Ipv4, backlog: 16 };
            Cell { backend, driver, listener, policy, fault, kernel: kernel::NATIVE, count: 1 }
        })
    })
}

fn thousand(cell: &Cell) {
    // The rescue comes as soon as the park is seen: only the order matters here.
    let timing = Timing {
        rescue_after: Duration::ZERO,
        watchdog: Duration::from_secs(60),
        ..Timing::default()
    };
    for trial in 0..TRIALS {
        let record = trial::run(cell, timing).expect("a trial can be set up");
        let what = format!("{} {:?}, trial {trial}", cell.backend, cell.listener.mode);
        assert_eq!(record.void, None, "{what}");
        assert_eq!(record.ending, Ending::Done, "{what}: {:#?}", record.events);
        let parks = cell.listener.mode == Mode::Blocking;
        assert_eq!(record.stall.is_some(), parks, "{what}: {:#?}", record.events);
        assert_eq!(record.would_blocks, usize::from(!parks), "{what}");
        if let Some(stall) = record.stall {
            assert!(stall.accept_entered < stall.rescue_began, "{what}");
            assert!(stall.rescue_began < stall.accept_returned, "{what}");
            assert!(stall.park_seen || !cfg!(target_os = "linux"), "{what}: no park was seen");
        }
    }
}
