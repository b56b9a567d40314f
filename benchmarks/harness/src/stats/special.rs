//! The distributions that intervals are made of: beta, Student's t, normal.
//!
//! A beta probability is Loader's density, which loses nothing to large gamma functions, times a series of positive
//! terms; quantiles are found by Newton's method on the logarithm of the smaller tail, kept between bounds. What is promised
//! and tested is twelve digits, for parameters up to a million.
//!
//! Sources: C. Loader, "Fast and accurate computation of binomial probabilities", 2000. *NIST Digital Library of
//! Mathematical Functions*, 8.17(v).

use super::Confidence;
use std::f64::consts::{PI, SQRT_2};

/// Half the logarithm of two pi.
const HALF_LN_TWO_PI: f64 = 0.918_938_533_204_672_8;
/// Enough for parameters up to a million; beyond, the fraction is good enough.
const SERIES_TERMS: u32 = 100_000;
/// Far more than any parameter in use needs; the fraction takes about the square root of the larger parameter.
const FRACTION_TERMS: u32 = 1_000_000;
/// Newton needs about ten steps; bisection, where it has to help, about sixty.
const ROOT_STEPS: u32 = 400;

/// A beta probability from both sides, so that neither is lost against one.
#[derive(Clone, Copy, Debug)]
struct Tails {
    below: f64,
    above: f64,
}

/// What Stirling's formula for the logarithm of `n!` leaves out, for `n` above 0.
fn stirling_rest(n: f64) -> f64 {
    if n <= 15.0 {
        return libm::lgamma(n + 1.0) - (n + 0.5) * libm::log(n) + n - HALF_LN_TWO_PI;
    }
    let square = n * n;
    let fourth = 1.0 / 1680.0 - 1.0 / 1188.0 / square;
    let third = 1.0 / 1260.0 - fourth / square;
    let second = 1.0 / 360.0 - third / square;
    (1.0 / 12.0 - second / square) / n
}

/// `x ln(x / m) + m - x`, also where `x` is near `m`.
fn deviance(x: f64, m: f64) -> f64 {
    if libm::fabs(x - m) >= 0.1 * (x + m) {
        return x * libm::log(x / m) + m - x;
    }
    let v = (x - m) / (x + m);
    let mut sum = (x - m) * v;
    let mut power = 2.0 * x * v;
    let mut odd = 1.0;
    loop {
        power *= v * v;
        odd += 2.0;
        let next = sum + power / odd;
        // |v| is at most 0.1: a dozen terms.
        if next.total_cmp(&sum).is_eq() || next.is_nan() {
            return next;
        }
        sum = next;
    }
}

/// `x^a y^b / B(a, b)`, for `x + y = 1` and neither of them 0.
fn beta_front(a: f64, b: f64, x: f64, y: f64) -> f64 {
    let n = a + b;
    let exponent = stirling_rest(n) - stirling_rest(a) - stirling_rest(b) - deviance(a, n * x) - deviance(b, n * y);
    libm::sqrt(a * b / (2.0 * PI * n)) * libm::exp(exponent)
}

/// The continued fraction of the incomplete beta function, by Lentz's method; for `x` below its mean.
fn beta_fraction(a: f64, b: f64, x: f64) -> f64 {
    let away_from_zero = |value: f64| if libm::fabs(value) < 1e-300 { 1e-300 } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0));
    let mut product = d;
    for term in 1..FRACTION_TERMS {
        let m = f64::from(term);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / away_from_zero(1.0 + even * d);
        c = away_from_zero(1.0 + even / c);
        product *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / away_from_zero(1.0 + odd * d);
        c = away_from_zero(1.0 + odd / c);
        product *= d * c;
        if libm::fabs(d * c - 1.0) < 1e-16 {
            break;
        }
    }
    product
}

