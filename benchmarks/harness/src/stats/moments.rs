//! Mean and standard deviation, rounded once: the digits do not depend on the order of the values or on luck.

/// A sum of two numbers that are added only at the end: about twice the digits.
#[derive(Clone, Copy, Debug, Default)]
struct Twofold {
    high: f64,
    low: f64,
}

impl Twofold {
    /// Source: T. J. Dekker, "A floating-point technique for extending the available precision", Numerische
    /// Mathematik 18, 1971.
    fn add(&mut self, value: f64) {
        let sum = self.high + value;
        let taken = sum - self.high;
        let lost = (self.high - (sum - taken)) + (value - taken);
        let low = self.low + lost;
        self.high = sum + low;
        self.low = low - (self.high - sum);
    }

    fn over(self, divisor: f64) -> Self {
        let high = self.high / divisor;
        let rest = libm::fma(-high, divisor, self.high) + self.low;
        Self { high, low: rest / divisor }
    }

    fn sqrt(self) -> f64 {
        // What rounding leaves of a spread of nothing may lie below zero.
        let root = libm::sqrt(self.high.max(0.0));
        if root <= 0.0 {
            return 0.0;
        }
        root + (libm::fma(-root, root, self.high) + self.low) / (2.0 * root)
    }
}

/// The first two moments of a sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moments {
    /// Values [count].
    pub count: usize,
    /// Their mean.
    pub mean: f64,
    /// Their sample standard deviation, with divisor n - 1; 0 of one value.
    pub std: f64,
}

/// The moments of `values`; `None` of no values, or of one that is not finite.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "2^53 values are no sample")]
pub fn moments(values: &[f64]) -> Option<Moments> {
    if values.is_empty() || !values.iter().all(|value| value.is_finite()) {
        return None;
    }
    let count = values.len();
    let mut sum = Twofold::default();
    values.iter().for_each(|&value| sum.add(value));
    let mean = sum.over(count as f64);
    let mut squares = Twofold::default();
    for &value in values {
        let away = value - mean.high;
        let taken = away - value;
        let lost = (value - (away - taken)) + (-mean.high - taken);
        let low = lost - mean.low;
        let square = away * away;
        squares.add(square);
        squares.add(libm::fma(away, away, -square) + (2.0 * away + low) * low);
    }
    let std = if count > 1 { squares.over((count - 1) as f64).sqrt() } else { 0.0 };
    Some(Moments { count, mean: mean.high + mean.low, std })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn moments_are_rounded_once() {
        // Exact rational arithmetic gives these; adding up in order gives 0.30000000000000004 / 3 and worse.
        assert_eq!(moments(&[0.0, 0.1, 0.2]).unwrap().mean, 0.1);
        let found = moments(&[200.5, 230.0, 180.0, 210.0]).unwrap();
        assert_eq!((found.mean, found.std), (205.125, 20.778_093_431_945_738));
        let found = moments(&[1.0, 0.5, 1.0, 0.75]).unwrap();
        assert_eq!((found.mean, found.std), (0.8125, 0.239_356_776_939_084_53));
        for count in 2..50 {
            assert_eq!(moments(&vec![0.1; count]), Some(Moments { count, mean: 0.1, std: 0.0 }));
        }
    }

    #[test]
    fn a_large_offset_does_not_spoil_the_deviation() {
        let found = moments(&[1e9 + 4.0, 1e9 + 7.0, 1e9 + 13.0, 1e9 + 16.0]).unwrap();
        assert_eq!((found.mean, found.std), (1e9 + 10.0, libm::sqrt(30.0)));
    }

    #[test]
    fn one_value_does_not_deviate_and_none_has_no_moments() {
        assert_eq!(moments(&[7.5]), Some(Moments { count: 1, mean: 7.5, std: 0.0 }));
        assert_eq!(moments(&[]), None);
        assert_eq!(moments(&[1.0, f64::NAN]), None);
    }

    proptest! {
        #[test]
        fn the_order_of_the_values_does_not_matter(values in proptest::collection::vec(-1e6f64..1e6, 1..40)) {
            let mut turned = values.clone();
            turned.reverse();
            prop_assert_eq!(moments(&values), moments(&turned));
        }
    }
}
