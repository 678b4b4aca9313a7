//! Conducts a trial: has the fault injected, sends the bystander's byte, rescues, stops.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use socket2::SockRef;

use super::log::{Event, What};
use super::record::{self, Findings, Record};
use super::stage::{Message, Set, Stage, end_of};
use super::{Cell, Timing};
use crate::clock::{self, Moment};
use crate::connection::Connection;
use crate::evidence::Proof;
use crate::evidence::park::{Doing, Watch};
use crate::interpose::{self, InForce};
use crate::listener::Listener;
use crate::outcome;
use crate::peer::{Bystander, Peer};

/// How often the conductor looks whether the loop is parked. It schedules, and proves
/// nothing.
const LOOK: Duration = Duration::from_micros(50);

/// When the byte goes out although the loop shows no sign, and when the rescue comes where
/// no system tells of a park. They schedule, and prove nothing.
const NO_SIGN: Duration = Duration::from_millis(50);

/// How long a loop that was told to stop may take before its thread is left behind.
const FAREWELL: Duration = Duration::from_secs(1);

/// Runs one trial on the calling thread and a loop on another. Blocks until the trial is
/// over, at most for the watchdog's time and three seconds of farewell.
///
/// # Errors
///
/// A message where the trial could not be set up: no descriptor, no such address family, the
/// backend refused the listener. What goes wrong later is in the record.
pub fn run(cell: &Cell, timing: Timing) -> Result<Record, String> {
    let began = clock::now();
    let mut conductor = Conductor::set_up(cell, timing, began)
        .map_err(|error| format!("cannot set up a trial: {}", outcome::explain(&error)))?;
    let result = conductor.conduct();
    let Conductor { mut log, evidence, resets, ended, in_force, .. } = conductor.stop();
    // What the model dropped as accept came to it; what it dropped before is in the log.
    let dropped = in_force.iter().flat_map(InForce::vanished);
    log.extend(dropped.map(|v| Event { at: v.at, what: What::Vanished { port: v.port } }));
    let (censored, void) = match result {
        Ok(()) => (false, None),
        Err(Stop::NotOpened(message)) => return Err(message),
        Err(Stop::Watchdog) => (true, None),
        Err(Stop::Void(reason)) => (false, Some(reason)),
    };
    let left_behind = !ended;
    let findings =
        Findings { began, censored, left_behind, void, evidence, resets_injected: resets };
    Ok(record::derive(cell, log, findings))
}

/// Why a trial does not go on.
pub(super) enum Stop {
    NotOpened(String),
    Watchdog,
    Void(String),
}

impl Stop {
    /// A step of the harness itself failed.
    pub(super) fn void(doing: &str) -> impl FnOnce(io::Error) -> Stop {
        move |error| Stop::Void(format!("{doing}: {}", outcome::explain(&error)))
    }
}

pub(super) struct Conductor<'a> {
    pub(super) cell: &'a Cell,
    timing: Timing,
    pub(super) deadline: Moment,
    pub(super) listener: Listener,
    /// The modelled kernel; it is the machine's own where there is none.
    pub(super) in_force: Option<InForce>,
    stage: Option<Stage>,
    park: Option<Watch>,
    bystander: Option<Bystander>,
    pub(super) clients: VecDeque<Peer>,
    /// What the rival took: kept open until the trial is over.
    pub(super) rival_took: Vec<Connection>,
    rescue: Option<Peer>,
    log: Vec<Event>,
    evidence: Vec<Proof>,
    pub(super) resets: Vec<u16>,
    /// How many connections accept has answered for.
    answered: usize,
    /// Whether any accept has returned.
    returned: bool,
    ended: bool,
}

