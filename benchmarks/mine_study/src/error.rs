//! Why there is no study.

use crate::spec::SweepError;
use labtrust_figures::draw::PictureError;
use labtrust_mine_haulage::{DataError, DispatchError, ModelError};
use labtrust_plugin::RegistryError;
use std::path::PathBuf;

/// Why a study was not made. Nothing was written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StudyError {
    /// The data, or a scenario of it, cannot be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A scenario cannot be simulated.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The dispatch policy fails in a replication.
    #[error("replication {replication}: {error}")]
    Dispatch {
        /// Which replication, from 0.
        replication: u32,
        /// How it fails.
        error: Box<DispatchError>,
    },
    /// There is no such dispatch policy.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// A sweep cannot be read.
    #[error(transparent)]
    Sweep(#[from] SweepError),
    /// A picture cannot be drawn.
    #[error(transparent)]
    Picture(#[from] PictureError),
    /// No scenario was asked for.
    #[error("a study needs at least one scenario")]
    NoScenario,
    /// A scenario was asked for twice.
    #[error("scenario {id} is asked for twice")]
    Twice {
        /// The scenario.
        id: String,
    },
    /// No replication was asked for.
    #[error("scenario {id} has no replications; a study needs at least one")]
    NoReplications {
        /// The scenario.
        id: String,
    },
    /// A warm-up that is no time.
    #[error("a warm-up of {minutes} minutes is no time")]
    WarmUp {
        /// What was asked for [min].
        minutes: f64,
    },
    /// The animation's scenario or replication is not in the study.
    #[error("{what} is not in this study, so it cannot be animated")]
    Animation {
        /// What was asked for.
        what: String,
    },
    /// The directory holds something.
    #[error("{} exists and is not empty", path.display())]
    Exists {
        /// The directory.
        path: PathBuf,
    },
    /// The directory holds something else than a study.
    #[error("{} holds something else than a mine study and is not replaced", path.display())]
    NotAStudy {
        /// The directory.
        path: PathBuf,
    },
    /// A file is in the way.
    #[error("{} is a file, and a study is a directory", path.display())]
    NotADirectory {
        /// The file.
        path: PathBuf,
    },
    /// The path ends in nothing that could be called into being.
    #[error("{} names no directory of its own", path.display())]
    NoName {
        /// The path.
        path: PathBuf,
    },
    /// Something cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// What was to be written.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}
