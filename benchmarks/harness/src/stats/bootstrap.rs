//! The bootstrap: intervals of any statistic, from the sample itself.
//!
//! Draws come from a named stream of a seed (see [`Streams`]), so an interval is as reproducible as an episode.
//! Sources: B. Efron and R. Tibshirani, *An Introduction to the Bootstrap*, 1993, chapters 13 and 14.

use super::{Bounds, Confidence, normal_cdf, normal_quantile, percentile};
use labtrust_kernel::Streams;

/// Name of the generator, for the record beside a published interval.
pub const GENERATOR: &str = "labtrust.stream.v1 (ChaCha8)";

/// How a sample is drawn again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resampling<'a> {
    /// Seed of the stream.
    pub seed: u64,
    /// Name of the stream: intervals of different names are independent.
    pub purpose: &'a str,
    /// Samples drawn [count]; a few thousand for an interval.
    pub resamples: u32,
}

impl Resampling<'_> {
    /// `statistic` of every new sample, in the order of drawing. Empty when there is nothing to draw from.
    ///
    /// Deterministic: the numbers drawn depend on seed, purpose and the number of values.
    pub fn replicates(&self, values: &[f64], statistic: impl Fn(&[f64]) -> f64) -> Vec<f64> {
        if values.is_empty() {
            return Vec::new();
        }
        let mut stream = Streams::new(self.seed).stream(self.purpose, "bootstrap");
        let mut sample = vec![0.0; values.len()];
        let one = |_| {
            for slot in &mut sample {
                let place = usize::try_from(stream.below(values.len() as u64)).unwrap_or_default();
                *slot = values[place];
            }
            statistic(&sample)
        };
        (0..self.resamples).map(one).collect()
    }
}

/// The interval between two percentiles of the replicates. `None` without replicates, or with one that is not a number.
#[must_use]
pub fn percentile_bounds(replicates: &[f64], confidence: Confidence) -> Option<Bounds> {
    let tail = confidence.tail();
    bounds_at(replicates, tail, 1.0 - tail)
}

/// The interval corrected for bias and for a spread that depends on the value (BCa). `values` is the sample and
/// `statistic` what the replicates were made with.
///
/// Where the correction has no answer (all replicates on one side of the statistic) it is [`percentile_bounds`].
/// `None` of fewer than two values, without replicates, or with a number that is none.
pub fn bca_bounds(
    values: &[f64],
    replicates: &[f64],
    statistic: impl Fn(&[f64]) -> f64,
    confidence: Confidence,
) -> Option<Bounds> {
    if values.len() < 2 {
        return None;
    }
    let plain = percentile_bounds(replicates, confidence)?;
    let observed = statistic(values);
    let bias = normal_quantile(share_below(replicates, observed));
    if !bias.is_finite() {
        return Some(plain);
    }
    let acceleration = acceleration(values, statistic);
    let corrected = |z: f64| {
        let shifted = bias + z;
        normal_cdf(bias + shifted / (1.0 - acceleration * shifted))
    };
    let z = normal_quantile(confidence.tail());
    bounds_at(replicates, corrected(z), corrected(-z))
}

fn bounds_at(replicates: &[f64], low: f64, high: f64) -> Option<Bounds> {
    let at = |share: f64| percentile(replicates, (100.0 * share).clamp(0.0, 100.0));
    Some(Bounds { lower: at(low)?, upper: at(high)? })
}

/// Share of the replicates below `observed`, those equal to it counted half.
#[expect(clippy::cast_precision_loss, reason = "counts of replicates are far below 2^53")]
fn share_below(replicates: &[f64], observed: f64) -> f64 {
    let below = replicates.iter().filter(|&&value| value < observed).count();
    let not_above = replicates.iter().filter(|&&value| value <= observed).count();
    (below + not_above) as f64 / (2.0 * replicates.len() as f64)
}

