//! Averages that some liars cannot move far.
//!
//! Source: D. Yin, Y. Chen, R. Kannan and P. Bartlett, "Byzantine-robust distributed learning: towards optimal statistical
//! rates", ICML 2018 (coordinate-wise trimmed mean and median).

/// The mean of `values` without the `faults` smallest and the `faults` largest, rounded towards zero; the order of the values is
/// lost. `None` when nothing would be left.
///
/// With at most `faults` liars the result lies between the smallest and the largest honest value.
pub fn trimmed_mean(values: &mut [i64], faults: usize) -> Option<i64> {
    let trimmed = faults.checked_mul(2)?;
    let left = values.len().checked_sub(trimmed).filter(|left| *left > 0)?;
    values.sort_unstable();
    let sum: i128 = values[faults..faults + left].iter().map(|value| i128::from(*value)).sum();
    let mean = sum / i128::try_from(left).ok()?;
    i64::try_from(mean).ok()
}

/// The median of `values`, the upper of two middle ones; the order of the values is lost. `None` of nothing.
pub fn median(values: &mut [i64]) -> Option<i64> {
    values.sort_unstable();
    values.get(values.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn means_and_medians_of_small_lists() {
        assert_eq!(trimmed_mean(&mut [9, 1, 2, 3, 1000], 1), Some(4));
        assert_eq!(trimmed_mean(&mut [5, 7], 0), Some(6));
        assert_eq!((trimmed_mean(&mut [5, 7], 1), trimmed_mean(&mut [], 0)), (None, None));
        assert_eq!(trimmed_mean(&mut [i64::MAX, i64::MAX, i64::MIN], 0), Some(i64::MAX / 3));
        assert_eq!((median(&mut [3, 1, 2, 4]), median(&mut [])), (Some(3), None));
    }

    proptest! {
        #[test]
        fn liars_up_to_the_number_of_faults_cannot_leave_the_honest_range(
            honest in prop::collection::vec(-1000i64..1000, 1..20), lies in prop::collection::vec(any::<i64>(), 0..5),
            more in 0usize..2,
        ) {
            let faults = lies.len() + more;
            let (low, high) = (*honest.iter().min().unwrap(), *honest.iter().max().unwrap());
            let mut values: Vec<i64> = honest.into_iter().chain(lies).collect();
            if let Some(mean) = trimmed_mean(&mut values, faults) {
                prop_assert!((low..=high).contains(&mean));
            }
        }
    }
}
