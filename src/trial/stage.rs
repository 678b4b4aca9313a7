//! The loop under test on a thread of its own, and the witness that logs what it does.
//!
//! A thread a trial: a dropped io_uring ring has been seen to interrupt later waits on its
//! thread, and a loop that cannot be ended can be left behind.

use std::any::Any;
use std::io;
use std::ops::ControlFlow;
use std::os::fd::OwnedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::log::{Event, What};
use crate::accept_loop::{self, End, Observer, Policy};
use crate::backend::{Backend, Driver, Ready, Token};
use crate::clock;
use crate::connection::Connection;
use crate::evidence::park::{self, ThreadId};
use crate::limits;
use crate::listener::Listener;
use crate::outcome::Outcome;
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
    /// The thread panicked.
    Panicked(String),
}

/// What the loop is made of.
pub(super) struct Set {
    pub(super) driver: &'static Driver,
    pub(super) listener: Listener,
    pub(super) bystander: Option<Arc<OwnedFd>>,
    pub(super) policy: Policy,
    /// The CPU that the thread is put on.
    pub(super) cpu: Option<usize>,
    /// Whether the loop is to be held once between report and accept.
    pub(super) hold_in_window: bool,
}

/// The conductor's side of the loop's thread.
pub(super) struct Stage {
    messages: Receiver<Message>,
    gate: Sender<()>,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Stage {
    /// Starts the thread; the loop waits for [`Stage::go`] before it first waits.
    pub(super) fn start(set: Set) -> io::Result<Stage> {
        let (sender, messages) = mpsc::channel();
        let (gate, gate_receiver) = mpsc::channel();
        let stop = Arc::new(AtomicBool::new(false));
        let witness = Witness {
            messages: sender.clone(),
            gate: gate_receiver,
            stop: Arc::clone(&stop),
            hold: set.hold_in_window,
            bystander: set.bystander.clone(),
        };
        let body = move || {
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| perform(set, witness))) {
                let _ = sender.send(Message::Panicked(panic_text(&*panic)));
            }
        };
        let thread = thread::Builder::new().name("loop under test".to_owned()).spawn(body)?;
        Ok(Stage { messages, gate, stop, thread })
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
        self.stop.store(true, Ordering::Release);
        self.go();
    }

    /// Waits for a thread that has said its last word.
    pub(super) fn join(self) {
        // A panic has been reported by message.
        let _ = self.thread.join();
    }
}

fn perform(set: Set, mut witness: Witness) {
    let opened = set.cpu.map_or(Ok(()), limits::pin);
    let mut backend = match opened.and_then(|()| open(&set).map_err(|error| error.to_string())) {
        Ok(backend) => backend,
        Err(message) => return witness.tell(Message::NotOpened(message)),
    };
    witness.tell(Message::Opened(park::this_thread()));
    if witness.gate.recv().is_err() {
        return;
    }
    let end = accept_loop::run(&mut *backend, set.driver.takes, set.policy, &mut witness);
    // The bystander's client must see a dead loop hang up, so every descriptor goes first.
    drop((backend, set.bystander, witness.bystander.take()));
    witness.log(What::Ended { end });
}

fn open(set: &Set) -> io::Result<Box<dyn Backend>> {
    let mut backend = (set.driver.open)(set.listener.duplicate()?.into_socket())?;
    backend.watch_listener()?;
    if let Some(bystander) = &set.bystander {
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
    stop: Arc<AtomicBool>,
    /// Whether to hold the loop at the next report of the listener.
    hold: bool,
    bystander: Option<Arc<OwnedFd>>,
}

impl Witness {
    fn tell(&self, message: Message) {
        // The conductor leaves first only when it has given the trial up.
        let _ = self.messages.send(message);
    }

    fn log(&self, what: What) {
        self.tell(Message::Did(Event { at: clock::now(), what }));
    }

    fn flow(&self) -> ControlFlow<()> {
        match self.stop.load(Ordering::Acquire) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
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
        if self.hold && ready.accepts > 0 {
            self.hold = false;
            self.tell(Message::InWindow);
            if self.gate.recv().is_err() {
                return ControlFlow::Break(());
            }
        }
        self.flow()
    }

    fn accepting(&mut self) {
        self.log(What::AcceptEntered);
    }

    fn accepted(&mut self, result: io::Result<Connection>) -> (Outcome, ControlFlow<()>) {
        let at = clock::now();
        let port = result.as_ref().ok().and_then(Connection::peer).map(|peer| peer.port());
        let outcome = Outcome::judge(&result);
        let what = What::AcceptReturned { outcome: outcome.clone(), port };
        self.tell(Message::Did(Event { at, what }));
        (outcome, self.flow())
    }

    fn serve(&mut self, token: Token) -> ControlFlow<()> {
        self.flow()?;
        if let (BYSTANDER, Some(server)) = (token, &self.bystander) {
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
