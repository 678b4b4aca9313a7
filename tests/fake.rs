//! A scripted backend drives the trial's runner through every outcome and its watchdog,
//! without the kernel's luck.

use std::io;
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rstall::accept_loop::{Discipline, Policy};
use rstall::backend::{self, Backend, Driver, Ready, Rearms, Registration, Takes, Token, Unasked};
use rstall::connection::Connection;
use rstall::fault;
use rstall::kernel;
use rstall::listener::{Family, ListenerSpec, Mode};
use rstall::outcome::{Outcome, RetrySet};
use rstall::peer;
use rstall::trial::{self, Cell, Ending, Record, Timing, What};

/// What the backend does in the place of an accept; afterwards it is honest.
#[derive(Clone, Copy)]
enum Act {
    /// accept(2).
    Real,
    /// This errno.
    Fail(i32),
    /// Never returns, whatever happens: no shutdown, no client ends it.
    ParkForEver,
    Panic,
    /// Takes a connection and says EWOULDBLOCK.
    Swallow,
    /// Takes a connection and hands over another, a live one, in its name.
    Resurrect,
}

/// A poll(2) backend whose accepts follow a script.
struct Fake {
    honest: Box<dyn Backend>,
    script: std::slice::Iter<'static, Act>,
    wait: fn(&mut dyn Backend, &mut Ready) -> io::Result<()>,
    /// The other ends of what was resurrected.
    lives: Vec<TcpStream>,
}

impl Fake {
    fn open(listener: TcpListener, script: &'static [Act]) -> io::Result<Box<dyn Backend>> {
        Fake::waiting(listener, script, |honest, ready| honest.wait(ready))
    }

    fn waiting(
        listener: TcpListener,
        script: &'static [Act],
        wait: fn(&mut dyn Backend, &mut Ready) -> io::Result<()>,
    ) -> io::Result<Box<dyn Backend>> {
        let poll = backend::find("poll").and_then(|entry| entry.built()).expect("poll is built");
        let honest = (poll.open)(listener)?;
        Ok(Box::new(Fake { honest, script: script.iter(), wait, lives: Vec::new() }))
    }
}

impl Backend for Fake {
    fn watch_listener(&mut self) -> io::Result<()> {
        self.honest.watch_listener()
    }

    fn unwatch_listener(&mut self) -> io::Result<()> {
        self.honest.unwatch_listener()
    }

    fn forget_listener(&mut self) -> io::Result<()> {
        self.honest.forget_listener()
    }

    fn watch(&mut self, fd: Arc<OwnedFd>, token: Token) -> io::Result<()> {
        self.honest.watch(fd, token)
    }

    fn wait(&mut self, ready: &mut Ready) -> io::Result<()> {
        (self.wait)(&mut *self.honest, ready)
    }

    fn accept(&mut self) -> io::Result<Connection> {
        match self.script.next() {
            None | Some(Act::Real) => self.honest.accept(),
            Some(Act::Fail(errno)) => Err(io::Error::from_raw_os_error(*errno)),
            Some(Act::ParkForEver) => loop {
                thread::park();
            },
            Some(Act::Panic) => panic!("the script says so"),
            Some(Act::Swallow) => {
                self.honest.accept()?;
                Err(io::ErrorKind::WouldBlock.into())
            }
            Some(Act::Resurrect) => {
                let peer = self.honest.accept()?.peer();
                let (mut pairs, _) = peer::established(Family::Ipv4, 1)?;
                let (client, server) = pairs.pop().expect("one was asked for");
                self.lives.push(client);
                Ok(Connection::new(server, peer))
            }
        }
    }
}

/// A driver whose backend follows this script, or is opened by this closure.
macro_rules! driver {
    (open $open:expr) => {{
        static DRIVER: Driver = Driver {
            about: "a script",
            library: None,
            takes: Takes::AfterReport,
            modes: &Mode::ALL,
            watches_others: true,
            edge_triggered: false,
            accepts_unasked: Unasked::Never,
            rearms: Rearms::Never,
            registration: Registration::Number,
            sets_nonblocking: false,
            wakes_one: false,
            open: $open,
        };
        &DRIVER
    }};
    ($($act:expr),+) => {
        driver!(open |listener| {
            const SCRIPT: &[Act] = &[$($act),+];
            Fake::open(listener, SCRIPT)
        })
    };
}

