//! The end of a trial: the loop answers for every connection, and the bystander is served; or
//! it is not, and somebody comes to the rescue.

use std::time::Duration;

use super::conductor::{Conductor, Stop};
use super::log::{Event, What};
use super::quiet::{LOOK, NO_SIGN};
use crate::accept_loop::{Habit, Remedy};
use crate::clock;
use crate::evidence::park::Doing;
use crate::evidence::queue::{self, Queue};
use crate::peer::{Bystander, Peer};

impl Conductor<'_> {
    /// Watches what becomes of the loop.
    pub(super) fn watch(&mut self) -> Result<(), Stop> {
        let stopping = self.log.iter().any(|event| event.what == What::StopAsked);
        if stopping {
            self.watch_the_end()
        } else if self.bystander.is_some() {
            self.watch_bystander()
        } else {
            self.watch_accepts()
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
        let offered = self.cell.offered();
        let patience = clock::now().after(NO_SIGN);
        let echoed = self.log.iter().any(|event| event.what == What::EchoReceived);
        while !echoed && !self.returned && !self.ended && !patience.remaining().is_zero() {
            self.attend(LOOK)?;
            if let Some(what) = self.parked() {
                self.note(what);
                break;
            }
            // Where nothing is queued, a loop that sleeps in its wait has nothing to show.
            if offered == 0 && self.sleeps_in_its_wait() {
                break;
            }
        }
        let waits = self.cell.policy.habit == Habit::Exhausted(Remedy::BackOff);
        while waits && !self.ended && self.answered == 0 {
            self.attend(self.deadline.remaining())?;
        }
        let mut fruitless = 0;
        while !self.ended && !self.rescued && fruitless <= offered.min(2) {
            let before = self.answered;
            if self.byte_pending.is_none() {
                self.send_byte();
            }
            if !self.await_echo()? || before >= offered {
                return Ok(());
            }
            fruitless = if self.answered > before { 0 } else { fruitless + 1 };
        }
        Ok(())
    }

    fn sleeps_in_its_wait(&self) -> bool {
        self.last_said_that_it_waits() && self.doing() == Doing::Blocked
    }

    /// A loop that was told to stop: it ends, or it is still parked, and the next client ends
    /// that.
    fn watch_the_end(&mut self) -> Result<(), Stop> {
        let asked = clock::now();
        while !self.ended {
            self.attend(LOOK)?;
            if self.rescued {
                if self.parked_again()? {
                    break;
                }
                continue;
            }
            let untold = self.doing() == Doing::Unknown && clock::now() > asked.after(NO_SIGN);
            let parked = self.parked();
            if parked.is_some() || untold {
                while !asked.after(self.timing.rescue_after).remaining().is_zero() {
                    self.attend(asked.after(self.timing.rescue_after).remaining())?;
                }
                // Corroboration, where there is any.
                parked.map(|what| self.note(what));
                self.send_rescue()?;
            }
        }
        self.after_the_end()
    }

    /// What the log says of a loop that is parked now; `None` where it is not.
    pub(super) fn parked(&self) -> Option<What> {
        match self.doing() {
            Doing::ParkedInAccept => Some(What::ParkSeen),
            Doing::ParkedInRead if matches!(self.cell.policy.habit, Habit::Reads { .. }) => {
                Some(What::ReadParkSeen)
            }
            _ => None,
        }
    }

    /// Sends the bystander's byte.
    pub(super) fn send_byte(&mut self) {
        self.byte_pending = Some(self.note(What::ByteSent));
        // A loop that has hung up is met with the echo that does not come.
        let _ = self.bystander.as_mut().map(Bystander::send);
    }

    /// Waits for the bystander's echo, with a rescue if the loop is parked. Says whether it
    /// came; it does not from a loop that has ended, nor from one that parks again after the
    /// rescue.
    pub(super) fn await_echo(&mut self) -> Result<bool, Stop> {
        let Some(sent) = self.byte_pending.take() else { return Ok(false) };
        let seen = |event: &Event| matches!(event.what, What::ParkSeen | What::ReadParkSeen);
        let mut park_seen = self.log.iter().any(seen);
        loop {
            // Looked at before the echo is: a loop that has served the bystander and then parks
            // owes nobody.
            let parked = self.parked();
            let untold = self.doing() == Doing::Unknown && clock::now() > sent.after(NO_SIGN);
            match self.bystander.as_mut().map(|one| one.echoed(Duration::ZERO)) {
                Some(Ok(true)) => break,
                Some(Ok(false)) => {}
                Some(Err(_)) | None => return self.hang_up(),
            }
            if let (Some(what), false) = (parked, park_seen) {
                park_seen = true;
                self.note(what);
            }
            let rescue_due = !self.rescued && (park_seen || untold);
            let due = sent.after(self.timing.rescue_after);
            if rescue_due && due.remaining().is_zero() {
                self.send_rescue()?;
            }
            if self.rescued && self.parked_again()? {
                return Ok(false);
            }
            if self.deadline.remaining().is_zero() {
                return self.take_in().and(Err(Stop::Watchdog));
            }
            // Once parked, only the rescue is due; before and after, look every millisecond.
            let waits_for_rescue = rescue_due && !self.rescued;
            let limit = if waits_for_rescue { due.remaining() } else { Duration::from_millis(1) };
            match self.bystander.as_mut().map(|one| one.echoed(limit)) {
                Some(Ok(true)) => break,
                Some(Ok(false)) => {}
                Some(Err(_)) | None => return self.hang_up(),
            }
            self.take_in()?;
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
        let rescue = self.log.iter().find_map(|event| match event.what {
            What::RescueConnected { port } | What::RescueByte { port } => Some(port),
            _ => None,
        });
        let read = self.rescue.is_none();
        let taken = self.log.iter().rposition(|event| match event.what {
            What::AcceptReturned { port, .. } => !read && port.is_some() && port == rescue,
            What::ReadReturned { port, .. } => read && port.is_some() && port == rescue,
            _ => false,
        });
        let since = taken.map_or(&[][..], |at| &self.log[at..]);
        let entered = |what: &What| {
            matches!(what, What::AcceptEntered | What::WaitEntered | What::ReadEntered { .. })
        };
        let served = since.iter().any(|event| event.what == What::ByteServed);
        if served || !since.iter().any(|event| entered(&event.what)) {
            return Ok(false);
        }
        Ok(match self.doing() {
            Doing::ParkedInAccept | Doing::ParkedInRead => self.parked().is_some(),
            Doing::Unknown => since.last().is_some_and(|e| clock::now() > e.at.after(NO_SIGN)),
            Doing::Locked | Doing::Blocked | Doing::Running => false,
        })
    }

    /// The loop has dropped the bystander: its last word is on the way.
    fn hang_up(&mut self) -> Result<bool, Stop> {
        while !self.ended {
            self.attend(self.deadline.remaining())?;
        }
        Ok(false)
    }

    /// Ends a park: one more client connects; where the loop is parked in a read, the client
    /// that it reads from sends a byte.
    fn send_rescue(&mut self) -> Result<(), Stop> {
        self.rescued = true;
        self.note(What::RescueBegan);
        // Whom it waits for, its log tells: no system has to. It said so before it parked.
        self.take_in()?;
        let entered = |event: &Event| matches!(event.what, What::ReadEntered { .. });
        let left = |event: &Event| matches!(event.what, What::ReadReturned { .. });
        let at = |is: fn(&Event) -> bool| self.log.iter().rposition(is);
        let reads = at(entered) > at(left);
        if let (true, Some(client)) = (reads, self.clients.front_mut()) {
            let port = client.local().port();
            client.send().map_err(Stop::void("a client's byte"))?;
            self.note(What::RescueByte { port });
            return Ok(());
        }
        let rescue = self.connect_to_the_loop()?;
        self.note(What::RescueConnected { port: rescue.local().port() });
        self.rescue = Some(rescue);
        Ok(())
    }

    /// A client whose connection stands in the loop's queue: where another listener has the
    /// same port, the kernel chooses by the client's port (socket(7), SO_REUSEPORT).
    fn connect_to_the_loop(&mut self) -> Result<Peer, Stop> {
        loop {
            let length = |queue: Option<Queue>| queue.map_or(0, |queue| queue.length);
            let before = self.other.as_ref().map(|other| length(queue::look(other.socket())));
            let client = Peer::connect_within(self.listener.addr(), self.deadline.remaining())
                .map_err(Stop::void("the rescue's connect"))?;
            let after = self.other.as_ref().map(|other| length(queue::look(other.socket())));
            if before == after {
                return Ok(client);
            }
            self.clients.push_back(client);
        }
    }
}
