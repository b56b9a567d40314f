//! Why a pack or a release could not be made.

use labtrust_assurance::AssuranceError;
use labtrust_bench::BenchError;
use labtrust_comparison::ComparisonError;
use labtrust_evidence::export::ExportError;
use labtrust_evidence::release::ReleaseError;
use labtrust_evidence::transparency::TransparencyError;
use labtrust_figures::FiguresError;
use labtrust_plugin::RegistryError;
use labtrust_policy::PolicyError;
use labtrust_study::StudyError;
use std::path::PathBuf;

/// Why a pack or a release, or a part of one, could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PackError {
    /// The policy of the pack, or another policy file, cannot be used.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// Something that the program does not have.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// Episodes could not be run, or a file not be written.
    #[error(transparent)]
    Bench(#[from] BenchError),
    /// Security or safety could not be judged.
    #[error(transparent)]
    Assurance(#[from] AssuranceError),
    /// A study could not be run.
    #[error(transparent)]
    Study(Box<StudyError>),
    /// Tables could not be made.
    #[error(transparent)]
    Comparison(#[from] ComparisonError),
    /// A page could not be drawn.
    #[error(transparent)]
    Figures(#[from] FiguresError),
    /// Receipts could not be made.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// The transparency log could not be made.
    #[error(transparent)]
    Transparency(#[from] TransparencyError),
    /// The manifest of a release could not be made.
    #[error(transparent)]
    Release(#[from] ReleaseError),
    /// Something came out and is not good enough.
    #[error("{0}")]
    NotGood(String),
    /// A file or directory cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The directory holds something that is not replaced.
    #[error("{} holds something else than {what} and is not replaced", path.display())]
    Occupied {
        /// The directory.
        path: PathBuf,
        /// What would be replaced.
        what: &'static str,
    },
    /// Steps failed; their files, as far as they came, are there.
    #[error("{} of {all} steps failed:{}", failed.len(), failed.iter().map(|(name, why)| format!("\n  {name}: {why}")).collect::<String>())]
    StepsFailed {
        /// Their names, and why.
        failed: Vec<(String, String)>,
        /// Steps that there are [count].
        all: usize,
    },
}

impl From<StudyError> for PackError {
    fn from(error: StudyError) -> Self {
        Self::Study(Box::new(error))
    }
}