/// The sum `1 + x (a + b) / (a + 1) + ..`, which times the front over `a` is the probability below `x`. All terms are
/// positive, so nothing cancels. Absent where there would be too many of them.
///
/// Source: *NIST Digital Library of Mathematical Functions*, 8.17.8.
fn beta_series(a: f64, b: f64, x: f64) -> Option<f64> {
    let (mut sum, mut term) = (1.0, 1.0);
    for count in 0..SERIES_TERMS {
        let n = f64::from(count);
        let ratio = (a + b + n) / (a + 1.0 + n) * x;
        term *= ratio;
        sum += term;
        // What is left is less than a geometric series.
        if ratio < 1.0 && term < 1e-17 * sum * (1.0 - ratio) {
            return Some(sum);
        }
    }
    None
}

/// The probability of a beta variable to be below `x`, and above it; `y` is `1 - x`, and `x` at most a half.
fn beta_tails(a: f64, b: f64, x: f64, y: f64) -> Tails {
    let front = beta_front(a, b, x, y);
    // Far above the mean the series is long and all but one, and the fraction for the other side is short.
    let far = x > a / (a + b) && front < 1e-9;
    let series = if far { None } else { beta_series(a, b, x) };
    if let Some(sum) = series {
        let below = front * sum / a;
        return Tails { below, above: 1.0 - below };
    }
    if x < (a + 1.0) / (a + b + 2.0) {
        let below = front * beta_fraction(a, b, x) / a;
        Tails { below, above: 1.0 - below }
    } else {
        let above = front * beta_fraction(b, a, y) / b;
        Tails { below: 1.0 - above, above }
    }
}

/// The point `x` that a beta variable is below with probability `below`, and `1 - x`; `below + above` is 1.
pub(super) fn beta_quantile(a: f64, b: f64, below: f64, above: f64) -> (f64, f64) {
    if below <= 0.0 {
        return (0.0, 1.0);
    }
    if above <= 0.0 {
        return (1.0, 0.0);
    }
    // The smaller of x and 1 - x is looked for, so that it has all its digits.
    if beta_tails(a, b, 0.5, 0.5).below < below {
        let (y, x) = beta_quantile_below_half(b, a, above, below);
        (x, y)
    } else {
        beta_quantile_below_half(a, b, below, above)
    }
}

fn beta_quantile_below_half(a: f64, b: f64, below: f64, above: f64) -> (f64, f64) {
    let (mut low, mut high) = (0.0, 0.5);
    let mut x = (a / (a + b)).min(0.25);
    for _ in 0..ROOT_STEPS {
        let y = 1.0 - x;
        let tails = beta_tails(a, b, x, y);
        // The logarithm of the smaller tail is nearly straight: in x where it is the far one, in ln x near zero.
        let density = beta_front(a, b, x, y) / (x * y);
        let too_high;
        let next = if below <= above {
            too_high = tails.below > below;
            x * libm::exp(-libm::log(tails.below / below) * tails.below / (density * x))
        } else {
            too_high = tails.above < above;
            x + libm::log(tails.above / above) * tails.above / density
        };
        if too_high {
            high = x;
        } else {
            low = x;
        }
        // Where a tail has vanished there is no slope to follow.
        let next = if next > low && next < high { next } else { 0.5 * (low + high) };
        let moved = libm::fabs(next - x);
        x = next;
        if moved <= 1e-16 * x {
            break;
        }
    }
    (x, 1.0 - x)
}

/// The number that the absolute value of a variable with Student's t distribution of `freedom` degrees of freedom is
/// below with probability `confidence`. Not a number when `freedom` is not above 0.
#[must_use]
pub fn student_t_quantile(freedom: f64, confidence: Confidence) -> f64 {
    if freedom.is_nan() || freedom <= 0.0 {
        return f64::NAN;
    }
    if freedom.is_infinite() {
        return -normal_quantile(confidence.tail());
    }
    let (inside, outside) = beta_quantile(0.5, freedom / 2.0, confidence.level(), 1.0 - confidence.level());
    libm::sqrt(freedom * inside / outside)
}

/// The probability of a standard normal variable to be below `z`.
#[must_use]
pub fn normal_cdf(z: f64) -> f64 {
    0.5 * libm::erfc(-z / SQRT_2)
}

