//! Holm's correction: how sure each of many comparisons is, when all of them are looked at.

/// The p values of a family, adjusted so that one of them below 0.05 is wrong in at most 5 of 100 families, however they depend on each
/// other. In the order given; each is at least what it was and at most 1.
///
/// With p(1) ≤ … ≤ p(m), the i-th becomes the largest of (m - j + 1) p(j) over j ≤ i.
///
/// Source: S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6(2), 1979.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "a family is far below 2^53")]
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]).then(a.cmp(&b)));
    let mut adjusted = vec![1.0; p_values.len()];
    let mut largest = 0.0_f64;
    for (rank, &place) in order.iter().enumerate() {
        let left = (p_values.len() - rank) as f64;
        largest = largest.max(left * p_values[place]).min(1.0);
        adjusted[place] = largest;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_example_of_a_textbook_comes_out() {
        // R: p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm")
        let found = holm(&[0.01, 0.04, 0.03, 0.005]);
        for (found, expected) in found.iter().zip([0.03, 0.06, 0.06, 0.02]) {
            assert!((found - expected).abs() < 1e-12, "{found} {expected}");
        }
        assert_eq!(holm(&[]), Vec::<f64>::new());
        assert_eq!(holm(&[0.7, 0.7]), [1.0, 1.0]);
    }

    proptest! {
        #[test]
        fn adjusted_values_keep_the_order_and_never_fall(values in prop::collection::vec(0.0_f64..=1.0, 1..30)) {
            let adjusted = holm(&values);
            for (i, &p) in values.iter().enumerate() {
                prop_assert!(adjusted[i] >= p && adjusted[i] <= 1.0);
                for (j, &q) in values.iter().enumerate() {
                    prop_assert!(p > q || adjusted[i] <= adjusted[j], "{i} {j}");
                }
            }
            // A larger family is never surer.
            let more: Vec<f64> = values.iter().copied().chain([0.5]).collect();
            for (more, less) in holm(&more).iter().zip(&adjusted) {
                prop_assert!(more >= less);
            }
        }
    }
}
