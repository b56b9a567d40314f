//! What can be wrong with the data of a mine, and where.

use std::fmt;
use std::path::PathBuf;

/// Why a mine could not be read. All of it is input: exit code 1.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// The operating system did not hand a file or directory out.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
        /// What to do.
        hint: &'static str,
    },
    /// Something in a file, or in a change to a scenario, is wrong.
    #[error("{place}: {problem}")]
    Wrong {
        /// Where.
        place: Place,
        /// What, with the value and the rule.
        problem: String,
        /// What to do.
        hint: String,
    },
    /// No scenario has this id.
    #[error("unknown scenario {id}. Known: [{}]", known.join(", "))]
    UnknownScenario {
        /// The id as it was given.
        id: String,
        /// The ids there are.
        known: Vec<String>,
    },
}

impl DataError {
    /// What to do about it, in a sentence without a full stop.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Read { hint, .. } => Some(hint),
            Self::Wrong { hint, .. } => Some(hint).filter(|hint| !hint.is_empty()).map(String::as_str),
            Self::UnknownScenario { .. } => None,
        }
    }
}

/// A place in the data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The file, as it was named; or what else holds the value.
    pub file: String,
    /// The line, from 1.
    pub line: Option<u64>,
    /// The column of a table, the field of an entry.
    pub field: Option<String>,
}

impl Place {
    pub(crate) fn file(file: &str) -> Self {
        Self { file: file.to_owned(), line: None, field: None }
    }

    pub(crate) fn line(file: &str, line: u64) -> Self {
        Self { line: Some(line), ..Self::file(file) }
    }

    pub(crate) fn at(self, field: impl Into<String>) -> Self {
        Self { field: Some(field.into()), ..self }
    }

    pub(crate) fn wrong(self, problem: impl Into<String>, hint: impl Into<String>) -> DataError {
        DataError::Wrong { place: self, problem: problem.into(), hint: hint.into() }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        if let Some(field) = &self.field {
            write!(f, ", {field}")?;
        }
        Ok(())
    }
}