impl<'a> Conductor<'a> {
    fn set_up(cell: &'a Cell, timing: Timing, began: Moment) -> io::Result<Conductor<'a>> {
        let listener = Listener::bind(cell.listener)?;
        let model = cell.kernel.model;
        let in_force =
            model.map(|model| interpose::put_in_force(listener.socket(), model)).transpose()?;
        let (bystander, server) = if cell.driver.watches_others {
            let (client, server) = Bystander::open(cell.listener.family)?;
            (Some(client), Some(server))
        } else {
            (None, None)
        };
        let stage = Stage::start(Set {
            driver: cell.driver,
            listener: listener.duplicate()?,
            bystander: server,
            policy: cell.policy,
            cpu: timing.loop_cpu,
            hold_in_window: !cell.fault.in_window.is_empty(),
        })?;
        Ok(Conductor {
            cell,
            timing,
            deadline: began.after(timing.watchdog),
            listener,
            in_force,
            stage: Some(stage),
            park: None,
            bystander,
            clients: VecDeque::new(),
            rival_took: Vec::new(),
            rescue: None,
            log: Vec::new(),
            evidence: Vec::new(),
            resets: Vec::new(),
            answered: 0,
            returned: false,
            ended: false,
        })
    }

    fn conduct(&mut self) -> Result<(), Stop> {
        while self.park.is_none() {
            self.attend(self.deadline.remaining())?;
        }
        self.inject(self.cell.fault.before_wait)?;
        self.drop_aborted()?;
        self.go();
        if !self.cell.fault.in_window.is_empty() {
            while !self.attend(self.deadline.remaining())? {
                if self.ended {
                    return Ok(());
                }
            }
            self.inject(self.cell.fault.in_window)?;
            self.go();
        }
        if self.bystander.is_some() { self.watch_bystander() } else { self.watch_accepts() }
    }

    fn go(&self) {
        if let Some(stage) = &self.stage {
            stage.go();
        }
    }

    /// Takes in what the loop tells, for at most `limit`. Says whether it stands in the
    /// window.
    fn attend(&mut self, limit: Duration) -> Result<bool, Stop> {
        let message = self.stage.as_ref().and_then(|stage| stage.next(limit));
        match message {
            Some(Message::Opened(thread)) => self.park = Some(Watch::new(thread)),
            Some(Message::NotOpened(message)) => return Err(Stop::NotOpened(message)),
            Some(Message::Panicked(text)) => {
                self.ended = true;
                return Err(Stop::Void(format!("the loop's thread panicked: {text}")));
            }
            Some(Message::InWindow) => return Ok(true),
            Some(Message::Did(event)) => {
                if let What::AcceptReturned { outcome, .. } = &event.what {
                    self.returned = true;
                    self.answered += usize::from(outcome.answers());
                }
                self.ended |= end_of(&event).is_some();
                self.log.push(event);
            }
            None if self.deadline.remaining().is_zero() => return Err(Stop::Watchdog),
            None => {}
        }
        Ok(false)
    }

    pub(super) fn note(&mut self, what: What) -> Moment {
        let at = clock::now();
        self.log.push(Event { at, what });
        at
    }

    pub(super) fn rests_on(&mut self, proof: Proof) {
        if !self.evidence.contains(&proof) {
            self.evidence.push(proof);
        }
    }

    /// A loop without a bystander: it is done when it has answered for every connection, and
    /// gone on or ended after the last of them.
    fn watch_accepts(&mut self) -> Result<(), Stop> {
        let returned = |event: &Event| matches!(event.what, What::AcceptReturned { .. });
        while !self.ended
            && (self.answered < self.cell.offered() || self.log.last().is_some_and(returned))
        {
            self.attend(self.deadline.remaining())?;
        }
        Ok(())
    }

    /// The byte goes out when the loop is seen parked in accept or when accept returns,
    /// whichever comes first. Bytes are exchanged until one was sent after the last connection
    /// had been answered for, and was echoed: then the loop is back in its wait. Or until some
    /// brought no progress: a live registration would have been reported in one of the waits
    /// that answered them.
    fn watch_bystander(&mut self) -> Result<(), Stop> {
        let patience = clock::now().after(NO_SIGN);
        while !self.returned && !self.ended && !patience.remaining().is_zero() {
            self.attend(LOOK)?;
            if self.doing() == Doing::ParkedInAccept {
                self.note(What::ParkSeen);
                break;
            }
        }
        let offered = self.cell.offered();
        let mut fruitless = 0;
        while !self.ended && fruitless <= offered.min(2) {
            let before = self.answered;
            if !self.exchange()? || self.rescue.is_some() || before >= offered {
                return Ok(());
            }
            fruitless = if self.answered > before { 0 } else { fruitless + 1 };
        }
        Ok(())
    }

    fn doing(&self) -> Doing {
        self.park.as_ref().map_or(Doing::Unknown, Watch::look)
    }

    /// Sends the bystander's byte and waits for its echo, with a rescue if the loop is parked.
    /// Says whether the echo came; it does not from a loop that has ended, nor from one that
    /// parks again after the rescue.
    fn exchange(&mut self) -> Result<bool, Stop> {
        let sent = self.note(What::ByteSent);
        if self.bystander.as_mut().is_none_or(|bystander| bystander.send().is_err()) {
            return self.hang_up();
        }
        let mut park_seen = self.log.iter().any(|event| event.what == What::ParkSeen);
        loop {
            let rescue_due = self.rescue.is_none() && {
                let look = self.doing();
                if look == Doing::ParkedInAccept && !park_seen {
                    park_seen = true;
                    self.note(What::ParkSeen);
                }
                let untold = look == Doing::Unknown && clock::now() > sent.after(NO_SIGN);
                park_seen || untold
            };
            let due = sent.after(self.timing.rescue_after);
            if rescue_due && due.remaining().is_zero() {
                self.send_rescue()?;
            }
            if self.rescue.is_some() && self.parked_again()? {
                return Ok(false);
            }
            // Once parked, only the rescue is due; before and after, look every millisecond.
            let waits_for_rescue = rescue_due && self.rescue.is_none();
            let limit = if waits_for_rescue { due.remaining() } else { Duration::from_millis(1) };
            match self.bystander.as_mut().map(|bystander| bystander.echoed(limit)) {
                Some(Ok(true)) => break,
                Some(Ok(false)) if self.deadline.remaining().is_zero() => {
                    return self.take_in().and(Err(Stop::Watchdog));
                }
                Some(Ok(false)) => {}
                Some(Err(_)) | None => return self.hang_up(),
            }
        }
        self.note(What::EchoReceived);
        self.take_in()?;
        Ok(true)
    }

    /// Whether the loop has taken the rescue and, the bystander still unanswered, parked
    /// anew: a draining loop on a blocking listener serves nobody until there is no next
    /// client to wait for, which is never.
    fn parked_again(&mut self) -> Result<bool, Stop> {
        self.take_in()?;
        let rescue = self.rescue.as_ref().map(|rescue| rescue.local().port());
        let taken = self.log.iter().rposition(|event| match event.what {
            What::AcceptReturned { port, .. } => port == rescue,
            _ => false,
        });
        let since = taken.map_or(&[][..], |at| &self.log[at..]);
        let entered = |what: &What| matches!(what, What::AcceptEntered | What::WaitEntered);
        let served = since.iter().any(|event| event.what == What::ByteServed);
        if served || !since.iter().any(|event| entered(&event.what)) {
            return Ok(false);
        }
        Ok(match self.doing() {
            Doing::ParkedInAccept => true,
            Doing::Unknown => since.last().is_some_and(|e| clock::now() > e.at.after(NO_SIGN)),
            Doing::Blocked | Doing::Running => false,
        })
    }

    /// The loop has dropped the bystander: its last word is on the way.
    fn hang_up(&mut self) -> Result<bool, Stop> {
        while !self.ended {
            self.attend(self.deadline.remaining())?;
        }
        Ok(false)
    }

    fn send_rescue(&mut self) -> Result<(), Stop> {
        self.note(What::RescueBegan);
        let rescue = Peer::connect_within(self.listener.addr(), self.deadline.remaining())
            .map_err(Stop::void("the rescue's connect"))?;
        self.note(What::RescueConnected { port: rescue.local().port() });
        self.rescue = Some(rescue);
        Ok(())
    }

    /// Takes in what the loop has told by now.
    fn take_in(&mut self) -> Result<(), Stop> {
        loop {
            let before = self.log.len();
            self.attend(Duration::ZERO)?;
            if self.log.len() == before {
                return Ok(());
            }
        }
    }

    /// Ends the loop: by flag, by the bystander's hang-up and by one more client, since it may
    /// be waiting for any of them. A thread that does not end is left behind.
    fn stop(mut self) -> Conductor<'a> {
        self.note(What::Stopping);
        let Some(stage) = self.stage.take() else {
            return self;
        };
        stage.stop();
        drop(self.bystander.take());
        let last_client =
            (!self.ended).then(|| Peer::connect_within(self.listener.addr(), FAREWELL));
        let mut farewell = clock::now().after(FAREWELL);
        let mut shut = false;
        while !self.ended {
            match stage.next(farewell.remaining()) {
                Some(Message::Did(event)) => {
                    self.ended = end_of(&event).is_some();
                    self.log.push(event);
                }
                Some(Message::Panicked(_) | Message::NotOpened(_)) => self.ended = true,
                Some(Message::Opened(_) | Message::InWindow) => {}
                None if shut => break,
                None => {
                    // Linux wakes an accept that is parked on a listener which is shut down.
                    let _ =
                        SockRef::from(self.listener.socket()).shutdown(std::net::Shutdown::Both);
                    shut = true;
                    farewell = clock::now().after(FAREWELL);
                }
            }
        }
        if self.ended {
            stage.join();
        }
        drop(last_client);
        // Everybody else resets too, so that no TIME_WAIT is left behind.
        for client in self.clients.drain(..).chain(self.rescue.take()) {
            let _ = client.reset();
        }
        self
    }
}
