//! The self-test: whether a backend's accepts really come to the modelled kernel.
//!
//! A connection is reset in the queue of a listener for which `posix` is in force. A backend
//! whose accept comes here is told ECONNABORTED; one whose accept does not is handed the dead
//! socket, and so no cell of it is run on a modelled kernel.

use std::collections::BTreeMap;
use std::sync::mpsc;
use std::sync::{PoisonError, RwLock};
use std::thread;
use std::time::Duration;

use super::{offered, put_in_force};
use crate::backend::{Driver, Ready};
use crate::clock;
use crate::evidence::queue;
use crate::evidence::reset::{self, Ended};
use crate::kernel::Model;
use crate::listener::{Family, Listener, ListenerSpec};
use crate::outcome::{self, Abort, Outcome};
use crate::peer::Peer;

/// A safety net: the connection that the backend is to take is queued before it waits.
const LIMIT: Duration = Duration::from_secs(5);

/// What the test is made with.
const ABORT: Abort = Abort::Connection;

/// What is known of each driver, by its address: whether it is captured.
static KNOWN: RwLock<BTreeMap<usize, bool>> = RwLock::new(BTreeMap::new());

/// Why a backend is refused whose accept the model never saw.
const NOT_CAPTURED: &str = "its accept does not pass through this program's accept or accept4, so \
                            that no model can answer it";

/// Whether a backend's accepts are captured in this program. The test takes a millisecond. It
/// is made once for each driver; one that could not be made, since descriptors had run out for
/// a moment say, is made again when it is next asked for.
///
/// # Errors
///
/// Why its cells cannot be run on a modelled kernel, in a clause.
pub fn of(driver: &'static Driver) -> Result<(), String> {
    offered()?;
    let key = std::ptr::from_ref(driver).addr();
    let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner).get(&key).copied();
    let captured = match known {
        Some(captured) => captured,
        None => {
            let captured = test_apart(driver)?;
            KNOWN.write().unwrap_or_else(PoisonError::into_inner).insert(key, captured);
            captured
        }
    };
    captured.then_some(()).ok_or_else(|| NOT_CAPTURED.to_owned())
}

/// On a thread of its own: a dropped io_uring ring can disturb later waits of its thread, and
/// a test that hangs can be left behind.
fn test_apart(driver: &'static Driver) -> Result<bool, String> {
    let (tell, told) = mpsc::channel();
    let body = move || {
        // Nobody listens any more where the time is up.
        let _ = tell.send(test(driver));
    };
    let failed = |why: &str| format!("the self-test of its accepts {why}");
    thread::Builder::new()
        .name("capture".to_owned())
        .spawn(body)
        .map_err(|error| failed(&format!("could not be started: {error}")))?;
    told.recv_timeout(LIMIT).map_err(|_| failed("came to no end"))?
}

/// Says whether it is captured, or why that was not to be found out.
fn test(driver: &Driver) -> Result<bool, String> {
    let failed = |error: std::io::Error| {
        format!("the self-test of its accepts could not be made: {}", outcome::explain(&error))
    };
    let mode = driver.modes[driver.modes.len() - 1];
    let listener =
        Listener::bind(ListenerSpec { mode, family: Family::Ipv4, backlog: 4 }).map_err(failed)?;
    let in_force = put_in_force(listener.socket(), Model::Fails(ABORT)).map_err(failed)?;
    let queue = listener.duplicate().map_err(failed)?;
    let mut backend = (driver.open)(listener.into_socket()).map_err(failed)?;
    backend.watch_listener().map_err(failed)?;
    let deadline = clock::now().after(LIMIT);
    let client = Peer::connect_within(queue.addr(), LIMIT).map_err(failed)?;
    queue::await_length(queue.socket(), 1, deadline).map_err(failed)?;
    let (local, remote) = client.reset().map_err(failed)?;
    reset::await_ended(Ended::Reset, local, remote, deadline).map_err(failed)?;
    let mut ready = Ready::default();
    let outcome = loop {
        if deadline.remaining().is_zero() {
            return Err("the self-test of its accepts came to no accept".to_owned());
        }
        match backend.wait(&mut ready) {
            Err(error) if outcome::is_interrupted(&error) => continue,
            result => result.map_err(failed)?,
        }
        if ready.accepts > 0 {
            break Outcome::judge(&backend.accept());
        }
    };
    match (in_force.captured(), outcome) {
        (1.., Outcome::Aborted(name)) if name == ABORT.name() => Ok(true),
        (0, _) => Ok(false),
        (_, outcome) => Err(format!("its accept came to the model, and it still gave: {outcome}")),
    }
}
