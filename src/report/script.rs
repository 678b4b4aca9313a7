//! The page's scripts, as they stand in it, and what its policy says of them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// Steps through the timelines.
pub const STEPS: &str = include_str!("steps.js");

/// All of them: the page runs no other.
pub const ALL: &[&str] = &[STEPS];

/// The sources that a Content-Security-Policy lets run: each script by its hash (CSP Level 3,
/// section 2.3.1).
pub fn sources() -> String {
    let hash = |script: &&str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(script)));
    ALL.iter().map(hash).collect::<Vec<_>>().join(" ")
}
