//! This very program started again, as a worker process.
//!
//! One of several that share a listener: a loop, a bystander, and a log of what it accepted.
//! It has the shared listener as its standard input; on its standard output it first says
//! where its bystander may connect, then, once the bystander has hung up, what it did. Or the
//! subject of [`super::cost`]. [`super::role`] says which.

use std::env;
use std::io::{self, BufRead, Write};
use std::net::TcpListener;
use std::ops::ControlFlow;
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child, Stdio};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::cost;
use super::role::{self, Role};
use crate::accept_loop::{self, Discipline, Observer, Policy};
use crate::backend::{self, Ready, Takes, Token};
use crate::clock::{self, Moment};
use crate::connection::Connection;
use crate::limits;
use crate::listener::{Family, Listener, ListenerSpec, Mode};
use crate::outcome::{Outcome, RetrySet};
use crate::peer;
use crate::program;
use crate::trial::apart;

const BYSTANDER: Token = Token(0);

/// One accept of a worker. Moments are the machine's, and compare between processes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Accepted {
    /// When the call was entered; for an accept that completes in the wait, when that was.
    pub entered: Moment,
    /// When it returned.
    pub returned: Moment,
    /// The client's port; `None` where accept failed.
    pub port: Option<u16>,
}

/// What a worker says at the end.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Account {
    /// Every accept, in order.
    pub accepts: Vec<Accepted>,
    /// How often a wait reported the listener.
    pub wakeups: u64,
    /// How often accept said EWOULDBLOCK.
    pub would_blocks: u64,
    /// Why the worker could not work at all.
    pub failure: Option<String>,
}

/// If this process was started as a worker, or for a trial of its own, works and never returns. To be called first
/// thing in `main`.
pub fn run_if_asked() {
    apart::run_if_asked();
    let Some(role) = env::var_os(role::VARIABLE) else { return };
    program::end_with_the_parent();
    let account = match serde_json::from_str(&role.to_string_lossy()) {
        Ok(Role::Share { backend, mode, cpu }) => work(&backend, mode, cpu).unwrap_or_else(failed),
        Ok(Role::Cost { backend, k, cpu }) => {
            let played = cost::play(backend.as_deref(), k, cpu);
            std::process::exit(i32::from(played.is_err()));
        }
        Err(error) => failed(io::Error::other(error)),
    };
    let text = serde_json::to_string(&account).unwrap_or_default();
    let told = writeln!(io::stdout(), "{text}");
    std::process::exit(i32::from(told.is_err() || account.failure.is_some()));
}

fn failed(error: io::Error) -> Account {
    Account { failure: Some(error.to_string()), ..Account::default() }
}

/// Starts `program` as a worker on `listener`.
///
/// # Errors
///
/// Those of starting a process.
pub fn start(program: &std::path::Path, listener: &Listener, role: &Role) -> io::Result<Child> {
    let listener: OwnedFd = listener.duplicate()?.into_socket().into();
    program::command(program, role::VARIABLE, role)?.stdin(Stdio::from(listener)).spawn()
}

/// The address at which a worker's bystander may connect: its first line.
pub fn bystander_address(output: &mut impl BufRead) -> io::Result<std::net::SocketAddr> {
    let mut line = String::new();
    output.read_line(&mut line)?;
    line.trim().parse().map_err(|_| io::Error::other(format!("a worker said: {}", line.trim())))
}

/// A worker's account: its last line.
pub fn account(output: &mut impl BufRead) -> io::Result<Account> {
    let mut line = String::new();
    output.read_line(&mut line)?;
    Ok(serde_json::from_str(&line)?)
}

fn work(name: &str, mode: Mode, cpu: Option<usize>) -> io::Result<Account> {
    if let Some(cpu) = cpu {
        limits::pin(cpu).map_err(io::Error::other)?;
    }
    let driver = backend::find(name)
        .ok_or_else(|| io::Error::other(format!("no backend is named {name}")))?
        .driver()
        .map_err(io::Error::other)?;
    let shared = TcpListener::from(io::stdin().as_fd().try_clone_to_owned()?);
    let shared = Listener::adopt(shared, mode)?;
    let mut backend = (driver.open)(shared.into_socket())?;
    backend.watch_listener()?;
    let (bystander, account, entered) = (bystander()?, Account::default(), clock::now());
    let mut worker = Worker { takes: driver.takes, bystander, account, entered };
    backend.watch(Arc::clone(&worker.bystander), BYSTANDER)?;
    let policy = Policy::new(Discipline::One, RetrySet::Stevens);
    // However it ends, its account is as good: the bystander has hung up, or the listener
    // was shut down to wake an accept that was parked.
    let _ = accept_loop::run(&mut *backend, driver.takes, policy, &mut worker);
    Ok(worker.account)
}

fn bystander() -> io::Result<Arc<OwnedFd>> {
    let spec = ListenerSpec { mode: Mode::Blocking, family: Family::Ipv4, backlog: 1 };
    let listener = Listener::bind(spec)?;
    writeln!(io::stdout(), "{}", listener.addr())?;
    io::stdout().flush()?;
    let (stream, _) = listener.socket().accept()?;
    stream.set_nodelay(true)?;
    stream.set_nonblocking(true)?;
    Ok(Arc::new(stream.into()))
}

struct Worker {
    takes: Takes,
    bystander: Arc<OwnedFd>,
    account: Account,
    /// When the call was entered from which the next connection may come.
    entered: Moment,
}

impl Observer for Worker {
    fn waiting(&mut self) -> ControlFlow<()> {
        self.entered = clock::now();
        ControlFlow::Continue(())
    }

    fn reported(&mut self, ready: &Ready) -> ControlFlow<()> {
        self.account.wakeups += u64::from(ready.accepts > 0);
        ControlFlow::Continue(())
    }

    fn accepting(&mut self) {
        if self.takes != Takes::InWait {
            self.entered = clock::now();
        }
    }

    fn accepted(&mut self, result: io::Result<Connection>) -> (Outcome, ControlFlow<()>) {
        let returned = clock::now();
        let entered = self.entered;
        let outcome = match &result {
            Ok(_) => Outcome::Accepted,
            Err(error) => Outcome::from_error(error),
        };
        self.account.would_blocks += u64::from(outcome == Outcome::WouldBlock);
        let port = result.ok().and_then(|connection| connection.peer()).map(|peer| peer.port());
        self.account.accepts.push(Accepted { entered, returned, port });
        (outcome, ControlFlow::Continue(()))
    }

    fn serve(&mut self, _token: Token) -> ControlFlow<()> {
        match peer::echo(&self.bystander) {
            Ok(true) => ControlFlow::Continue(()),
            // The bystander has hung up: the sample is over.
            Ok(false) | Err(_) => ControlFlow::Break(()),
        }
    }
}
