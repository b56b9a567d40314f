//! How sure a figure is: intervals of proportions, of means and of paired differences, the bootstrap, and where a run
//! has settled.
//!
//! Start at [`mean_interval`] for figures of independent episodes and at [`proportion_interval`] for successes out of
//! trials. Everything is computed here, from `libm` alone: the same digits on every machine and with whatever happens
//! to be installed. Tests hold it against published vectors, and CI against SciPy. Nothing here knows of laboratories,
//! episodes or files.

mod bootstrap;
mod mean;
mod moments;
mod proportion;
mod special;
mod warm_up;

pub use bootstrap::{GENERATOR, Resampling, bca_bounds, percentile_bounds};
pub use labtrust_kernel::stats::percentile;
pub use mean::{PairedDifference, mean_interval, paired_difference};
pub use moments::{Moments, moments};
pub use proportion::{proportion_interval, worst_case_rate};
pub use special::{normal_cdf, normal_quantile, student_t_quantile};
pub use warm_up::{WarmUp, mser5};

/// How often an interval is to cover the true value: a number above 0 and below 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Confidence(f64);

impl Confidence {
    /// 95 of 100 times.
    pub const P95: Self = Self(0.95);

    /// `level` as a confidence; `None` when it is not above 0 and below 1.
    #[must_use]
    pub fn new(level: f64) -> Option<Self> {
        (level > 0.0 && level < 1.0).then_some(Self(level))
    }

    /// The level, between 0 and 1.
    #[must_use]
    pub const fn level(self) -> f64 {
        self.0
    }

    /// What is left out on either side.
    fn tail(self) -> f64 {
        (1.0 - self.0) / 2.0
    }
}

/// An interval, ends included.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// The lower end.
    pub lower: f64,
    /// The upper end.
    pub upper: f64,
}

impl Bounds {
    /// Whether `value` lies in it.
    #[must_use]
    pub fn contains(&self, value: f64) -> bool {
        (self.lower..=self.upper).contains(&value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_confidence_of_nothing_or_of_everything_is_refused() {
        for level in [0.0, 1.0, -0.5, 95.0, f64::NAN] {
            assert_eq!(Confidence::new(level), None, "{level}");
        }
        assert_eq!(Confidence::new(0.95), Some(Confidence::P95));
    }
}
