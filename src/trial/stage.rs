//! The loop under test on a thread of its own, and the witness that logs what it does.
//!
//! A thread a trial: a dropped io_uring ring has been seen to interrupt later waits on its
//! thread, and a loop that cannot be ended can be left behind.

use std::any::Any;
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::os::fd::OwnedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use socket2::SockRef;

use super::log::{Event, What};
use crate::accept::accept;
use crate::accept_loop::{End, Habit, Observer, Policy, Prepared};
use crate::backend::{Backend, Driver, Ready, Token};
use crate::clock;
use crate::connection::Connection;
use crate::evidence::park::{self, ThreadId};
use crate::limits;
use crate::listener::Listener;
use crate::outcome::{Outcome, RetrySet};
use crate::peer;

/// The bystander's name in the backend.
const BYSTANDER: Token = Token(0);

/// What the loop's thread tells the conductor.
#[derive(Debug)]
pub(super) enum Message {
    /// The backend is open and watches what it should.
    Opened(ThreadId),
    /// It could not be opened.
    NotOpened(String),
    /// The loop did something.
    Did(Event),
    /// The loop stands in the window and waits for [`Stage::go`].
    InWindow,
    /// The loop turns to the bystander and waits for [`Stage::go`].
    AtBystander,
    /// The thread panicked.
    Panicked(String),
}

/// What the loop is made of.
pub(super) struct Set {
    pub(super) driver: &'static Driver,
    /// The loop's own descriptor of it, which goes into the backend.
    pub(super) listener: Listener,
    pub(super) bystander: Option<Arc<OwnedFd>>,
    pub(super) policy: Policy,
    /// The CPU that the thread is put on.
    pub(super) cpu: Option<usize>,
    /// How often the loop is to be held between report and accept.
    pub(super) hold_in_window: usize,
    /// How often it is to be held as it turns to the bystander.
    pub(super) hold_at_bystander: usize,
}

/// The conductor's side of the loop's thread.
pub(super) struct Stage {
    messages: Receiver<Message>,
    gate: Sender<()>,
    signals: Arc<Signals>,
    thread: JoinHandle<()>,
}

/// What the conductor tells the loop's thread beside [`Stage::go`].
#[derive(Default)]
struct Signals {
    /// The loop is to end at the next call of its observer.
    stop: AtomicBool,
    /// A loop that drains before it leaves is to leave.
    leave: AtomicBool,
    /// The listener that was reported is gone, and another has its number.
    renumbered: AtomicBool,
}

impl Stage {
    /// Starts the thread; the loop waits for [`Stage::go`] before it first waits.
    pub(super) fn start(set: Set) -> io::Result<Stage> {
        let (sender, messages) = mpsc::channel();
        let (gate, gate_receiver) = mpsc::channel();
        let signals = Arc::new(Signals::default());
        let witness = Witness {
            messages: sender.clone(),
            gate: gate_receiver,
            signals: Arc::clone(&signals),
            hold_in_window: set.hold_in_window,
            hold_at_bystander: set.hold_at_bystander,
            bystander: set.bystander.clone(),
            habit: set.policy.habit,
            exhausted: None,
        };
        let body = move || {
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| perform(set, witness))) {
                let _ = sender.send(Message::Panicked(panic_text(&*panic)));
            }
        };
        let thread = thread::Builder::new().name("loop under test".to_owned()).spawn(body)?;
        Ok(Stage { messages, gate, signals, thread })
    }

    /// The next message, or `None` when `limit` passes or the thread is gone.
    pub(super) fn next(&self, limit: Duration) -> Option<Message> {
        self.messages.recv_timeout(limit).ok()
    }

    /// Lets the loop go on, from before its first wait or from the window.
    pub(super) fn go(&self) {
        // A loop that is gone has said so itself.
        let _ = self.gate.send(());
    }

    /// Tells the loop to end at the next call of its observer.
    pub(super) fn stop(&self) {
        self.ask_to_stop();
        self.signals.leave.store(true, Ordering::Release);
        self.go();
    }

    /// As [`Stage::stop`], but leaves a loop that is held where it is, and lets one that
    /// drains before it leaves do so.
    pub(super) fn ask_to_stop(&self) {
        self.signals.stop.store(true, Ordering::Release);
    }

    /// Says that the loop's descriptor number is another listener's now.
    pub(super) fn renumbered(&self) {
        self.signals.renumbered.store(true, Ordering::Release);
    }

    /// Waits for a thread that has said its last word.
    pub(super) fn join(self) {
        // A panic has been reported by message.
        let _ = self.thread.join();
    }
}

fn perform(set: Set, mut witness: Witness) {
    let Set { driver, listener, bystander, policy, cpu, .. } = set;
    let drains = policy.habit == Habit::Leaves { drained: true };
    let opened = cpu.map_or(Ok(()), limits::pin).and_then(|()| {
        // Only a loop that drains before it leaves keeps a descriptor beside its backend's.
        let kept = drains.then(|| listener.duplicate()).transpose();
        let opened = || {
            let mut backend = open(driver, listener, bystander.as_ref())?;
            let prepared = Prepared::new(&mut *backend, policy)?;
            Ok((backend, prepared, kept?))
        };
        opened().map_err(|error: io::Error| error.to_string())
    });
    let (mut backend, prepared, kept) = match opened {
        Ok(opened) => opened,
        Err(message) => return witness.tell(Message::NotOpened(message)),
    };
    witness.tell(Message::Opened(park::this_thread()));
    if witness.gate.recv().is_err() {
        return;
    }
    let end = prepared.run(&mut *backend, driver.takes, &mut witness);
    if let Some(kept) = &kept {
        // What is in flight is withdrawn first, and stays queued.
        let _ = backend.disarm();
        witness.drain(kept, policy.retry);
    }
    // The bystander's client must see a dead loop hang up, so every descriptor goes first.
    drop((backend, kept, bystander, witness.bystander.take()));
    witness.log(What::Ended { end });
}

