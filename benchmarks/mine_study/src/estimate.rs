//! What replications say: a mean, and how sure it is.

use labtrust_bench::stats::{Bounds, Confidence, moments, student_t_quantile};
use serde::Serialize;
use std::cell::Cell;

/// A mean with its 95 % interval, by Student's t over replications.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Estimate {
    pub(crate) mean: f64,
    /// None of fewer than two values.
    pub(crate) interval: Option<Bounds>,
}

impl Estimate {
    /// Whether the interval leaves 0 out; one that is not there leaves nothing out.
    pub(crate) fn excludes_zero(&self) -> bool {
        self.interval.is_some_and(|bounds| !bounds.contains(0.0))
    }

    pub(crate) fn low(&self) -> Option<f64> {
        self.interval.map(|bounds| bounds.lower)
    }

    pub(crate) fn high(&self) -> Option<f64> {
        self.interval.map(|bounds| bounds.upper)
    }
}

/// Makes estimates. It keeps the quantile of the last size: studies have replications of one number.
#[derive(Debug, Default)]
pub(crate) struct Estimator {
    quantile: Cell<Option<(usize, f64)>>,
}

impl Estimator {
    /// The estimate of the expected value of `values`, rounded to six decimals; `None` of no value.
    #[expect(clippy::cast_precision_loss, reason = "2^53 replications are no study")]
    pub(crate) fn mean(&self, values: &[f64]) -> Option<Estimate> {
        let found = moments(values)?;
        let interval = (found.count > 1).then(|| {
            let half = self.quantile(found.count) * found.std / libm::sqrt(found.count as f64);
            Bounds { lower: rounded(found.mean - half), upper: rounded(found.mean + half) }
        });
        Some(Estimate { mean: rounded(found.mean), interval })
    }

    /// The estimate of `first[i] - second[i]`: replications of one seed, so that what the seed does to both cancels.
    pub(crate) fn paired(&self, first: &[f64], second: &[f64]) -> Option<Estimate> {
        let differences: Vec<f64> = first.iter().zip(second).map(|(one, other)| one - other).collect();
        self.mean(&differences)
    }

    #[expect(clippy::cast_precision_loss, reason = "2^53 replications are no study")]
    fn quantile(&self, count: usize) -> f64 {
        if let Some((known, quantile)) = self.quantile.get()
            && known == count
        {
            return quantile;
        }
        let quantile = student_t_quantile((count - 1) as f64, Confidence::P95);
        self.quantile.set(Some((count, quantile)));
        quantile
    }
}

/// To six decimals, once: what the tables show is what everything else is computed from.
pub(crate) fn rounded(value: f64) -> f64 {
    let rounded = libm::round(value * 1e6) / 1e6;
    // Never `-0`.
    if rounded.abs() < 1e-9 { 0.0 } else { rounded }
}

/// An estimate as it stands in JSON.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct EstimateRecord {
    pub(crate) mean: f64,
    pub(crate) ci95_low: Option<f64>,
    pub(crate) ci95_high: Option<f64>,
}

impl From<Estimate> for EstimateRecord {
    fn from(estimate: Estimate) -> Self {
        Self { mean: estimate.mean, ci95_low: estimate.low(), ci95_high: estimate.high() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use labtrust_bench::stats::{mean_interval, paired_difference};

    #[test]
    fn estimates_are_those_of_the_harness() {
        let (first, second) = ([12_600.0, 12_700.0, 12_400.0, 12_500.0], [12_500.0, 12_650.0, 12_450.0, 12_300.0]);
        let estimator = Estimator::default();
        let near = |found: Option<f64>, expected: f64| libm::fabs(found.unwrap() - expected) < 1e-6;
        for size in [4, 2, 3] {
            let found = estimator.mean(&first[..size]).unwrap();
            let bounds = mean_interval(&first[..size], Confidence::P95).unwrap();
            assert!(near(found.low(), bounds.lower) && near(found.high(), bounds.upper), "{size}: {found:?}");
        }
        let (found, expected) =
            (estimator.paired(&first, &second).unwrap(), paired_difference(&first, &second, Confidence::P95).unwrap());
        assert!(near(Some(found.mean), expected.mean) && near(found.low(), expected.bounds.lower));
        assert_eq!(found.excludes_zero(), expected.excludes_zero());
    }

    #[test]
    fn one_replication_has_a_mean_and_no_interval() {
        let found = Estimator::default().mean(&[7.0]).unwrap();
        assert_eq!((found.mean, found.interval, found.excludes_zero()), (7.0, None, false));
        assert_eq!(Estimator::default().mean(&[]), None);
    }
}
