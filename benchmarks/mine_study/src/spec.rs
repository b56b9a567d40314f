//! What a study is asked for.

use labtrust_mine_haulage::LaneModel;
use std::fmt;
use std::num::NonZeroUsize;
use std::str::FromStr;

/// Which lane models are run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lanes {
    /// The scenarios' own, which the tables are made of, and the other one beside it.
    #[default]
    Both,
    /// This one only.
    Only(LaneModel),
}

/// A study.
#[derive(Clone, Debug, Default)]
pub struct StudySpec {
    /// Ids of scenarios, the one that others are compared with first unless one is called `baseline`.
    pub scenarios: Vec<String>,
    /// Replications of each [count]; none for what the scenario says.
    pub replications: Option<u32>,
    /// Seed of the first replication; none for what the scenario says.
    pub base_seed: Option<u64>,
    /// Which lane models.
    pub lanes: Lanes,
    /// The dispatch policy; none for what the scenario says.
    pub dispatch: Option<String>,
    /// Time before the shift that is simulated and not accounted for [min]; none for what the scenario says.
    pub warmup_minutes: Option<f64>,
    /// A setting to vary.
    pub sweep: Option<Sweep>,
    /// Whether `event_log.csv` is written.
    pub event_log: bool,
    /// What `animation.html` shows.
    pub animation: Animation,
    /// Threads to run on; none for as many as there are. The bytes do not depend on it.
    pub threads: Option<NonZeroUsize>,
    /// How the study was called for, as its README tells it.
    pub command: String,
}

impl StudySpec {
    /// The threads to run on: those that were asked for, or those of rayon (`RAYON_NUM_THREADS`).
    pub(crate) fn threads(&self) -> NonZeroUsize {
        self.threads.or(NonZeroUsize::new(rayon::current_num_threads())).unwrap_or(NonZeroUsize::MIN)
    }
}

/// The replication that is animated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Animation {
    /// Its scenario; none for the first.
    pub scenario: Option<String>,
    /// Its number, from 0.
    pub replication: u32,
}

/// A setting of a scenario, and the values that it takes: `fleet.truck_count=4..16`, or `KEY=A..B:STEP`, both ends included.
#[derive(Clone, Debug, PartialEq)]
pub struct Sweep {
    /// The setting's path in a scenario.
    pub key: String,
    /// As they are written, so that 0.1 + 0.2 is 0.3.
    pub values: Vec<Decimal>,
    /// The values as they were asked for.
    range: String,
}

impl fmt::Display for Sweep {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}={}", self.key, self.range)
    }
}

/// A number as people write it: an integer of a power of ten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal {
    units: i64,
    /// Digits behind the point.
    places: u32,
}

impl Decimal {
    /// The number.
    #[must_use]
    pub fn value(self) -> f64 {
        // Parsing rounds once, which a division would not.
        self.to_string().parse().unwrap_or(f64::NAN)
    }

    /// It as a whole number, where it is one.
    #[must_use]
    pub fn whole(self) -> Option<i64> {
        let power = 10_i64.checked_pow(self.places)?;
        (self.units % power == 0).then_some(self.units / power)
    }

    fn with_places(self, places: u32) -> Option<i64> {
        self.units.checked_mul(10_i64.checked_pow(places.checked_sub(self.places)?)?)
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(whole) = self.whole() {
            return write!(out, "{whole}");
        }
        let power = 10_u64.pow(self.places);
        let (sign, units) = (if self.units < 0 { "-" } else { "" }, self.units.unsigned_abs());
        let digits = format!("{:0width$}", units % power, width = self.places as usize);
        write!(out, "{sign}{}.{}", units / power, digits.trim_end_matches('0'))
    }
}

impl FromStr for Decimal {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let unsigned = whole.strip_prefix('-').unwrap_or(whole);
        // 12 digits in all stay far from the ends of 64 bits.
        if unsigned.is_empty() || !digits(unsigned) || !digits(part) || unsigned.len() + part.len() > 12 {
            return Err(());
        }
        let places = u32::try_from(part.len()).map_err(drop)?;
        let units: i64 = format!("{unsigned}{part}").parse().map_err(drop)?;
        Ok(Self { units: if whole.starts_with('-') { -units } else { units }, places })
    }
}

