//! Rank correlation, with what is undefined shown as such.

use std::cmp::Ordering;

/// Spearman's rank correlation of pairs, equal values sharing the mean of their ranks. `None` of fewer than three
/// pairs, of a value that is not finite, and where one side has only one value: there is nothing to rank.
///
/// Source: C. Spearman, "The proof and measurement of association between two things", American Journal of Psychology
/// 15(1), 1904; with ties it is Pearson's correlation of the ranks.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "2^53 submissions are no leaderboard")]
pub fn spearman(pairs: &[(f64, f64)]) -> Option<f64> {
    if pairs.len() < 3 || !pairs.iter().all(|(x, y)| x.is_finite() && y.is_finite()) {
        return None;
    }
    let (xs, ys): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
    let (xs, ys) = (doubled_ranks(&xs), doubled_ranks(&ys));
    // Twice a rank is a whole number, and so is every sum below: the result is rounded in its last step only.
    let n = xs.len() as i128;
    let sum = |values: &[i128]| values.iter().sum::<i128>();
    let product = |a: &[i128], b: &[i128]| a.iter().zip(b).map(|(a, b)| a * b).sum::<i128>();
    let covariance = n * product(&xs, &ys) - sum(&xs) * sum(&ys);
    let spread = |values: &[i128]| n * product(values, values) - sum(values) * sum(values);
    let (spread_x, spread_y) = (spread(&xs), spread(&ys));
    if spread_x == 0 || spread_y == 0 {
        return None;
    }
    // One root of the product: of a number times itself it is that number.
    let scale = libm::sqrt(spread_x as f64 * spread_y as f64);
    Some((covariance as f64 / scale).clamp(-1.0, 1.0))
}

fn doubled_ranks(values: &[f64]) -> Vec<i128> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    // Finite, so that they can always be compared; and a zero with a sign is a zero.
    let compare = |a: usize, b: usize| values[a].partial_cmp(&values[b]).unwrap_or(Ordering::Equal);
    order.sort_by(|&a, &b| compare(a, b));
    let mut ranks = vec![0; values.len()];
    let mut begin = 0;
    while begin < order.len() {
        let same = |i: &&usize| compare(**i, order[begin]).is_eq();
        let end = begin + order[begin..].iter().take_while(same).count();
        for &i in &order[begin..end] {
            // Ranks begin + 1 to end; twice their mean.
            ranks[i] = (begin + 1 + end) as i128;
        }
        begin = end;
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn it_agrees_with_scipy() {
        // scipy.stats.spearmanr(x, y).statistic, with ties as average ranks.
        let table: &[(&[f64], &[f64], f64)] = &[
            (&[1.0, 2.0, 3.0], &[1.0, 2.0, 3.0], 1.0),
            (&[1.0, 2.0, 3.0], &[9.0, 4.0, 1.0], -1.0),
            (&[1.0, 2.0, 2.0, 3.0], &[1.0, 2.0, 3.0, 4.0], 0.9486832980505139),
            (&[1.0, 1.0, 2.0, 2.0, 3.0], &[5.0, 3.0, 3.0, 1.0, 2.0], -0.7029594915666376),
            (
                &[88.0, 91.5, 75.0, 75.0, 60.0, 99.0],
                &[120000.0, 340000.0, 91000.0, 90000.0, 15000.0, 120000.0],
                0.8823529411764706,
            ),
            (&[20.0, 20.0, 20.0, 19.0, 18.0, 20.0, 17.0], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], -0.6698938453032356),
            (
                &[5.0, 3.0, 4.0, 5.0, 3.0, 4.0, 5.0, 1.0, 0.0, 1.0, 1.0, 5.0],
                &[5.0, 0.0, 2.0, 4.0, 0.0, 4.0, 0.0, 2.0, 4.0, 1.0, 2.0, 1.0],
                0.053407813277283556,
            ),
            (
                &[71.0, 25.0, 99.0, 44.0, 47.0, 50.0, 58.0, 55.0, 50.0, 99.0, 80.0, 79.0, 70.0, 62.0, 34.0],
                &[98.0, 46.0, 21.0, 84.0, 16.0, 85.0, 61.0, 11.0, 4.0, 44.0, 3.0, 14.0, 51.0, 97.0, 46.0],
                -0.16651752420577465,
            ),
        ];
        for (xs, ys, expected) in table {
            let pairs: Vec<_> = xs.iter().copied().zip(ys.iter().copied()).collect();
            let found = spearman(&pairs).unwrap();
            assert!(libm::fabs(found - expected) < 1e-14, "{xs:?} {ys:?}: {found}, not {expected}");
        }
    }

    #[test]
    fn what_cannot_be_ranked_is_undefined() {
        assert_eq!(spearman(&[]), None);
        assert_eq!(spearman(&[(1.0, 1.0), (2.0, 2.0)]), None);
        assert_eq!(spearman(&[(1.0, 1.0), (1.0, 2.0), (1.0, 3.0)]), None);
        assert_eq!(spearman(&[(1.0, f64::NAN), (2.0, 2.0), (3.0, 3.0)]), None);
    }

    proptest! {
        #[test]
        fn only_the_order_matters(pairs in proptest::collection::vec((0i32..20, 0i32..20), 3..40)) {
            let plain: Vec<_> = pairs.iter().map(|&(x, y)| (f64::from(x), f64::from(y))).collect();
            let bent: Vec<_> = plain.iter().map(|&(x, y)| (x * x * x, libm::exp(y))).collect();
            let swapped: Vec<_> = plain.iter().map(|&(x, y)| (y, x)).collect();
            prop_assert_eq!(spearman(&plain), spearman(&bent));
            prop_assert_eq!(spearman(&plain), spearman(&swapped));
            prop_assert!(spearman(&plain).is_none_or(|rho| (-1.0..=1.0).contains(&rho)));
        }
    }
}
