//! Keeps what a loop's habit needs, and does what it does beside accepting.

use std::fs::File;
use std::io;
use std::ops::ControlFlow;

use super::policy::{Habit, Remedy};
use super::{End, failed};
use crate::backend::{Backend, Ready, Token};
use crate::connection::Connection;

/// What a loop keeps for its habit.
pub(super) struct Keeper {
    habit: Habit,
    /// The descriptor to be given up when there is no other ([`Remedy::Reserve`]).
    reserve: Option<File>,
    /// Whether the next connection is to be closed, since the reserve was given up for it.
    sheds: bool,
    /// Whether the listener is not watched for the time being.
    paused: bool,
    /// Whether the listener was closed.
    closed: bool,
    timer: Option<timer::Timer>,
}

impl Keeper {
    /// Gets ready: what needs a descriptor takes it now, while there are some.
    pub(super) fn new(backend: &mut dyn Backend, habit: Habit) -> io::Result<Keeper> {
        let mut keeper = Keeper {
            habit,
            reserve: None,
            sheds: false,
            paused: false,
            closed: false,
            timer: None,
        };
        match habit {
            Habit::Exhausted(Remedy::Reserve) => keeper.reserve = Some(reserve()?),
            Habit::Exhausted(Remedy::BackOff) => keeper.timer = Some(timer::Timer::new(backend)?),
            Habit::NeverRearms => backend.stop_rearming(),
            _ => {}
        }
        Ok(keeper)
    }

    /// What the loop does about a report: a listener that it has closed is no longer its
    /// business, and what an accept in flight has brought since is dropped. One that was
    /// deregistered first has brought what it brought before that.
    pub(super) fn sift(&mut self, backend: &mut dyn Backend, ready: &mut Ready) {
        if self.closed && self.habit == (Habit::Closes { deregisters: false }) {
            discard(backend, ready.accepts);
            ready.accepts = 0;
        }
    }

    /// Whether a lack of descriptors is met by this habit, and not the end.
    pub(super) fn has_remedy(&self) -> bool {
        matches!(self.habit, Habit::Exhausted(_) | Habit::NeverRearms)
    }

    /// Meets a lack of descriptors. Says whether accept is to be tried again at once.
    pub(super) fn exhausted(&mut self, backend: &mut dyn Backend) -> io::Result<bool> {
        let Habit::Exhausted(remedy) = self.habit else { return Ok(false) };
        match remedy {
            Remedy::Ignore => return Ok(false),
            Remedy::Reserve => {
                self.sheds = self.reserve.take().is_some();
                return Ok(self.sheds);
            }
            Remedy::BackOff => self.timer.as_mut().map_or(Ok(()), timer::Timer::arm)?,
            Remedy::Pause | Remedy::PauseForGood => {}
        }
        backend.unwatch_listener()?;
        self.paused = true;
        Ok(false)
    }

    /// Takes a connection that was accepted with the reserve's descriptor, and keeps that
    /// again; gives others back.
    pub(super) fn shed(&mut self, connection: Connection) -> Result<Connection, Shed> {
        if !std::mem::take(&mut self.sheds) {
            return Ok(connection);
        }
        let port = connection.peer().map(|peer| peer.port());
        drop(connection);
        // Somebody else may have been faster: then there is none next time.
        self.reserve = reserve().ok();
        Err(Shed { port })
    }

    /// The descriptor that was given up is not needed: there is no connection for it.
    pub(super) fn took_none(&mut self) {
        if std::mem::take(&mut self.sheds) {
            self.reserve = reserve().ok();
        }
    }

    /// A connection was taken: the lack is over.
    pub(super) fn accepted(&mut self) {
        self.timer.iter_mut().for_each(timer::Timer::rest);
    }

    /// Whether this token is the keeper's own.
    pub(super) fn owns(&self, token: Token) -> bool {
        token == Token::TIMER
    }

