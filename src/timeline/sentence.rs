//! Each step explained in a sentence: what happened, and what it means for the loop.
//!
//! A sentence says no more than the log does. What it adds about kernels is documented: accept(2),
//! epoll(7), poll(2), fcntl(2), socket(7), and what METHODOLOGY.md cites.

use super::words::{errno, time};
use super::{Step, Then, Timeline, takes};
use crate::accept_loop::End;
use crate::backend::Takes;
use crate::fault;
use crate::listener::Mode;
use crate::outcome::Outcome;
use crate::trial::What;

/// What is known as the steps go by.
pub(super) struct Teller<'a> {
    of: &'a Timeline,
    takes: Takes,
    /// Whether accept waits where nothing is queued.
    blocks: bool,
    /// How many connections waited before the step.
    queued: usize,
    /// Which loops were told of the listener and have not accepted since.
    in_window: Vec<usize>,
    /// The ports of those who closed with a FIN.
    closed: Vec<u16>,
    /// The ports of those who came to the rescue.
    rescues: Vec<u16>,
}

impl<'a> Teller<'a> {
    pub(super) fn new(of: &'a Timeline) -> Teller<'a> {
        let rescue = |step: &Step| match step.event.what {
            What::RescueConnected { port } | What::RescueByte { port } => Some(port),
            _ => None,
        };
        Teller {
            of,
            takes: takes(&of.backend),
            blocks: of.listener.mode == Mode::Blocking,
            queued: 0,
            in_window: Vec::new(),
            closed: Vec::new(),
            rescues: of.steps.iter().filter_map(rescue).collect(),
        }
    }

    /// The next step's sentence.
    pub(super) fn tell(&mut self, step: &Step) -> String {
        let told = self.sentence(step);
        let of = step.event.of;
        match step.event.what {
            What::Reported { accepts: 1.., .. } => self.in_window.push(of),
            What::AcceptEntered | What::WaitEntered => self.in_window.retain(|&one| one != of),
            What::FlagCleared { ours: true } => self.blocks = true,
            What::CloseSent { port } => self.closed.push(port),
            _ => {}
        }
        self.queued = step.then.as_ref().map_or(step.queued, |then| then.queued);
        told
    }

    fn sentence(&self, step: &Step) -> String {
        let who = match step.event.of {
            0 => "The loop".to_owned(),
            of => format!("Loop {of}"),
        };
        let took = step.took_ns.map(time);
        let after = |before: &str| match &took {
            Some(took) => format!("{before}{took}"),
            None => String::new(),
        };
        match &step.event.what {
            What::WaitEntered => self.wait(&who),
            What::Reported { accepts, others } => self.report(&who, *accepts, *others),
            What::AcceptEntered => self.accept(&who),
            What::AcceptReturned { outcome, port } => {
                self.returned(&who, outcome, *port, step.took_ns)
            }
            What::RivalTook { .. } | What::Vanished { .. } | What::Swallowed { .. } => {
                self.gone(step)
            }
            What::EndSeen { port } if self.closed.contains(port) => format!(
                "The kernel has received the FIN: the client sends nothing more, but its \
                 connection (port {port}) can still be accepted alive."
            ),
            What::EndSeen { port } => format!(
                "The kernel has received the RST: the connection from port {port} has ended \
                 before anybody accepted it."
            ),
            What::StopAsked => self.stop_asked(),
            What::ParkSeen if self.takes == Takes::InAccept && !self.owes() => format!(
                "{who}'s thread is seen asleep in accept: for this backend that is how it waits."
            ),
            What::ParkSeen => format!(
                "{who}'s thread is seen parked in accept: the kernel lets it sleep until a client \
                 comes, and meanwhile it serves nobody."
            ),
            What::ReadParkSeen => format!(
                "{who}'s thread is seen parked in read: it sleeps until this client sends \
                 something, and meanwhile it serves nobody."
            ),
            What::ByteServed => format!("{who} turns to the bystander and sends its byte back."),
            What::EchoReceived => {
                format!("The bystander has its byte back{}.", after(", after "))
            }
            What::RescueBegan if self.reads() => format!(
                "The rescue is on its way{}: a byte from the client whom a parked read waits for.",
                after(", held back for ")
            ),
            What::RescueBegan => format!(
                "The rescue, one more client, calls connect{}: a parked accept waits for just \
                 that.",
                after(", held back for ")
            ),
            What::ReadEntered { .. } => format!(
                "{who} reads from the connection that it has just accepted; its client has sent \
                 nothing yet."
            ),
            What::ReadReturned { would_block: true, .. } => format!(
                "read fails with EWOULDBLOCK at once: O_NONBLOCK is set on this connection, and \
                 {} goes on.",
                who.to_lowercase()
            ),
            What::ReadReturned { .. } => {
                format!("read returns{}: its client has sent a byte.", after(" after "))
            }
            What::Shed { .. } => format!(
                "{who} has accepted it with its reserve descriptor, and closes it at once: the \
                 client is turned away instead of left waiting."
            ),
            What::Recovered { cpu_ns } => format!(
                "{who} takes connections again; since it ran out of descriptors its thread has \
                 used {} of CPU time.",
                time(*cpu_ns)
            ),
            What::Ended { end } => ended(&who, end),
            other => around(other),
        }
    }

    /// Whether there is a bystander whose byte may have to wait.
    fn owes(&self) -> bool {
        self.of.steps.iter().any(|step| step.event.what == What::ByteSent)
    }

    /// Whether the rescue was a byte.
    fn reads(&self) -> bool {
        self.of.steps.iter().any(|step| matches!(step.event.what, What::RescueByte { .. }))
    }

    fn wait(&self, who: &str) -> String {
        match self.takes {
            Takes::InAccept => format!("{who} begins a turn; this backend waits in accept itself."),
            Takes::InWait => format!(
                "{who} waits until something completes; its accept is a request that lies with \
                 the kernel."
            ),
            Takes::AfterReport => {
                format!("{who} asks to be told when something is ready, and waits.")
            }
        }
    }

    fn report(&self, who: &str, accepts: usize, others: usize) -> String {
        let byte = "the bystander's byte can be read";
        match (self.takes, accepts, others) {
            (Takes::InAccept, 1.., 0) => {
                format!("{who} has nobody to ask: with this backend it goes straight to accept.")
            }
            (_, 0, 0) => format!("{who}'s wait returns and reports nothing."),
            (_, 0, _) => format!("{who} is told that {byte}; nothing is said of the listener."),
            (Takes::InWait, n, _) => {
                let number =
                    if n == 1 { "an accept has".to_owned() } else { format!("{n} accepts have") };
                let also = if others > 0 { format!(", and that {byte}") } else { String::new() };
                format!("{who} is told that {number} completed{also}.")
            }
            (_, _, 0) if self.queued == 0 => {
                format!("{who} is told that the listener is ready.")
            }
            (_, _, 0) => format!(
                "{who} is told that the listener is ready: a connection was queued when the \
                 kernel looked."
            ),
            _ => format!("{who} is told that the listener is ready, and that {byte}."),
        }
    }

    fn accept(&self, who: &str) -> String {
        match (self.takes, self.queued, self.blocks) {
            (Takes::InWait, ..) => {
                format!("{who} collects the accept that completed while it waited.")
            }
            (Takes::InAccept, 0, _) => format!("{who} calls accept, which waits for a client."),
            (_, 0, true) => format!(
                "{who} calls accept; nothing is queued, and the listener blocks: accept waits for \
                 the next client, whenever that comes."
            ),
            (_, 0, false) => format!(
                "{who} calls accept; nothing is queued, but the listener is non-blocking: accept \
                 need not wait."
            ),
            _ => format!("{who} calls accept."),
        }
    }

    fn returned(
        &self,
        who: &str,
        outcome: &Outcome,
        port: Option<u16>,
        took: Option<u64>,
    ) -> String {
        let whose = port.map_or_else(|| "a client".to_owned(), |port| format!("port {port}"));
        let rescued = port.is_some_and(|port| self.rescues.contains(&port));
        match outcome {
            Outcome::Accepted if rescued => format!(
                "accept returns with the rescue's connection ({whose}){}.",
                took.map_or_else(String::new, |ns| format!(
                    ": {} was in there for {}",
                    who.to_lowercase(),
                    time(ns)
                ))
            ),
            Outcome::Accepted => format!("accept returns the connection from {whose}."),
            Outcome::AcceptedDead(error) => format!(
                "accept returns a descriptor for the connection from {whose}, which is dead \
                 already ({error})."
            ),
            Outcome::Aborted(error) => format!(
                "accept fails with {error}: a connection was aborted before it was accepted."
            ),
            Outcome::WouldBlock => format!(
                "accept fails with EWOULDBLOCK at once: there is nothing to take, and {} is not \
                 made to wait for it.",
                who.to_lowercase()
            ),
            Outcome::Interrupted => "accept is interrupted (EINTR): nothing was taken.".to_owned(),
            Outcome::Exhausted(error) => format!(
                "accept fails with {error}: there is no descriptor for a connection, which stays \
                 in the queue on Linux."
            ),
            Outcome::TimedOut => "accept had not returned when the watchdog came.".to_owned(),
            Outcome::Failed(error) => format!("accept fails with {error}."),
        }
    }

    /// A connection has left the queue, and not to the loop.
    fn gone(&self, step: &Step) -> String {
        let port = super::words::port(&step.event.what);
        let one = port.map_or_else(|| "one".to_owned(), |port| format!("that from port {port}"));
        let how = match step.event.what {
            What::Swallowed { .. } => format!(
                "Another acceptor passes a bad address pointer: accept fails with EFAULT after it \
                 took a connection, {one}, which nobody has now"
            ),
            What::Vanished { .. } => {
                format!("The modelled kernel drops an aborted connection, {one}, and tells nobody")
            }
            _ => format!("Another acceptor, on the same queue, takes a connection, {one}"),
        };
        match (step.queued, self.in_window.is_empty()) {
            (0, false) => format!("{how}: what the loop was told is no longer true."),
            _ => format!("{how}."),
        }
    }

    fn stop_asked(&self) -> String {
        let arm = fault::find(&self.of.fault).and_then(|fault| fault.arm(&self.of.arm));
        match arm.filter(|arm| !arm.name.is_empty()) {
            Some(arm) => format!("The loop is told to stop: {}.", arm.about),
            None => "The loop is told to stop.".to_owned(),
        }
    }
}

/// What is done around the loop, always in the same words.
fn around(what: &What) -> String {
    let fixed = match what {
        What::ConnectBegan => "A client calls connect.",
        What::Flushed => {
            "Another holder of the listener shuts it down and has it listen again: the queue is \
             emptied, and what was in it is reset."
        }
        What::FlagCleared { ours: true } => {
            "Somebody clears O_NONBLOCK of the open file description that the loop's listener \
             shares with others: it blocks from now on, and the loop is not told."
        }
        What::FlagCleared { ours: false } => {
            "Somebody clears O_NONBLOCK of another listener on this port: that is another open \
             file description, and the loop's own does not change."
        }
        What::Renumbered => {
            "The listener is closed, and a new one, with an empty queue, is given its descriptor \
             number: what was reported is not what has this number now."
        }
        What::RanOut => "The process has no descriptor left (its RLIMIT_NOFILE is used up).",
        What::Relieved => "The process may open descriptors again.",
        What::ByteSent => {
            "The bystander, a client whom the loop serves already, sends one byte and waits for \
             it to come back."
        }
        What::Stopping => "The trial is over.",
        What::Queued { port } => {
            return format!(
                "The handshake is complete: the connection from port {port} waits in the accept \
                 queue."
            );
        }
        What::ResetSent { port } => {
            return format!("The client with port {port} resets its connection: it sends a RST.");
        }
        What::CloseSent { port } => {
            return format!("The client with port {port} closes in good order: it sends a FIN.");
        }
        What::Migrated { port } => {
            return format!(
                "The connection from port {port} was moved to the listener that stays, and is \
                 accepted there."
            );
        }
        What::Dropped { port } => {
            return format!(
                "The client with port {port} is reset: its connection was queued for the listener \
                 that closed, and went with it."
            );
        }
        What::WorkersParked { workers } => {
            return format!(
                "Kernel threads that carry the loop's request are seen parked in accept: \
                 {workers}."
            );
        }
        What::RescueConnected { port } => {
            return format!("The rescue's connect is complete (port {port}).");
        }
        What::RescueByte { port } => {
            return format!("The client with port {port} sends a byte.");
        }
        // Told by the loop's own sentences.
        other => return format!("{other:?}."),
    };
    fixed.to_owned()
}

fn ended(who: &str, end: &End) -> String {
    match end {
        End::Stopped => format!("{who} ends, as it was told to."),
        End::Died(outcome) => format!(
            "{who} ends by itself: it takes {} for the end of everything, and serves nobody any \
             more.",
            errno(outcome)
        ),
        End::WaitFailed(errno) => {
            format!(
                "{who} ends by itself: its wait failed with {errno}, and it serves nobody any more."
            )
        }
    }
}

/// What a step says that stands for many.
pub(super) fn many(then: &Then, loops: usize) -> String {
    let Some(cycle) = then.cycle else {
        return format!(
            "{} further events, of all kinds, are left out of this drawing; the record has them.",
            then.events
        );
    };
    let times = then.events / cycle.max(1);
    let differ = if loops > 1 { "; which loop does which may differ" } else { "" };
    match cycle {
        1 => format!("The last step comes {times} times more{differ}."),
        _ => format!("The last {cycle} steps come {times} times more{differ}."),
    }
}
