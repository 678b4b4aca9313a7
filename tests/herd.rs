//! The herd, counted: how many loops a client wakes, who finds nothing, and who gets what.
#![cfg(target_os = "linux")]

use rstall::accept_loop::{Discipline, Policy};
use rstall::backend::{self, Driver, Takes};
use rstall::fault;
use rstall::kernel;
use rstall::listener::{Family, ListenerSpec, Mode};
use rstall::outcome::RetrySet;
use rstall::trial::{self, Cell, Record, Timing};

/// A trial of each backend whose mode is non-blocking, or which has no other than the blocking.
fn each(arm: &str, check: impl Fn(&str, &Driver, &Record)) {
    let fault = fault::find("herd").expect("in the registry");
    for entry in backend::ALL {
        let Ok(driver) = entry.driver() else { continue };
        let cell = Cell {
            backend: entry.name,
            driver,
            listener: ListenerSpec {
                mode: driver.modes[driver.modes.len() - 1],
                family: Family::Ipv4,
                backlog: 64,
            },
            policy: Policy::new(Discipline::One, RetrySet::Stevens),
            fault,
            arm: fault.arm(arm).expect("the herd's arm"),
            kernel: kernel::NATIVE,
            count: 1,
        };
        let record = trial::run(&cell, Timing::sweep()).expect("a trial can be set up");
        assert_eq!(record.void, None, "{}", entry.name);
        let taken: usize = record.herd.iter().map(|one| one.taken).sum();
        assert_eq!(taken, record.offered, "{}: {:?}", entry.name, record.herd);
        check(entry.name, driver, &record);
    }
}

fn woken(record: &Record) -> usize {
    record.herd.iter().map(|one| one.wakeups).sum()
}

fn in_vain(record: &Record) -> usize {
    record.herd.iter().map(|one| one.would_blocks).sum()
}

/// Two, four, eight waiters: each is woken by each client, and all but one find nothing. What
/// wakes one at a time is woken once for each client; EPOLLEXCLUSIVE promises "one or more".
#[test]
fn every_client_wakes_every_loop_of_a_shared_listener() {
    for (arm, loops) in [("shared_2", 2), ("shared_4", 4), ("shared_8", 8)] {
        each(arm, |name, driver, record| {
            let clients = record.offered;
            assert_eq!((record.herd.len(), clients), (loops, 2 * loops), "{name}");
            let what = format!("{name}, {loops} loops: {:?}", record.herd);
            match (driver.wakes_one, driver.takes) {
                (true, Takes::InAccept) => assert_eq!(in_vain(record), 0, "{what}"),
                (true, _) => {
                    assert!((clients..=clients * loops).contains(&woken(record)), "{what}");
                }
                (false, Takes::AfterReport) => {
                    assert_eq!(woken(record), clients * loops, "{what}");
                    assert_eq!(in_vain(record), clients * (loops - 1), "{what}");
                }
                // What wakes inside a library is seen as the thread's sleeps.
                (false, _) => assert!(woken(record) >= clients, "{what}"),
            }
        });
    }
}

/// With a listener for each, the kernel chooses whose queue it is, and nobody else wakes.
#[test]
fn nobody_wakes_in_vain_where_each_has_a_queue_of_its_own() {
    each("own_4", |name, driver, record| {
        assert_eq!(in_vain(record), 0, "{name}: {:?}", record.herd);
        if driver.takes == Takes::AfterReport {
            assert_eq!(woken(record), record.offered, "{name}: {:?}", record.herd);
        }
    });
}

/// The waiters of accept(2) stand in a queue, so that each has its turn; who comes back late
/// may miss one.
#[test]
fn accept_gives_each_waiter_its_turn() {
    each("shared_4", |name, driver, record| {
        if driver.takes == Takes::InAccept && driver.modes == [Mode::Blocking] {
            assert!(record.herd.iter().all(|one| one.taken > 0), "{name}: {:?}", record.herd);
        }
    });
}
