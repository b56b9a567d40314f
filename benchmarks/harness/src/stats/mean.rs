//! Intervals of means, and of what differs between two arms that share their random numbers.

use super::{Bounds, Confidence, moments, student_t_quantile};

/// The interval of the expected value of independent, near normal `values`: Student's t, for any number of them.
/// `None` of fewer than two values, or of one that is not finite.
///
/// Source: Student, "The probable error of a mean", Biometrika 6(1), 1908.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "2^53 values are no sample")]
pub fn mean_interval(values: &[f64], confidence: Confidence) -> Option<Bounds> {
    let found = moments(values).filter(|found| found.count > 1)?;
    let n = found.count as f64;
    let half = student_t_quantile(n - 1.0, confidence) * found.std / libm::sqrt(n);
    Some(Bounds { lower: found.mean - half, upper: found.mean + half })
}

/// What one arm has more than another, episode by episode.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PairedDifference {
    /// Pairs [count].
    pub pairs: usize,
    /// Mean of the differences, first arm less second.
    pub mean: f64,
    /// Where the expected difference lies.
    pub bounds: Bounds,
}

impl PairedDifference {
    /// Whether the arms differ beyond chance, at the interval's confidence.
    #[must_use]
    pub fn excludes_zero(&self) -> bool {
        !self.bounds.contains(0.0)
    }
}

/// The interval of the mean of `first[i] - second[i]`. Pairs are episodes of one seed: what the seed does to both arms
/// cancels. `None` when the arms are not equally long, have fewer than two pairs, or a value that is not finite.
///
/// Where every difference is the same the interval has no width; that is what was seen, not a proof.
#[must_use]
pub fn paired_difference(first: &[f64], second: &[f64], confidence: Confidence) -> Option<PairedDifference> {
    if first.len() != second.len() {
        return None;
    }
    let differences: Vec<f64> = first.iter().zip(second).map(|(a, b)| a - b).collect();
    let bounds = mean_interval(&differences, confidence)?;
    let mean = moments(&differences)?.mean;
    Some(PairedDifference { pairs: differences.len(), mean, bounds })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_that_of_the_textbook() {
        // Law, *Simulation Modeling and Analysis*, 5th ed., example 4.26: 90 %.
        let values = [1.20, 1.50, 1.68, 1.89, 0.95, 1.49, 1.58, 1.55, 0.50, 1.09];
        let found = mean_interval(&values, Confidence::new(0.90).unwrap()).unwrap();
        assert!(libm::fabs(found.lower - 1.10) < 0.006 && libm::fabs(found.upper - 1.58) < 0.006, "{found:?}");
    }

    #[test]
    fn a_small_sample_gets_a_wider_interval_than_a_normal_one() {
        // Published with 1.96 for any n: 0.52 to 2.48.
        let found = mean_interval(&[1.0, 2.0], Confidence::P95).unwrap();
        let expected = 1.5 - 12.706_204_736_174_69 * libm::sqrt(0.5) / libm::sqrt(2.0);
        assert!(libm::fabs(found.lower - expected) < 1e-10, "{found:?}");
        assert_eq!(mean_interval(&[1.0], Confidence::P95), None);
        assert_eq!(mean_interval(&[], Confidence::P95), None);
    }

    #[test]
    fn a_difference_that_the_seeds_hide_is_seen_in_pairs() {
        let first: Vec<f64> = (0..20).map(|seed| f64::from(seed * 10 + seed % 2)).collect();
        let second: Vec<f64> = (0..20).map(|seed| f64::from(seed * 10) - 1.0).collect();
        let paired = paired_difference(&first, &second, Confidence::P95).unwrap();
        assert_eq!((paired.pairs, paired.mean), (20, 1.5));
        assert!(paired.excludes_zero());
        let alone = mean_interval(&first, Confidence::P95).unwrap();
        assert!(alone.contains(moments(&second).unwrap().mean), "unpaired intervals overlap");
    }

    #[test]
    fn equal_arms_do_not_differ_and_unequal_ones_are_not_paired() {
        let values = [3.0, 4.0, 5.0];
        assert!(!paired_difference(&values, &values, Confidence::P95).unwrap().excludes_zero());
        assert_eq!(paired_difference(&values, &values[1..], Confidence::P95), None);
    }
}
