//! Successes out of trials: the exact interval, and what may still be true when nothing went wrong.

use super::special::beta_quantile;
use super::{Bounds, Confidence};

/// The exact interval of a probability after `successes` in `trials`. Without trials nothing is known, and both ends
/// are 0, as in the published vectors; more successes than trials count as trials.
///
/// Source: C. J. Clopper and E. S. Pearson, "The use of confidence or fiducial limits illustrated in the case of the
/// binomial", Biometrika 26(4), 1934.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "2^53 trials are years of simulating")]
pub fn proportion_interval(successes: u64, trials: u64, confidence: Confidence) -> Bounds {
    if trials == 0 {
        return Bounds { lower: 0.0, upper: 0.0 };
    }
    let successes = successes.min(trials);
    let (k, n) = (successes as f64, trials as f64);
    let tail = confidence.tail();
    let lower = match successes {
        0 => 0.0,
        // The beta distribution of (n, 1) is a power.
        _ if successes == trials => libm::exp(libm::log(tail) / n),
        _ => beta_quantile(k, n - k + 1.0, tail, 1.0 - tail).0,
    };
    let upper = match successes {
        _ if successes == trials => 1.0,
        0 => -libm::expm1(libm::log(tail) / n),
        _ => beta_quantile(k + 1.0, n - k, 1.0 - tail, tail).0,
    };
    Bounds { lower, upper }
}

/// The greatest rate that is still compatible with never having been seen in `trials`: of failures when there were
/// only successes, of successes when there were only failures. 1 without trials.
///
/// Source: the one-sided form of [`proportion_interval`], `1 - (1 - c)^(1 / n)`.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "2^53 trials are years of simulating")]
pub fn worst_case_rate(trials: u64, confidence: Confidence) -> f64 {
    if trials == 0 {
        return 1.0;
    }
    -libm::expm1(libm::log1p(-confidence.level()) / trials as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// (successes, trials, confidence, lower, upper)
    const PUBLISHED: [(u64, u64, f64, f64, f64); 10] = [
        (0, 10, 0.95, 0.0, 0.308_497_107_818_760_7),
        (10, 10, 0.95, 0.691_502_892_181_239_2, 1.0),
        (5, 10, 0.95, 0.187_086_028_447_398_55, 0.812_913_971_552_601_5),
        (1, 3, 0.95, 0.008_403_758_659_612_643, 0.905_700_675_949_753_9),
        (3, 3, 0.95, 0.292_401_773_821_286_74, 1.0),
        (2, 2, 0.95, 0.158_113_883_008_419_03, 1.0),
        (0, 1, 0.95, 0.0, 0.975),
        (7, 20, 0.95, 0.153_909_204_784_541_2, 0.592_188_534_532_828_2),
        (3, 7, 0.90, 0.128_756_392_804_242_67, 0.774_678_415_967_552_2),
        (3, 4, 0.95, 0.194_120_449_683_243_46, 0.993_690_536_790_290_2),
    ];

    #[test]
    fn an_exact_interval_is_that_of_the_published_vectors() {
        for (k, n, level, lower, upper) in PUBLISHED {
            let found = proportion_interval(k, n, Confidence::new(level).unwrap());
            let off = libm::fabs(found.lower - lower).max(libm::fabs(found.upper - upper));
            assert!(off < 1e-12, "{k} of {n} at {level}: {found:?}");
        }
        assert_eq!(proportion_interval(3, 0, Confidence::P95), Bounds { lower: 0.0, upper: 0.0 });
        assert_eq!(proportion_interval(9, 3, Confidence::P95), proportion_interval(3, 3, Confidence::P95));
    }

    /// All of the reference's vectors; absent in a checkout of this project alone.
    #[test]
    fn an_exact_interval_is_that_of_the_references_vectors() {
        let path =
            concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/reference/outputs/vectors/binomial_intervals.json");
        let Ok(text) = std::fs::read_to_string(path) else {
            eprintln!("skipped: the reference's vectors are not here");
            return;
        };
        let vectors: serde_json::Value = serde_json::from_str(&text).unwrap();
        let rows = vectors["intervals"].as_array().unwrap();
        assert!(rows.len() > 20, "{}", rows.len());
        for row in rows {
            let confidence = Confidence::new(row["confidence"].as_f64().unwrap()).unwrap();
            let found = proportion_interval(row["k"].as_u64().unwrap(), row["n"].as_u64().unwrap(), confidence);
            let ends = row["clopper_pearson"].as_array().unwrap();
            let off = |found: f64, end: usize| libm::fabs(found - ends[end].as_f64().unwrap());
            assert!(off(found.lower, 0) < 1e-12 && off(found.upper, 1) < 1e-12, "{row}: {found:?}");
        }
    }

    #[test]
    fn a_worst_case_is_that_of_the_published_vectors() {
        for (n, expected) in [
            (0, 1.0),
            (1, 0.95),
            (3, 0.631_596_850_135_961_2),
            (10, 0.258_865_550_893_052_2),
            (59, 0.049_507_609_888_226_89),
        ] {
            let found = worst_case_rate(n, Confidence::P95);
            assert!(libm::fabs(found - expected) < 1e-12, "{n}: {found}");
        }
    }

    /// The probability of at most `k` successes, term by term.
    fn at_most(k: u64, n: u64, p: f64) -> f64 {
        let log_factorial = |count: u64| libm::lgamma(count as f64 + 1.0);
        let term = |i: u64| {
            let ways = log_factorial(n) - log_factorial(i) - log_factorial(n - i);
            libm::exp(ways + i as f64 * libm::log(p) + (n - i) as f64 * libm::log1p(-p))
        };
        (0..=k).map(term).sum()
    }

    proptest! {
        #[test]
        fn the_ends_are_where_the_binomial_tails_are_half_of_what_is_left_out(n in 2u64..200, part in 0.0f64..1.0) {
            let k = ((n - 1) as f64 * part) as u64 + 1;
            prop_assume!(k < n);
            let found = proportion_interval(k, n, Confidence::P95);
            prop_assert!(libm::fabs(at_most(k, n, found.upper) - 0.025) < 1e-11);
            prop_assert!(libm::fabs(1.0 - at_most(k - 1, n, found.lower) - 0.025) < 1e-11);
        }
    }
}
