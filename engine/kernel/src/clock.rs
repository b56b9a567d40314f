//! Who moves time.

use std::fmt;
use std::str::FromStr;

/// Who moves time in an episode, and with it whether services take any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ClockMode {
    /// The caller's times drive: each event carries its own, and services take none. A run that is started is
    /// complete at once.
    #[default]
    Explicit,
    /// The calendar drives: completions, arrivals, transport, failures and timers are events, and time moves from
    /// one to the next.
    Simulated,
}

impl ClockMode {
    /// Both modes, in the order of their documentation.
    pub const ALL: [Self; 2] = [Self::Explicit, Self::Simulated];

    /// The mode's text in files: `explicit` or `simulated`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Explicit => "explicit",
            Self::Simulated => "simulated",
        }
    }
}

impl fmt::Display for ClockMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A text is no [`ClockMode`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a clock mode; use `explicit` or `simulated`")]
pub struct UnknownClockMode {
    /// What was read.
    pub text: String,
}

impl FromStr for ClockMode {
    type Err = UnknownClockMode;

    /// Reads `explicit` or `simulated`, as written.
    ///
    /// # Errors
    /// [`UnknownClockMode`] for any other text.
    fn from_str(text: &str) -> Result<Self, UnknownClockMode> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == text).ok_or_else(|| UnknownClockMode { text: text.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_reads_back_what_it_writes() {
        for mode in ClockMode::ALL {
            assert_eq!(mode.to_string().parse(), Ok(mode));
        }
    }

    #[test]
    fn another_text_is_refused_by_name() {
        let refused = "Simulated".parse::<ClockMode>().unwrap_err();
        assert_eq!(refused.to_string(), "\"Simulated\" is not a clock mode; use `explicit` or `simulated`");
    }
}
