//! The end of a herd's trial: those that are parked are rescued, then all loops are dismissed.

use std::net::Shutdown;

use socket2::SockRef;

use super::super::conductor::Stop;
use super::super::farewell::FAREWELL;
use super::super::log::{Event, What};
use super::super::stage::Stage;
use super::Herd;
use crate::backend::Takes;
use crate::clock;
use crate::peer::Peer;

/// How often a parked loop's rescue is tried for each loop of the herd.
const TRIES_EACH: usize = 8;

impl Herd<'_> {
    /// A byte to each bystander whose loop is parked, then client after client until nobody
    /// is parked any more, at most one for each.
    pub(super) fn rescue_all(&mut self, parked: Vec<usize>) -> Result<(), Stop> {
        for &number in &parked {
            for what in [What::ParkSeen, What::ByteSent] {
                self.log.push(Event { at: clock::now(), of: number + 1, what });
            }
            if let Some(bystander) = &mut self.loops[number].bystander {
                bystander.send().map_err(Stop::void("a bystander's byte"))?;
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
    fn rescue(&mut self) -> Result<Option<usize>, Stop> {
        self.note(What::RescueBegan);
        let addr = self.listeners[0].addr();
        let rescue = Peer::connect_within(addr, self.deadline.remaining())
            .map_err(Stop::void("the rescue's connect"))?;
        let port = rescue.local().port();
        self.note(What::RescueConnected { port });
        self.rescues.push(port);
        self.clients.push(rescue);
        // Whoever is told of it as well stays in the window, so that those get it who are parked
        // on the same queue. Where each has its own, where it is taken in the wait, and where the
        // kernel wakes one alone, nobody else can have it.
        let driver = self.cell.driver;
        let to_the_parked =
            self.listeners.len() == 1 && driver.takes == Takes::AfterReport && !driver.wakes_one;
        loop {
            self.attend()?;
            if !to_the_parked {
                self.let_the_held_go();
            }
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

    /// Ends every loop; one that does not end is left behind.
    pub(super) fn dismiss(&mut self) {
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
        while self.loops.iter().any(|one| !one.ended) && !self.deadline.remaining().is_zero() {
            // One that has panicked has ended, and keeps no other from it.
            let _ = self.attend();
        }
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