/// How the spread changes with the value, from the sample with one value left out at a time; 0 where it does not.
#[expect(clippy::cast_precision_loss, reason = "2^53 values are no sample")]
fn acceleration(values: &[f64], statistic: impl Fn(&[f64]) -> f64) -> f64 {
    let mut left = values[1..].to_vec();
    let mut without = Vec::with_capacity(values.len());
    for (place, &value) in values.iter().enumerate() {
        without.push(statistic(&left));
        // What was left out comes back, in the place of the next.
        if let Some(slot) = left.get_mut(place) {
            *slot = value;
        }
    }
    let mean = without.iter().sum::<f64>() / without.len() as f64;
    let power = |exponent: i32| without.iter().map(|value| (mean - value).powi(exponent)).sum::<f64>();
    let spread = power(2);
    if spread <= 0.0 {
        return 0.0;
    }
    power(3) / (6.0 * spread * libm::sqrt(spread))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::moments;

    const SKEWED: [f64; 12] = [1.0, 1.2, 1.3, 1.7, 1.9, 2.2, 2.4, 2.8, 3.5, 4.4, 7.9, 15.0];

    fn mean(values: &[f64]) -> f64 {
        moments(values).unwrap().mean
    }

    fn drawn(seed: u64, purpose: &str) -> Vec<f64> {
        Resampling { seed, purpose, resamples: 2000 }.replicates(&SKEWED, mean)
    }

    #[test]
    fn the_same_name_draws_the_same_and_another_name_does_not() {
        assert_eq!(drawn(7, "throughput"), drawn(7, "throughput"));
        assert_ne!(drawn(7, "throughput"), drawn(7, "turnaround"));
        assert_ne!(drawn(7, "throughput"), drawn(8, "throughput"));
    }

    #[test]
    fn an_interval_lies_about_the_statistic() {
        let replicates = drawn(7, "throughput");
        for bounds in [
            percentile_bounds(&replicates, Confidence::P95).unwrap(),
            bca_bounds(&SKEWED, &replicates, mean, Confidence::P95).unwrap(),
        ] {
            assert!(bounds.contains(mean(&SKEWED)), "{bounds:?}");
            assert!(bounds.lower > 1.0 && bounds.upper < 15.0, "{bounds:?}");
        }
    }

    #[test]
    fn the_correction_follows_the_long_tail() {
        let replicates = drawn(7, "throughput");
        let plain = percentile_bounds(&replicates, Confidence::P95).unwrap();
        let corrected = bca_bounds(&SKEWED, &replicates, mean, Confidence::P95).unwrap();
        assert!(corrected.lower > plain.lower && corrected.upper > plain.upper, "{plain:?} {corrected:?}");
    }

    #[test]
    fn an_interval_of_given_replicates_is_scipys_ties_and_all() {
        // scipy.stats.bootstrap 1.16.3 with these as its bootstrap distribution, 80 %.
        let values = [0.0, 0.0, 1.0, 1.0, 4.0];
        let replicates = [0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.2, 1.2, 1.2, 1.4, 1.6, 1.8, 2.0, 2.2, 2.6, 3.0];
        let confidence = Confidence::new(0.8).unwrap();
        let close = |found: Bounds, lower: f64, upper: f64| {
            libm::fabs(found.lower - lower) < 1e-12 && libm::fabs(found.upper - upper) < 1e-12
        };
        assert!(close(percentile_bounds(&replicates, confidence).unwrap(), 0.5, 2.4));
        let found = bca_bounds(&values, &replicates, mean, confidence).unwrap();
        assert!(close(found, 0.426_309_391_082_152_1, 2.185_417_980_681_077), "{found:?}");
    }

    #[test]
    fn the_generator_is_the_one_that_is_named() {
        // Another one would move every published interval.
        let found = Resampling { seed: 1, purpose: "x", resamples: 10 }.replicates(&SKEWED, |sample| sample[0]);
        assert_eq!(found, [1.0, 1.0, 2.2, 1.0, 1.9, 15.0, 1.0, 2.2, 1.2, 1.2]);
    }

    #[test]
    fn a_sample_without_spread_has_an_interval_without_width() {
        let values = [4.0; 5];
        let replicates = Resampling { seed: 1, purpose: "x", resamples: 100 }.replicates(&values, mean);
        let only = Some(Bounds { lower: 4.0, upper: 4.0 });
        assert_eq!(percentile_bounds(&replicates, Confidence::P95), only);
        assert_eq!(bca_bounds(&values, &replicates, mean, Confidence::P95), only);
    }

    #[test]
    fn nothing_has_no_interval() {
        let none = Resampling { seed: 1, purpose: "x", resamples: 100 }.replicates(&[], mean);
        assert_eq!(none, Vec::<f64>::new());
        assert_eq!(percentile_bounds(&none, Confidence::P95), None);
        assert_eq!(bca_bounds(&[1.0], &[1.0], mean, Confidence::P95), None);
    }

    #[test]
    fn four_equal_chances_are_drawn_equally_often() {
        let values = [0.0, 1.0, 2.0, 3.0];
        let replicates =
            Resampling { seed: 3, purpose: "x", resamples: 20_000 }.replicates(&values, |sample| sample[0]);
        for value in values {
            let share = replicates.iter().filter(|&&found| found.total_cmp(&value).is_eq()).count();
            assert!((4_800..5_200).contains(&share), "{value}: {share}");
        }
    }
}
