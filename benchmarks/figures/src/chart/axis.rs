//! Axes: from values to shares of a length, with round numbers to read them by.

/// A range of values and the numbers that stand at it.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    low: f64,
    high: f64,
    /// Where numbers stand, and what they say.
    pub ticks: Vec<(f64, String)>,
}

impl Axis {
    /// An axis from round number to round number around `values`, with about `wish` steps. Values that are not finite
    /// do not count; without any the axis goes from 0 to 1.
    #[must_use]
    pub fn around(values: impl IntoIterator<Item = f64>, from_zero: bool, wish: u8) -> Self {
        let bounds =
            values.into_iter().filter(|value| value.is_finite()).fold(None, |bounds: Option<(f64, f64)>, value| {
                Some(bounds.map_or((value, value), |(low, high)| (low.min(value), high.max(value))))
            });
        let (mut low, mut high) = bounds.unwrap_or((0.0, 1.0));
        if from_zero {
            (low, high) = (low.min(0.0), high.max(0.0));
        }
        if high <= low {
            // One value stands in the middle, or on the ground when that is 0.
            let room = if low == 0.0 { 1.0 } else { low.abs() * 0.5 };
            (low, high) = if from_zero { (low, high + room) } else { (low - room, high + room) };
        }
        let step = round_step((high - low) / f64::from(wish.max(1)));
        let first = libm::floor(low / step + 1e-9);
        let last = libm::ceil(high / step - 1e-9);
        let decimals = decimals_of(step);
        let mut ticks = Vec::new();
        let mut count = first;
        while count <= last && ticks.len() < 64 {
            let value = count * step;
            ticks.push((value, crate::words::grouped(value, decimals)));
            count += 1.0;
        }
        Self { low: first * step, high: last * step, ticks }
    }

    /// Where a value is between the ends of the axis, 0 to 1.
    #[must_use]
    pub fn share(&self, value: f64) -> f64 {
        (value - self.low) / (self.high - self.low)
    }

    /// The least and the greatest value on it.
    #[must_use]
    pub const fn ends(&self) -> (f64, f64) {
        (self.low, self.high)
    }
}

/// 1, 2 or 5 times a power of ten, at least `wish`.
#[must_use]
fn round_step(wish: f64) -> f64 {
    let decade = libm::pow(10.0, libm::floor(libm::log10(wish)));
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|step| step * decade).find(|step| *step >= wish * 0.999_999).unwrap_or(decade)
}

/// How many decimals tell multiples of `step` apart.
fn decimals_of(step: f64) -> usize {
    (0..12_u8)
        .find(|decimals| {
            let scaled = step * libm::pow(10.0, f64::from(*decimals));
            (scaled - libm::round(scaled)).abs() < 1e-6 && scaled >= 0.999
        })
        .map_or(12, usize::from)
}

/// A value in few digits: as many decimals as tell something at its size.
#[must_use]
pub fn short(value: f64) -> String {
    let size = value.abs();
    let decimals = match size {
        _ if libm::round(value) == value => 0,
        _ if size >= 100.0 => 0,
        _ if size >= 10.0 => 1,
        _ if size >= 0.1 => 2,
        _ => 3,
    };
    crate::words::grouped(value, decimals)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|(_, label)| label.as_str()).collect()
    }

    #[test]
    fn ticks_are_round_and_enclose_all_values() {
        assert_eq!(labels(&Axis::around([3.0, 97.0], true, 5)), ["0", "20", "40", "60", "80", "100"]);
        assert_eq!(labels(&Axis::around([0.42, 0.58], false, 4)), ["0.40", "0.45", "0.50", "0.55", "0.60"]);
        assert_eq!(labels(&Axis::around([12_000.0], true, 3)), ["0", "5,000", "10,000", "15,000"]);
        let axis = Axis::around([-3.0, 8.5], true, 4);
        assert_eq!(axis.ends(), (-5.0, 10.0));
        assert!((axis.share(2.5) - 0.5).abs() < 1e-12);
    }

    #[test]
    fn no_value_one_value_and_nonsense_still_make_an_axis() {
        for values in [vec![], vec![0.0], vec![7.0, 7.0], vec![f64::NAN, f64::INFINITY], vec![-2.0]] {
            let axis = Axis::around(values.clone(), true, 5);
            let (low, high) = axis.ends();
            assert!(low < high && axis.ticks.len() > 1, "{values:?} {axis:?}");
        }
    }

    #[test]
    fn short_numbers_keep_what_tells_them_apart() {
        assert_eq!([0.0, 0.0125, 0.25, 3.0, 12.34, 1234.5].map(short), ["0", "0.013", "0.25", "3", "12.3", "1,234"]);
    }
}
