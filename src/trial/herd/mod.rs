//! A herd: several loops wait, and clients connect one by one. Who wakes, and who finds
//! something?

mod account;

use std::io;
use std::net::Shutdown;
use std::time::Duration;

use socket2::SockRef;

use super::conductor::{LOOK, cannot_set_up};
use super::log::{Event, What};
use super::quiet::{Quiet, patience};
use super::record::{Ending, Record};
use super::stage::{Message, Set, Stage, end_of};
use super::{Cell, Timing};
use crate::clock::{self, Moment};
use crate::evidence::park::{Doing, Watch};
use crate::fault::Queues;
use crate::interpose;
use crate::listener::Listener;
use crate::outcome;
use crate::peer::{Bystander, Peer};

/// How long loops that were told to stop may take before their threads are left behind.
const FAREWELL: Duration = Duration::from_secs(1);

/// How many clients come for each loop, one after the other.
const CLIENTS_EACH: usize = 2;

/// How often a parked loop's rescue is tried for each loop of the herd.
const TRIES_EACH: usize = 8;

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
        Err(Failure::NotOpened(message)) => Err(message),
        Err(Failure::Void(reason)) => {
            Ok(Record { void: Some(reason), ..account::of(&herd, began) })
        }
        Err(Failure::Watchdog) => {
            Ok(Record { ending: Ending::Censored, ..account::of(&herd, began) })
        }
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

enum Failure {
    NotOpened(String),
    Watchdog,
    Void(String),
}