fn open(
    driver: &Driver,
    listener: Listener,
    bystander: Option<&Arc<OwnedFd>>,
) -> io::Result<Box<dyn Backend>> {
    let mut backend = (driver.open)(listener.into_socket())?;
    backend.watch_listener()?;
    if let Some(bystander) = bystander {
        backend.watch(Arc::clone(bystander), BYSTANDER)?;
    }
    Ok(backend)
}

/// What a panic said.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic".to_owned())
}

struct Witness {
    messages: Sender<Message>,
    gate: Receiver<()>,
    signals: Arc<Signals>,
    /// How often yet to hold the loop at a report of the listener.
    hold_in_window: usize,
    /// How often yet to hold it at the bystander.
    hold_at_bystander: usize,
    bystander: Option<Arc<OwnedFd>>,
    habit: Habit,
    /// The thread's CPU time when accept first found no descriptor.
    exhausted: Option<Duration>,
}

impl Witness {
    fn tell(&self, message: Message) {
        // The conductor leaves first only when it has given the trial up.
        let _ = self.messages.send(message);
    }

    fn log(&self, what: What) {
        self.tell(Message::Did(Event::new(clock::now(), what)));
    }

    fn flow(&self) -> ControlFlow<()> {
        match self.signals.stop.load(Ordering::Acquire) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }

    /// Holds the loop until the conductor lets it go on.
    fn hold(&self, message: Message) -> ControlFlow<()> {
        self.tell(message);
        match self.gate.recv() {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    }

    /// Takes what is queued before the loop leaves, until there is nothing more.
    fn drain(&mut self, listener: &Listener, retry: RetrySet) {
        while !self.signals.leave.load(Ordering::Acquire) {
            self.accepting();
            let result = accept(listener.socket());
            let taken = result.is_ok();
            let (outcome, _) = self.accepted(result);
            if !taken && !retry.survives(&outcome) || outcome == Outcome::WouldBlock {
                break;
            }
        }
    }

    /// Reads from a connection that has just been accepted, as the habit says.
    fn read(&self, connection: &Connection, port: Option<u16>, sets_nonblocking: bool) {
        let socket = SockRef::from(connection);
        if sets_nonblocking && socket.set_nonblocking(true).is_err() {
            return;
        }
        self.log(What::ReadEntered { port });
        let read = (&*socket).read(&mut [0]);
        let would_block = read.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock);
        self.log(What::ReadReturned { port, would_block });
    }
}

impl Observer for Witness {
    fn waiting(&mut self) -> ControlFlow<()> {
        self.flow()?;
        self.log(What::WaitEntered);
        ControlFlow::Continue(())
    }

    fn reported(&mut self, ready: &Ready) -> ControlFlow<()> {
        self.flow()?;
        self.log(What::Reported { accepts: ready.accepts, others: ready.others.len() });
        if self.hold_in_window > 0 && ready.accepts > 0 {
            self.hold_in_window -= 1;
            self.hold(Message::InWindow)?;
        }
        self.flow()
    }

    fn still_the_same(&mut self) -> bool {
        !self.signals.renumbered.load(Ordering::Acquire)
    }

    fn accepting(&mut self) {
        self.log(What::AcceptEntered);
    }

    fn accepted(&mut self, result: io::Result<Connection>) -> (Outcome, ControlFlow<()>) {
        let at = clock::now();
        let port = result.as_ref().ok().and_then(Connection::peer).map(|peer| peer.port());
        let outcome = Outcome::judge(&result);
        let what = What::AcceptReturned { outcome: outcome.clone(), port };
        self.tell(Message::Did(Event::new(at, what)));
        match (&outcome, self.exhausted) {
            (Outcome::Exhausted(_), None) => self.exhausted = Some(clock::thread_cpu()),
            (Outcome::Accepted, Some(since)) => {
                let cpu_ns = clock::nanos(clock::thread_cpu().saturating_sub(since));
                self.exhausted = None;
                self.log(What::Recovered { cpu_ns });
            }
            _ => {}
        }
        if let (Ok(connection), Habit::Reads { sets_nonblocking }) = (&result, self.habit) {
            self.read(connection, port, sets_nonblocking);
        }
        (outcome, self.flow())
    }

    fn shed(&mut self, port: Option<u16>) -> ControlFlow<()> {
        self.log(What::AcceptReturned { outcome: Outcome::Accepted, port });
        self.log(What::Shed { port });
        self.flow()
    }

    fn serve(&mut self, token: Token) -> ControlFlow<()> {
        self.flow()?;
        if token != BYSTANDER {
            return ControlFlow::Continue(());
        }
        if self.hold_at_bystander > 0 {
            self.hold_at_bystander -= 1;
            self.hold(Message::AtBystander)?;
        }
        if let Some(server) = &self.bystander {
            // Told first: once the client has its echo, the conductor may end the trial.
            self.log(What::ByteServed);
            // A bystander that is gone needs no answer.
            let _ = peer::echo(server);
        }
        ControlFlow::Continue(())
    }
}

impl std::fmt::Debug for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stage").field("thread", &self.thread.thread().id()).finish_non_exhaustive()
    }
}

/// The end that a log knows of.
pub(super) fn end_of(event: &Event) -> Option<&End> {
    match &event.what {
        What::Ended { end } => Some(end),
        _ => None,
    }
}
