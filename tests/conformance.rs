//! Every backend of this machine, through every fault, listener mode, discipline, retry set
//! and kernel: what it must come to follows from what the backend says that it can do.

use std::thread;
use std::time::Duration;

use rstall::accept_loop::{Discipline, Policy};
use rstall::backend::{self, Driver, Takes, Unasked};
use rstall::fault::{self, Fault, Step};
use rstall::kernel::{self, Kernel, Model};
use rstall::listener::{Family, Listener, ListenerSpec, Mode};
use rstall::outcome::{Abort, Outcome, RetrySet};
use rstall::trial::{self, Cell, Ending, Misfit, Record, Timing};
use socket2::SockRef;

rstall::interpose_accept!();

/// How many connections a burst holds.
const COUNT: usize = 5;

/// How often each cell is tried.
const TRIALS: usize = 3;

const DISCIPLINES: [Discipline; 4] =
    [Discipline::One, Discipline::Drain, Discipline::Budget(2), Discipline::Budget(5)];

/// What a cell must come to.
#[derive(Debug, PartialEq)]
struct Expected {
    stalls: bool,
    taken: usize,
    resets: usize,
    ending: Ending,
}

/// How often one report may lead to an accept.
fn budget(discipline: Discipline) -> usize {
    match discipline {
        Discipline::One => 1,
        Discipline::Drain => usize::MAX,
        Discipline::Budget(n) => n,
    }
}

/// The rules. The only one that knows the system is what accept makes of a reset.
fn expected(cell: &Cell) -> Expected {
    let (driver, fault) = (cell.driver, cell.fault);
    let offered = cell.offered();
    let budget = budget(cell.policy.discipline);
    // Whether the loop is ever told of the listener: before it waits, something must be queued.
    let queued_at_wait = fault.clients(cell.count) > dropped(cell, fault.before_wait);
    let reported = driver.takes == Takes::AfterReport && queued_at_wait;
    let vanished = dropped(cell, fault.before_wait) + dropped(cell, fault.in_window);
    let resets = usize::from(fault.name.starts_with("reset")) - vanished;
    let naive = cell.policy.retry == RetrySet::Naive;
    let abort = abort(cell.kernel).filter(|_| resets > 0);
    if let (true, Some(abort)) = (naive, abort) {
        let ending = Ending::Died(Outcome::Aborted(abort.name().to_owned()));
        return Expected { stalls: false, taken: 0, resets, ending };
    }
    // An edge is reported once: what the budget leaves is lost.
    let reachable = if driver.edge_triggered { offered.min(budget) } else { offered };
    // Whether a loop that trusts reports calls accept once too often: a rival was faster, or
    // it drains, or its budget ends beyond the queue's end.
    let beyond = if offered == 0 {
        true
    } else if driver.edge_triggered {
        budget > offered
    } else {
        budget == usize::MAX || !offered.is_multiple_of(budget)
    };
    let unasked = match driver.accepts_unasked {
        Unasked::Never => false,
        Unasked::Remembered => queued_at_wait,
        Unasked::First => true,
    };
    let one_too_many = (reported && beyond) || (unasked && driver.watches_others);
    let blocking = cell.listener.mode == Mode::Blocking;
    let dies = naive && !blocking && reported && beyond;
    Expected {
        stalls: blocking && one_too_many,
        taken: if abort.is_some() { reachable - resets } else { reachable },
        resets,
        ending: if dies { Ending::Died(Outcome::WouldBlock) } else { Ending::Done },
    }
}

/// How accept fails for a connection that was reset; `None` where it hands over a dead socket
/// (Linux, macOS) or never sees it: what METHODOLOGY.md says of each system.
fn abort(kernel: &Kernel) -> Option<Abort> {
    let bsd = cfg!(any(target_os = "freebsd", target_os = "netbsd", target_os = "openbsd"));
    match kernel.model {
        None => bsd.then_some(Abort::Connection),
        Some(Model::Fails(abort)) => Some(abort),
        Some(Model::Vanishes) => None,
    }
}

/// How many connections the kernel drops in these steps.
fn dropped(cell: &Cell, steps: &[Step]) -> usize {
    let resets = steps.iter().filter(|&&step| step == Step::Reset).count();
    if cell.kernel.drops_aborted() { resets } else { 0 }
}

fn observed(record: &Record) -> Expected {
    Expected {
        stalls: record.stall.is_some(),
        taken: record.taken(),
        resets: record.resets_observed(),
        ending: record.ending.clone(),
    }
}

/// Every cell that a backend can be in.
fn cells(
    name: &'static str,
    driver: &'static Driver,
    family: Family,
    kernel: &'static Kernel,
) -> impl Iterator<Item = Cell> {
    let policies = DISCIPLINES
        .into_iter()
        .flat_map(|discipline| RetrySet::ALL.map(|retry| Policy { discipline, retry }));
    let listeners =
        driver.modes.iter().map(move |&mode| ListenerSpec { mode, family, backlog: 64 });
    let combinations: Vec<(Policy, ListenerSpec)> =
        policies.flat_map(|policy| listeners.clone().map(move |l| (policy, l))).collect();
    fault::ALL.iter().flat_map(move |fault: &'static Fault| {
        combinations.clone().into_iter().map(move |(policy, listener)| Cell {
            backend: name,
            driver,
            listener,
            policy,
            fault,
            kernel,
            count: COUNT,
        })
    })
}

