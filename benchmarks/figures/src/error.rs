//! What can go wrong: a run that is none, a file that is not what its name says, a place that cannot be written.

use crate::draw::PictureError;
use std::path::PathBuf;

/// Why there are no figures.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FiguresError {
    /// There is nothing in it that could be drawn.
    #[error("{} is no run: it has neither manifest.json, nor summary/summary_coord.csv, nor pack_summary.csv", path.display())]
    NotARun {
        /// The directory.
        path: PathBuf,
    },
    /// A file is not there or cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A file is there but says nothing that could be drawn.
    #[error("{}, {place}: {problem}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Where in it.
        place: String,
        /// What is wrong there.
        problem: String,
    },
    /// A picture cannot be drawn.
    #[error(transparent)]
    Picture(#[from] PictureError),
}

impl FiguresError {
    pub(crate) fn invalid(path: impl Into<PathBuf>, place: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Invalid { path: path.into(), place: place.into(), problem: problem.into() }
    }

    /// What to do about it, where that is known.
    #[must_use]
    pub const fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NotARun { .. } => {
                Some("give the --out directory of run-study, run-coordination-study or run-coordination-security-pack")
            }
            Self::Invalid { .. } => Some("run the command that wrote the file again"),
            _ => None,
        }
    }
}
