//! The tests and intervals that comparisons rest on, each with its source. Intervals of proportions, moments and the draws of the bootstrap
//! are those of [`labtrust_bench::stats`].

mod effect;
mod holm;
mod interval;
mod sign_flip;

pub use effect::{cliffs_delta, cohens_d_z};
pub use holm::holm;
pub use interval::{CI_METHOD, RESAMPLES, mean_bounds, statistic_bounds};
pub use sign_flip::{EXACT_PAIRS, FEWEST_SIGNS, SIGN_FLIPS, SignFlip, sign_flip};

/// The mean; none of nothing.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "2^53 values are no sample")]
pub fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}