struct Herd<'a> {
    cell: &'a Cell,
    timing: Timing,
    deadline: Moment,
    loops: Vec<Member>,
    listeners: Vec<Listener>,
    clients: Vec<Peer>,
    log: Vec<Event>,
    /// The rescues that were sent: the port of each, and when its connect began.
    rescues: Vec<(u16, Moment)>,
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

    fn is_parked(&self) -> bool {
        !self.ended && self.doing() == Doing::ParkedInAccept
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

    fn conduct(&mut self) -> Result<(), Failure> {
        while self.loops.iter().any(|one| one.park.is_none()) {
            self.attend()?;
        }
        self.let_all_go();
        self.settle()?;
        for _ in 0..self.loops.len() * CLIENTS_EACH {
            self.count_sleeps(|_, _| {});
            self.connect()?;
            // Whoever is woken by this client is held in the window, so that nobody takes the
            // connection away from under another before all of them have looked.
            self.settle()?;
            self.count_sleeps(|member, moved| member.woken += usize::from(moved));
            self.let_the_held_go();
            self.until_taken()?;
            self.settle()?;
            if self.loops.iter().any(|one| one.ended) {
                break;
            }
            if self.cell.driver.watches_others && self.loops.iter().any(Member::is_parked) {
                return self.rescue_all();
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
    fn until_taken(&mut self) -> Result<(), Failure> {
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

    fn connect(&mut self) -> Result<(), Failure> {
        self.note(What::ConnectBegan);
        let addr = self.listeners[0].addr();
        let client = Peer::connect_within(addr, self.deadline.remaining())
            .map_err(|error| void("a client's connect", &error))?;
        self.note(What::Queued { port: client.local().port() });
        self.clients.push(client);
        Ok(())
    }

    /// Takes in what the loops have told.
    fn attend(&mut self) -> Result<(), Failure> {
        if self.deadline.remaining().is_zero() {
            return Err(Failure::Watchdog);
        }
        let mut told = false;
        for (number, member) in (1..).zip(&mut self.loops) {
            let next = |limit| member.stage.as_ref().and_then(|stage| stage.next(limit));
            while let Some(message) = next(Duration::ZERO) {
                told = true;
                match message {
                    Message::Opened(thread) => member.park = Some(Watch::new(thread)),
                    Message::NotOpened(message) => return Err(Failure::NotOpened(message)),
                    Message::Panicked(text) => {
                        member.ended = true;
                        let reason = format!("a loop's thread panicked: {text}");
                        return Err(Failure::Void(reason));
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

    /// Waits until each loop is held, sleeps, or has ended, and has told everything.
    fn settle(&mut self) -> Result<(), Failure> {
        let mut quiet = Quiet::default();
        loop {
            self.attend()?;
            let looks: Vec<Doing> = self.loops.iter().map(Member::doing).collect();
            let sleeps: Vec<Option<u64>> = self.loops.iter().map(Member::sleeps).collect();
            let settled = |(one, &doing): (&Member, &Doing)| {
                one.held || one.ended || one.waits && doing != Doing::Running
            };
            let asleep = self.loops.iter().zip(&looks).all(settled);
            let awaited = self.loops.iter().zip(&looks).filter(|(one, _)| !one.held);
            let longest = awaited.map(|(_, &doing)| patience(doing)).max().unwrap_or(LOOK);
            if quiet.lasts(asleep, (self.log.len(), sleeps), longest) {
                return Ok(());
            }
        }
    }

    /// Says of each loop whether its thread has gone to sleep anew since it was last asked.
    fn count_sleeps(&mut self, mut note: impl FnMut(&mut Member, bool)) {
        for member in &mut self.loops {
            let sleeps = member.sleeps();
            // Where the system does not count, a loop was woken if it stands in the window.
            let moved = sleeps.map_or(member.held, |_| sleeps != member.sleeps);
            note(member, moved);
            member.sleeps = sleeps;
        }
    }

    /// A byte to each bystander whose loop is parked, then client after client until nobody
    /// is parked any more, at most one for each.
    fn rescue_all(&mut self) -> Result<(), Failure> {
        let mut parked = Vec::new();
        for number in 0..self.loops.len() {
            if self.loops[number].is_parked() {
                let at = self.note(What::ParkSeen);
                self.log.push(Event { at, of: number + 1, what: What::ParkSeen });
                let at = clock::now();
                self.log.push(Event { at, of: number + 1, what: What::ByteSent });
                parked.push(number);
                if let Some(bystander) = &mut self.loops[number].bystander {
                    bystander.send().map_err(|error| void("a bystander's byte", &error))?;
                }
            }
        }
        let due = clock::now().after(self.timing.rescue_after);
        while !due.remaining().is_zero() {
            self.attend()?;
        }
        // Others may be faster, and where each has a queue of its own, the kernel chooses whose
        // it is (socket(7)).
        let tries = self.loops.len() * TRIES_EACH;
        let mut left = parked;
        for _ in 0..left.len() * tries {
            let Some(taker) = self.rescue()? else { continue };
            left.retain(|&number| number != taker);
            if left.is_empty() {
                break;
            }
        }
        Ok(())
    }

    /// One more client. Says which loop took it.
    fn rescue(&mut self) -> Result<Option<usize>, Failure> {
        let began = self.note(What::RescueBegan);
        let addr = self.listeners[0].addr();
        let rescue = Peer::connect_within(addr, self.deadline.remaining())
            .map_err(|error| void("the rescue's connect", &error))?;
        let port = rescue.local().port();
        self.note(What::RescueConnected { port });
        self.rescues.push((port, began));
        self.clients.push(rescue);
        loop {
            self.attend()?;
            // Whoever is reported meanwhile goes on.
            self.let_the_held_go();
            let taken = self.log.iter().find(|event| match event.what {
                What::AcceptReturned { port: taken, .. } => taken == Some(port),
                _ => false,
            });
            if let Some(taken) = taken {
                return Ok(taken.of.checked_sub(1));
            }
            if self.loops.iter().any(|one| one.ended) {
                return Ok(None);
            }
        }
    }

    fn let_the_held_go(&mut self) {
        for member in self.loops.iter_mut().filter(|member| member.held) {
            member.held = false;
            member.stage.iter().for_each(Stage::go);
        }
    }

    /// Ends every loop; one that does not end is left behind.
    fn dismiss(&mut self) {
        for member in &mut self.loops {
            member.stage.iter().for_each(Stage::stop);
            drop(member.bystander.take());
        }
        // One more client for each that may be parked, and on Linux a shutdown, which wakes
        // those whom the kernel gives no client.
        let addr = self.listeners[0].addr();
        let last: Vec<_> =
            self.loops.iter().map(|_| Peer::connect_within(addr, FAREWELL)).collect();
        self.let_all_go();
        for listener in &self.listeners {
            let _ = SockRef::from(listener.socket()).shutdown(Shutdown::Both);
        }
        // The watchdog has had its say; here only the farewell counts.
        self.deadline = clock::now().after(FAREWELL);
        while self.loops.iter().any(|one| !one.ended) && self.attend().is_ok() {}
        for member in &mut self.loops {
            if let (Some(stage), true) = (member.stage.take(), member.ended) {
                stage.join();
            }
        }
        for client in self.clients.drain(..).chain(last.into_iter().flatten()) {
            let _ = client.reset();
        }
    }
}

fn void(doing: &str, error: &io::Error) -> Failure {
    Failure::Void(format!("{doing}: {}", outcome::explain(error)))
}
