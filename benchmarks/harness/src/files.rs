//! Files that are there whole or not at all.
//!
//! Everything is written under a temporary name in the target's own directory and renamed at the end, so that an
//! interrupted run leaves nothing that looks like a result. Files are created before the work begins: a path that
//! cannot be written is found out before an hour of episodes, not after it.

use crate::BenchError;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Component, Path, PathBuf};

/// A file under a temporary name. Dropped without [`AtomicFile::persist`], it leaves nothing behind.
#[derive(Debug)]
pub struct AtomicFile {
    target: PathBuf,
    temporary: PathBuf,
    file: Option<BufWriter<File>>,
    digest: Sha256,
}

impl AtomicFile {
    /// Begins a file; missing parent directories are made.
    ///
    /// # Errors
    /// [`BenchError::Write`] naming the target, when it is a directory or its parent cannot be written.
    pub fn create(target: &Path) -> Result<Self, BenchError> {
        let fail = |source| BenchError::Write { path: target.to_path_buf(), source };
        let Some(name) = target.file_name() else {
            return Err(fail(std::io::Error::other("the path names no file")));
        };
        if target.is_dir() {
            return Err(fail(std::io::Error::from(std::io::ErrorKind::IsADirectory)));
        }
        make_parent(target)?;
        let mut temporary_name = std::ffi::OsString::from(".");
        temporary_name.push(name);
        temporary_name.push(format!(".{}.partial", std::process::id()));
        let temporary = target.with_file_name(temporary_name);
        let file = File::create(&temporary).map_err(fail)?;
        Ok(Self {
            target: target.to_path_buf(),
            temporary,
            file: Some(BufWriter::with_capacity(1 << 16, file)),
            digest: Sha256::new(),
        })
    }

    /// Appends bytes.
    ///
    /// # Errors
    /// [`BenchError::Write`] naming the target.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), BenchError> {
        self.digest.update(bytes);
        let file = self.file.as_mut().expect("a file is open until it is persisted");
        file.write_all(bytes).map_err(|source| BenchError::Write { path: self.target.clone(), source })
    }

    /// Gives the file its name. Returns the SHA-256 of its content in lower-case hexadecimal.
    ///
    /// # Errors
    /// [`BenchError::Write`] naming the target; a file of that name is then what it was before.
    pub fn persist(mut self) -> Result<String, BenchError> {
        let fail = |source| BenchError::Write { path: self.target.clone(), source };
        let file = self.file.take().expect("a file is open until it is persisted");
        file.into_inner().map_err(|error| fail(error.into_error()))?;
        std::fs::rename(&self.temporary, &self.target).map_err(fail)?;
        Ok(hex(&std::mem::take(&mut self.digest).finalize()))
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        if self.file.take().is_some() || self.temporary.exists() {
            // Best effort: the name says what it is, and the next run of this process id overwrites it.
            let _ = std::fs::remove_file(&self.temporary);
        }
    }
}

/// Writes a whole file at once; see [`AtomicFile`]. Returns the SHA-256 of its content.
///
/// # Errors
/// [`BenchError::Write`] naming the target.
pub fn write_whole(target: &Path, bytes: &[u8]) -> Result<String, BenchError> {
    let mut file = AtomicFile::create(target)?;
    file.write(bytes)?;
    file.persist()
}

/// Makes the directory that `target` will be in.
///
/// # Errors
/// [`BenchError::Write`] naming the directory.
pub fn make_parent(target: &Path) -> Result<(), BenchError> {
    match target.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        Some(parent) => {
            std::fs::create_dir_all(parent).map_err(|source| BenchError::Write { path: parent.to_path_buf(), source })
        }
        None => Ok(()),
    }
}

/// Refuses outputs that would be one file under two names.
///
/// # Errors
/// [`BenchError::SameFile`] naming both outputs.
pub fn refuse_same_file(outputs: &[(&'static str, &Path)]) -> Result<(), BenchError> {
    let known: Vec<_> = outputs.iter().map(|(name, path)| (*name, plain(path))).collect();
    for (i, (second, path)) in known.iter().enumerate() {
        if let Some((first, _)) = known[..i].iter().find(|(_, earlier)| earlier == path) {
            return Err(BenchError::SameFile { first, second, path: path.clone() });
        }
    }
    Ok(())
}

/// The path without links in its directory and without `.` and `..`, as far as it exists.
fn plain(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let mut tidy = PathBuf::new();
    for part in absolute.components() {
        match part {
            Component::ParentDir => {
                tidy.pop();
            }
            Component::CurDir => {}
            other => tidy.push(other),
        }
    }
    if let Ok(found) = tidy.canonicalize() {
        return found;
    }
    match (tidy.parent().and_then(|parent| parent.canonicalize().ok()), tidy.file_name()) {
        (Some(parent), Some(name)) => parent.join(name),
        _ => tidy,
    }
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_not_persisted_leaves_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        let mut file = AtomicFile::create(&dir.path().join("results.json")).unwrap();
        file.write(b"half").unwrap();
        drop(file);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_persisted_file_is_whole_and_its_digest_is_that_of_its_bytes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("deep/er/results.json");
        let digest = write_whole(&path, b"abc").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"abc");
        assert_eq!(digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn a_directory_as_target_is_refused_by_name() {
        let dir = tempfile::tempdir().unwrap();
        let error = AtomicFile::create(dir.path()).unwrap_err();
        assert!(error.to_string().contains(&dir.path().display().to_string()), "{error}");
    }

    #[test]
    fn one_file_under_two_names_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let (plain, crooked) = (dir.path().join("a.json"), dir.path().join("x/../a.json"));
        let error = refuse_same_file(&[("the results", &plain), ("the log", &crooked)]).unwrap_err();
        assert!(matches!(error, BenchError::SameFile { first: "the results", second: "the log", .. }), "{error}");
        refuse_same_file(&[("the results", &plain), ("the log", &dir.path().join("b.json"))]).unwrap();
    }
}
