//! The few statistics that models and tests of models need. Larger reports are made elsewhere, from these or from
//! the log.

use crate::{SimDuration, SimTime};

/// Mean and variance of observations, in one pass.
///
/// Source: B. P. Welford, "Note on a method for calculating corrected sums of squares and products", Technometrics
/// 4(3), 1962.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tally {
    count: u64,
    mean: f64,
    /// Sum of the squared distances from the mean.
    squares: f64,
}

impl Tally {
    /// No observation yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { count: 0, mean: 0.0, squares: 0.0 }
    }

    /// Adds an observation.
    #[inline]
    #[expect(clippy::cast_precision_loss, reason = "2^53 observations are years of simulating")]
    pub fn add(&mut self, value: f64) {
        self.count += 1;
        let before = value - self.mean;
        self.mean += before / self.count as f64;
        self.squares += before * (value - self.mean);
    }

    /// Observations [count].
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Their mean; `None` of none.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then_some(self.mean)
    }

    /// Their sample variance, with divisor n - 1; `None` of fewer than two.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "2^53 observations are years of simulating")]
    pub fn variance(&self) -> Option<f64> {
        (self.count > 1).then(|| self.squares / (self.count - 1) as f64)
    }

    /// The interval that covers the expected value in 95 of 100 cases, if the observations are independent and near
    /// normal: means of replications, or of batches much longer than the memory of the process. `None` of fewer than
    /// two.
    ///
    /// Source: Law, *Simulation Modeling and Analysis*, 5th ed., section 4.5.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "2^53 observations are years of simulating")]
    pub fn interval_95(&self) -> Option<Interval> {
        let error = libm::sqrt(self.variance()? / self.count as f64);
        Some(Interval { mean: self.mean, half_width: student_t_975(self.count - 1) * error })
    }
}

impl Extend<f64> for Tally {
    fn extend<I: IntoIterator<Item = f64>>(&mut self, values: I) {
        values.into_iter().for_each(|value| self.add(value));
    }
}

/// A confidence interval, symmetric about its mean.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The middle.
    pub mean: f64,
    /// Distance from the middle to either end.
    pub half_width: f64,
}

impl Interval {
    /// Whether `value` lies inside, ends included.
    #[must_use]
    pub fn contains(&self, value: f64) -> bool {
        libm::fabs(value - self.mean) <= self.half_width
    }
}

/// The 97.5 % point of Student's t with `freedom` degrees of freedom, to four decimals; `freedom` of 0 counts as 1.
///
/// Source: Abramowitz and Stegun, *Handbook of Mathematical Functions*, table 26.10 and expansion 26.7.5.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "past ten, an expansion in one over the degrees of freedom")]
pub fn student_t_975(freedom: u64) -> f64 {
    const FEW: [f64; 10] = [12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281];
    const Z: f64 = 1.959_963_984_540_054;
    let few = usize::try_from(freedom.max(1) - 1).ok().and_then(|place| FEW.get(place));
    few.copied().unwrap_or_else(|| {
        let (z2, per) = (Z * Z, 1.0 / freedom as f64);
        let first = Z * (z2 + 1.0) / 4.0;
        let second = Z * ((5.0 * z2 + 16.0) * z2 + 3.0) / 96.0;
        let third = Z * (((3.0 * z2 + 19.0) * z2 + 17.0) * z2 - 15.0) / 384.0;
        Z + per * (first + per * (second + per * third))
    })
}

/// The time-weighted mean of a value that changes in steps: a queue's length, devices in use. By default the value is 0
/// from the beginning of time.
///
/// Source: Law, *Simulation Modeling and Analysis*, 5th ed., section 1.4.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TimeWeighted {
    begin: SimTime,
    since: SimTime,
    value: f64,
    /// Value times seconds, up to `since`.
    area: f64,
}

/// A change was reported for a moment before the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a change at {at} comes after one at {since}")]
pub struct OutOfOrder {
    /// The change's time.
    pub at: SimTime,
    /// The last change's time.
    pub since: SimTime,
}

impl TimeWeighted {
    /// A value that is `value` from `begin` on. Time before `begin` is warm-up and is not counted.
    #[must_use]
    pub const fn new(begin: SimTime, value: f64) -> Self {
        Self { begin, since: begin, value, area: 0.0 }
    }

    /// The value is `value` from `at` on.
    ///
    /// # Errors
    /// [`OutOfOrder`] when `at` is before the last change; nothing changes then.
    pub fn set(&mut self, at: SimTime, value: f64) -> Result<(), OutOfOrder> {
        let passed = at.checked_since(self.since).ok_or(OutOfOrder { at, since: self.since })?;
        self.area += self.value * passed.as_secs_f64();
        self.since = at;
        self.value = value;
        Ok(())
    }

    /// The value is `by` more than it was, from `at` on (less, when `by` is below zero).
    ///
    /// # Errors
    /// [`OutOfOrder`] when `at` is before the last change; nothing changes then.
    pub fn change(&mut self, at: SimTime, by: f64) -> Result<(), OutOfOrder> {
        self.set(at, self.value + by)
    }

    /// The value now.
    #[must_use]
    pub const fn value(&self) -> f64 {
        self.value
    }

    /// The mean from the beginning to `until`; `None` when no time lies between, or a change lies after `until`.
    #[must_use]
    pub fn mean(&self, until: SimTime) -> Option<f64> {
        let passed = until.checked_since(self.since)?;
        let whole = until.checked_since(self.begin).filter(|whole| *whole > SimDuration::ZERO)?;
        Some((self.area + self.value * passed.as_secs_f64()) / whole.as_secs_f64())
    }
}

