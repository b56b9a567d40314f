//! A day of the calendar, as waivers name it. Nothing here asks a clock which day it is.

use std::fmt;
use std::str::FromStr;

/// A day that exists, written `YYYY-MM-DD`. Earlier days are less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day {
    year: u16,
    month: u8,
    day: u8,
}

/// It is no day.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no day; write it as 2027-06-30")]
pub struct NoDay(pub String);

impl FromStr for Day {
    type Err = NoDay;

    fn from_str(text: &str) -> Result<Self, NoDay> {
        Self::read(text).ok_or_else(|| NoDay(text.to_owned()))
    }
}

impl Day {
    fn read(text: &str) -> Option<Self> {
        let shape = text.len() == 10
            && text
                .bytes()
                .enumerate()
                .all(|(at, byte)| if at == 4 || at == 7 { byte == b'-' } else { byte.is_ascii_digit() });
        if !shape {
            return None;
        }
        let (year, month, day) = (text[..4].parse().ok()?, text[5..7].parse().ok()?, text[8..].parse().ok()?);
        let is_there = (1..=12).contains(&month) && day >= 1 && day <= days_in(year, month);
        is_there.then_some(Self { year, month, day })
    }

    /// The day that began so many days after 1970-01-01, by the calendar that is in use. After the year 9999 its last day.
    #[must_use]
    pub fn since_1970(days: u64) -> Self {
        let (mut year, mut left) = (1970_u16, days);
        while year < 9999 && left >= u64::from(year_length(year)) {
            left -= u64::from(year_length(year));
            year += 1;
        }
        let mut month = 1_u8;
        while month < 12 && left >= u64::from(days_in(year, month)) {
            left -= u64::from(days_in(year, month));
            month += 1;
        }
        let day = u8::try_from(left + 1).unwrap_or(u8::MAX).min(days_in(year, month));
        Self { year, month, day }
    }
}

const fn is_leap(year: u16) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

const fn year_length(year: u16) -> u16 {
    if is_leap(year) { 366 } else { 365 }
}

const fn days_in(year: u16, month: u8) -> u8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

impl fmt::Display for Day {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_that_are_not_in_the_calendar_are_refused() {
        for text in [
            "2027-02-29",
            "2027-13-01",
            "2027-00-10",
            "2027-6-30",
            "2027-06-31",
            "",
            "2027-06-30 ",
            "20270630xx",
            "２027-06-3",
        ] {
            assert!(text.parse::<Day>().is_err(), "{text}");
        }
        assert_eq!("2028-02-29".parse::<Day>().unwrap().to_string(), "2028-02-29");
    }

    #[test]
    fn days_are_counted_from_the_first_of_1970() {
        for (days, text) in [(0, "1970-01-01"), (59, "1970-03-01"), (11_016, "2000-02-29"), (20_779, "2026-11-22")] {
            assert_eq!(Day::since_1970(days).to_string(), text);
        }
        assert_eq!(Day::since_1970(u64::MAX).to_string(), "9999-12-31");
    }
}
