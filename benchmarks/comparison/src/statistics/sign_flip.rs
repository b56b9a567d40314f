//! The sign-flip test of paired differences: were the two methods the same, every difference might as well have the other sign.
//!
//! It asks nothing of the distribution but that, and it is about the mean, which is what tables show. Up to [`EXACT_PAIRS`] pairs all 2ⁿ
//! choices of signs are counted; of more, [`SIGN_FLIPS`] choices are drawn, and the observed one is counted among them so that no p value
//! is 0. Few pairs cannot show much: n pairs have no p value below 2 / 2ⁿ, so fewer than 6 never reach 0.05.
//!
//! Sources: R. A. Fisher, *The Design of Experiments*, 1935, section 21; E. Pitman, "Significance tests which may be applied to samples from
//! any populations", Supplement to the Journal of the Royal Statistical Society 4(1), 1937; B. Phipson and G. Smyth, "Permutation p-values
//! should never be zero", Statistical Applications in Genetics and Molecular Biology 9(1), 2010. Counting in halves: E. Horowitz and
//! S. Sahni, "Computing partitions with applications to the knapsack problem", Journal of the ACM 21(2), 1974.

use labtrust_kernel::Streams;

/// Most pairs of which every choice of signs is counted [count].
pub const EXACT_PAIRS: usize = 24;

/// Choices of signs that are drawn for more pairs [count].
pub const SIGN_FLIPS: u32 = 9_999;

/// Sums that differ by less than this share of the largest possible one are equal: the same differences added in another order.
const ROUNDING: f64 = 1e-12;

/// What a test says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SignFlip {
    /// Share of the choices of signs whose sum is at least as far from 0.
    pub p_value: f64,
    /// How it was found: `sign_flip_exact` or `sign_flip_sampled`.
    pub name: &'static str,
    /// Differences that are not 0 [count].
    pub signs: usize,
}

/// Differences other than 0 without which no p value is below 0.05 [count].
pub const FEWEST_SIGNS: usize = 6;

/// Tests whether the mean of paired differences is 0, on both sides. Of no differences, and of none that differs from 0, p is 1.
///
/// Deterministic: what is drawn depends on `seed`, `purpose` and the number of pairs.
#[must_use]
pub fn sign_flip(differences: &[f64], seed: u64, purpose: &str) -> SignFlip {
    // A difference of 0 has no sign to change.
    let sizes: Vec<f64> = differences.iter().map(|value| value.abs()).filter(|size| *size > 0.0).collect();
    let whole: f64 = sizes.iter().sum();
    let observed = differences.iter().sum::<f64>().abs() - ROUNDING * whole;
    if sizes.len() <= EXACT_PAIRS {
        return SignFlip { p_value: exact(&sizes, observed), name: "sign_flip_exact", signs: sizes.len() };
    }
    let mut stream = Streams::new(seed).stream(purpose, "sign_flip");
    let mut as_far = 1_u32;
    for _ in 0..SIGN_FLIPS {
        let sum: f64 = sizes.iter().map(|size| if stream.below(2) == 0 { *size } else { -size }).sum();
        as_far += u32::from(sum.abs() >= observed);
    }
    SignFlip { p_value: f64::from(as_far) / f64::from(SIGN_FLIPS + 1), name: "sign_flip_sampled", signs: sizes.len() }
}

/// All sums of some sizes, each with either sign, in order.
fn sums(sizes: &[f64]) -> Vec<f64> {
    let mut all = vec![0.0];
    for size in sizes {
        all = all.iter().flat_map(|sum| [sum - size, sum + size]).collect();
    }
    all.sort_by(f64::total_cmp);
    all
}

#[expect(clippy::cast_precision_loss, reason = "at most 2^24 choices of signs")]
fn exact(sizes: &[f64], observed: f64) -> f64 {
    let (left, right) = sizes.split_at(sizes.len() / 2);
    let (left, right) = (sums(left), sums(right));
    let all = left.len() * right.len();
    if observed <= 0.0 {
        return 1.0;
    }
    // As many sums are that far above 0 as below, so those above are counted: for every left part, the right parts that reach.
    let mut above = 0;
    let mut reaching = right.len();
    for part in &left {
        while reaching > 0 && part + right[reaching - 1] >= observed {
            reaching -= 1;
        }
        above += right.len() - reaching;
    }
    (2 * above).min(all) as f64 / all as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn p(differences: &[f64]) -> f64 {
        sign_flip(differences, 1, "x").p_value
    }

    #[test]
    fn the_smallest_p_is_two_in_all_choices() {
        for n in 1..=24_u32 {
            let differences: Vec<f64> = (1..=n).map(f64::from).collect();
            assert_eq!(p(&differences), libm::exp2(1.0 - f64::from(n)), "{n}");
        }
        assert_eq!(p(&[0.1; 6]), 2.0 / 64.0, "rounding does not break ties");
    }

    #[test]
    fn what_does_not_differ_has_p_one() {
        assert_eq!(p(&[]), 1.0);
        assert_eq!(p(&[0.0; 30]), 1.0);
        assert_eq!(p(&[1.0, -1.0]), 1.0);
    }

    #[test]
    fn the_drawn_test_is_close_to_the_counted_one() {
        let differences: Vec<f64> = (0..24).map(|i| f64::from(i % 7) - 2.2).collect();
        let counted = p(&differences);
        let drawn = {
            // A pair that hardly differs makes it one too many to count.
            let more: Vec<f64> = differences.iter().copied().chain([1e-9]).collect();
            sign_flip(&more, 5, "x")
        };
        assert_eq!(drawn.name, "sign_flip_sampled");
        assert!((drawn.p_value - counted).abs() < 0.015, "{} {counted}", drawn.p_value);
    }

    /// Every choice of signs, one by one.
    fn by_hand(differences: &[f64]) -> f64 {
        let n = differences.len();
        let observed = differences.iter().sum::<f64>().abs() - 1e-9;
        let sum = |signs: u32| -> f64 {
            (0..n).map(|i| if signs >> i & 1 == 1 { differences[i] } else { -differences[i] }).sum()
        };
        let as_far = (0..1_u32 << n).filter(|signs| sum(*signs).abs() >= observed).count();
        as_far as f64 / f64::from(1_u32 << n)
    }

    proptest! {
        #[test]
        fn halves_count_what_counting_one_by_one_does(differences in prop::collection::vec(-8_i32..8, 0..11)) {
            let differences: Vec<f64> = differences.into_iter().map(|value| f64::from(value) / 4.0).collect();
            prop_assert!((p(&differences) - by_hand(&differences)).abs() < 1e-12);
        }
    }
}
