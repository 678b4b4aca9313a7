//! Each step explained in a sentence: what happened, and what it means for the loop.
//!
//! A sentence says no more than the log does. What it adds about kernels is documented: accept(2),
//! epoll(7), poll(2), fcntl(2), socket(7), and what METHODOLOGY.md cites.

use super::around::{around, ended};
use super::words::time;
use super::{Step, Timeline};
use crate::accept_loop::Habit;
use crate::backend::Takes;
use crate::fault;
use crate::listener::Mode;
use crate::outcome::Outcome;
use crate::trial::What;

/// What is known as the steps go by.
pub(super) struct Teller<'a> {
    of: &'a Timeline,
    /// Whether accept waits where nothing is queued.
    blocks: bool,
    /// How many connections waited before the step.
    queued: usize,
    /// Which loops were told of the listener and have not accepted since.
    in_window: Vec<usize>,
    /// Whether any report of the listener has been told, and any byte of the bystander's served.
    reported: bool,
    served: bool,
    /// The ports of those who closed with a FIN.
    closed: Vec<u16>,
    /// The ports of those who came to the rescue.
    rescues: Vec<u16>,
}

impl<'a> Teller<'a> {
    pub(super) fn new(of: &'a Timeline) -> Teller<'a> {
        let rescue = |step: &Step| match step.event.what {
            What::RescueConnected { port } => Some(port),
            _ => None,
        };
        Teller {
            of,
            blocks: of.listener.mode == Mode::Blocking,
            queued: 0,
            in_window: Vec::new(),
            reported: false,
            served: false,
            closed: Vec::new(),
            rescues: of.steps.iter().filter_map(rescue).collect(),
        }
    }

    /// The next step's sentence.
    pub(super) fn tell(&mut self, step: &Step) -> String {
        let told = self.sentence(step);
        let of = step.event.of;
        match step.event.what {
            What::Reported { accepts: 1.., .. } => {
                self.in_window.push(of);
                self.reported = true;
            }
            What::ByteServed => self.served = true,
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
            What::WaitEntered => self.wait(&who, step.event.of),
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
            What::ParkSeen if self.of.takes == Takes::InAccept && !self.owes() => format!(
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
            What::ByteServed => {
                format!("{who} turns to the bystander and sends its byte back{}.", self.then_it())
            }
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

    /// Whether the loop has closed its listener by habit.
    fn closed_it(&self) -> bool {
        self.served && matches!(self.of.policy.habit, Habit::Closes { .. })
    }

    /// Whether the rescue was a byte.
    fn reads(&self) -> bool {
        self.of.steps.iter().any(|step| matches!(step.event.what, What::RescueByte { .. }))
    }

    /// What the loop does by habit once it has served somebody.
    fn then_it(&self) -> &'static str {
        match self.of.policy.habit {
            Habit::Cancels { keeps: true } => {
                "; then it withdraws its accept, and keeps a connection that this had brought"
            }
            Habit::Cancels { keeps: false } => {
                "; then it withdraws its accept, and drops what this may have brought"
            }
            Habit::Closes { .. } if self.served => "",
            Habit::Closes { deregisters: true } => {
                "; then it stops watching its listener, and closes it"
            }
            Habit::Closes { deregisters: false } => {
                "; then it closes its listener, without having stopped to watch it"
            }
            _ => "",
        }
    }

    fn wait(&self, who: &str, of: usize) -> String {
        let habit = self.of.policy.habit;
        if habit == Habit::Checks && self.in_window.contains(&of) {
            return format!(
                "{who} looks whether the listener is still the one that was reported; it is not, \
                 and {} drops the report and waits.",
                who.to_lowercase()
            );
        }
        if habit == Habit::NeverRearms && self.reported {
            return format!(
                "{who} waits again, and has not renewed what tells of the listener once only."
            );
        }
        match self.of.takes {
            Takes::InAccept => format!("{who} begins a turn; this backend waits in accept itself."),
            Takes::InWait if self.of.requests => format!(
                "{who} waits until something completes; its accept is a request that lies with \
                 the kernel."
            ),
            Takes::InWait => format!("{who} waits; its library calls accept within that wait."),
            Takes::AfterReport => {
                format!("{who} asks to be told when something is ready, and waits.")
            }
        }
    }

    fn report(&self, who: &str, accepts: usize, others: usize) -> String {
        let byte = "the bystander's byte can be read";
        match (self.of.takes, accepts, others) {
            (Takes::InAccept, 1.., 0) => {
                format!("{who} has nobody to ask: with this backend it goes straight to accept.")
            }
            (_, 1.., _) if self.closed_it() => format!(
                "{who} is told of the listener that it has closed: its registration, or its \
                 number, is in the set that it waits on as before."
            ),
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
        match (self.of.takes, self.queued, self.blocks) {
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
                 in the queue on Linux.{}",
                self.arm().map_or_else(String::new, |about| format!(" What is done: {about}."))
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
        match self.arm() {
            Some(about) => format!("The loop is told to stop: {about}."),
            None => "The loop is told to stop.".to_owned(),
        }
    }

    /// What the fault's arm is about, where it has several.
    fn arm(&self) -> Option<&'static str> {
        let arm = fault::find(&self.of.fault)?.arm(&self.of.arm)?;
        (!arm.name.is_empty()).then_some(arm.about)
    }
}
