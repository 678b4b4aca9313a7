//! Many comparisons at once: how many of the differences found may be none.

use super::median;

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

/// How much wider than a standard normal distribution the bulk of these values lies, from the
/// median of their distances to 0; at least 1, and 1 of nothing. This is the spread of an
/// empirical null (Efron 2004, "Large-Scale Simultaneous Hypothesis Testing: The Choice of a
/// Null Hypothesis"): what most comparisons show although nothing was changed belongs to the
/// noise, whatever causes it. A few large ones do not move a median.
pub fn spread(scores: &[f64]) -> f64 {
    // The median of a standard normal variable's distance to 0.
    const MIDDLE: f64 = 0.674_489_750_196_081_7;
    let off: Vec<f64> = scores.iter().map(|score| score.abs()).collect();
    if off.is_empty() { 1.0 } else { (median(&off) / MIDDLE).max(1.0) }
}
