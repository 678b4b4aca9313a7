//! Every backend of this machine, through every fault, arm, listener mode, discipline, retry
//! set and kernel: what it comes to is what the rules derive from what it says that it can do.

use std::path::Path;

use rstall::accept_loop::{Discipline, Policy};
use rstall::backend::{self, Takes};
use rstall::fault;
use rstall::kernel::{self, Kernel};
use rstall::listener::{Family, Listener, ListenerSpec, Mode};
use rstall::outcome::RetrySet;
use rstall::trial::{Cell, Misfit, Timing};
use rstall::verdict::sweep::{self, Plan, Tried};
use socket2::SockRef;

rstall::interpose_accept!();

fn timing() -> Timing {
    let program = Some(Path::new(env!("CARGO_BIN_EXE_rstall")));
    Timing { program, ..Timing::sweep() }
}

/// All that this machine has, on these kernels.
fn plan(kernels: impl Iterator<Item = &'static Kernel>) -> Plan {
    let disciplines = [&sweep::DISCIPLINES[..], &[Discipline::Budget(5)]].concat();
    let (plan, absent) = Plan::of_this_machine(&disciplines, 1);
    for (name, reason) in absent {
        eprintln!("absent: {name}: {reason}");
    }
    Plan { kernels: kernels.collect(), ..plan }
}

/// Tries the cells; none may come to anything else than it must.
fn conform(cells: &[Cell]) -> Vec<Tried> {
    let tried = sweep::run(cells, 1, timing(), || {}).expect("nothing panics");
    let wrong: Vec<String> = tried
        .iter()
        .filter(|tried| !tried.is_as_expected())
        .map(|tried| format!("{:?} {:?} {:#?}", tried.cell, tried.rule.name, tried.result))
        .collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), tried.len(), wrong.join("\n"));
    tried
}

#[test]
fn every_backend_does_what_its_capabilities_say() {
    let plan = plan(std::iter::once(kernel::NATIVE));
    let tried = conform(&plan.cells());
    for (entry, _) in &plan.backends {
        let of_it = |tried: &&Tried| tried.cell.backend == entry.name && tried.result.is_ok();
        assert!(tried.iter().any(|tried| of_it(&tried)), "{} was tried in no cell", entry.name);
    }
}

#[test]
fn every_backend_does_on_a_modelled_kernel_what_the_book_says() {
    if let Err(reason) = rstall::interpose::offered() {
        eprintln!("skipped: {reason}");
        return;
    }
    let modelled = kernel::ALL.iter().copied().filter(|kernel| !kernel.is_native());
    let mut plan = plan(modelled);
    plan.faults.retain(|fault| fault.concerns_kernels());
    let tried = conform(&plan.cells());
    for (entry, _) in &plan.backends {
        let cells =
            tried.iter().filter(|t| t.cell.backend == entry.name && t.result.is_ok()).count();
        // io_uring's accepts are the kernel's own affair: no symbol is called for them.
        assert_eq!(cells > 0, !entry.name.starts_with("io_uring"), "{}", entry.name);
    }
}

#[test]
fn what_is_not_captured_is_not_modelled_and_never_silently_native() {
    let fault = fault::find("reset_queued").expect("in the registry");
    for entry in backend::ALL {
        let Ok(driver) = entry.driver() else { continue };
        let mode = driver.modes[driver.modes.len() - 1];
        let listener = ListenerSpec { mode, family: Family::Ipv4, backlog: 16 };
        let policy = Policy::new(Discipline::One, RetrySet::Stevens);
        let cell = |kernel| Cell {
            backend: entry.name,
            driver,
            listener,
            policy,
            fault,
            arm: &fault.arms[0],
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
    let mut plan = plan(std::iter::once(kernel::NATIVE));
    plan.faults.retain(|fault| fault.arms.len() == 1);
    let mut cells = plan.cells();
    for cell in &mut cells {
        cell.listener.family = Family::Ipv6;
    }
    conform(&cells);
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
        assert_eq!(
            rival.misfit(&rival.arms[0], driver).is_none(),
            driver.takes == Takes::AfterReport
        );
        assert_eq!(drain.misfit(&drain.arms[0], driver).is_none(), driver.watches_others);
    }
}

#[test]
fn no_backend_changes_o_nonblock_behind_the_caller_s_back() {
    for entry in backend::ALL {
        let (name, Ok(driver)) = (entry.name, entry.driver()) else { continue };
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
    }
}