/// Why a sweep cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the sweep {text:?} cannot be used: {rule}")]
pub struct SweepError {
    /// What was given.
    pub text: String,
    /// What it breaks.
    pub rule: String,
}

/// More would be a study that no one waits for.
const MOST_VALUES: i64 = 1000;

impl FromStr for Sweep {
    type Err = SweepError;

    fn from_str(text: &str) -> Result<Self, SweepError> {
        let fail = |rule: String| SweepError { text: text.to_owned(), rule };
        let form = || fail("it has the form KEY=A..B or KEY=A..B:STEP, as in fleet.truck_count=4..16".to_owned());
        let (key, range) = text.split_once('=').ok_or_else(form)?;
        let (from, rest) = range.split_once("..").ok_or_else(form)?;
        let (to, step) = rest.split_once(':').unwrap_or((rest, "1"));
        if key.trim().is_empty() {
            return Err(form());
        }
        let number = |text: &str| text.trim().parse::<Decimal>().map_err(|()| fail(format!("{text:?} is no number")));
        let (from, to, step) = (number(from)?, number(to)?, number(step)?);
        let places = from.places.max(to.places).max(step.places);
        let scaled =
            |number: Decimal| number.with_places(places).ok_or_else(|| fail("it has too many digits".to_owned()));
        let (first, last, stride) = (scaled(from)?, scaled(to)?, scaled(step)?);
        if stride <= 0 {
            return Err(fail(format!("the step {step} is not above 0")));
        }
        if last < first {
            return Err(fail(format!("{to} is below {from}")));
        }
        let count = (last - first) / stride + 1;
        if count > MOST_VALUES {
            return Err(fail(format!("{count} values are more than {MOST_VALUES}")));
        }
        let values = (0..count).map(|index| Decimal { units: first + index * stride, places }).collect();
        Ok(Self { key: key.trim().to_owned(), values, range: range.trim().to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn values(text: &str) -> Vec<String> {
        text.parse::<Sweep>().unwrap().values.iter().map(Decimal::to_string).collect()
    }

    #[test]
    fn both_ends_belong_to_a_sweep_and_steps_are_exact() {
        assert_eq!(values("fleet.truck_count=4..7"), ["4", "5", "6", "7"]);
        assert_eq!(values("a=0.1..0.5:0.1"), ["0.1", "0.2", "0.3", "0.4", "0.5"]);
        assert_eq!(values("a=-1..1:0.75"), ["-1", "-0.25", "0.5"]);
        assert_eq!(values("a=3..3"), ["3"]);
        let sweep: Sweep = " k =2.50..3:0.25".parse().unwrap();
        assert_eq!((sweep.key.as_str(), sweep.values[0].value(), sweep.values[2].whole()), ("k", 2.5, Some(3)));
    }

    #[test]
    fn what_is_no_sweep_is_refused_with_the_rule_it_breaks() {
        for (text, rule) in [
            ("fleet.truck_count", "form"),
            ("fleet.truck_count=4", "form"),
            ("=4..5", "form"),
            ("a=x..5", "\"x\" is no number"),
            ("a=1e3..5", "no number"),
            ("a=4..", "no number"),
            ("a=9..4", "4 is below 9"),
            ("a=1..9:0", "not above 0"),
            ("a=1..9:-1", "not above 0"),
            ("a=1..5000", "5000 values"),
            ("a=0.0000000001..99999999999", "digits"),
        ] {
            let error = text.parse::<Sweep>().unwrap_err();
            assert!(error.to_string().contains(rule) && error.text == text, "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn a_number_is_shown_as_it_was_written(units in -99_999i64..99_999, places in 0u32..4) {
            let shown = Decimal { units, places }.to_string();
            let again: Decimal = shown.parse().unwrap();
            prop_assert_eq!(again.value(), Decimal { units, places }.value());
        }
    }
}