/// The number that a standard normal variable is below with probability `p`: minus infinity for 0, infinity for 1, not
/// a number outside.
#[must_use]
pub fn normal_quantile(p: f64) -> f64 {
    if !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    if p > 0.5 {
        // 1 - p is exact here.
        return -normal_quantile(1.0 - p);
    }
    if p <= 0.0 {
        return f64::NEG_INFINITY;
    }
    // The lower tail is convex: from the middle, Newton's steps run down to the root and never past it.
    let mut z = 0.0;
    for _ in 0..4 * ROOT_STEPS {
        let density = libm::exp(-0.5 * z * z) / libm::sqrt(2.0 * PI);
        let next = z - (normal_cdf(z) - p) / density;
        if next >= z || next.is_nan() {
            break;
        }
        z = next;
    }
    z
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn relative(found: f64, expected: f64) -> f64 {
        libm::fabs(found - expected) / libm::fabs(expected).max(1e-300)
    }

    #[test]
    fn students_t_has_its_closed_forms() {
        for level in [0.5, 0.9, 0.95, 0.99, 0.999] {
            let confidence = Confidence::new(level).unwrap();
            // One degree of freedom is Cauchy's distribution, two have a square root.
            let one = libm::tan(PI * level / 2.0);
            let two = level * libm::sqrt(2.0 / (1.0 - level * level));
            assert!(relative(student_t_quantile(1.0, confidence), one) < 1e-12, "{level}");
            assert!(relative(student_t_quantile(2.0, confidence), two) < 1e-12, "{level}");
        }
    }

    #[test]
    fn students_t_agrees_with_tables_and_with_the_kernels_short_form() {
        let p95 = |freedom| student_t_quantile(freedom, Confidence::P95);
        for (freedom, expected) in
            [(4.0, 2.776_445_105_197_793), (9.0, 2.262_157_162_798_205), (99.0, 1.984_216_951_586_392)]
        {
            assert!(relative(p95(freedom), expected) < 1e-12, "{freedom}: {}", p95(freedom));
        }
        // Where one parameter of the beta distribution is large, the continued fraction alone loses the last digits.
        assert!(relative(p95(250_000.0), 1.959_973_473_670_135) < 5e-13, "{}", p95(250_000.0));
        for freedom in [1_u32, 2, 5, 10, 11, 25, 1000] {
            let short = labtrust_kernel::stats::student_t_975(u64::from(freedom));
            assert!(libm::fabs(p95(f64::from(freedom)) - short) < 2e-4, "{freedom}");
        }
        assert!(relative(p95(f64::INFINITY), 1.959_963_984_540_054) < 1e-14);
        assert!(p95(0.0).is_nan());
    }

    #[test]
    fn a_normal_quantile_is_that_of_the_tables() {
        for (p, expected) in [
            (0.975, 1.959_963_984_540_054),
            (0.995, 2.575_829_303_548_900_4),
            (1e-10, -6.361_340_902_404_056),
            (0.3, -0.524_400_512_708_040_9),
        ] {
            assert!(relative(normal_quantile(p), expected) < 1e-12, "{p}: {}", normal_quantile(p));
        }
        assert_eq!(normal_quantile(0.5), 0.0);
        assert_eq!((normal_quantile(0.0), normal_quantile(1.0)), (f64::NEG_INFINITY, f64::INFINITY));
        assert!(normal_quantile(1.5).is_nan());
    }

    proptest! {
        #[test]
        fn a_beta_quantile_is_where_the_probability_is_reached(
            a in 0.1f64..2000.0, b in 0.1f64..2000.0, below in 1e-6f64..0.999_999
        ) {
            let (x, y) = beta_quantile(a, b, below, 1.0 - below);
            let found = if x < y { beta_tails(a, b, x, y).below } else { beta_tails(b, a, y, x).above };
            prop_assert!(libm::fabs(found - below) < 1e-11, "{found} and not {below}");
            prop_assert!(libm::fabs(x + y - 1.0) < 1e-15);
        }

        #[test]
        fn a_normal_probability_and_its_quantile_are_inverses(z in -8.0f64..8.0) {
            // Above zero, the distance to one has few digits.
            prop_assume!(z < 4.0);
            prop_assert!(libm::fabs(normal_quantile(normal_cdf(z)) - z) < 1e-11);
        }
    }
}