fn conform(
    name: &'static str,
    driver: &'static Driver,
    family: Family,
    kernel: &'static Kernel,
    trials: usize,
) -> usize {
    let timing = Timing { rescue_after: Duration::from_millis(1), ..Timing::default() };
    let mut tried = 0;
    for cell in cells(name, driver, family, kernel).filter(|cell| cell.misfit().is_none()) {
        for _ in 0..trials {
            let record = trial::run(&cell, timing).expect("a trial can be set up");
            let what = format!(
                "{name} {:?} {:?} {} on {}",
                cell.listener, cell.policy, cell.fault.name, kernel.name
            );
            assert_eq!(record.void, None, "{what}: {:#?}", record.events);
            assert_eq!(observed(&record), expected(&cell), "{what}: {:#?}", record.events);
            tried += 1;
        }
    }
    tried
}

/// Runs `body` for each backend of this machine, each on a thread of its own; says which are
/// absent, and why.
fn for_each_backend(body: impl Fn(&'static str, &'static Driver) + Sync) {
    thread::scope(|scope| {
        for entry in backend::ALL {
            match entry.driver() {
                Ok(driver) => drop(scope.spawn({
                    let body = &body;
                    move || body(entry.name, driver)
                })),
                Err(reason) => eprintln!("absent: {}: {reason}", entry.name),
            }
        }
    });
}

#[test]
fn every_backend_does_what_its_capabilities_say() {
    for_each_backend(|name, driver| {
        let tried = conform(name, driver, Family::Ipv4, kernel::NATIVE, TRIALS);
        assert!(tried > 0, "{name} was tried in no cell");
    });
}

#[test]
fn every_backend_does_on_a_modelled_kernel_what_the_book_says() {
    if let Err(reason) = rstall::interpose::offered() {
        eprintln!("skipped: {reason}");
        return;
    }
    for_each_backend(|name, driver| {
        let modelled = kernel::ALL.iter().filter(|kernel| !kernel.is_native());
        let tried: usize =
            modelled.map(|kernel| conform(name, driver, Family::Ipv4, kernel, 1)).sum();
        // io_uring's accepts are the kernel's own affair: no symbol is called for them.
        assert_eq!(tried > 0, !name.starts_with("io_uring"), "{name}: {tried} cells");
    });
}

#[test]
fn what_is_not_captured_is_not_modelled_and_never_silently_native() {
    let fault = fault::find("reset_queued").expect("in the registry");
    for entry in backend::ALL {
        let Ok(driver) = entry.driver() else { continue };
        let mode = driver.modes[driver.modes.len() - 1];
        let listener = ListenerSpec { mode, family: Family::Ipv4, backlog: 16 };
        let policy = Policy { discipline: Discipline::One, retry: RetrySet::Stevens };
        let cell = |kernel| Cell {
            backend: entry.name,
            driver,
            listener,
            policy,
            fault,
            kernel,
            count: 1,
        };
        assert_eq!(cell(kernel::NATIVE).misfit(), None, "{}", entry.name);
        for kernel in kernel::ALL.iter().copied().filter(|kernel| !kernel.is_native()) {
            let misfit = cell(kernel).misfit();
            let refused = matches!(misfit, Some(Misfit::NotModelled(_)));
            let captured = cfg!(target_os = "linux") && !entry.name.starts_with("io_uring");
            assert_eq!(refused, !captured, "{} on {}: {misfit:?}", entry.name, kernel.name);
        }
    }
}

#[test]
fn ipv6_is_no_different() {
    let spec = ListenerSpec { mode: Mode::Blocking, family: Family::Ipv6, backlog: 1 };
    if let Err(error) = Listener::bind(spec) {
        eprintln!("skipped: this machine has no IPv6 loopback: {error}");
        return;
    }
    for_each_backend(|name, driver| {
        conform(name, driver, Family::Ipv6, kernel::NATIVE, 1);
    });
}

#[test]
fn the_backends_that_run_everywhere_are_here() {
    for name in ["blocking", "select", "poll", "mio", "polling", "tokio", "async_io"] {
        let entry = backend::find(name).unwrap_or_else(|| panic!("{name} is not in the registry"));
        entry.driver().unwrap_or_else(|reason| panic!("{name} is absent: {reason}"));
    }
    let native = if cfg!(target_os = "linux") { "epoll" } else { "kqueue" };
    backend::find(native).expect("in the registry").driver().expect("available");
}

#[test]
fn what_does_not_fit_says_why() {
    let rival = fault::find("rival_in_window").expect("in the registry");
    let drain = fault::find("drain_to_empty").expect("in the registry");
    for entry in backend::ALL {
        let Some(driver) = entry.built() else {
            continue;
        };
        assert_eq!(rival.misfit(driver).is_none(), driver.takes == Takes::AfterReport);
        assert_eq!(drain.misfit(driver).is_none(), driver.watches_others);
    }
}

#[test]
fn no_backend_changes_o_nonblock_behind_the_caller_s_back() {
    for_each_backend(|name, driver| {
        for &mode in driver.modes {
            let spec = ListenerSpec { mode, family: Family::Ipv4, backlog: 1 };
            let listener = Listener::bind(spec).expect("a listener");
            // The same open file description: what the backend did to one shows on the other.
            let other = listener.duplicate().expect("a descriptor");
            let mut backend = (driver.open)(listener.into_socket()).expect("it opens");
            backend.watch_listener().expect("it watches");
            let nonblocking = SockRef::from(other.socket()).nonblocking().expect("fcntl");
            assert_eq!(nonblocking, mode == Mode::NonBlocking, "{name} on {mode:?}");
        }
    });
}