    /// The others have had their turn.
    pub(super) fn after(
        &mut self,
        backend: &mut dyn Backend,
        others: &[Token],
    ) -> ControlFlow<End> {
        self.turn(backend, others)
            .map_or_else(|error| ControlFlow::Break(failed(&error)), ControlFlow::Continue)
    }

    fn turn(&mut self, backend: &mut dyn Backend, others: &[Token]) -> io::Result<()> {
        match self.habit {
            Habit::Exhausted(Remedy::Pause) if self.paused => self.resume(backend)?,
            Habit::Exhausted(Remedy::BackOff) if others.contains(&Token::TIMER) => {
                self.timer.iter().try_for_each(timer::Timer::clear)?;
                self.resume(backend)?;
            }
            Habit::Cancels { keeps } => {
                backend.disarm()?;
                if !keeps {
                    discard(backend, usize::MAX);
                }
            }
            Habit::Closes { deregisters } if !self.closed => {
                if deregisters {
                    backend.unwatch_listener()?;
                }
                backend.forget_listener()?;
                self.closed = true;
            }
            _ => {}
        }
        Ok(())
    }

    fn resume(&mut self, backend: &mut dyn Backend) -> io::Result<()> {
        self.paused = false;
        backend.watch_listener()
    }
}

/// A connection that was closed as soon as it was accepted.
pub(super) struct Shed {
    pub(super) port: Option<u16>,
}

fn reserve() -> io::Result<File> {
    File::open("/dev/null")
}

/// Drops what the wait has brought, at most so many connections.
fn discard(backend: &mut dyn Backend, most: usize) {
    for _ in 0..most {
        if backend.accept().is_err() {
            break;
        }
    }
}

/// A timer that a loop watches like any descriptor.
#[cfg(target_os = "linux")]
mod timer {
    use std::io;
    use std::os::fd::{AsFd, OwnedFd};
    use std::sync::Arc;
    use std::time::Duration;

    use nix::sys::time::TimeSpec;
    use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};

    use crate::backend::{Backend, Token};

    /// The first delay.
    const SHORTEST: Duration = Duration::from_millis(5);

    /// No delay is longer.
    const LONGEST: Duration = Duration::from_secs(1);

    pub(super) struct Timer {
        timer: TimerFd,
        delay: Duration,
    }

    impl Timer {
        /// Makes a timer and has it watched (timerfd_create(2)).
        pub(super) fn new(backend: &mut dyn Backend) -> io::Result<Timer> {
            let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
            let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, flags)?;
            let watched: OwnedFd = timer.as_fd().try_clone_to_owned()?;
            backend.watch(Arc::new(watched), Token::TIMER)?;
            Ok(Timer { timer, delay: SHORTEST })
        }

        /// Has it go off after the delay, which doubles.
        pub(super) fn arm(&mut self) -> io::Result<()> {
            let once = Expiration::OneShot(TimeSpec::from_duration(self.delay));
            self.timer.set(once, TimerSetTimeFlags::empty())?;
            self.delay = LONGEST.min(self.delay * 2);
            Ok(())
        }

        /// It has gone off: until it is armed again it is not readable.
        pub(super) fn clear(&self) -> io::Result<()> {
            Ok(self.timer.unset()?)
        }

        /// The next delay is the first again.
        pub(super) fn rest(&mut self) {
            self.delay = SHORTEST;
        }
    }
}

/// No timer that could be watched as a descriptor.
#[cfg(not(target_os = "linux"))]
mod timer {
    use std::io;

    use crate::backend::Backend;

    pub(super) struct Timer {}

    impl Timer {
        pub(super) fn new(_backend: &mut dyn Backend) -> io::Result<Timer> {
            Err(io::Error::new(io::ErrorKind::Unsupported, "timerfd_create(2) is Linux's"))
        }

        pub(super) fn arm(&mut self) -> io::Result<()> {
            Ok(())
        }

        pub(super) fn clear(&self) -> io::Result<()> {
            Ok(())
        }

        pub(super) fn rest(&mut self) {}
    }
}
