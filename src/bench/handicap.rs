//! A backend slowed down on purpose: to see whether a comparison of two runs finds it.
//!
//! Each call of its wait and its accept is followed by a spin of so many per cent of what the
//! call took, a wait for a client included. No number is touched: the work really takes longer.
//! It reaches the groups whose loops run in this process and outside of a trial:
//! `accept_burst`, `connect_to_accept`, the `abort_storm`s, `idle_set` and `storm`.

use std::fmt;
use std::hint;
use std::io;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::str::FromStr;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};

use crate::backend::{self, Backend, Driver, Ready, Token};
use crate::clock::{self, Moment};
use crate::connection::Connection;

/// Which backend is slowed down, and by how much.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Handicap {
    /// Its name.
    pub backend: String,
    /// By how many per cent.
    pub percent: f64,
}

impl fmt::Display for Handicap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} by {} %", self.backend, self.percent)
    }
}

impl FromStr for Handicap {
    type Err = String;

    /// Parses `BACKEND=PERCENT%`, of a backend that there is and of 0 to 1,000 %.
    fn from_str(text: &str) -> Result<Handicap, String> {
        let (name, percent) = text.split_once('=').ok_or("expected BACKEND=PERCENT%")?;
        if !backend::ALL.iter().any(|entry| entry.name == name) {
            return Err(format!("there is no backend `{name}`"));
        }
        let percent = percent.strip_suffix('%').unwrap_or(percent).parse().map_err(|_| "no number");
        match percent? {
            percent if (0.0..=1_000.0).contains(&percent) => {
                Ok(Handicap { backend: name.to_owned(), percent })
            }
            _ => Err("expected 0 to 1000 %".to_owned()),
        }
    }
}

static IN_FORCE: OnceLock<Handicap> = OnceLock::new();

/// Puts a handicap in force for the rest of the process; only the first counts.
pub fn put_in_force(handicap: Handicap) {
    let _ = IN_FORCE.set(handicap);
}

/// Opens a backend on a listener, slowed down if that was asked for.
///
/// # Errors
///
/// As [`Driver::open`].
pub(super) fn open(driver: &'static Driver, listener: TcpListener) -> io::Result<Box<dyn Backend>> {
    let backend = (driver.open)(listener)?;
    let is_meant = |handicap: &&Handicap| {
        let entry = backend::ALL.iter().find(|entry| entry.name == handicap.backend);
        entry.and_then(backend::Entry::built).is_some_and(|meant| std::ptr::eq(meant, driver))
    };
    Ok(match IN_FORCE.get().filter(is_meant) {
        Some(handicap) => Box::new(Slowed { backend, part: handicap.percent / 100.0, owed: 0.0 }),
        None => backend,
    })
}

/// A backend whose calls take longer.
struct Slowed {
    backend: Box<dyn Backend>,
    part: f64,
    /// What is still to be spun away, in nanoseconds; below 0 where it was too much, since a
    /// spin ends with a look at the clock, which takes its time.
    owed: f64,
}

impl Slowed {
    /// Spins for the part of the time since `began`.
    fn spin(&mut self, began: Moment) {
        let returned = clock::now();
        self.owed += self.part * clock::nanos(returned - began) as f64;
        let mut spun = 0.0;
        while spun < self.owed {
            hint::spin_loop();
            spun = clock::nanos(clock::now() - returned) as f64;
        }
        self.owed -= spun;
    }
}

impl Backend for Slowed {
    fn watch_listener(&mut self) -> io::Result<()> {
        self.backend.watch_listener()
    }

    fn unwatch_listener(&mut self) -> io::Result<()> {
        self.backend.unwatch_listener()
    }

    fn forget_listener(&mut self) -> io::Result<()> {
        self.backend.forget_listener()
    }

    fn stop_rearming(&mut self) {
        self.backend.stop_rearming();
    }

    fn watch(&mut self, fd: Arc<OwnedFd>, token: Token) -> io::Result<()> {
        self.backend.watch(fd, token)
    }

    fn wait(&mut self, ready: &mut Ready) -> io::Result<()> {
        let began = clock::now();
        let waited = self.backend.wait(ready);
        self.spin(began);
        waited
    }

    fn accept(&mut self) -> io::Result<Connection> {
        let began = clock::now();
        let accepted = self.backend.accept();
        self.spin(began);
        accepted
    }

    fn disarm(&mut self) -> io::Result<()> {
        self.backend.disarm()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A backend that does nothing.
    struct Idle;

    impl Backend for Idle {
        fn watch_listener(&mut self) -> io::Result<()> {
            Ok(())
        }

        fn unwatch_listener(&mut self) -> io::Result<()> {
            Ok(())
        }

        fn forget_listener(&mut self) -> io::Result<()> {
            Ok(())
        }

        fn watch(&mut self, _: Arc<OwnedFd>, _: Token) -> io::Result<()> {
            Ok(())
        }

        fn wait(&mut self, ready: &mut Ready) -> io::Result<()> {
            ready.accepts = 3;
            Ok(())
        }

        fn accept(&mut self) -> io::Result<Connection> {
            Err(io::Error::other("as it came"))
        }
    }

    #[test]
    fn what_is_owed_is_spun_away_and_what_was_too_much_is_kept() {
        let mut slowed = Slowed { backend: Box::new(Idle), part: 2.0, owed: 0.0 };
        let began = clock::now();
        slowed.spin(began);
        // The call took no less than nothing: twice of that went by, and nothing is owed.
        assert!(slowed.owed <= 0.0, "{}", slowed.owed);
        // Who has spun too much already spins no more.
        slowed.owed = -1e18;
        slowed.spin(began);
        assert!(slowed.owed < -1e17, "{}", slowed.owed);
    }

    #[test]
    fn what_a_backend_says_is_what_it_says_slowed() {
        let mut slowed = Slowed { backend: Box::new(Idle), part: 0.1, owed: 0.0 };
        let mut ready = Ready::default();
        slowed.wait(&mut ready).expect("it waits for nothing");
        assert_eq!(ready.accepts, 3);
        assert_eq!(slowed.accept().map(|_| ()).expect_err("an error").to_string(), "as it came");
    }

    #[test]
    fn a_handicap_names_a_backend_and_a_share() {
        let parsed = "poll=10%".parse::<Handicap>().expect("fit");
        assert_eq!(parsed.to_string(), "poll by 10 %");
        for other in ["poll", "nobody=10%", "poll=x", "poll=-1%", "poll=2000%", "poll=NaN"] {
            assert!(other.parse::<Handicap>().is_err(), "{other}");
        }
    }
}
