//! A run as it lies in its directory: what kinds of results are there, read and checked.

pub mod conditions;
pub mod coordination;
pub mod log;
pub mod pack;
pub mod table;

use crate::FiguresError;
use std::path::{Path, PathBuf};

/// What is in a run directory.
#[derive(Debug)]
pub struct Run {
    /// The directory.
    pub dir: PathBuf,
    /// A coordination security pack.
    pub pack: Option<pack::Pack>,
    /// A coordination study.
    pub coordination: Option<coordination::Coordination>,
    /// A study of conditions.
    pub conditions: Option<conditions::Conditions>,
    /// The steps of an episode.
    pub episode: Option<log::Episode>,
}

impl Run {
    /// Reads what there is to be drawn; `log` is an episode log to draw besides, instead of the first one in the run.
    ///
    /// # Errors
    /// [`FiguresError::NotARun`] without any results; [`FiguresError::Read`] and [`FiguresError::Invalid`] for a file.
    pub fn open(dir: &Path, log: Option<&Path>) -> Result<Self, FiguresError> {
        let pack = pack::Pack::open(dir)?;
        let coordination = coordination::Coordination::open(dir)?;
        let conditions = conditions::Conditions::open(dir, pack.is_some() || coordination.is_some())?;
        if pack.is_none() && coordination.is_none() && conditions.is_none() && (log.is_none() || !dir.is_dir()) {
            return Err(FiguresError::NotARun { path: dir.to_path_buf() });
        }
        let episode = match log {
            Some(path) => Some(log::Episode::read(path)?),
            None => log::first_of(dir)?,
        };
        Ok(Self { dir: dir.to_path_buf(), pack, coordination, conditions, episode })
    }
}
