//! The page's scripts and style sheet, as they stand in it, and what its policy says of them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// Steps through the timelines.
pub const STEPS: &str = include_str!("steps.js");

/// Sorts, filters, picks runs and themes, and keeps all of that in the address.
pub const PAGE: &str = include_str!("page.js");

/// All of them: the page runs no other.
pub const ALL: &[&str] = &[STEPS, PAGE];

/// The style sheet.
pub const STYLE: &str =
    concat!(include_str!("style.css"), include_str!("../timeline/timeline.css"));

/// The page's Content-Security-Policy: it loads nothing, and what is within it is let run and
/// let style by its hash (CSP Level 3, section 2.3.1).
pub fn policy() -> String {
    let hash = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
    let scripts: Vec<String> = ALL.iter().map(|script| hash(script)).collect();
    format!(
        "default-src 'none'; style-src {}; script-src {}; base-uri 'none'; form-action 'none'",
        hash(STYLE),
        scripts.join(" ")
    )
}
