//! How numbers are spelt: the one place that rounds.

use crate::record::Latency;
use crate::stats::Estimate;

/// What stands where there is no number.
pub const NONE: &str = "\u{2013}";

/// Between a number and its unit: no line break.
const GAP: char = '\u{a0}';

/// A unit of time and how many nanoseconds it has.
struct Unit {
    name: &'static str,
    ns: f64,
}

const UNITS: [Unit; 4] = [
    Unit { name: "ns", ns: 1.0 },
    Unit { name: "µs", ns: 1e3 },
    Unit { name: "ms", ns: 1e6 },
    Unit { name: "s", ns: 1e9 },
];

/// The unit in which a time has one to three digits before the point, once rounded.
fn unit(ns: f64) -> &'static Unit {
    UNITS.iter().find(|unit| ns.abs() / unit.ns < 999.5).unwrap_or(&UNITS[3])
}

/// How many decimals make three significant digits of a number of at least one.
fn decimals(value: f64) -> usize {
    match value.abs() {
        v if v < 9.995 => 2,
        v if v < 99.95 => 1,
        _ => 0,
    }
}

/// A time in nanoseconds, to three significant digits: `2.41 µs`.
pub fn time(ns: f64) -> String {
    if !ns.is_finite() {
        return NONE.to_owned();
    }
    let unit = unit(ns);
    let value = ns / unit.ns;
    // Below a nanosecond nothing is known.
    let decimals = if unit.ns > 1.0 || value.fract() != 0.0 { decimals(value) } else { 0 };
    format!("{value:.decimals$}{GAP}{}", unit.name)
}

/// A time in nanoseconds at a tick of an axis: `10 µs`, without decimals that say nothing.
pub fn tick(ns: f64) -> String {
    let unit = unit(ns);
    format!("{}{GAP}{}", each(ns / unit.ns), unit.name)
}

/// A span of times, in the unit of each: `27.6 to 53.1 µs`, and one time where both ends are
/// spelt alike.
pub fn span(low: f64, high: f64) -> String {
    let (from, to) = (time(low), time(high));
    match (from.split_once(GAP), to.split_once(GAP)) {
        _ if from == to => from,
        (Some((value, a)), Some((_, b))) if a == b => format!("{value} to {to}"),
        _ => format!("{from} to {to}"),
    }
}

/// The interval of a time, in the unit and with the decimals of its point: `[2.38, 2.50]`.
pub fn time_interval(estimate: &Estimate) -> String {
    let unit = unit(estimate.point);
    let decimals = decimals(estimate.point / unit.ns);
    let end = |ns: f64| format!("{:.decimals$}", ns / unit.ns);
    format!("[{}, {}]", end(estimate.low), end(estimate.high))
}

/// A plain number, to three significant digits.
pub fn three_digits(value: f64) -> String {
    if !value.is_finite() {
        return NONE.to_owned();
    }
    if value == 0.0 {
        return "0".to_owned();
    }
    // Rounded first: 99.96 has no decimals left.
    let magnitude = value.abs().log10().floor();
    let step = 10f64.powf(magnitude - 2.0);
    let rounded = (value / step).round() * step;
    let decimals = (2.0 - rounded.abs().log10().floor()).clamp(0.0, 9.0) as usize;
    format!("{rounded:.decimals$}")
}

/// A ratio: `1.78`, without a sign.
pub fn ratio(value: f64) -> String {
    three_digits(value)
}

/// The interval of a ratio: `[1.65, 1.90]`.
pub fn ratio_interval(estimate: &Estimate) -> String {
    // An end that is not one is not called one: a verdict may hang on it.
    let end = |value: f64| match three_digits(value) {
        one if one == "1.00" && value != 1.0 => format!("{value:.4}"),
        spelt => spelt,
    };
    format!("[{}, {}]", end(estimate.low), end(estimate.high))
}

/// How often something happened for each of something else: `1.06`, and `1` where it is whole.
pub fn each(n: f64) -> String {
    if n.fract() == 0.0 && n.abs() < 1e6 { format!("{n:.0}") } else { three_digits(n) }
}

