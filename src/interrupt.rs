//! Ctrl-C: asked for between two samples, so that what is finished is kept.

use std::sync::atomic::{AtomicBool, Ordering};

static ASKED: AtomicBool = AtomicBool::new(false);

/// From now on SIGINT, SIGTERM and SIGHUP only leave a mark that [`asked`] sees; a second one
/// ends the process at once, with 130.
///
/// # Errors
///
/// A message, where another handler is installed already.
pub fn listen() -> Result<(), String> {
    ctrlc::set_handler(|| {
        if ASKED.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
        eprintln!("\ninterrupted: keeping what is finished (again: leave at once)");
    })
    .map_err(|error| format!("cannot listen for Ctrl-C: {error}"))
}

/// Whether the user has asked for an end.
pub fn asked() -> bool {
    ASKED.load(Ordering::Relaxed)
}
