//! Ratios to a reference, within one run.

use fastrand::Rng;
use serde::{Deserialize, Serialize};

use super::{Error, Estimate, block, median};

/// A series' ratio to the reference, judged by the run's own control.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ratio {
    /// The median of the rounds' ratios and its interval.
    pub raw: Estimate,
    /// The same, the interval widened by the control's: what two runs of one and the same
    /// code differ by counts for no difference.
    pub judged: Estimate,
    /// The error of the raw ratio; `None` in records of formats 1 to 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Error>,
}

impl Ratio {
    /// Judges the ratios of a series, one a round, by the control's estimate.
    pub fn judge(ratios: &[f64], control: Option<Estimate>, rng: &mut Rng) -> Option<Ratio> {
        let error = block::error(ratios, median, rng)?;
        let raw = error.about(median(ratios));
        Some(Ratio::of(raw, error, control))
    }

    /// A ratio with its interval and error, judged by the control's estimate.
    pub fn of(raw: Estimate, error: Error, control: Option<Estimate>) -> Ratio {
        let spread = control.unwrap_or(Estimate { point: 1.0, low: 1.0, high: 1.0 });
        let judged = Estimate {
            point: raw.point,
            low: raw.low * spread.low.min(1.0 / spread.high).min(1.0),
            high: raw.high * spread.high.max(1.0 / spread.low).max(1.0),
        };
        Ratio { raw, judged, error: Some(error) }
    }

    /// Whether the data cannot tell the two apart.
    pub fn is_tie(&self) -> bool {
        self.judged.holds(1.0)
    }
}
