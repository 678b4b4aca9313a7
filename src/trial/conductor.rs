//! Conducts a trial: has the fault injected, sends the bystander's byte, rescues, stops.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::time::Duration;

use super::log::{Event, Lane, What};
use super::quiet::{LOOK, NO_SIGN, Quiet, patience};
use super::record::{self, Findings, Record};
use super::stage::{Message, Set, Stage, end_of};
use super::{Cell, REFUSED, Timing};
use crate::clock::{self, Moment};
use crate::connection::Connection;
use crate::evidence::Proof;
use crate::evidence::park::{self, Doing, Watch};
use crate::fault::{Step, Turns};
use crate::interpose::{self, InForce};
use crate::limits::Shortage;
use crate::listener::Listener;
use crate::outcome::{self, Outcome};
use crate::peer::{Bystander, Peer};

/// So many accepts in vain, one after the other with nothing done in between, are spinning.
const SPINNING: usize = 64;

/// Runs one trial of a single loop on the calling thread, and the loop on another: as
/// [`super::run`].
pub(super) fn run(cell: &Cell, timing: Timing) -> Result<Record, String> {
    let began = clock::now();
    let mut conductor = Conductor::set_up(cell, timing, began).map_err(cannot_set_up)?;
    let result = conductor.conduct();
    let Conductor { mut log, evidence, resets, ended, in_force, .. } = conductor.stop();
    // What the model dropped as accept came to it; what it dropped before is in the log.
    let dropped = in_force.iter().flat_map(InForce::vanished);
    log.extend(dropped.map(|v| Event::new(v.at, What::Vanished { port: v.port })));
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

/// What a user is told of a trial that could not be set up.
pub(super) fn cannot_set_up(error: io::Error) -> String {
    format!("cannot set up a trial: {}", outcome::explain(&error))
}

/// Where a loop is held until it is let go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hold {
    /// Between a report of the listener and accept.
    InWindow,
    /// As it turns to the bystander.
    AtBystander,
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
    pub(super) timing: Timing,
    pub(super) deadline: Moment,
    /// A descriptor of the queue that is robbed, rescued and looked at: the loop's listener,
    /// unless the fault has put another in its place.
    pub(super) listener: Listener,
    /// The number of the loop's own descriptor, which its backend owns.
    pub(super) number: RawFd,
    /// Another listener on the same port, where the fault has opened one.
    pub(super) other: Option<Listener>,
    /// The modelled kernel; it is the machine's own where there is none.
    pub(super) in_force: Option<InForce>,
    pub(super) stage: Option<Stage>,
    pub(super) park: Option<Watch>,
    pub(super) bystander: Option<Bystander>,
    pub(super) clients: VecDeque<Peer>,
    /// What the rival took: kept open until the trial is over.
    pub(super) rival_took: Vec<Connection>,
    /// The descriptors that are gone, while they are.
    pub(super) shortage: Option<Shortage>,
    pub(super) rescue: Option<Peer>,
    /// Whether somebody has come to the rescue.
    pub(super) rescued: bool,
    /// When the bystander's byte was sent whose echo has not come yet.
    pub(super) byte_pending: Option<Moment>,
    pub(super) log: Vec<Event>,
    pub(super) evidence: Vec<Proof>,
    pub(super) resets: Vec<u16>,
    /// How many connections accept has answered for.
    pub(super) answered: usize,
    /// Whether any accept has returned.
    pub(super) returned: bool,
    pub(super) ended: bool,
}

