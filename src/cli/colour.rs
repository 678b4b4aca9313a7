//! The colours of verdicts; never the only sign.

use std::fmt::Display;

use anstyle::{AnsiColor, Style};
use rstall::verdict::Verdict;

/// How a verdict is coloured.
pub fn of(verdict: Verdict) -> Style {
    let colour = match verdict {
        Verdict::Safe => AnsiColor::Green,
        Verdict::Wastes => AnsiColor::Yellow,
        Verdict::Starves => AnsiColor::Cyan,
        Verdict::Loses => AnsiColor::Blue,
        Verdict::Dies => AnsiColor::Magenta,
        Verdict::Stalls => AnsiColor::Red,
    };
    let style = Style::new().fg_color(Some(colour.into()));
    if verdict == Verdict::Safe { style } else { style.bold() }
}

/// A verdict's word in its colour.
pub fn verdict(verdict: Verdict) -> impl Display {
    let style = of(verdict);
    format!("{style}{verdict}{style:#}")
}
