//! Many comparisons at once: how many of the differences found may be none.

use super::{Error, median};

/// The values of Benjamini and Hochberg (1995, "Controlling the False Discovery Rate"): a
/// comparison counts at the rate q if its value is at most q. In the order of `p`.
pub fn adjusted(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| p[b].total_cmp(&p[a]));
    let mut adjusted = vec![1.0; p.len()];
    let mut least: f64 = 1.0;
    for (above, at) in order.into_iter().enumerate() {
        let rank = (p.len() - above) as f64;
        least = least.min(p[at] * p.len() as f64 / rank);
        adjusted[at] = least;
    }
    adjusted
}

/// How much wider than a standard normal distribution the bulk of some values lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// The factor, at least 1.
    pub factor: f64,
    /// Its degrees of freedom: it is itself an estimate.
    pub freedom: f64,
}

impl Spread {
    /// For values of which none is known: as wide as they should be.
    pub const NONE: Spread = Spread { factor: 1.0, freedom: f64::INFINITY };

    /// The spread of these scores, from the median of their distances to 0. This is that of an
    /// empirical null (Efron 2004, "Large-Scale Simultaneous Hypothesis Testing: The Choice of a
    /// Null Hypothesis"): what most comparisons show although nothing was changed belongs to the
    /// noise, whatever causes it. A few large ones do not move a median. For that it uses 37 % of
    /// what the values tell (Rousseeuw and Croux 1993, "Alternatives to the Median Absolute
    /// Deviation"), and so has as many degrees of freedom.
    pub fn of(scores: &[f64]) -> Spread {
        // The median of a standard normal variable's distance to 0.
        const MIDDLE: f64 = 0.674_489_750_196_081_7;
        const EFFICIENCY: f64 = 0.37;
        if scores.is_empty() {
            return Spread::NONE;
        }
        let off: Vec<f64> = scores.iter().map(|score| score.abs()).collect();
        let freedom = (EFFICIENCY * scores.len() as f64).max(1.0);
        Spread { factor: (median(&off) / MIDDLE).max(1.0), freedom }
    }

    /// An error as many times as large. Both variances are estimates: their relative errors,
    /// which are as 1 to the degrees of freedom, add.
    pub fn widen(self, error: Error) -> Error {
        let freedom = 1.0 / (1.0 / error.freedom + 1.0 / self.freedom);
        Error { log: error.log * self.factor, freedom: freedom.max(1.0) }
    }
}
