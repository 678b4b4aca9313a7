//! The statistics, on data whose answer is known.

use fastrand::Rng;
use rstall::record::Latency;
use rstall::stats::fdr::{self, Spread};
use rstall::stats::{self, Error, Estimate, Ratio, block};

/// A sum of twelve uniforms less six: near enough to a standard normal, without a crate.
fn normal(rng: &mut Rng) -> f64 {
    (0..12).map(|_| rng.f64()).sum::<f64>() - 6.0
}

#[test]
fn the_median_is_the_middle() {
    assert_eq!(stats::median(&[3.0, 1.0, 2.0]), 2.0);
    assert_eq!(stats::median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
    assert_eq!(stats::median(&[7.0]), 7.0);
}

#[test]
fn nothing_has_no_estimate() {
    let mut rng = Rng::with_seed(1);
    assert_eq!(stats::median_of(&[], &mut rng), None);
    assert_eq!(stats::median_of(&[5.0], &mut rng), None, "one value says nothing of its error");
    assert_eq!(stats::median_of(&[5.0, 0.0], &mut rng), None, "0 has no logarithm");
    let wild = stats::median_of(&[1e-9, 1e90], &mut rng).expect("two values");
    assert!(wild.low > 0.0 && wild.high.is_finite(), "{wild:?}: JSON has no infinity");
    assert_eq!(Ratio::judge(&[], None, &mut rng), None);
}

#[test]
fn a_constant_has_an_interval_of_no_width() {
    let estimate = stats::median_of(&[5.0; 20], &mut Rng::with_seed(1)).expect("a sample");
    assert_eq!((estimate.point, estimate.low, estimate.high), (5.0, 5.0, 5.0));
}

/// Values about `centre` with a relative spread of 8 %, each correlated with the one before.
fn series(n: usize, centre: f64, correlation: f64, rng: &mut Rng) -> Vec<f64> {
    let fresh = (1.0 - correlation * correlation).sqrt();
    let mut state = normal(rng);
    let mut next = || {
        state = correlation * state + fresh * normal(rng);
        centre * (0.08 * state).exp()
    };
    (0..n).map(|_| next()).collect()
}

/// Of so many trials, how many hold; as a share.
fn share(trials: usize, mut holds: impl FnMut() -> bool) -> f64 {
    (0..trials).filter(|_| holds()).count() as f64 / trials as f64
}

/// How many of the intervals of a statistic hold the truth, as a share.
fn intervals_that_hold(trials: usize, of_mean: bool, correlation: f64) -> f64 {
    let mut rng = Rng::with_seed(42);
    // The logarithm of the median is that of the centre; of the mean it is this much more.
    let truth = if of_mean { 10.0 * (0.08_f64.powi(2) / 2.0).exp() } else { 10.0 };
    share(trials, || {
        let sample = series(60, 10.0, correlation, &mut rng);
        let of = if of_mean { stats::mean_of } else { stats::median_of };
        of(&sample, &mut rng).expect("a sample").holds(truth)
    })
}

/// The same of the ratio of two runs' ratios. The true one is 1.1: the other run's subject
/// takes a tenth more. All share a round's weather, and each has noise of its own, in which a
/// round resembles the one before.
fn ratios_of_ratios_that_hold(trials: usize, rounds: usize, correlation: f64) -> f64 {
    let mut rng = Rng::with_seed(7);
    let ratio = |factor: f64, rng: &mut Rng| {
        let weather = series(rounds, 1.0, 0.9, rng);
        let mut of = |centre: f64| series(rounds, centre, correlation, rng);
        let (subject, one, two) = (of(factor * 50.0), of(40.0), of(40.0));
        let round = |at: usize| {
            let base = f64::midpoint(weather[at] * one[at], weather[at] * two[at]);
            weather[at] * subject[at] / base
        };
        let ratios: Vec<f64> = (0..rounds).map(round).collect();
        Ratio::judge(&ratios, None, rng).expect("there are rounds")
    };
    share(trials, || {
        let (base, other) = (ratio(1.0, &mut rng), ratio(1.1, &mut rng));
        let error = base.error.expect("new").and(other.error.expect("new"));
        error.about(other.raw.point / base.raw.point).holds(1.1)
    })
}

/// How many rounds, and how alike neighbours are: independent, and not.
const KINDS: [(usize, f64); 6] =
    [(20, 0.0), (20, 0.5), (60, 0.0), (60, 0.3), (100, 0.5), (100, 0.7)];

/// That 93 to 97 of 100 hold. The seed is fixed: chance moves no result of this test.
fn assert_honest(what: &str, held: f64) {
    println!("{what}: {held}");
    assert!((0.93..=0.97).contains(&held), "{what}: {held}");
}

#[test]
fn intervals_of_independent_rounds_hold_the_truth_as_often_as_they_say() {
    assert_honest("independent", ratios_of_ratios_that_hold(500, 20, 0.0));
}

#[test]
fn intervals_of_autocorrelated_rounds_hold_the_truth_as_often_as_they_say() {
    assert_honest("correlated by 0.5", ratios_of_ratios_that_hold(500, 60, 0.5));
}

#[test]
fn intervals_of_differences_about_nothing_hold_the_truth_too() {
    assert_eq!(stats::median_difference(&[1.0], &mut Rng::with_seed(1)), None);
    assert_eq!(stats::median_difference(&[1.0, f64::NAN], &mut Rng::with_seed(1)), None);
    let mut rng = Rng::with_seed(11);
    for correlation in [0.0, 0.5] {
        let mut on_both_sides = 0;
        let held = share(500, || {
            // About 1, with a spread of 2: a third of them is below 0.
            let sample = series(25, 1.0, correlation, &mut rng);
            let differences: Vec<f64> = sample.iter().map(|of| 1.0 + 25.0 * of.ln()).collect();
            on_both_sides += usize::from(differences.iter().any(|of| *of < 0.0));
            stats::median_difference(&differences, &mut rng).expect("a sample").holds(1.0)
        });
        assert!(on_both_sides > 400, "{on_both_sides}");
        assert_honest(&format!("differences, correlated by {correlation}"), held);
    }
}

#[test]
#[ignore = "takes minutes if not optimised"]
fn whatever_the_rounds_are_like_intervals_hold_the_truth_as_often_as_they_say() {
    for (rounds, correlation) in KINDS {
        let held = ratios_of_ratios_that_hold(4_000, rounds, correlation);
        assert_honest(&format!("ratio of ratios, {rounds} rounds, {correlation}"), held);
    }
    for (name, of_mean) in [("median", false), ("mean", true)] {
        for correlation in [0.0, 0.5] {
            let held = intervals_that_hold(4_000, of_mean, correlation);
            assert_honest(&format!("{name}, 60 rounds, {correlation}"), held);
        }
    }
}

fn assert_near(found: f64, expected: f64) {
    assert!((found - expected).abs() <= 1e-9 * expected.abs().max(1.0), "{found} {expected}");
}

/// Twelve ratios, on which the calculations below were made with numpy and SciPy 1.15.
const TWELVE: [f64; 12] = [1.02, 0.98, 1.05, 1.07, 1.01, 0.95, 0.97, 1.00, 1.04, 1.06, 0.99, 0.96];

#[test]
fn what_is_not_random_is_as_scipy_has_it() {
    assert_near(stats::median(&TWELVE), 1.005);
    assert_near(stats::mean(&TWELVE), 1.008_333_333_333_333_5);
    // y = log(x); d = y - y.mean(); r = (d[1:] * d[:-1]).sum() / (d * d).sum();
    // (n * r + 1) / (n - 4)
    assert_near(block::autocorrelation(&TWELVE), 0.542_058_644_311_169_6);
    // rho = 0.5: (1 + rho) / (1 - rho) / (1 + 2 * sum((1 - k / 3) * rho**k for k in (1, 2)))
    assert_near(block::beyond_blocks(0.5, 3), 1.636_363_636_363_636_3);
    assert_near(block::beyond_blocks(0.0, 5), 1.0);
    // scipy.stats.t.ppf(0.975, f), 2 * scipy.stats.t.sf(2.5, f)
    for (freedom, quantile, p) in [
        (1.0, 12.706_204_736_174_694, 0.242_237_883_181_686_8),
        (17.0 / 3.0, 2.482_229_501_442_960_3, 0.048_846_828_317_711_26),
        (19.0, 2.093_024_054_408_308_7, 0.021_740_411_168_397_44),
        (99.0, 1.984_216_951_586_417_4, 0.014_062_596_921_149_07),
    ] {
        let error = Error { log: 1.0, freedom };
        assert_near(error.quantile(0.975), quantile);
        assert_near(error.two_sided(2.5), p);
    }
    // va = 0.02**2; vb = 0.05**2; sqrt(va + vb); (va + vb)**2 / (va**2 / 9 + vb**2 / 4)
    let both = Error { log: 0.02, freedom: 9.0 }.and(Error { log: 0.05, freedom: 4.0 });
    assert_near(both.log, 0.053_851_648_071_345_05);
    assert_near(both.freedom, 5.321_849_182_633_151_5);
    // median(abs(z)) / scipy.stats.norm.ppf(0.75)
    assert_near(Spread::of(&[1.5, -2.5, 3.0, -0.5, 4.0]).factor, 3.706_505_546_264_005);
    assert_near(Spread::of(&[0.1, -0.2, 0.3]).factor, 1.0);
    // 0.37 * 5; 1 / (1 / 1.85 + 1 / 10)
    let wider = Spread::of(&[1.5, -2.5, 3.0, -0.5, 4.0]).widen(Error { log: 0.01, freedom: 10.0 });
    assert_near(wider.log, 0.037_065_055_462_640_05);
    assert_near(wider.freedom, 1.561_181_434_599_156);
}

#[test]
fn the_false_discovery_rate_is_as_scipy_has_it() {
    // scipy.stats.false_discovery_control(p)
    let p = [
        0.001, 0.008, 0.039, 0.041, 0.042, 0.06, 0.074, 0.205, 0.212, 0.216, 0.222, 0.251, 0.269,
        0.275, 0.34, 0.341, 0.384, 0.569, 0.594, 0.696, 0.762, 0.94, 0.942, 0.975, 0.986,
    ];
    let expected = [
        0.025,
        0.1,
        0.21,
        0.21,
        0.21,
        0.25,
        0.264_285_714_285_714_3,
        0.491_071_428_571_428_7,
        0.491_071_428_571_428_7,
        0.491_071_428_571_428_7,
        0.491_071_428_571_428_7,
        0.491_071_428_571_428_7,
        0.491_071_428_571_428_7,
        0.491_071_428_571_428_7,
        0.532_812_5,
        0.532_812_5,
        0.564_705_882_352_941_2,
        0.781_578_947_368_421,
        0.781_578_947_368_421,
        0.87,
        0.907_142_857_142_857_1,
        0.986,
        0.986,
        0.986,
        0.986,
    ];
    for (found, expected) in fdr::adjusted(&p).into_iter().zip(expected) {
        assert_near(found, expected);
    }
    // In whatever order they come.
    let mixed = fdr::adjusted(&[p[3], p[0], p[24], p[1]]);
    assert_near(mixed[1], 0.004);
    assert_near(mixed[3], 0.016);
}

#[test]
fn blocks_that_begin_at_given_places_give_what_numpy_has_of_them() {
    // starts = [[0, 3, 6, 9], [11, 2, 5, 7], [4, 4, 10, 1], [8, 0, 3, 11], [6, 9, 2, 5]]
    // s = [log(median(concatenate([x[(a + arange(3)) % 12] for a in row]))) for row in starts]
    // std(s, ddof=1)
    assert_eq!(block::length(12), 3);
    let starts = [0, 3, 6, 9, 11, 2, 5, 7, 4, 4, 10, 1, 8, 0, 3, 11, 6, 9, 2, 5];
    let mut starts = starts.into_iter();
    let mut start = || starts.next().expect("as many as are needed");
    let found = block::resampled(&TWELVE, stats::median, 5, &mut start);
    assert_near(found, 0.010_963_932_294_549_403);
    assert!(starts.next().is_none());
}

#[test]
fn a_block_is_the_cube_root_rounded_up() {
    let lengths: Vec<usize> =
        [1, 2, 8, 9, 27, 28, 64, 100, 1_000].into_iter().map(block::length).collect();
    assert_eq!(lengths, [1, 2, 2, 3, 3, 4, 4, 5, 10]);
}

#[test]
fn the_control_widens_what_is_judged_and_never_narrows_it() {
    let mut rng = Rng::with_seed(3);
    let ratios: Vec<f64> = (0..50).map(|i| 1.03 + f64::from(i % 5) / 1_000.0).collect();
    let quiet = Estimate { point: 1.0, low: 0.999, high: 1.001 };
    let noisy = Estimate { point: 1.02, low: 0.98, high: 1.06 };
    let by_quiet = Ratio::judge(&ratios, Some(quiet), &mut rng).expect("a sample");
    let by_noisy = Ratio::judge(&ratios, Some(noisy), &mut rng).expect("a sample");
    let by_none = Ratio::judge(&ratios, None, &mut rng).expect("a sample");
    assert!(!by_quiet.is_tie(), "3 % is more than a quiet control's 0.1 %");
    assert!(by_noisy.is_tie(), "and less than a noisy one's 6 %");
    assert_eq!(by_none.raw, by_none.judged);
    for ratio in [by_quiet, by_noisy] {
        assert!(ratio.judged.low <= ratio.raw.low && ratio.raw.high <= ratio.judged.high);
        assert_eq!(ratio.raw.point, ratio.judged.point);
    }
}

#[test]
fn a_tail_needs_ten_beyond_it() {
    let latency = |count| Latency {
        count,
        quantiles: vec![(0.5, 50), (0.9, 90), (0.99, 990), (0.999, 9_990), (1.0, 10_000)],
    };
    let few = latency(999);
    assert_eq!((few.at(0.5), few.at(0.9), few.at(0.99)), (Some(50), Some(90), None));
    assert_eq!(latency(1_000).at(0.99), Some(990));
    assert_eq!(latency(9_999).at(0.999), None);
    assert_eq!(latency(10_000).at(0.999), Some(9_990));
    assert_eq!(few.at(1.0), Some(10_000), "the maximum is what it is");
}