fn cell(driver: &'static Driver, fault: &str, retry: RetrySet) -> Cell {
    let fault = fault::find(fault).expect("in the registry");
    Cell {
        backend: "fake",
        driver,
        listener: ListenerSpec { mode: Mode::NonBlocking, family: Family::Ipv4, backlog: 16 },
        policy: Policy::new(Discipline::One, retry),
        fault,
        arm: &fault.arms[0],
        kernel: kernel::NATIVE,
        count: 3,
    }
}

fn run(driver: &'static Driver, fault: &str, retry: RetrySet) -> Record {
    trial::run(&cell(driver, fault, retry), Timing::default()).expect("a trial can be set up")
}

fn outcomes(record: &Record) -> Vec<Outcome> {
    record.accepts.iter().map(|accept| accept.outcome.clone()).collect()
}

#[test]
fn an_accepted_connection_is_alive() {
    let record = run(driver!(Act::Real), "clean", RetrySet::Stevens);
    assert_eq!(outcomes(&record), [Outcome::Accepted]);
    assert_eq!((record.ending, record.void), (Ending::Done, None));
}

#[test]
fn errors_of_the_retry_set_are_survived_and_counted() {
    let driver = driver!(Act::Fail(libc::EINTR), Act::Fail(libc::EWOULDBLOCK), Act::Real);
    let record = run(driver, "clean", RetrySet::Stevens);
    assert_eq!(outcomes(&record), [Outcome::Interrupted, Outcome::WouldBlock, Outcome::Accepted]);
    assert_eq!((record.would_blocks, record.taken(), record.lost()), (1, 1, 0));
    assert_eq!((record.ending, record.void), (Ending::Done, None));
}

#[test]
fn an_abort_that_nobody_injected_voids_the_trial() {
    let driver = driver!(Act::Fail(libc::ECONNABORTED), Act::Fail(libc::EPROTO), Act::Real);
    let record = run(driver, "clean", RetrySet::Stevens);
    let aborted = |name: &str| Outcome::Aborted(name.to_owned());
    assert_eq!(outcomes(&record)[..2], [aborted("ECONNABORTED"), aborted("EPROTO")]);
    assert_eq!(record.ending, Ending::Done);
    let reason = record.void.expect("a mismatch");
    assert!(reason.contains("0 resets were injected"), "{reason}");
}

#[test]
fn a_reset_that_accept_does_not_tell_of_voids_the_trial() {
    let record = run(driver!(Act::Resurrect), "reset_queued", RetrySet::Stevens);
    let reason = record.void.expect("a mismatch");
    assert!(reason.contains("was reset and yet accepted alive"), "{reason}");
}

#[test]
fn a_connection_that_no_accept_answers_for_is_lost() {
    let record = run(driver!(Act::Swallow), "clean", RetrySet::Stevens);
    assert_eq!((record.taken(), record.lost(), record.void), (0, 1, None));
    assert_eq!(record.ending, Ending::Done);
}

#[test]
fn a_naive_loop_dies_on_any_error_and_says_which() {
    for (driver, died) in [
        (driver!(Act::Fail(libc::EINTR)), Outcome::Interrupted),
        (driver!(Act::Fail(libc::EWOULDBLOCK)), Outcome::WouldBlock),
        (driver!(Act::Fail(libc::EPROTO)), Outcome::Aborted("EPROTO".to_owned())),
    ] {
        let record = run(driver, "clean", RetrySet::Naive);
        assert_eq!(record.ending, Ending::Died(died));
        assert_eq!(record.bystander_ns, None, "a dead loop echoes nothing");
    }
}

#[test]
fn errors_beyond_the_retry_set_end_every_loop() {
    let exhausted = |name: &str| Outcome::Exhausted(name.to_owned());
    for (driver, died) in [
        (driver!(Act::Fail(libc::EMFILE)), exhausted("EMFILE")),
        (driver!(Act::Fail(libc::ENFILE)), exhausted("ENFILE")),
        (driver!(Act::Fail(libc::ENOBUFS)), exhausted("ENOBUFS")),
        (driver!(Act::Fail(libc::ENOMEM)), exhausted("ENOMEM")),
        (driver!(Act::Fail(libc::EINVAL)), Outcome::Failed("EINVAL".to_owned())),
    ] {
        let record = run(driver, "clean", RetrySet::Stevens);
        assert_eq!(record.ending, Ending::Died(died.clone()));
        assert_eq!(outcomes(&record), [died]);
    }
}

