//! A herd: several loops wait, and clients connect one by one. Who wakes, and who finds
//! something?

mod account;
mod rescue;

use std::io;
use std::time::Duration;

use super::conductor::{Stop, cannot_set_up};
use super::log::{Event, What};
use super::quiet::{LOOK, Quiet, patience};
use super::record::{Ending, Record};
use super::stage::{Message, Set, Stage, end_of};
use super::{Cell, REFUSED, Timing};
use crate::clock::{self, Moment};
use crate::evidence::park::{Doing, Watch};
use crate::fault::{Arm, Queues};
use crate::interpose;
use crate::listener::Listener;
use crate::peer::{Bystander, Peer};

/// How many messages of one loop are taken in at a time.
const AT_A_TIME: usize = 64;

/// Runs one trial of a herd of so many loops: as [`super::run`].
pub(super) fn run(
    cell: &Cell,
    timing: Timing,
    queues: Queues,
    loops: usize,
) -> Result<Record, String> {
    let began = clock::now();
    let listeners = listeners(cell, queues, loops).map_err(cannot_set_up)?;
    let model = cell.kernel.model;
    let in_force = listeners
        .iter()
        .filter_map(|listener| Some(interpose::put_in_force(listener.socket(), model?)));
    let _in_force: Vec<_> = in_force.collect::<io::Result<_>>().map_err(cannot_set_up)?;
    let mut herd = Herd {
        cell,
        timing,
        deadline: began.after(timing.watchdog),
        loops: Vec::new(),
        listeners,
        clients: Vec::new(),
        log: Vec::new(),
        rescues: Vec::new(),
    };
    for number in 0..loops {
        herd.engage(number).map_err(cannot_set_up)?;
    }
    let result = herd.conduct();
    herd.note(What::Stopping);
    herd.dismiss();
    match result {
        Err(Stop::NotOpened(message)) => Err(message),
        Err(Stop::Void(reason)) => Ok(Record { void: Some(reason), ..account::of(&herd, began) }),
        Err(Stop::Watchdog) => Ok(Record { ending: Ending::Censored, ..account::of(&herd, began) }),
        Ok(()) => Ok(account::of(&herd, began)),
    }
}

/// One listener for all, or one for each, on the same port.
fn listeners(cell: &Cell, queues: Queues, loops: usize) -> io::Result<Vec<Listener>> {
    match queues {
        Queues::Shared => Ok(vec![Listener::bind(cell.listener)?]),
        Queues::Own => {
            let first = Listener::bind_shared(cell.listener)?;
            let others: io::Result<Vec<_>> = (1..loops).map(|_| first.another()).collect();
            Ok(std::iter::once(first).chain(others?).collect())
        }
    }
}

struct Herd<'a> {
    cell: &'a Cell,
    timing: Timing,
    deadline: Moment,
    loops: Vec<Member>,
    listeners: Vec<Listener>,
    clients: Vec<Peer>,
    log: Vec<Event>,
    /// The ports of those who came to the rescue.
    rescues: Vec<u16>,
}

/// One loop of a herd.
struct Member {
    stage: Option<Stage>,
    bystander: Option<Bystander>,
    park: Option<Watch>,
    held: bool,
    /// Whether its last word was that it enters its wait, or accept.
    waits: bool,
    ended: bool,
    /// How often its thread had gone to sleep when it was last seen asleep.
    sleeps: Option<u64>,
    /// How often it was woken.
    woken: usize,
}

impl Member {
    fn doing(&self) -> Doing {
        self.park.as_ref().map_or(Doing::Unknown, Watch::look)
    }

    /// How often its thread has gone to sleep.
    fn sleeps(&self) -> Option<u64> {
        self.park.as_ref().and_then(Watch::sleeps)
    }
}

