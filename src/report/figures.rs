//! The timelines on the page: a drawing and a list of its steps for each loop that is shown.

use super::ReportError;
use super::map::Mark;
use super::number;
use crate::record::timelines::{Came, Part, Played};
use crate::timeline::{Drawing, svg};

/// A loop that is shown.
#[derive(Debug)]
pub struct Figure {
    /// `Ill`, `Cured` or `Control`.
    pub what: &'static str,
    /// Its timeline, or why there is none.
    pub drawn: Result<Drawn, String>,
}

/// A trial, drawn.
#[derive(Debug)]
pub struct Drawn {
    /// What was tried.
    pub title: String,
    /// The kernel's name, where it is modelled.
    pub modelled: Option<String>,
    /// What it came to.
    pub mark: Mark,
    /// What that rests on.
    pub seen: String,
    /// The how manieth trial it was, where it was not the first.
    pub again: Option<usize>,
    /// The drawing, as markup.
    pub svg: String,
    /// When each step was, and its sentence.
    pub steps: Vec<(String, String)>,
}

/// The figures of a fault.
///
/// # Errors
///
/// Where one cannot be drawn; no record is known that would bring that about.
pub fn of(fault: &'static str, trials: &[Played]) -> Result<Vec<Figure>, ReportError> {
    let figure = |(number, played): (usize, &Played)| {
        let what = match played.part {
            Part::Ill => "Ill",
            Part::Cured => "Cured",
            Part::Control => "Control",
        };
        let drawn = match &played.came {
            Ok(came) => Ok(drawn(came, &format!("play-{fault}-{number}-"))?),
            Err(why) => Err(why.clone()),
        };
        Ok(Figure { what, drawn })
    };
    trials.iter().enumerate().map(figure).collect()
}

fn drawn(came: &Came, id: &str) -> Result<Drawn, ReportError> {
    let drawing = Drawing::of(&came.timeline);
    let svg = svg::inline(&drawing, id).map_err(|error| ReportError::chart(&error))?;
    let step = |row: crate::timeline::Row| (number::time(row.at_ns as f64), row.sentence);
    Ok(Drawn {
        title: drawing.title,
        modelled: drawing.modelled,
        mark: Mark::of(came.verdict),
        seen: came.seen.clone(),
        again: (came.trial > 1).then_some(came.trial),
        svg,
        steps: drawing.rows.into_iter().map(step).collect(),
    })
}
