//! Why something could not be compared.

use labtrust_bench::BenchError;
use labtrust_policy::PolicyError;
use std::path::PathBuf;

/// Why something could not be compared. Methods that cannot be told apart are a result, not an error.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ComparisonError {
    /// A policy file cannot be used.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// A file could not be written.
    #[error(transparent)]
    Bench(#[from] BenchError),
    /// A file or a document says something that it must not, or does not say what it must.
    #[error("{file}: {place}: {problem}")]
    Invalid {
        /// The file, or what the document is.
        file: String,
        /// Where in it: a key, a row.
        place: String,
        /// What is wrong, and what would be right.
        problem: String,
    },
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
}

impl ComparisonError {
    /// What is wrong in a document.
    #[must_use]
    pub fn invalid(file: impl Into<String>, place: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Invalid { file: file.into(), place: place.into(), problem: problem.into() }
    }
}