impl<'a> Conductor<'a> {
    fn set_up(cell: &'a Cell, timing: Timing, began: Moment) -> io::Result<Conductor<'a>> {
        let steps = cell.arm.steps();
        let shares = [Step::Leave, Step::LeaveMigrating, Step::ClearNonblockOfAnother];
        let listener = match shares.iter().any(|&step| steps.contain(step)) {
            true => Listener::bind_shared(cell.listener)?,
            false => Listener::bind(cell.listener)?,
        };
        let model = cell.kernel.model;
        let in_force =
            model.map(|model| interpose::put_in_force(listener.socket(), model)).transpose()?;
        let (bystander, server) = if cell.driver.watches_others {
            let (client, server) = Bystander::open(cell.listener.family)?;
            (Some(client), Some(server))
        } else {
            (None, None)
        };
        let ours = listener.duplicate()?;
        let number = ours.socket().as_raw_fd();
        let stage = Stage::start(Set {
            driver: cell.driver,
            listener: ours,
            bystander: server,
            policy: cell.policy,
            cpu: timing.loop_cpu,
            hold_in_window: usize::from(!steps.in_window.is_empty()),
            hold_at_bystander: steps.at_bystander.most(),
        })?;
        Ok(Conductor {
            cell,
            timing,
            deadline: began.after(timing.watchdog),
            listener,
            number,
            other: None,
            in_force,
            stage: Some(stage),
            park: None,
            bystander,
            clients: VecDeque::new(),
            rival_took: Vec::new(),
            shortage: None,
            rescue: None,
            rescued: false,
            byte_pending: None,
            log: Vec::new(),
            evidence: Vec::new(),
            resets: Vec::new(),
            answered: 0,
            returned: false,
            ended: false,
        })
    }

    fn conduct(&mut self) -> Result<(), Stop> {
        let steps = self.cell.arm.steps();
        while self.park.is_none() {
            self.attend(self.deadline.remaining())?;
        }
        self.inject(steps.before_wait)?;
        self.drop_aborted()?;
        self.go();
        if !steps.in_window.is_empty() {
            if !self.held_in_window()? {
                return Ok(());
            }
            self.inject(steps.in_window)?;
            self.go();
        }
        if !steps.once_parked.is_empty() {
            self.until_parked()?;
            if self.ended {
                return Ok(());
            }
            self.inject(steps.once_parked)?;
        }
        if !steps.once_exhausted.is_empty() {
            self.until_exhausted()?;
            self.inject(steps.once_exhausted)?;
        }
        self.turns_to_the_bystander(steps.at_bystander)?;
        self.watch()?;
        self.inject(steps.at_the_end)
    }

    pub(super) fn go(&self) {
        if let Some(stage) = &self.stage {
            stage.go();
        }
    }

    /// Takes in what the loop tells until it stands in the window; says whether it does, and
    /// has not ended before.
    fn held_in_window(&mut self) -> Result<bool, Stop> {
        while !self.ended {
            if self.attend(self.deadline.remaining())? == Some(Hold::InWindow) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The loop is in accept, where nobody comes.
    fn until_parked(&mut self) -> Result<(), Stop> {
        let entered = |event: &Event| event.what == What::AcceptEntered;
        while !self.ended {
            self.attend(LOOK)?;
            let Some(at) = self.log.iter().rfind(|event| entered(event)).map(|event| event.at)
            else {
                continue;
            };
            match self.doing() {
                Doing::ParkedInAccept => {
                    self.note(What::ParkSeen);
                    break;
                }
                Doing::Unknown if clock::now() > at.after(NO_SIGN) => break,
                _ => {}
            }
        }
        Ok(())
    }

    /// Accept has found no descriptor, and the loop does nothing more about it: it sleeps, or
    /// it has ended; or it does too much: it spins.
    fn until_exhausted(&mut self) -> Result<(), Stop> {
        let lacked = |event: &&Event| match &event.what {
            What::AcceptReturned { outcome, .. } => matches!(outcome, Outcome::Exhausted(_)),
            What::Shed { .. } => true,
            _ => false,
        };
        while !self.ended && !self.log.iter().any(|event| lacked(&event)) {
            self.attend(self.deadline.remaining())?;
        }
        self.settle(|log| log.iter().filter(lacked).count())
    }

    /// Waits until the loop sleeps in its wait, has ended, or has done in vain what `vain`
    /// counts so often that it spins.
    pub(super) fn settle(&mut self, vain: impl Fn(&[Event]) -> usize) -> Result<(), Stop> {
        let mut quiet = Quiet::default();
        while !self.ended && vain(&self.log) < SPINNING {
            self.attend(LOOK)?;
            let doing = self.doing();
            let sleeps = self.park.as_ref().and_then(Watch::sleeps);
            let asleep = doing != Doing::Running && self.last_said_that_it_waits();
            if quiet.lasts(asleep, (self.log.len(), sleeps), patience(doing)) {
                break;
            }
        }
        Ok(())
    }

    /// Whether the loop's last word was that it enters its wait, or accept.
    pub(super) fn last_said_that_it_waits(&self) -> bool {
        let last = self.log.iter().rfind(|event| event.what.lane() == Lane::Loop);
        last.is_some_and(|event| matches!(event.what, What::WaitEntered | What::AcceptEntered))
    }

    /// Has the loop turn to the bystander, as often as it takes, and settle after the last time.
    fn turns_to_the_bystander(&mut self, turns: Turns) -> Result<(), Stop> {
        if turns.rob() && self.doing() == Doing::Unknown {
            let reason = "nothing tells whether a kernel thread is in accept: no /proc";
            return Err(Stop::NotOpened(format!("{REFUSED}{reason}")));
        }
        for number in 1..=turns.most() {
            self.at_the_bystander(turns.steps())?;
            if number == turns.most() || number > Turns::PATIENT {
                self.settle_after_the_turn()?;
            }
            if turns.rob() && number > Turns::PATIENT && self.has_given_up() {
                break;
            }
        }
        Ok(())
    }

    /// Has the loop turn to the bystander, does the steps while it does, and waits for the
    /// echo. A loop that is parked does not turn.
    fn at_the_bystander(&mut self, steps: &[Step]) -> Result<(), Stop> {
        if self.ended || self.rescued {
            return Ok(());
        }
        self.send_byte();
        let patience = clock::now().after(NO_SIGN);
        while self.attend(LOOK)? != Some(Hold::AtBystander) {
            let untold = self.doing() == Doing::Unknown && patience.remaining().is_zero();
            if self.ended || untold || self.parked().is_some() {
                return self.await_echo().map(drop);
            }
        }
        self.inject(steps)?;
        self.go();
        self.await_echo().map(drop)
    }

    fn settle_after_the_turn(&mut self) -> Result<(), Stop> {
        let reported = |event: &&Event| matches!(event.what, What::Reported { accepts: 1.., .. });
        let so_far = self.log.iter().filter(reported).count();
        self.settle(|log| log.iter().filter(reported).count() - so_far)
    }

    /// Whether the kernel has given up the request that is robbed: it has ended, or kernel
    /// threads are parked in accept for it, which is noted.
    fn has_given_up(&mut self) -> bool {
        if self.returned {
            return true;
        }
        let workers = park::workers_in_accept(self.deadline);
        if workers > 0 {
            self.note(What::WorkersParked { workers });
        }
        workers > 0
    }

    /// Takes in what the loop tells, for at most `limit`. Says where it is held, if it is.
    pub(super) fn attend(&mut self, limit: Duration) -> Result<Option<Hold>, Stop> {
        // A loop that never stops talking has its time as well.
        if self.deadline.remaining().is_zero() {
            return Err(Stop::Watchdog);
        }
        let message = self.stage.as_ref().and_then(|stage| stage.next(limit));
        match message {
            Some(Message::Opened(thread)) => self.park = Some(Watch::new(thread)),
            Some(Message::NotOpened(message)) => return Err(Stop::NotOpened(message)),
            Some(Message::Panicked(text)) => {
                self.ended = true;
                return Err(Stop::Void(format!("the loop's thread panicked: {text}")));
            }
            Some(Message::InWindow) => return Ok(Some(Hold::InWindow)),
            Some(Message::AtBystander) => return Ok(Some(Hold::AtBystander)),
            Some(Message::Did(event)) => {
                if let What::AcceptReturned { outcome, .. } = &event.what {
                    self.returned = true;
                    self.answered += usize::from(outcome.answers());
                }
                self.ended |= end_of(&event).is_some();
                self.log.push(event);
            }
            None => {}
        }
        Ok(None)
    }

    /// What the loop's thread is doing.
    pub(super) fn doing(&self) -> Doing {
        self.park.as_ref().map_or(Doing::Unknown, Watch::look)
    }

    pub(super) fn note(&mut self, what: What) -> Moment {
        let at = clock::now();
        self.log.push(Event::new(at, what));
        at
    }

    pub(super) fn rests_on(&mut self, proof: Proof) {
        if !self.evidence.contains(&proof) {
            self.evidence.push(proof);
        }
    }

    /// Takes in what the loop has told by now. A loop that is held meanwhile goes on: the
    /// trial has given up what it was held for.
    pub(super) fn take_in(&mut self) -> Result<(), Stop> {
        loop {
            let before = self.log.len();
            match self.attend(Duration::ZERO)? {
                Some(_) => self.go(),
                None if self.log.len() == before => return Ok(()),
                None => {}
            }
        }
    }
}
