//! A backend on a listener, with a bystander beside it, and a guard against hanging.

use std::os::fd::OwnedFd;
use std::panic;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rstall::backend::{self, Backend, Driver, Ready, Token};
use rstall::clock;
use rstall::connection::Connection;
use rstall::evidence::queue;
use rstall::listener::{Family, Listener, ListenerSpec, Mode};
use rstall::outcome;
use rstall::peer::{self, Bystander, Peer};

/// How long anything may take before it counts as hung.
const PATIENCE: Duration = Duration::from_secs(20);

pub const BYSTANDER: Token = Token(7);

/// A closed descriptor's number is free for the next that anybody in this process opens.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// A backend on a listener, with a bystander, and another descriptor of the listener.
pub struct Stage {
    pub driver: &'static Driver,
    pub backend: Box<dyn Backend>,
    /// A second descriptor of the same open file description.
    pub twin: Option<Listener>,
    pub bystander: Bystander,
    pub server: Arc<OwnedFd>,
    pub ready: Ready,
}

impl Stage {
    /// Watches the bystander where that can be, and not the listener yet.
    pub fn open(driver: &'static Driver, mode: Mode) -> Stage {
        let spec = ListenerSpec { mode, family: Family::Ipv4, backlog: 16 };
        let listener = Listener::bind(spec).expect("a listener");
        let twin = Some(listener.duplicate().expect("a descriptor"));
        Stage::on(driver, listener, twin)
    }

    pub fn on(driver: &'static Driver, listener: Listener, twin: Option<Listener>) -> Stage {
        let (bystander, server) = Bystander::open(Family::Ipv4).expect("a bystander");
        let mut backend = (driver.open)(listener.into_socket()).expect("it opens");
        if driver.watches_others {
            backend.watch(Arc::clone(&server), BYSTANDER).expect("it watches");
        }
        Stage { driver, backend, twin, bystander, server, ready: Ready::default() }
    }

    pub fn twin(&self) -> &Listener {
        self.twin.as_ref().expect("it was not dropped")
    }

    pub fn watch(&mut self) {
        self.backend.watch_listener().expect("it watches");
    }

    pub fn unwatch(&mut self) {
        self.backend.unwatch_listener().expect("it stops watching");
    }

    pub fn forget(&mut self) {
        self.backend.forget_listener().expect("it closes its descriptor");
    }

    pub fn connect(&self) -> Peer {
        Peer::connect(self.twin().addr()).expect("a client")
    }

    /// A client, once the accept queue has come to this length: nobody may be taking.
    pub fn queued(&self, n: usize) -> Peer {
        let client = self.connect();
        let deadline = clock::now().after(PATIENCE);
        queue::await_length(self.twin().socket(), n, deadline).expect("it is queued");
        client
    }

    /// One wait that reports something.
    pub fn wait(&mut self) {
        loop {
            match self.backend.wait(&mut self.ready) {
                Err(error) if outcome::is_interrupted(&error) => {}
                result => result.expect("the wait"),
            }
            if self.ready.accepts > 0 || !self.ready.others.is_empty() {
                return;
            }
        }
    }

    /// The wait reports the listener, and nobody else.
    pub fn reported(&mut self) -> usize {
        self.wait();
        assert_eq!(self.ready.others, [], "the bystander has sent nothing");
        self.ready.accepts
    }

    pub fn accept(&mut self) -> Connection {
        self.backend.accept().expect("a connection was reported")
    }

    /// The wait reports the listener, and accept gives this client's connection.
    pub fn takes(&mut self, client: &Peer) {
        assert_eq!(self.reported(), 1);
        assert_eq!(self.accept().peer(), Some(client.local()));
    }

    /// A byte of the bystander's is reported, and the listener is not.
    pub fn only_bystander(&mut self) {
        self.bystander.send().expect("a byte");
        self.wait();
        assert_eq!((self.ready.accepts, &self.ready.others[..]), (0, &[BYSTANDER][..]));
        self.echo();
    }

    pub fn echo(&mut self) {
        assert!(peer::echo(&self.server).expect("an echo"), "the bystander is there");
        assert!(self.bystander.echoed(PATIENCE).expect("an echo"));
    }
}

/// Runs `body` with each backend of this machine that fits, in each of its modes, and fails
/// where it hangs.
pub fn each(fits: fn(&Driver) -> bool, body: fn(&mut Stage)) {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    for entry in backend::ALL {
        let driver = match entry.driver() {
            Ok(driver) if fits(driver) => driver,
            Ok(_) => continue,
            Err(reason) => {
                eprintln!("absent: {}: {reason}", entry.name);
                continue;
            }
        };
        for &mode in driver.modes {
            eprintln!("{} on {mode:?}", entry.name);
            guarded(move || body(&mut Stage::open(driver, mode)));
        }
    }
}

/// Runs `body` on a thread of its own, which nobody waits for without limit.
fn guarded(body: impl FnOnce() + Send + 'static) {
    let (done, ended) = mpsc::channel();
    let thread = thread::spawn(move || {
        body();
        let _ = done.send(());
    });
    match ended.recv_timeout(PATIENCE * 2) {
        Err(RecvTimeoutError::Timeout) => panic!("it hangs"),
        _ => thread.join().unwrap_or_else(|cause| panic::resume_unwind(cause)),
    }
}