/// The `percent` percentile of `values`, interpolated linearly between the two nearest ranks: rank
/// `k = (n - 1) * percent / 100`, counted from 0. `None` of no values, of a value or percentage that is not a number,
/// or of a percentage outside 0 to 100.
///
/// Source: R. J. Hyndman and Y. Fan, "Sample quantiles in statistical packages", The American Statistician 50(4),
/// 1996, definition 7.
#[must_use]
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rank lies between 0 and the number of values"
)]
pub fn percentile(values: &[f64], percent: f64) -> Option<f64> {
    if values.iter().any(|value| value.is_nan()) || !(0.0..=100.0).contains(&percent) {
        return None;
    }
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (sorted.len().checked_sub(1)? as f64) * percent / 100.0;
    let below = libm::floor(rank) as usize;
    let low = *sorted.get(below)?;
    let high = sorted.get(below + 1).copied().unwrap_or(low);
    let part = rank - below as f64;
    // Without this an infinite neighbour would spoil an exact rank.
    Some(if part == 0.0 { low } else { low + (high - low) * part })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) -> bool {
        libm::fabs(a - b) < 1e-12
    }

    #[test]
    fn a_tally_has_the_mean_and_variance_of_the_textbook() {
        let mut tally = Tally::new();
        tally.extend([2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]);
        assert!(close(tally.mean().unwrap(), 5.0));
        assert!(close(tally.variance().unwrap(), 32.0 / 7.0));
    }

    #[test]
    fn a_large_offset_does_not_spoil_the_variance() {
        let mut tally = Tally::new();
        tally.extend([1e9 + 4.0, 1e9 + 7.0, 1e9 + 13.0, 1e9 + 16.0]);
        assert!(close(tally.variance().unwrap(), 30.0));
    }

    #[test]
    fn too_few_observations_have_no_answer() {
        let mut tally = Tally::new();
        assert_eq!((tally.mean(), tally.interval_95()), (None, None));
        tally.add(3.0);
        assert_eq!((tally.mean(), tally.variance(), tally.interval_95()), (Some(3.0), None, None));
    }

    #[test]
    fn students_t_agrees_with_the_tables() {
        for (freedom, expected) in [(1, 12.7062), (10, 2.2281), (11, 2.2010), (20, 2.0860), (30, 2.0423), (120, 1.9799)]
        {
            assert!(libm::fabs(student_t_975(freedom) - expected) < 2e-4, "{freedom}: {}", student_t_975(freedom));
        }
    }

    #[test]
    fn an_interval_is_students() {
        let mut tally = Tally::new();
        tally.extend([1.20, 1.50, 1.68, 1.89, 0.95, 1.49, 1.58, 1.55, 0.50, 1.09]);
        // Law's example 4.26 with 2.262 for the t of nine degrees; his level is 90 %.
        let interval = tally.interval_95().unwrap();
        assert!(libm::fabs(interval.mean - 1.343) < 1e-9);
        assert!(libm::fabs(interval.half_width - 2.2622 * libm::sqrt(tally.variance().unwrap() / 10.0)) < 1e-12);
        assert!(interval.contains(1.1) && !interval.contains(1.7));
    }

    #[test]
    fn a_time_weighted_mean_weighs_by_time() {
        let at = SimTime::from_secs;
        let mut length = TimeWeighted::new(at(10), 0.0);
        length.set(at(12), 3.0).unwrap();
        length.set(at(13), 1.0).unwrap();
        assert!(close(length.mean(at(20)).unwrap(), (3.0 + 7.0) / 10.0));
        assert_eq!(length.set(at(12), 9.0), Err(OutOfOrder { at: at(12), since: at(13) }));
        assert!(close(length.value(), 1.0));
        assert_eq!(length.mean(at(12)), None);
        assert_eq!(TimeWeighted::new(at(1), 5.0).mean(at(1)), None);
    }

    #[test]
    fn a_change_adds_to_the_value_and_is_refused_where_a_value_is() {
        let at = SimTime::from_secs;
        let mut present = TimeWeighted::new(at(0), 1.0);
        present.change(at(2), 2.0).unwrap();
        present.change(at(3), -1.0).unwrap();
        assert!(close(present.mean(at(4)).unwrap(), (2.0 + 3.0 + 2.0) / 4.0));
        let before = present;
        assert_eq!(present.change(at(2), 5.0), Err(OutOfOrder { at: at(2), since: at(3) }));
        assert_eq!(present, before);
    }

    #[test]
    fn a_percentile_lies_between_the_nearest_ranks() {
        let values = [40.0, 10.0, 30.0, 20.0];
        for (percent, expected) in [(0.0, 10.0), (50.0, 25.0), (95.0, 38.5), (100.0, 40.0)] {
            assert!(close(percentile(&values, percent).unwrap(), expected), "{percent}");
        }
        assert_eq!(percentile(&[7.0], 50.0), Some(7.0));
    }

    #[test]
    fn a_percentile_of_nothing_or_of_no_number_has_no_answer() {
        for (values, percent) in [(&[][..], 50.0), (&[f64::NAN], 50.0), (&[1.0], 101.0), (&[1.0], f64::NAN)] {
            assert_eq!(percentile(values, percent), None);
        }
    }
}
