//! The folder of a cell: there whole, or not at all, and able to tell whether it is still what it was.
//!
//! A cell is written under a temporary name in the directory that it belongs to, handed to the disk and renamed. Two processes that
//! run one cell at the same time make the same bytes, so that it does not matter whose folder stays.

use crate::StudyError;
use crate::plan::PlannedCell;
use labtrust_evidence::digest::sha256;
use labtrust_evidence::release::pretty;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// What says whose folder it is, and what is in it.
pub const RECORD: &str = "cell.json";
/// The results of a cell.
pub const RESULTS: &str = "results.json";
/// What the name of a folder begins with that is not finished.
const PARTIAL: &str = ".partial-";

/// Whose folder it is, what came of the cell, and what is in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    kind: String,
    version: String,
    /// The cell's name.
    pub cell_id: String,
    /// Its hash in the plan.
    pub hash: String,
    /// Why there are no results, where there are none.
    pub error: Option<String>,
    /// SHA-256 of the other files of the folder, by name.
    pub files: BTreeMap<String, String>,
}

/// What a folder turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// There is none.
    Absent,
    /// It is a cell's, and as it was written.
    Whole(Record),
    /// It is not, and this is why.
    Corrupt(String),
}

/// Looks at a folder: every file in it is read.
///
/// # Errors
/// [`StudyError::Io`] for what cannot be read although it is there.
pub fn inspect(folder: &Path) -> Result<State, StudyError> {
    if !folder.exists() {
        return Ok(State::Absent);
    }
    let at = folder.join(RECORD);
    if !at.is_file() {
        return Ok(State::Corrupt(format!("it has no {RECORD}")));
    }
    let bytes = fs::read(&at).map_err(StudyError::io(&at))?;
    let record: Record = match serde_json::from_slice(&bytes) {
        Ok(record) => record,
        Err(error) => return Ok(State::Corrupt(format!("its {RECORD} cannot be read: {error}"))),
    };
    for (name, expected) in &record.files {
        let path = folder.join(name);
        if !path.is_file() {
            return Ok(State::Corrupt(format!("it has no {name}")));
        }
        if sha256(&fs::read(&path).map_err(StudyError::io(&path))?) != *expected {
            return Ok(State::Corrupt(format!("its {name} is not what was written")));
        }
    }
    if record.error.is_none() && !record.files.contains_key(RESULTS) {
        return Ok(State::Corrupt("it has no results".to_owned()));
    }
    Ok(State::Whole(record))
}

/// A folder that is being filled. Dropped without [`Draft::finish`], it leaves nothing behind.
#[derive(Debug)]
pub struct Draft {
    folder: tempfile::TempDir,
    parent: PathBuf,
}

impl Draft {
    /// Begins a folder in `parent`, which is made where it is not there.
    ///
    /// # Errors
    /// [`StudyError::Io`].
    pub fn begin(parent: &Path) -> Result<Self, StudyError> {
        fs::create_dir_all(parent).map_err(StudyError::io(parent))?;
        let folder = tempfile::Builder::new().prefix(PARTIAL).tempdir_in(parent).map_err(StudyError::io(parent))?;
        Ok(Self { folder, parent: parent.to_path_buf() })
    }

    /// Where its files go until it has its name.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Gives the folder its name: `results`, or why there are none, and whatever else was put into it. The record of the folder that
    /// is there then, which may be that of another process that was faster.
    ///
    /// # Errors
    /// [`StudyError::Io`]; nothing is there then under the name that was not there before.
    pub fn finish(self, name: &str, cell: &PlannedCell, results: Result<&[u8], &str>) -> Result<Record, StudyError> {
        let path = self.path();
        if let Ok(bytes) = results {
            let at = path.join(RESULTS);
            fs::write(&at, bytes).map_err(StudyError::io(&at))?;
        }
        let mut files = BTreeMap::new();
        for file in names(path)? {
            let at = path.join(&file);
            let bytes = fs::read(&at).map_err(StudyError::io(&at))?;
            settle(&at)?;
            files.insert(file, sha256(&bytes));
        }
        let record = Record {
            kind: "labtrust.study_cell".to_owned(),
            version: "0.1".to_owned(),
            cell_id: cell.cell_id.clone(),
            hash: cell.hash.clone(),
            error: results.err().map(str::to_owned),
            files,
        };
        let at = path.join(RECORD);
        let bytes = pretty(&serde_json::to_value(&record).unwrap_or_default());
        fs::write(&at, bytes).map_err(StudyError::io(&at))?;
        settle(&at)?;
        settle(path)?;
        self.rename(name, record)
    }