impl Herd<'_> {
    fn note(&mut self, what: What) -> Moment {
        let at = clock::now();
        self.log.push(Event::new(at, what));
        at
    }

    fn engage(&mut self, number: usize) -> io::Result<()> {
        let listener = self.listeners[number % self.listeners.len()].duplicate()?;
        let (bystander, server) = if self.cell.driver.watches_others {
            let (client, server) = Bystander::open(self.cell.listener.family)?;
            (Some(client), Some(server))
        } else {
            (None, None)
        };
        let stage = Stage::start(Set {
            driver: self.cell.driver,
            listener,
            bystander: server,
            policy: self.cell.policy,
            cpu: self.timing.loop_cpu,
            hold_in_window: usize::MAX,
            hold_at_bystander: 0,
        })?;
        self.loops.push(Member {
            stage: Some(stage),
            bystander,
            park: None,
            held: false,
            waits: false,
            ended: false,
            sleeps: None,
            woken: 0,
        });
        Ok(())
    }

    fn conduct(&mut self) -> Result<(), Stop> {
        while self.loops.iter().any(|one| one.park.is_none()) {
            self.attend()?;
        }
        if self.loops.iter().any(|one| one.doing() == Doing::Unknown) {
            let reason = "nothing tells whether a loop of the herd sleeps: no /proc, or not Linux";
            return Err(Stop::NotOpened(format!("{REFUSED}{reason}")));
        }
        self.let_all_go();
        self.settle()?;
        for _ in 0..self.loops.len() * Arm::HERD_CLIENTS {
            self.count_sleeps(|_, _| {});
            self.connect()?;
            // Whoever is woken by this client is held in the window, so that nobody takes the
            // connection away from under another before all of them have looked.
            self.settle()?;
            self.count_sleeps(|member, moved| member.woken += usize::from(moved));
            self.let_the_held_go();
            self.until_taken()?;
            let looks = self.settle()?;
            if self.loops.iter().any(|one| one.ended) {
                break;
            }
            let parked =
                looks.iter().enumerate().filter(|(_, doing)| **doing == Doing::ParkedInAccept);
            let parked: Vec<usize> = parked.map(|(number, _)| number).collect();
            if self.cell.driver.watches_others && !parked.is_empty() {
                return self.rescue_all(parked);
            }
        }
        Ok(())
    }

    /// Lets those go on that wait for it: at their beginning, or held in the window.
    fn let_all_go(&mut self) {
        for member in &mut self.loops {
            member.held = false;
            member.stage.iter().for_each(Stage::go);
        }
    }

    /// Somebody takes the connection. A library whose threads pass readiness on to each other
    /// may do so some time after all of them have gone to sleep.
    fn until_taken(&mut self) -> Result<(), Stop> {
        let taken = |event: &&Event| match &event.what {
            What::AcceptReturned { outcome, .. } => outcome.answers(),
            _ => false,
        };
        while self.log.iter().filter(taken).count() < self.clients.len()
            && !self.loops.iter().any(|one| one.ended)
        {
            self.attend()?;
            self.let_the_held_go();
        }
        Ok(())
    }

    fn connect(&mut self) -> Result<(), Stop> {
        self.note(What::ConnectBegan);
        let addr = self.listeners[0].addr();
        let client = Peer::connect_within(addr, self.deadline.remaining())
            .map_err(Stop::void("a client's connect"))?;
        self.note(What::Queued { port: client.local().port() });
        self.clients.push(client);
        Ok(())
    }

    /// Takes in what the loops have told.
    fn attend(&mut self) -> Result<(), Stop> {
        if self.deadline.remaining().is_zero() {
            return Err(Stop::Watchdog);
        }
        let mut told = false;
        for (number, member) in (1..).zip(&mut self.loops) {
            let next = |limit| member.stage.as_ref().and_then(|stage| stage.next(limit));
            // One that never stops talking leaves the others their turn, and the watchdog its.
            for _ in 0..AT_A_TIME {
                let Some(message) = next(Duration::ZERO) else { break };
                told = true;
                match message {
                    Message::Opened(thread) => member.park = Some(Watch::new(thread)),
                    Message::NotOpened(message) => return Err(Stop::NotOpened(message)),
                    Message::Panicked(text) => {
                        member.ended = true;
                        let reason = format!("a loop's thread panicked: {text}");
                        return Err(Stop::Void(reason));
                    }
                    Message::InWindow | Message::AtBystander => member.held = true,
                    Message::Did(event) => {
                        let entered = [What::WaitEntered, What::AcceptEntered];
                        member.waits = entered.contains(&event.what);
                        member.ended |= end_of(&event).is_some();
                        self.log.push(Event { of: number, ..event });
                    }
                }
            }
        }
        if !told {
            // Nobody has anything to say: leave the CPU to whoever has something to do.
            std::thread::yield_now();
        }
        Ok(())
    }

    /// Waits until each loop is held, sleeps, or has ended, and has told everything. Says what
    /// each was seen doing then: a look at another moment may meet it half awake.
    fn settle(&mut self) -> Result<Vec<Doing>, Stop> {
        let mut quiet = Quiet::default();
        loop {
            self.attend()?;
            let looks: Vec<Doing> = self.loops.iter().map(Member::doing).collect();
            let sleeps: Vec<Option<u64>> = self.loops.iter().map(Member::sleeps).collect();
            let settled = |(one, &doing): (&Member, &Doing)| {
                one.held || one.ended || one.waits && doing != Doing::Running
            };
            let asleep = self.loops.iter().zip(&looks).all(settled);
            let awaited = self.loops.iter().zip(&looks).filter(|(one, _)| !one.held && !one.ended);
            let longest = awaited.map(|(_, &doing)| patience(doing)).max().unwrap_or(LOOK);
            if quiet.lasts(asleep, (self.log.len(), sleeps), longest) {
                return Ok(looks);
            }
        }
    }

    /// Says of each loop whether its thread has gone to sleep anew since it was last asked.
    fn count_sleeps(&mut self, mut note: impl FnMut(&mut Member, bool)) {
        for member in &mut self.loops {
            let sleeps = member.sleeps();
            // One that stands in the window was woken, whether or not the system counts.
            let moved = member.held || sleeps != member.sleeps;
            note(member, moved);
            member.sleeps = sleeps;
        }
    }

    fn let_the_held_go(&mut self) {
        for member in self.loops.iter_mut().filter(|member| member.held) {
            member.held = false;
            member.stage.iter().for_each(Stage::go);
        }
    }
}
