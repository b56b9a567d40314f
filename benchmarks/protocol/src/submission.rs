//! A submission: the name of its folder, and what it says about help that it had.

use crate::date::Date;
use crate::error::{ProtocolError, read_text};
use serde::Serialize;
use serde_json::Value;
use std::fmt;
use std::path::Path;
use std::str::FromStr;

/// The name of a submission's folder: `<YYYY-MM-DD>__<benchmark_id>__<harness>__<model>[__<run_tag>]`.
///
/// A part is made of ASCII letters, digits, `-`, `_`, `.` and `+`, begins and ends with a letter or a digit, and does
/// not contain the separator `__`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubmissionName {
    /// The day of the run.
    pub date: Date,
    /// What was asked for.
    pub benchmark_id: String,
    /// The program that the model worked in.
    pub harness: String,
    /// The model, or the person.
    pub model: String,
    /// Tells runs of one day apart.
    pub run_tag: Option<String>,
}

impl SubmissionName {
    /// A name from its parts.
    ///
    /// # Errors
    /// A sentence that names the part that cannot be one.
    pub fn new(
        date: Date,
        benchmark_id: &str,
        harness: &str,
        model: &str,
        run_tag: Option<&str>,
    ) -> Result<Self, String> {
        Ok(Self {
            date,
            benchmark_id: part("benchmark id", benchmark_id)?,
            harness: part("harness", harness)?,
            model: part("model", model)?,
            run_tag: run_tag.map(|tag| part("run tag", tag)).transpose()?,
        })
    }
}

fn part(what: &str, text: &str) -> Result<String, String> {
    let bytes = text.as_bytes();
    let ends =
        bytes.first().is_some_and(u8::is_ascii_alphanumeric) && bytes.last().is_some_and(u8::is_ascii_alphanumeric);
    let inside = bytes.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'+'));
    if ends && inside && !text.contains("__") {
        return Ok(text.to_owned());
    }
    Err(format!(
        "{text:?} cannot be a {what} in a folder's name: use letters, digits, `-`, `_`, `.` and `+`, no `__`, a letter or digit at both ends"
    ))
}

impl fmt::Display for SubmissionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}__{}__{}__{}", self.date, self.benchmark_id, self.harness, self.model)?;
        self.run_tag.iter().try_for_each(|tag| write!(f, "__{tag}"))
    }
}

impl FromStr for SubmissionName {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let parts: Vec<&str> = name.split("__").collect();
        let (date, benchmark_id, harness, model, run_tag) = match parts[..] {
            [date, benchmark_id, harness, model] => (date, benchmark_id, harness, model, None),
            [date, benchmark_id, harness, model, tag] => (date, benchmark_id, harness, model, Some(tag)),
            _ => {
                return Err(format!(
                    "{name:?} has {} parts between `__`: write <YYYY-MM-DD>__<benchmark_id>__<harness>__<model>[__<run_tag>]",
                    parts.len()
                ));
            }
        };
        Self::new(date.parse()?, benchmark_id, harness, model, run_tag)
    }
}

/// How much help a run had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// None.
    Autonomous,
    /// Words.
    Hints,
    /// Hands.
    ManualRepair,
    /// It did not get there.
    Failed,
    /// Nobody said, or said something else.
    Unrecorded,
}

impl Category {
    /// Every category, in the protocol's order.
    pub const ALL: [Self; 5] = [Self::Autonomous, Self::Hints, Self::ManualRepair, Self::Failed, Self::Unrecorded];

    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Autonomous => "autonomous",
            Self::Hints => "hints",
            Self::ManualRepair => "manual_repair",
            Self::Failed => "failed",
            Self::Unrecorded => "unrecorded",
        }
    }
}

/// What `submission.yaml` says about help.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Intervention {
    /// The category that counts.
    pub category: Category,
    /// The submitter's notes.
    pub notes: String,
    /// Why the category is `unrecorded` although the file says something.
    pub problem: Option<String>,
}

