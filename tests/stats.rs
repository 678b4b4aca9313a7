//! The statistics, on data whose answer is known.

use fastrand::Rng;
use rstall::record::Latency;
use rstall::stats::{self, Estimate, Ratio};

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
    assert_eq!(Ratio::judge(&[], None, &mut rng), None);
}

#[test]
fn a_constant_has_an_interval_of_no_width() {
    let estimate = stats::median_of(&[5.0; 20], &mut Rng::with_seed(1)).expect("a sample");
    assert_eq!((estimate.point, estimate.low, estimate.high), (5.0, 5.0, 5.0));
}

#[test]
fn ninety_five_of_a_hundred_intervals_hold_the_truth() {
    let mut rng = Rng::with_seed(42);
    let held = |statistic: fn(&[f64], &mut Rng) -> Option<Estimate>, rng: &mut Rng| {
        let holds = |_: &usize| {
            let sample: Vec<f64> = (0..60).map(|_| 10.0 + normal(rng)).collect();
            statistic(&sample, rng).expect("a sample").holds(10.0)
        };
        (0..400).filter(holds).count()
    };
    // 380 of 400 are expected, with a standard deviation of 4.4.
    for (name, statistic) in [
        ("median", stats::median_of as fn(&[f64], &mut Rng) -> Option<Estimate>),
        ("mean", stats::mean_of),
    ] {
        let held = held(statistic, &mut rng);
        assert!((360..=396).contains(&held), "{name}: {held} of 400");
    }
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
