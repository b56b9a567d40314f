//! Distributions of times, as policy files write them.

use labtrust_kernel::{SimDuration, Stream};
use serde::Deserialize;

/// `{ dist: deterministic, value: 30 }` and its kin; times in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(tag = "dist", rename_all = "lowercase")]
pub(crate) enum Distribution {
    /// Always the same.
    Deterministic { value: f64 },
    /// Any value between the bounds.
    Uniform { low: f64, high: f64 },
    /// `exp` of a normal with these parameters.
    Lognormal { mu: f64, sigma: f64 },
    /// Memoryless.
    Exponential { mean: f64 },
    /// Normal, cut off at zero.
    Normal { mean: f64, sd: f64 },
}

impl Distribution {
    pub(crate) const fn fixed(value: f64) -> Self {
        Self::Deterministic { value }
    }

    /// What is wrong with the parameters, if anything.
    pub(crate) fn fault(&self) -> Option<&'static str> {
        let good = |x: f64| x.is_finite() && x >= 0.0;
        match *self {
            Self::Deterministic { value } if !good(value) => Some("`value` must be a number of seconds, at least 0"),
            Self::Uniform { low, high } if !good(low) || !good(high) || low > high => {
                Some("`low` and `high` must be seconds with 0 <= low <= high")
            }
            Self::Lognormal { mu, sigma } if !mu.is_finite() || mu > 40.0 || !good(sigma) || sigma > 10.0 => {
                Some("`mu` and `sigma` must be finite, `sigma` at least 0")
            }
            Self::Exponential { mean } if !good(mean) => Some("`mean` must be a number of seconds, at least 0"),
            Self::Normal { mean, sd } if !good(mean) || !good(sd) => Some("`mean` and `sd` must be at least 0"),
            _ => None,
        }
    }

    /// Draws a time. A deterministic one draws nothing from the stream.
    pub(crate) fn draw(&self, stream: &mut Stream) -> SimDuration {
        let seconds = match *self {
            Self::Deterministic { value } => value,
            Self::Uniform { low, high } => low + (high - low) * stream.uniform(),
            Self::Lognormal { mu, sigma } => stream.lognormal(mu, sigma),
            Self::Exponential { mean } => stream.exponential(mean),
            Self::Normal { mean, sd } => stream.normal(mean, sd).max(0.0),
        };
        // A century is longer than any episode; the bound keeps an extreme draw representable.
        SimDuration::from_secs_f64(seconds.min(3.2e9)).unwrap_or(SimDuration::ZERO)
    }
}
