//! Why something could not be judged.

use labtrust_bench::BenchError;
use labtrust_comparison::ComparisonError;
use labtrust_policy::PolicyError;
use std::path::PathBuf;

/// Why something could not be judged. What was judged and failed is a result, not an error.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AssuranceError {
    /// A policy file cannot be used.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// Episodes could not be run or a file not be written.
    #[error(transparent)]
    Bench(#[from] BenchError),
    /// A file says something that it must not, or does not say what it must.
    #[error("{file}: {place}: {problem}")]
    Invalid {
        /// The file, as it was named.
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
    /// A name that there is not.
    #[error("there is no {what} {name:?}; there are {known}")]
    Unknown {
        /// Kind of thing.
        what: &'static str,
        /// The name that was asked for.
        name: String,
        /// The names that there are, with commas.
        known: String,
    },
}

impl From<ComparisonError> for AssuranceError {
    fn from(error: ComparisonError) -> Self {
        match error {
            ComparisonError::Policy(error) => Self::Policy(error),
            ComparisonError::Bench(error) => Self::Bench(error),
            ComparisonError::Invalid { file, place, problem } => Self::Invalid { file, place, problem },
            ComparisonError::Read { path, source } => Self::Read { path, source },
            other => Self::Invalid {
                file: "a comparison".to_owned(),
                place: "all of it".to_owned(),
                problem: other.to_string(),
            },
        }
    }
}