    fn rename(self, name: &str, record: Record) -> Result<Record, StudyError> {
        let target = self.parent.join(name);
        for _ in 0..2 {
            if let State::Whole(other) = inspect(&target)?
                && other.hash == record.hash
                && (other.error.is_none() || record.error.is_some())
            {
                // Somebody else was faster, and has the same.
                return Ok(other);
            }
            if target.exists() {
                // What is in the way is damaged, failed or of another plan.
                let aside = tempfile::Builder::new().prefix(PARTIAL).tempdir_in(&self.parent);
                let aside = aside.map_err(StudyError::io(&self.parent))?;
                let _ = fs::rename(&target, aside.path().join("former"));
            }
            match fs::rename(self.folder.path(), &target) {
                Ok(()) => {
                    settle(&self.parent)?;
                    // It has another name now, so there is nothing to be removed.
                    let _ = self.folder.keep();
                    return Ok(record);
                }
                Err(error) if target.exists() => drop(error),
                Err(source) => return Err(StudyError::Io { path: target, source }),
            }
        }
        Err(StudyError::Io { path: target, source: std::io::ErrorKind::ResourceBusy.into() })
    }
}

/// Hands a file or a directory to the disk.
fn settle(path: &Path) -> Result<(), StudyError> {
    match File::open(path).and_then(|file| file.sync_all()) {
        // Directories cannot be opened or settled everywhere.
        Err(error) if path.is_dir() && !crate::error::passes(&error) => Ok(()),
        other => other.map_err(StudyError::io(path)),
    }
}

/// Names of the files of a directory, sorted.
fn names(path: &Path) -> Result<Vec<String>, StudyError> {
    let mut names = Vec::new();
    for entry in fs::read_dir(path).map_err(StudyError::io(path))? {
        let entry = entry.map_err(StudyError::io(path))?;
        names.extend(entry.file_name().into_string().ok());
    }
    names.sort_unstable();
    Ok(names)
}

/// The folders of a directory of cells, sorted by name: not those that are being filled. None where there is no such directory.
///
/// # Errors
/// [`StudyError::Io`].
pub fn folders(cells: &Path) -> Result<Vec<String>, StudyError> {
    if !cells.is_dir() {
        return Ok(Vec::new());
    }
    Ok(names(cells)?.into_iter().filter(|name| !name.starts_with('.') && cells.join(name).is_dir()).collect())
}

/// Removes what killed processes have left in a directory of cells. Only when no cell of it is missing any more.
pub(crate) fn sweep(cells: &Path) {
    for name in names(cells).unwrap_or_default().iter().filter(|name| name.starts_with(PARTIAL)) {
        // Best effort: the name says what it is.
        let _ = fs::remove_dir_all(cells.join(name));
    }
}

/// Copies a folder that was inspected into another directory of cells.
///
/// # Errors
/// [`StudyError::Io`].
pub(crate) fn copy(from: &Path, cells: &Path, cell: &PlannedCell, record: &Record) -> Result<(), StudyError> {
    let draft = Draft::begin(cells)?;
    for name in record.files.keys().filter(|name| name.as_str() != RESULTS) {
        let (from, to) = (from.join(name), draft.path().join(name));
        fs::copy(&from, &to).map_err(StudyError::io(&to))?;
    }
    let results = match &record.error {
        Some(error) => Err(error.as_str()),
        None => {
            let at = from.join(RESULTS);
            Ok(fs::read(&at).map_err(StudyError::io(&at))?)
        }
    };
    draft.finish(&cell.cell_id, cell, results.as_deref().map_err(|error| *error))?;
    Ok(())
}