#[test]
fn a_dead_connection_is_told_from_a_live_one() {
    if cfg!(any(target_os = "freebsd", target_os = "netbsd", target_os = "openbsd")) {
        return; // accept fails there, and hands nothing over
    }
    let record = run(driver!(Act::Real), "reset_queued", RetrySet::Stevens);
    assert!(matches!(outcomes(&record)[..], [Outcome::AcceptedDead(_)]), "{:?}", record.accepts);
    assert_eq!((record.resets_observed(), record.void), (1, None));
    let record = run(driver!(Act::Real), "close_queued", RetrySet::Stevens);
    assert_eq!(outcomes(&record), [Outcome::Accepted], "a FIN is no reset");
}

#[test]
fn the_watchdog_ends_what_nothing_else_can_and_says_so() {
    let cell = cell(driver!(Act::ParkForEver), "clean", RetrySet::Stevens);
    let timing = Timing { watchdog: Duration::from_secs(1), ..Timing::default() };
    let record = trial::run(&cell, timing).expect("a trial can be set up");
    assert_eq!(record.ending, Ending::Censored);
    assert_eq!(outcomes(&record), [Outcome::TimedOut]);
    assert_eq!((record.accepts[0].returned, record.stall), (None, None));
}

#[test]
fn a_wait_that_fails_is_recorded() {
    let driver = driver!(
        open | listener | {
            Fake::waiting(listener, &[], |_, _| Err(io::Error::from_raw_os_error(libc::EBADF)))
        }
    );
    let record = run(driver, "clean", RetrySet::Stevens);
    assert_eq!(record.ending, Ending::WaitFailed("EBADF".to_owned()));
}

#[test]
fn an_interrupted_wait_is_entered_again() {
    let driver = driver!(
        open | listener
            | {
                Fake::waiting(listener, &[], |honest, ready| {
                    thread_local!(static INTERRUPTED: std::cell::Cell<bool> = const { std::cell::Cell::new(false) });
                    if !INTERRUPTED.replace(true) {
                        return Err(io::Error::from_raw_os_error(libc::EINTR));
                    }
                    honest.wait(ready)
                })
            }
    );
    let record = run(driver, "clean", RetrySet::Naive);
    let waits = record.events.iter().filter(|event| event.what == What::WaitEntered).count();
    assert!(waits >= 2, "{:#?}", record.events);
    assert_eq!((record.taken(), record.ending), (1, Ending::Done));
}

/// It talks all the time, and nothing that it says is what the trial waits for.
#[test]
fn a_wait_that_returns_at_once_with_nothing_is_ended_by_the_watchdog() {
    let driver = driver!(
        open | listener | {
            Fake::waiting(listener, &[], |_, ready| {
                ready.clear();
                Ok(())
            })
        }
    );
    let timing = Timing { watchdog: Duration::from_millis(300), ..Timing::default() };
    let record = trial::run(&cell(driver, "clean", RetrySet::Stevens), timing)
        .expect("a trial can be set up");
    assert_eq!(record.ending, Ending::Censored);
}

#[test]
fn a_panic_in_the_loop_voids_the_trial_and_goes_no_further() {
    let record = run(driver!(Act::Panic), "clean", RetrySet::Stevens);
    let reason = record.void.expect("a panic is no result");
    assert!(reason.contains("the script says so"), "{reason}");
}

#[test]
fn a_backend_that_does_not_open_says_why() {
    let driver = driver!(open | _ | Err(io::Error::other("refused by the script")));
    let cell = cell(driver, "clean", RetrySet::Stevens);
    let message = trial::run(&cell, Timing::default()).expect_err("it cannot be set up");
    assert!(message.contains("refused by the script"), "{message}");
}

#[test]
fn without_the_park_there_is_no_stall() {
    // The same fault and a loop that never calls accept for the report: nothing parks, and
    // the order proof must not be found.
    let record = run(driver!(Act::Fail(libc::EWOULDBLOCK)), "rival_in_window", RetrySet::Stevens);
    assert_eq!((record.stall, record.would_blocks), (None, 1));
    assert!(record.bystander_ns.is_some());
}
