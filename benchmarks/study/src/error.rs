//! Why a study could not be had.

use labtrust_assurance::AssuranceError;
use labtrust_bench::BenchError;
use labtrust_comparison::ComparisonError;
use labtrust_policy::PolicyError;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Why a study could not be planned, run or put together. A cell that crashed is a result and not an error.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StudyError {
    /// The spec or a policy file cannot be used.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// Episodes could not be run, or a file not be written.
    #[error(transparent)]
    Bench(Box<BenchError>),
    /// The register of risks cannot be used, or a size makes no sense.
    #[error(transparent)]
    Assurance(Box<AssuranceError>),
    /// The cells cannot be compared.
    #[error(transparent)]
    Comparison(Box<ComparisonError>),
    /// A file or directory cannot be read or written.
    #[error("cannot use {}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// Risks that need evidence have no injection in the study.
    #[error("the study has no injection for {} risk{} that need{} evidence: {}", risks.len(), if risks.len() == 1 { "" } else { "s" }, if risks.len() == 1 { "s" } else { "" }, risks.join(", "))]
    NotCovered {
        /// The risks, sorted.
        risks: Vec<String>,
    },
    /// A plan that cannot be read.
    #[error("{}{}: {problem}", path.display(), line.map_or_else(String::new, |line| format!(":{line}")))]
    Plan {
        /// The file.
        path: PathBuf,
        /// Its line, from 1.
        line: Option<usize>,
        /// What is wrong.
        problem: String,
    },
    /// The plan was made by another program, with another policy or with other plugins.
    #[error("the plan was made with {what} {planned}, and here it is {here}")]
    OtherGround {
        /// What differs.
        what: &'static str,
        /// That of the plan.
        planned: String,
        /// That of this program.
        here: String,
    },
    /// There is no such cell in the plan.
    #[error("the plan has no cell {index}: its {cells} cells count from 0")]
    NoSuchCell {
        /// The index that was asked for.
        index: usize,
        /// Cells of the plan [count].
        cells: usize,
    },
    /// The cells that there are do not make up the study.
    #[error("the cells do not make up the study{}", listed(&[("missing", missing), ("foreign", foreign), ("corrupt", corrupt)]))]
    NotWhole {
        /// Cells of the plan that there are not.
        missing: Vec<String>,
        /// Folders that are of no cell of the plan.
        foreign: Vec<String>,
        /// Folders whose content is not what it was.
        corrupt: Vec<String>,
    },
    /// The directory holds cells of another study.
    #[error("{} holds cells of another plan: {}", path.display(), some(cells))]
    Occupied {
        /// The directory.
        path: PathBuf,
        /// Their folders.
        cells: Vec<String>,
    },
    /// A list of conditions that makes no sense.
    #[error("{}: {problem}", path.display())]
    Ablation {
        /// The spec.
        path: PathBuf,
        /// What is wrong, and what there is.
        problem: String,
    },
}

impl StudyError {
    /// What was done to `path`, and how it went wrong.
    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { path: path.to_path_buf(), source }
    }

    /// Whether the same may well succeed a little later or on another machine: no room, too many open files, a file server
    /// that does not answer. A scheduler should try again.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        let of_bench = |error: &BenchError| match error {
            BenchError::Write { source, .. } | BenchError::Read { source, .. } => passes(source),
            // Another process is at the same place of the same study.
            BenchError::InUse { .. } => true,
            _ => false,
        };
        match self {
            Self::Io { source, .. } => passes(source),
            Self::Bench(error) => of_bench(error),
            Self::Assurance(error) => matches!(&**error, AssuranceError::Bench(error) if of_bench(error)),
            Self::Comparison(error) => match &**error {
                ComparisonError::Read { source, .. } => passes(source),
                ComparisonError::Bench(error) => of_bench(error),
                _ => false,
            },
            _ => false,
        }
    }

    /// What to do about it, where that can be said.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            _ if self.is_temporary() => "nothing half-written is left under a final name: try again",
            Self::Io { .. } => "name a place that you may read and write",
            Self::NotCovered { .. } => {
                "summary/coverage_missing.json says which injections would do; name one, or put the risk into `waived_risks`"
            }
            Self::Plan { .. } => "`labtrust study plan` makes one",
            Self::OtherGround { .. } => {
                "use the program, the policy and the plugins that the plan was made with, or make a new plan"
            }
            Self::NotWhole { .. } => {
                "`labtrust study cell PLAN --index I` makes a missing cell; remove what is foreign or corrupt"
            }
            Self::Occupied { .. } => "choose another --out, or --fresh to begin anew",
            _ => return None,
        })
    }
}

impl From<BenchError> for StudyError {
    fn from(error: BenchError) -> Self {
        Self::Bench(Box::new(error))
    }
}

impl From<AssuranceError> for StudyError {
    fn from(error: AssuranceError) -> Self {
        match error {
            // Files and policies are complained about in one way, whoever read them.
            AssuranceError::Policy(error) => Self::Policy(error),
            AssuranceError::Bench(error) => error.into(),
            other => Self::Assurance(Box::new(other)),
        }
    }
}

impl From<ComparisonError> for StudyError {
    fn from(error: ComparisonError) -> Self {
        Self::Comparison(Box::new(error))
    }
}

/// Whether an error of the operating system may be gone a little later.
pub(crate) fn passes(error: &std::io::Error) -> bool {
    let kind = matches!(
        error.kind(),
        ErrorKind::StorageFull
            | ErrorKind::QuotaExceeded
            | ErrorKind::Interrupted
            | ErrorKind::TimedOut
            | ErrorKind::WouldBlock
            | ErrorKind::ResourceBusy
            | ErrorKind::StaleNetworkFileHandle
            | ErrorKind::OutOfMemory
            | ErrorKind::HostUnreachable
            | ErrorKind::NetworkDown
    );
    // A disk that could not be read this time, and too many files open in the system or the process.
    kind || matches!(error.raw_os_error(), Some(5 | 23 | 24))
}

/// The first of a list, and how many more there are.
fn some(names: &[String]) -> String {
    const SHOWN: usize = 8;
    let more = names.len().saturating_sub(SHOWN);
    let shown = names.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    if more == 0 { shown } else { format!("{shown} and {more} more") }
}

fn listed(lists: &[(&str, &Vec<String>)]) -> String {
    let lists = lists.iter().filter(|(_, names)| !names.is_empty());
    lists.map(|(what, names)| format!("; {} {what}: {}", names.len(), some(names))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Error;

    #[test]
    fn a_full_disk_is_tried_again_and_a_forbidden_one_is_not() {
        let of = |source: Error| StudyError::Io { path: PathBuf::from("cells"), source }.is_temporary();
        assert!(
            of(ErrorKind::StorageFull.into()) && of(Error::from_raw_os_error(28)) && of(Error::from_raw_os_error(5))
        );
        assert!(!of(ErrorKind::PermissionDenied.into()) && !of(ErrorKind::NotFound.into()));
        let full = BenchError::Write { path: PathBuf::from("a"), source: ErrorKind::StorageFull.into() };
        assert!(StudyError::from(full).is_temporary());
        assert!(!StudyError::NoSuchCell { index: 1, cells: 1 }.is_temporary());
    }
}