/// A count, its thousands apart: `11,520`.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut grouped = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A share in percent: `12.8 %`. What is not nothing is not called nothing, and what is not
/// all is not called all.
pub fn share(part: u64, whole: u64) -> String {
    if whole == 0 {
        return NONE.to_owned();
    }
    let percent = 100.0 * part as f64 / whole as f64;
    match percent {
        _ if part == 0 => format!("0{GAP}%"),
        _ if part == whole => format!("100{GAP}%"),
        p if p < 0.05 => format!("<0.1{GAP}%"),
        p if p >= 99.95 => format!(">99.9{GAP}%"),
        p => format!("{p:.1}{GAP}%"),
    }
}

/// How far a ratio is from one, in percent: `1.7 %`.
pub fn off(ratio: f64) -> String {
    format!("{:.1}{GAP}%", 100.0 * (ratio - 1.0).abs())
}

/// A quantile of latencies; `None` where the count cannot carry it.
pub fn quantile(latency: &Latency, quantile: f64) -> Option<String> {
    latency.at(quantile).map(|ns| time(ns as f64))
}

/// How many of something: `1 cell`, `3 cells`.
pub fn of(n: usize, what: &str) -> String {
    let s = if n == 1 { "" } else { "s" };
    format!("{} {what}{s}", count(n as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_three_digits_and_the_unit_that_fits() {
        let spelt = |ns| time(ns).replace(GAP, " ");
        assert_eq!(spelt(0.0), "0 ns");
        assert_eq!(spelt(87.0), "87 ns");
        assert_eq!(spelt(87.25), "87.2 ns");
        assert_eq!(spelt(999.4), "999 ns");
        assert_eq!(spelt(999.6), "1.00 µs");
        assert_eq!(spelt(2_406.2), "2.41 µs");
        assert_eq!(spelt(9_996.0), "10.0 µs");
        assert_eq!(spelt(62_116_277.0), "62.1 ms");
        assert_eq!(spelt(2e12), "2000 s");
        assert_eq!(spelt(f64::NAN), NONE);
    }

    #[test]
    fn an_interval_is_in_the_unit_of_its_point() {
        let estimate = Estimate { point: 280_223.0, low: 113_577.0, high: 2_894_886.0 };
        assert_eq!(time_interval(&estimate), "[114, 2895]");
    }

    #[test]
    fn the_end_of_an_interval_is_not_called_one_when_it_is_not() {
        let estimate = Estimate { point: 1.085, low: 1.004_8, high: 1.267 };
        assert_eq!(ratio_interval(&estimate), "[1.0048, 1.27]");
    }

    #[test]
    fn three_digits_are_three_on_every_scale() {
        let spelt = [0.000_917_3, 0.380_1, 0.999_6, 1.775_4, 99.96, 771.438, 1_324.4, 13_244.0];
        let expected = ["0.000917", "0.380", "1.00", "1.78", "100", "771", "1320", "13200"];
        assert_eq!(spelt.map(three_digits), expected.map(str::to_owned));
    }

    #[test]
    fn a_share_is_nothing_or_all_only_when_it_is() {
        let spelt = |part, whole| share(part, whole).replace(GAP, " ");
        assert_eq!(spelt(0, 960), "0 %");
        assert_eq!(spelt(1, 1_000_000), "<0.1 %");
        assert_eq!(spelt(123, 960), "12.8 %");
        assert_eq!(spelt(999_999, 1_000_000), ">99.9 %");
        assert_eq!(spelt(960, 960), "100 %");
        assert_eq!(spelt(0, 0), NONE);
    }

    #[test]
    fn thousands_are_apart() {
        assert_eq!(
            [0, 999, 1_000, 11_520, 1_234_567].map(count),
            ["0", "999", "1,000", "11,520", "1,234,567"]
        );
    }

    #[test]
    fn a_span_names_a_shared_unit_once() {
        assert_eq!(span(27_600.0, 53_100.0).replace(GAP, " "), "27.6 to 53.1 µs");
        assert_eq!(span(2.1e6, 32.3e6).replace(GAP, " "), "2.10 to 32.3 ms");
        assert_eq!(span(900.0, 2_000.0).replace(GAP, " "), "900 ns to 2.00 µs");
        assert_eq!(span(2_000.0, 2_001.0).replace(GAP, " "), "2.00 µs");
    }
}
