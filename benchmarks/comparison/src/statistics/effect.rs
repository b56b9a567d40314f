//! How large a difference is, apart from how sure it is.

use labtrust_bench::stats::moments;

/// Mean of the paired differences over their standard deviation. `None` of fewer than two, and where they do not vary.
///
/// Source: J. Cohen, *Statistical Power Analysis for the Behavioral Sciences*, 2nd ed., 1988, section 2.3.5 (d_z).
#[must_use]
pub fn cohens_d_z(differences: &[f64]) -> Option<f64> {
    let found = moments(differences).filter(|found| found.count > 1)?;
    let value = found.mean / found.std;
    value.is_finite().then_some(value)
}

/// How much more often a value of `first` is above one of `second` than below: 1 where all are, -1 where none is, 0 where neither is likelier.
/// `None` without values on either side.
///
/// Source: N. Cliff, "Dominance statistics: ordinal analyses to answer ordinal questions", Psychological Bulletin 114(3), 1993.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts of pairs are far below 2^53")]
pub fn cliffs_delta(first: &[f64], second: &[f64]) -> Option<f64> {
    let pairs = first.len() * second.len();
    let all = first.iter().flat_map(|a| second.iter().map(move |b| a.total_cmp(b)));
    let balance: i64 = all.map(|order| i64::from(order as i8)).sum();
    (pairs > 0).then(|| balance as f64 / pairs as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delta_counts_who_is_above_whom() {
        assert_eq!(cliffs_delta(&[3.0, 4.0], &[1.0, 2.0]), Some(1.0));
        assert_eq!(cliffs_delta(&[1.0, 2.0], &[3.0]), Some(-1.0));
        // 2 above 1; 2 equal 2; 1 below 2; 1 equal 1.
        assert_eq!(cliffs_delta(&[1.0, 2.0], &[1.0, 2.0]), Some(0.0));
        assert_eq!(cliffs_delta(&[1.0, 2.0], &[0.0, 1.0]), Some(0.75));
        assert_eq!(cliffs_delta(&[], &[1.0]), None);
    }

    #[test]
    fn a_difference_that_does_not_vary_has_no_size_in_deviations() {
        assert_eq!(cohens_d_z(&[1.0, 1.0, 1.0]), None);
        assert_eq!(cohens_d_z(&[1.0]), None);
        assert_eq!(cohens_d_z(&[1.0, 2.0, 3.0]), Some(2.0));
    }
}
