//! Ctrl-C: asked for between two samples, so that what is finished is kept.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::clock::{self, Moment};

/// When the user first asked; zero for not yet.
static ASKED: AtomicU64 = AtomicU64::new(0);

/// A signal that follows another so closely is the same one: timeout(1) sends each twice, to
/// the process and to its group.
const ECHO: Duration = Duration::from_millis(300);

/// From now on SIGINT, SIGTERM and SIGHUP only leave a mark that [`asked`] sees; a second one
/// ends the process at once, with 130.
///
/// # Errors
///
/// A message, where another handler is installed already.
pub fn listen() -> Result<(), String> {
    ctrlc::set_handler(|| {
        let now = clock::now();
        match ASKED.compare_exchange(0, now.0, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => eprintln!("\ninterrupted: keeping what is finished (again: leave at once)"),
            Err(first) if now > Moment(first).after(ECHO) => std::process::exit(130),
            Err(_) => {}
        }
    })
    .map_err(|error| format!("cannot listen for Ctrl-C: {error}"))
}

/// Whether the user has asked for an end.
pub fn asked() -> bool {
    ASKED.load(Ordering::Relaxed) != 0
}
