//! Simulated time: integer nanoseconds, so that sums are exact and equal on every machine.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

const NANOS_PER_SEC: u64 = 1_000_000_000;

/// A moment: nanoseconds since the episode began. Up to 584 years.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SimTime(u64);

/// A length of time [ns].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SimDuration(u64);

/// As seconds and nanoseconds: most moments are whole seconds, which are short to write.
impl Serialize for SimTime {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        (self.0 / NANOS_PER_SEC, self.0 % NANOS_PER_SEC).serialize(to)
    }
}

impl<'de> Deserialize<'de> for SimTime {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let (secs, nanos) = <(u64, u64)>::deserialize(from)?;
        Ok(Self(secs.saturating_mul(NANOS_PER_SEC).saturating_add(nanos)))
    }
}

impl SimTime {
    /// The episode's beginning.
    pub const ZERO: Self = Self(0);
    /// The latest representable moment.
    pub const MAX: Self = Self(u64::MAX);

    /// The moment `nanos` [ns] after the beginning.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// The moment `secs` [s] after the beginning.
    ///
    /// # Panics
    /// When the moment is beyond [`SimTime::MAX`] (584 years); use [`SimTime::checked_from_secs`] for unchecked input.
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        match Self::checked_from_secs(secs) {
            Some(time) => time,
            None => panic!("a simulated moment lies within 584 years"),
        }
    }

    /// The moment `secs` [s] after the beginning, `None` past [`SimTime::MAX`].
    #[must_use]
    pub const fn checked_from_secs(secs: u64) -> Option<Self> {
        match secs.checked_mul(NANOS_PER_SEC) {
            Some(nanos) => Some(Self(nanos)),
            None => None,
        }
    }

    /// Nanoseconds since the beginning [ns].
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Whole seconds since the beginning, rounded up [s]: the integer-second fields of the file formats.
    #[must_use]
    pub const fn as_secs_ceil(self) -> u64 {
        self.0.div_ceil(NANOS_PER_SEC)
    }

    /// Seconds since the beginning [s].
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a report figure; 2^53 ns are 104 days")]
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / NANOS_PER_SEC as f64
    }

    /// The moment `by` later, `None` past [`SimTime::MAX`].
    #[must_use]
    pub const fn checked_add(self, by: SimDuration) -> Option<Self> {
        match self.0.checked_add(by.0) {
            Some(nanos) => Some(Self(nanos)),
            None => None,
        }
    }

    /// The moment `by` later, at most [`SimTime::MAX`].
    #[must_use]
    pub const fn saturating_add(self, by: SimDuration) -> Self {
        Self(self.0.saturating_add(by.0))
    }

    /// Time since `earlier`, `None` if that is later than `self`.
    #[must_use]
    pub const fn checked_since(self, earlier: Self) -> Option<SimDuration> {
        match self.0.checked_sub(earlier.0) {
            Some(nanos) => Some(SimDuration(nanos)),
            None => None,
        }
    }

    /// Time since `earlier`, zero if that is later than `self`.
    #[must_use]
    pub const fn saturating_since(self, earlier: Self) -> SimDuration {
        SimDuration(self.0.saturating_sub(earlier.0))
    }
}

impl SimDuration {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// `nanos` [ns].
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// `secs` [s], at most 584 years.
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(NANOS_PER_SEC))
    }

    /// `secs` [s] rounded to the nearest nanosecond; `None` for negative, not-a-number and out-of-range values.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked before")]
    pub fn from_secs_f64(secs: f64) -> Option<Self> {
        let nanos = libm::rint(secs * 1e9);
        // 2^64 as a float; the comparison is false for not-a-number.
        (0.0..18_446_744_073_709_551_616.0).contains(&nanos).then_some(Self(nanos as u64))
    }

    /// Nanoseconds [ns].
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Whole seconds, rounded up [s].
    #[must_use]
    pub const fn as_secs_ceil(self) -> u64 {
        self.0.div_ceil(NANOS_PER_SEC)
    }

    /// Seconds [s].
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a report figure; 2^53 ns are 104 days")]
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / NANOS_PER_SEC as f64
    }

    /// The sum, at most the longest representable length.
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl fmt::Display for SimTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} s", self.as_secs_f64())
    }
}

impl fmt::Display for SimDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} s", self.as_secs_f64())
    }
}
