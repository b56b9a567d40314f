//! Intervals from the episodes themselves.
//!
//! Percentile intervals of the bootstrap are too short for few values, by the factor √((n-1)/n) and by Student's tails. The *expanded* ones
//! take outer percentiles instead, so that for a normal sample they are as wide as Student's.
//!
//! Source: T. Hesterberg, "What teachers should know about the bootstrap", The American Statistician 69(4), 2015, section 5.4.2.

use super::mean;
use labtrust_bench::stats::{Bounds, Confidence, Resampling, normal_cdf, percentile_bounds, student_t_quantile};

/// Samples drawn for an interval [count].
pub const RESAMPLES: u32 = 2000;

/// What the intervals are called in tables.
pub const CI_METHOD: &str = "bootstrap_expanded_percentile";

/// The confidence at which percentiles of `n` values are read, so that 95 of 100 normal samples' intervals hold.
#[expect(clippy::cast_precision_loss, reason = "2^53 values are no sample")]
fn expanded(n: usize) -> Option<Confidence> {
    let n = (n > 1).then_some(n as f64)?;
    let outer = libm::sqrt(n / (n - 1.0)) * student_t_quantile(n - 1.0, Confidence::P95);
    let level = 1.0 - 2.0 * normal_cdf(-outer);
    // Of two values the level is 1 but for rounding: from the least replicate to the greatest.
    Confidence::new(level.min(1.0 - f64::EPSILON))
}

/// The 95 % interval of the mean. `None` of fewer than two values. Deterministic: drawn from `seed` and `purpose`.
#[must_use]
pub fn mean_bounds(values: &[f64], seed: u64, purpose: &str) -> Option<Bounds> {
    let replicates =
        Resampling { seed, purpose, resamples: RESAMPLES }.replicates(values, |drawn| mean(drawn).unwrap_or(f64::NAN));
    percentile_bounds(&replicates, expanded(values.len())?)
}

/// The 95 % interval of a statistic of `count` things, which is given the places of those that were drawn.
#[must_use]
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "places of a sample, far below 2^53"
)]
pub fn statistic_bounds(count: usize, seed: u64, purpose: &str, statistic: impl Fn(&[usize]) -> f64) -> Option<Bounds> {
    let places: Vec<f64> = (0..count).map(|place| place as f64).collect();
    let replicates = Resampling { seed, purpose, resamples: RESAMPLES }
        .replicates(&places, |drawn| statistic(&drawn.iter().map(|&place| place as usize).collect::<Vec<_>>()));
    percentile_bounds(&replicates, expanded(count)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use labtrust_bench::stats::mean_interval;

    #[test]
    fn two_values_have_the_interval_between_them_and_one_has_none() {
        assert_eq!(mean_bounds(&[1.0, 3.0], 1, "x"), Some(Bounds { lower: 1.0, upper: 3.0 }));
        assert_eq!(mean_bounds(&[1.0], 1, "x"), None);
        assert_eq!(mean_bounds(&[2.0; 5], 1, "x"), Some(Bounds { lower: 2.0, upper: 2.0 }));
    }

    #[test]
    fn an_interval_of_a_few_even_values_is_about_as_wide_as_students() {
        let values: Vec<f64> = (0..8).map(f64::from).collect();
        let (found, student) =
            (mean_bounds(&values, 1, "x").unwrap(), mean_interval(&values, Confidence::P95).unwrap());
        let ratio = (found.upper - found.lower) / (student.upper - student.lower);
        assert!((0.85..1.1).contains(&ratio), "{ratio}");
    }

    #[test]
    fn the_interval_of_a_statistic_of_places_is_that_of_the_values() {
        let values = [4.0, 1.0, 7.0, 2.5];
        let by_place = |places: &[usize]| mean(&places.iter().map(|&place| values[place]).collect::<Vec<_>>()).unwrap();
        assert_eq!(statistic_bounds(4, 9, "x", by_place), mean_bounds(&values, 9, "x"));
    }
}