impl Intervention {
    /// Reads the block of a submission's `submission.yaml`. Whatever is missing, unknown or unreadable is `unrecorded`:
    /// a leaderboard does not fail because one of its entries is untidy, but it says what it saw.
    #[must_use]
    pub fn read(submission_dir: &Path) -> Self {
        let path = submission_dir.join("submission.yaml");
        if !path.exists() {
            return Self::unrecorded("there is no submission.yaml");
        }
        match read_text(&path) {
            Ok(text) => Self::parse(&text),
            Err(ProtocolError::Content { problem, .. }) => Self::unrecorded(&format!("submission.yaml {problem}")),
            Err(_) => Self::unrecorded("submission.yaml cannot be read"),
        }
    }

    /// Reads the text of a `submission.yaml`; see [`Intervention::read`].
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let Ok(document) = serde_yaml::from_str::<Value>(text) else {
            return Self::unrecorded("submission.yaml is not YAML");
        };
        let block = &document["intervention"];
        let notes = match &block["notes"] {
            Value::Null => String::new(),
            Value::String(text) => text.trim().to_owned(),
            other => other.to_string(),
        };
        let (category, problem) = match &block["category"] {
            Value::Null => (Category::Unrecorded, Some("submission.yaml names no intervention.category".to_owned())),
            Value::String(said) => match Category::ALL.into_iter().find(|category| category.as_str() == said) {
                Some(category) => (category, None),
                None => (Category::Unrecorded, Some(format!("{said:?} is no category"))),
            },
            other => (Category::Unrecorded, Some(format!("{other} is no category"))),
        };
        Self { category, notes, problem }
    }

    fn unrecorded(problem: &str) -> Self {
        Self { category: Category::Unrecorded, notes: String::new(), problem: Some(problem.to_owned()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_as_it_is_written() {
        for name in [
            "2026-01-31__001_synthetic_mine_throughput__my-harness__model-4.1",
            "2026-01-31__001_synthetic_mine_throughput__h__m+x__run-2",
        ] {
            assert_eq!(name.parse::<SubmissionName>().unwrap().to_string(), name);
        }
        let name: SubmissionName = "2026-01-31__001_a__h__m__t".parse().unwrap();
        assert_eq!((name.benchmark_id.as_str(), name.run_tag.as_deref()), ("001_a", Some("t")));
    }

    #[test]
    fn a_name_that_the_protocol_does_not_know_is_refused_with_its_reason() {
        for (name, why) in [
            ("2026-02-30__b__h__m", "28 days"),
            ("b__h__m", "3 parts"),
            ("2026-01-01__b__h__m__t__u", "6 parts"),
            ("2026-01-01__b____m", "cannot be a"),
            ("2026-01-01__b__h__../../x", "cannot be a model"),
            ("2026-01-01__b__h__<script>", "cannot be a model"),
            ("2026-01-01__b__h__", "cannot be a model"),
            ("", "1 parts"),
        ] {
            let problem = name.parse::<SubmissionName>().unwrap_err();
            assert!(problem.contains(why), "{name}: {problem}");
        }
    }

    #[test]
    fn a_category_that_is_missing_or_unknown_is_unrecorded_and_says_why() {
        let read = |text: &str| Intervention::parse(text);
        for category in Category::ALL {
            let found = read(&format!("intervention:\n  category: {}\n  notes: by hand\n", category.as_str()));
            assert_eq!((found.category, found.problem, found.notes.as_str()), (category, None, "by hand"));
        }
        for text in [
            "",
            "a: 1",
            "intervention:\n  notes: x\n",
            "intervention:\n  category: autonomous_mostly\n",
            "intervention:\n  category: [hints]\n",
            "intervention: hints\n",
            ":\n  - {",
            "[1, 2]",
        ] {
            let found = read(text);
            assert_eq!(found.category, Category::Unrecorded, "{text}");
            assert!(found.problem.is_some(), "{text}");
        }
        assert!(read("intervention:\n  category: Hints\n").problem.unwrap().contains("Hints"));
    }
}
