//! Why a step of the protocol could not be done.

use labtrust_bench::BenchError;
use std::fmt::Display;
use std::path::{Path, PathBuf};

/// Why a step of the protocol could not be done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProtocolError {
    /// A file could not be written.
    #[error(transparent)]
    Write(#[from] BenchError),
    /// A file could not be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file says something that it must not.
    #[error("{}{}: {problem}", path.display(), place.as_ref().map(|place| format!(", {place}")).unwrap_or_default())]
    Content {
        /// The file.
        path: PathBuf,
        /// Where in it: a line, a field.
        place: Option<String>,
        /// What is wrong.
        problem: String,
        /// What to do.
        hint: Option<String>,
    },
    /// Something is wrong that is in no file.
    #[error("{problem}")]
    Input {
        /// What is wrong.
        problem: String,
        /// What to do.
        hint: Option<String>,
    },
    /// The score database does not do what it is asked to.
    #[error("{}: {problem}", path.display())]
    Database {
        /// The database.
        path: PathBuf,
        /// What is wrong.
        problem: String,
        /// What to do.
        hint: Option<String>,
    },
    /// The user ended the command.
    #[error("interrupted; what was started has been ended, nothing was written")]
    Interrupted,
}

impl ProtocolError {
    /// What to do about it, where there is something to say.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Content { hint, .. } | Self::Input { hint, .. } | Self::Database { hint, .. } => hint.as_deref(),
            Self::Write(_) => Some("name a place that you may write to"),
            Self::Read { .. } | Self::Interrupted => None,
        }
    }

    pub(crate) fn input(problem: impl Into<String>, hint: &str) -> Self {
        Self::Input { problem: problem.into(), hint: (!hint.is_empty()).then(|| hint.to_owned()) }
    }

    pub(crate) fn content(path: &Path, problem: impl Into<String>, hint: &str) -> Self {
        let hint = (!hint.is_empty()).then(|| hint.to_owned());
        Self::Content { path: path.to_path_buf(), place: None, problem: problem.into(), hint }
    }

    pub(crate) fn at(path: &Path, place: impl Display, problem: impl Into<String>, hint: &str) -> Self {
        let hint = (!hint.is_empty()).then(|| hint.to_owned());
        Self::Content { path: path.to_path_buf(), place: Some(place.to_string()), problem: problem.into(), hint }
    }
}

/// The text of a file.
pub(crate) fn read_text(path: &Path) -> Result<String, ProtocolError> {
    let bytes = std::fs::read(path).map_err(|source| ProtocolError::Read { path: path.to_path_buf(), source })?;
    String::from_utf8(bytes).map_err(|error| {
        let line = 1 + error.as_bytes()[..error.utf8_error().valid_up_to()].iter().filter(|b| **b == b'\n').count();
        ProtocolError::at(path, format_args!("line {line}"), "is not UTF-8", "save the file as UTF-8")
    })
}
