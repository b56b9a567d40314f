//! Percentiles by linear interpolation between the two nearest ranks.

/// Percentile `p` [0..100] of `sorted`, `None` when it is empty.
///
/// With n values and k = (n - 1) * p / 100 it lies between the values at rank floor(k) and the next, in proportion
/// (the rule of the published results format; Hyndman and Fan's type 7). `sorted` must be in ascending order.
#[must_use]
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "ranks are far below 2^53 and not negative"
)]
pub fn percentile(sorted: &[i64], p: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let rank = last as f64 * p / 100.0;
    let low = (libm::floor(rank) as usize).min(last);
    let high = (low + 1).min(last);
    let (a, b) = (sorted[low] as f64, sorted[high] as f64);
    Some(a + (rank - low as f64) * (b - a))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_percentile_between_two_ranks_is_interpolated() {
        assert_eq!(percentile(&[100, 200], 50.0), Some(150.0));
        assert_eq!(percentile(&[10, 20, 30, 40], 95.0), Some(38.5));
        assert_eq!(percentile(&[7], 95.0), Some(7.0));
        assert_eq!(percentile(&[], 50.0), None);
    }

    proptest! {
        #[test]
        fn a_percentile_lies_between_the_extremes(mut values in proptest::collection::vec(0i64..10_000, 1..50), p in 0.0f64..=100.0) {
            values.sort_unstable();
            let found = percentile(&values, p).unwrap();
            prop_assert!(found >= values[0] as f64 && found <= *values.last().unwrap() as f64);
        }
    }
}
