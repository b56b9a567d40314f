//! Files that are there whole or not at all: everything is made in memory first, and renamed into its place.

use crate::FiguresError;
use std::fs;
use std::path::{Path, PathBuf};

/// A file under its name in the run directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// Relative to the run, with `/` between its parts.
    pub name: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

impl Made {
    /// A file.
    #[must_use]
    pub fn new(name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Self { name: name.into(), bytes: bytes.into() }
    }
}

/// Reads a whole text.
pub(crate) fn read(path: &Path) -> Result<String, FiguresError> {
    fs::read_to_string(path).map_err(|source| FiguresError::Read { path: path.to_path_buf(), source })
}

/// Reads a JSON document.
pub(crate) fn read_json(path: &Path) -> Result<serde_json::Value, FiguresError> {
    serde_json::from_str(&read(path)?).map_err(|error| {
        FiguresError::invalid(path, format!("line {}", error.line()), format!("this is no JSON: {error}"))
    })
}

/// Writes files below `dir`.
///
/// # Errors
/// [`FiguresError::Write`] naming the file; those before it are there.
pub(crate) fn write(dir: &Path, made: &[Made]) -> Result<Vec<PathBuf>, FiguresError> {
    made.iter().map(|one| write_one(&dir.join(&one.name), &one.bytes)).collect()
}

fn write_one(path: &Path, bytes: &[u8]) -> Result<PathBuf, FiguresError> {
    let fail = |source| FiguresError::Write { path: path.to_path_buf(), source };
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(fail(std::io::Error::other("the path names no file")));
    };
    fs::create_dir_all(parent).map_err(fail)?;
    let partial = parent.join(format!(".{}.{}.partial", name.to_string_lossy(), std::process::id()));
    let written = fs::write(&partial, bytes).and_then(|()| fs::rename(&partial, path));
    if let Err(source) = written {
        let _ = fs::remove_file(&partial);
        return Err(fail(source));
    }
    Ok(path.to_path_buf())
}
