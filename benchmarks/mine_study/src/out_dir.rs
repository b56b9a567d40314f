//! The directory of a study: it appears whole, or not at all.

use crate::StudyError;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

/// The file that tells a study's directory.
pub(crate) const SUMMARY_NAME: &str = "summary.json";

/// A directory under a temporary name beside its final one; gone unless it is finished.
#[derive(Debug)]
pub(crate) struct OutDir {
    target: PathBuf,
    partial: PathBuf,
    replaces: bool,
    written: Vec<String>,
}

impl OutDir {
    /// Begins the directory `target`. With `force` a former study in its place is replaced in the end.
    ///
    /// # Errors
    /// [`StudyError::Exists`], [`StudyError::NotAStudy`] when something is in the way; [`StudyError::Write`].
    pub(crate) fn create(target: &Path, force: bool) -> Result<Self, StudyError> {
        let replaces = in_the_way(target, force)?;
        let name = target.file_name().ok_or_else(|| StudyError::NoName { path: target.to_path_buf() })?;
        if let Some(parent) = target.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            fs::create_dir_all(parent).map_err(|source| StudyError::Write { path: parent.to_path_buf(), source })?;
        }
        let partial = beside(target, name, "partial");
        // Left over from a process of the same number that was killed.
        let _ = fs::remove_dir_all(&partial);
        fs::create_dir(&partial).map_err(|source| StudyError::Write { path: target.to_path_buf(), source })?;
        Ok(Self { target: target.to_path_buf(), partial, replaces, written: Vec::new() })
    }

    /// Writes a whole file.
    ///
    /// # Errors
    /// [`StudyError::Write`] naming it as it would be called in the end.
    pub(crate) fn write(&mut self, name: &str, bytes: &[u8]) -> Result<(), StudyError> {
        let mut file = self.open(name)?;
        file.write_all(bytes).map_err(|source| self.cannot_write(name, source))
    }

    /// Opens a file to be written bit by bit.
    ///
    /// # Errors
    /// [`StudyError::Write`].
    pub(crate) fn open(&mut self, name: &str) -> Result<File, StudyError> {
        self.written.push(name.to_owned());
        File::create(self.partial.join(name)).map_err(|source| self.cannot_write(name, source))
    }

    pub(crate) fn cannot_write(&self, name: &str, source: std::io::Error) -> StudyError {
        StudyError::Write { path: self.target.join(name), source }
    }

    /// Gives the directory its name; the files in it, in the order in which they were begun.
    ///
    /// # Errors
    /// [`StudyError::Write`]; whatever was there before is there again.
    pub(crate) fn finish(mut self) -> Result<Vec<PathBuf>, StudyError> {
        let fail = |source| StudyError::Write { path: self.target.clone(), source };
        let name = self.target.file_name().unwrap_or_default().to_owned();
        if self.replaces {
            let former = beside(&self.target, &name, "former");
            fs::rename(&self.target, &former).map_err(fail)?;
            if let Err(source) = fs::rename(&self.partial, &self.target) {
                let _ = fs::rename(&former, &self.target);
                return Err(fail(source));
            }
            fs::remove_dir_all(&former).map_err(fail)?;
        } else {
            // Not every system renames over an empty directory.
            if self.target.is_dir() {
                fs::remove_dir(&self.target).map_err(fail)?;
            }
            fs::rename(&self.partial, &self.target).map_err(fail)?;
        }
        let target = self.target.clone();
        Ok(std::mem::take(&mut self.written).iter().map(|name| target.join(name)).collect())
    }
}

impl Drop for OutDir {
    fn drop(&mut self) {
        // Nothing is there any more once it has its name; its name says that it is no study.
        let _ = fs::remove_dir_all(&self.partial);
    }
}

/// Whether there is something to replace.
fn in_the_way(target: &Path, force: bool) -> Result<bool, StudyError> {
    let path = || target.to_path_buf();
    match fs::read_dir(target).map(|mut entries| entries.next().is_none()) {
        Ok(true) => Ok(false),
        Ok(false) if !force => Err(StudyError::Exists { path: path() }),
        Ok(false) if is_study(target) => Ok(true),
        Ok(false) => Err(StudyError::NotAStudy { path: path() }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && fs::symlink_metadata(target).is_err() => {
            Ok(false)
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotADirectory && target.is_file() => {
            Err(StudyError::NotADirectory { path: path() })
        }
        Err(source) => Err(StudyError::Write { path: path(), source }),
    }
}

fn is_study(dir: &Path) -> bool {
    let summary = fs::read(dir.join(SUMMARY_NAME)).ok();
    let summary = summary.and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).ok());
    summary.is_some_and(|summary| summary.get("benchmark_id").is_some_and(|id| id == crate::BENCHMARK_ID))
}

fn beside(target: &Path, name: &std::ffi::OsStr, tag: &str) -> PathBuf {
    let name = name.to_string_lossy();
    target.with_file_name(format!(".{name}.{}.{tag}", std::process::id()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn study(target: &Path, force: bool, text: &str) -> Result<Vec<PathBuf>, StudyError> {
        let mut out = OutDir::create(target, force)?;
        out.write(SUMMARY_NAME, format!("{{\"benchmark_id\":\"{}\"}}", crate::BENCHMARK_ID).as_bytes())?;
        out.write("text", text.as_bytes())?;
        out.finish()
    }

    #[test]
    fn a_directory_that_is_not_finished_leaves_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        let mut out = OutDir::create(&dir.path().join("study"), false).unwrap();
        out.write("a", b"half").unwrap();
        assert_eq!(names(dir.path()).len(), 1);
        drop(out);
        assert_eq!(names(dir.path()), [""; 0]);
    }

    #[test]
    fn a_study_is_replaced_only_when_asked_and_only_a_study() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("study");
        fs::create_dir(&target).unwrap();
        assert_eq!(study(&target, false, "one").unwrap(), [target.join(SUMMARY_NAME), target.join("text")]);
        assert!(matches!(study(&target, false, "two"), Err(StudyError::Exists { .. })));
        assert_eq!(fs::read(target.join("text")).unwrap(), b"one");
        study(&target, true, "three").unwrap();
        assert_eq!(fs::read(target.join("text")).unwrap(), b"three");
        fs::write(target.join(SUMMARY_NAME), "{\"benchmark_id\":\"other\"}").unwrap();
        assert!(matches!(study(&target, true, "four"), Err(StudyError::NotAStudy { .. })));
        assert_eq!(fs::read(target.join("text")).unwrap(), b"three");
        assert_eq!(names(dir.path()), ["study"], "nothing temporary is left");
    }

    #[test]
    fn a_file_in_the_way_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("file");
        fs::write(&target, "x").unwrap();
        for force in [false, true] {
            let error = OutDir::create(&target, force).unwrap_err();
            assert!(matches!(error, StudyError::NotADirectory { .. }), "{error}");
        }
        let error = OutDir::create(&target.join("below"), false).unwrap_err();
        assert!(error.to_string().contains("file"), "{error}");
    }
}
