//! A trial as text: what stands above it, the drawing, what it came to.

use std::env;
use std::fmt::Write;

use anstyle::{AnsiColor, Style};
use clap::Args;
use rstall::backend::Driver;
use rstall::kernel::Kernel;
use rstall::timeline::Drawing;
use rstall::timeline::text::{self, Glyphs};
use rstall::trial::{Call, Record, What};
use rstall::verdict::judge::judge;

/// Of which characters a drawing is made.
#[derive(Debug, Args)]
pub struct GlyphOptions {
    /// Draw with printable ASCII only
    #[arg(long, conflicts_with = "unicode")]
    ascii: bool,
    /// Draw with box-drawing characters, whatever the locale says
    #[arg(long)]
    unicode: bool,
}

impl GlyphOptions {
    /// What was asked for; else what the locale says.
    pub fn glyphs(&self) -> Glyphs {
        match (self.ascii, self.unicode) {
            (true, _) => Glyphs::Ascii,
            (_, true) => Glyphs::Unicode,
            _ => glyphs_of(|name| env::var(name).ok()),
        }
    }
}

/// The first of LC_ALL, LC_CTYPE and LANG that is set and not empty decides (locale(7)).
fn glyphs_of(variable: impl Fn(&str) -> Option<String>) -> Glyphs {
    let names = ["LC_ALL", "LC_CTYPE", "LANG"];
    let locale = names.iter().find_map(|name| variable(name).filter(|value| !value.is_empty()));
    let locale = locale.unwrap_or_default().to_ascii_lowercase();
    match locale.contains("utf-8") || locale.contains("utf8") {
        true => Glyphs::Unicode,
        false => Glyphs::Ascii,
    }
}

/// The drawing of a trial, with what stands above it.
pub fn drawing(drawing: &Drawing, kernel: &Kernel, glyphs: Glyphs) -> String {
    format!("{}{}", label(kernel), text::draw(drawing, glyphs))
}

/// What stands above whatever a modelled kernel has brought about; nothing above the machine's
/// own doing.
pub fn label(kernel: &Kernel) -> String {
    let yellow = Style::new().fg_color(Some(AnsiColor::Yellow.into())).bold();
    match kernel.is_native() {
        true => String::new(),
        false => format!("{yellow}modelled{yellow:#}: {} ({})\n\n", kernel.name, kernel.systems),
    }
}

/// What a trial came to, in a sentence or two.
pub fn sentence(record: &Record, driver: &Driver) -> String {
    let mut text = String::new();
    let milliseconds = |ns: u64| format!("{:.3} ms", ns as f64 / 1e6);
    // Writing to a String cannot fail.
    let _ = match (judge(record, driver), &record.stall) {
        (Err(reason), _) => {
            let bad = Style::new().fg_color(Some(AnsiColor::Red.into())).bold();
            writeln!(text, "{bad}no verdict{bad:#}: {reason}.")
        }
        (Ok(judgement), Some(stall)) if stall.call == Call::Accept => writeln!(
            text,
            "{}: accept was entered, {} later the rescue's connect began, and that same accept \
             returned the rescue's port {}{}.",
            super::colour::verdict(judgement.verdict),
            milliseconds(rstall::clock::nanos(stall.rescue_began - stall.accept_entered)),
            stall.port,
            if stall.park_seen { "; the thread was seen parked in accept" } else { "" },
        ),
        (Ok(judgement), _) => {
            writeln!(text, "{}: {}.", super::colour::verdict(judgement.verdict), judgement.seen)
        }
    };
    let _ = match record.bystander_ns {
        Some(ns) => writeln!(text, "The bystander waited {} for its echo.", milliseconds(ns)),
        None if record.events.iter().any(|e| e.what == What::ByteSent) => {
            writeln!(text, "The bystander never had its echo.")
        }
        None => Ok(()),
    };
    let vanished = match record.vanished() {
        0 => String::new(),
        n => format!(" {n} dropped by the kernel,"),
    };
    let _ = writeln!(
        text,
        "Connections: {} offered,{vanished} {} taken, {} told of a reset. Wake-ups: {}. EWOULDBLOCK: {}.",
        record.offered,
        record.taken(),
        record.resets_observed(),
        record.wakeups,
        record.would_blocks,
    );
    textwrap::fill(&text, text::WIDTH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_variable_that_is_set_decides() {
        let of = |set: &[(&str, &str)]| {
            let find = |name: &str| set.iter().find(|(known, _)| *known == name);
            glyphs_of(|name| find(name).map(|(_, value)| (*value).to_owned()))
        };
        assert_eq!(of(&[]), Glyphs::Ascii);
        assert_eq!(of(&[("LANG", "de_AT.UTF-8")]), Glyphs::Unicode);
        assert_eq!(of(&[("LANG", "C.utf8")]), Glyphs::Unicode);
        assert_eq!(of(&[("LC_ALL", ""), ("LANG", "en_GB.UTF-8")]), Glyphs::Unicode);
        assert_eq!(of(&[("LC_ALL", "C"), ("LANG", "en_GB.UTF-8")]), Glyphs::Ascii);
        assert_eq!(of(&[("LC_CTYPE", "POSIX"), ("LANG", "C.UTF-8")]), Glyphs::Ascii);
    }
}
