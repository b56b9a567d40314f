//! Files that are there whole or not at all.
//!
//! Everything is written under a temporary name in the target's own directory and renamed at the end, so that an
//! interrupted run leaves nothing that looks like a result. Files are created before the work begins: a path that
//! cannot be written is found out before an hour of episodes, not after it.

use crate::BenchError;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Component, Path, PathBuf};

/// A file under a temporary name. Dropped without [`AtomicFile::persist`], it leaves nothing behind; one that was begun
/// with [`AtomicFile::create_to_continue`] stays under its temporary name, so that a later process can go on with it.
#[derive(Debug)]
pub struct AtomicFile {
    target: PathBuf,
    temporary: PathBuf,
    file: Option<BufWriter<File>>,
    digest: Sha256,
    length: u64,
    stays: bool,
}

/// How much of a file there is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extent {
    /// Its length [bytes].
    pub length: u64,
    /// SHA-256 of these bytes in lower-case hexadecimal.
    pub sha256: String,
}

impl AtomicFile {
    /// Begins a file; missing parent directories are made.
    ///
    /// # Errors
    /// [`BenchError::Write`] naming the target, when it is a directory or its parent cannot be written.
    pub fn create(target: &Path) -> Result<Self, BenchError> {
        let temporary = temporary_of(target, &std::process::id().to_string())?;
        let file = File::create(&temporary).map_err(|source| cannot_write(target, source))?;
        Ok(Self::over(target, temporary, file, false))
    }

    /// Begins a file that another process can go on with: its temporary name does not depend on the process, and an
    /// earlier one of that name is begun anew.
    ///
    /// # Errors
    /// As [`AtomicFile::create`]; [`BenchError::InUse`] when a living process has the file.
    pub fn create_to_continue(target: &Path) -> Result<Self, BenchError> {
        let mut file = Self::create_again(target)?;
        file.stays = true;
        Ok(file)
    }

    /// Begins a file whose temporary name does not depend on the process: what a killed process left of it is begun
    /// anew and is no litter. Dropped, it leaves nothing behind.
    ///
    /// # Errors
    /// As [`AtomicFile::create_to_continue`].
    pub fn create_again(target: &Path) -> Result<Self, BenchError> {
        let temporary = temporary_of(target, CONTINUED)?;
        let file = locked(target, &temporary)?;
        file.set_len(0).map_err(|source| cannot_write(target, source))?;
        Ok(Self::over(target, temporary, file, false))
    }

    /// Goes on with a file of which `extent` was there: what lies behind it is cut off. When the file has its final name
    /// already, a copy of it is gone on with.
    ///
    /// # Errors
    /// [`BenchError::Damaged`] when neither file begins with `extent`; [`BenchError::InUse`]; [`BenchError::Write`].
    pub fn proceed(target: &Path, extent: &Extent) -> Result<Self, BenchError> {
        let fail = |source| cannot_write(target, source);
        let temporary = temporary_of(target, CONTINUED)?;
        let file = locked(target, &temporary)?;
        let mut whole = Self::over(target, temporary, file, true);
        if !whole.take_over(extent).map_err(fail)? {
            // A process that was killed between two renames leaves some of its files under their final names.
            std::fs::copy(target, &whole.temporary)
                .map_err(|source| BenchError::Read { path: target.to_path_buf(), source })?;
            if !whole.take_over(extent).map_err(fail)? {
                return Err(BenchError::Damaged { path: target.to_path_buf(), length: extent.length });
            }
        }
        Ok(whole)
    }

    fn over(target: &Path, temporary: PathBuf, file: File, stays: bool) -> Self {
        let file = Some(BufWriter::with_capacity(1 << 16, file));
        Self { target: target.to_path_buf(), temporary, file, digest: Sha256::new(), length: 0, stays }
    }

    /// Reads as much as `extent` says and cuts off the rest; whether what was read is what it says.
    fn take_over(&mut self, extent: &Extent) -> std::io::Result<bool> {
        let file = self.file.as_mut().expect("a file is open until it is persisted").get_mut();
        file.seek(SeekFrom::Start(0))?;
        let mut digest = Sha256::new();
        let mut rest = extent.length;
        let mut buffer = vec![0; 1 << 16];
        while rest > 0 {
            let most = usize::try_from(rest).unwrap_or(usize::MAX).min(buffer.len());
            let read = file.read(&mut buffer[..most])?;
            if read == 0 {
                return Ok(false);
            }
            digest.update(&buffer[..read]);
            rest -= read as u64;
        }
        if hex(&digest.clone().finalize()) != extent.sha256 {
            return Ok(false);
        }
        file.set_len(extent.length)?;
        file.seek(SeekFrom::Start(extent.length))?;
        (self.digest, self.length) = (digest, extent.length);
        Ok(true)
    }

    /// Hands everything written so far to the disk and says how much it is.
    ///
    /// # Errors
    /// [`BenchError::Write`] naming the target.
    pub fn settle(&mut self) -> Result<Extent, BenchError> {
        let file = self.file.as_mut().expect("a file is open until it is persisted");
        file.flush().and_then(|()| file.get_ref().sync_data()).map_err(|source| cannot_write(&self.target, source))?;
        Ok(Extent { length: self.length, sha256: hex(&self.digest.clone().finalize()) })
    }

    /// How much is in it [bytes].
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Where the bytes are until the file has its name.
    pub(crate) fn temporary(&self) -> &Path {
        &self.temporary
    }

    /// Appends bytes.
    ///
    /// # Errors
    /// [`BenchError::Write`] naming the target.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), BenchError> {
        self.digest.update(bytes);
        self.length += bytes.len() as u64;
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
        let open = self.file.take().is_some();
        if !self.stays && (open || self.temporary.exists()) {
            // Best effort: the name says what it is, and the next run of this process id overwrites it.
            let _ = std::fs::remove_file(&self.temporary);
        }
    }
}

/// What stands in a temporary name instead of the process that writes it.
const CONTINUED: &str = "continued";

fn cannot_write(target: &Path, source: std::io::Error) -> BenchError {
    BenchError::Write { path: target.to_path_buf(), source }
}

/// The name that `target` has until it is complete, in a directory that is there.
fn temporary_of(target: &Path, tag: &str) -> Result<PathBuf, BenchError> {
    let Some(name) = target.file_name() else {
        return Err(cannot_write(target, std::io::Error::other("the path names no file")));
    };
    if target.is_dir() {
        return Err(cannot_write(target, std::io::Error::from(std::io::ErrorKind::IsADirectory)));
    }
    make_parent(target)?;
    let mut temporary_name = std::ffi::OsString::from(".");
    temporary_name.push(name);
    temporary_name.push(format!(".{tag}.partial"));
    Ok(target.with_file_name(temporary_name))
}

/// Opens a file as it is and keeps other processes from doing the same. The lock ends with the process, however it ends.
fn locked(target: &Path, temporary: &Path) -> Result<File, BenchError> {
    let fail = |source| cannot_write(target, source);
    let options = File::options().read(true).write(true).create(true).truncate(false).open(temporary);
    let file = options.map_err(fail)?;
    match file.try_lock() {
        Err(std::fs::TryLockError::WouldBlock) => Err(BenchError::InUse { path: target.to_path_buf() }),
        // A file system without locks is still one that can be written.
        Ok(()) | Err(std::fs::TryLockError::Error(_)) => Ok(file),
    }
}

/// [`write_whole`] under a temporary name that the next process uses too, so that one that is killed leaves no litter.
///
/// # Errors
/// [`BenchError::Write`] naming the target; [`BenchError::InUse`].
pub fn write_whole_again(target: &Path, bytes: &[u8]) -> Result<String, BenchError> {
    let mut file = AtomicFile::create_again(target)?;
    file.write(bytes)?;
    file.persist()
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
pub(crate) fn plain(path: &Path) -> PathBuf {
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
    fn a_file_is_gone_on_with_from_where_it_was_settled() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log.jsonl");
        let mut file = AtomicFile::create_to_continue(&path).unwrap();
        file.write(b"ab").unwrap();
        let extent = file.settle().unwrap();
        file.write(b"half a li").unwrap();
        assert!(matches!(AtomicFile::proceed(&path, &extent), Err(BenchError::InUse { .. })));
        drop(file);
        let mut file = AtomicFile::proceed(&path, &extent).unwrap();
        file.write(b"c").unwrap();
        assert_eq!(file.persist().unwrap(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(std::fs::read(&path).unwrap(), b"abc");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
        // From the final name too; the file of that name stays until the new one is whole.
        drop(AtomicFile::proceed(&path, &extent).unwrap());
        assert_eq!(std::fs::read(&path).unwrap(), b"abc");
    }

    #[test]
    fn a_file_that_is_not_what_was_settled_is_not_gone_on_with() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log.jsonl");
        let mut file = AtomicFile::create_to_continue(&path).unwrap();
        file.write(b"ab").unwrap();
        let Extent { length, sha256 } = file.settle().unwrap();
        file.persist().unwrap();
        for (length, sha256) in [(length + 1, sha256.clone()), (1, sha256), (length, "00".repeat(32))] {
            let error = AtomicFile::proceed(&path, &Extent { length, sha256 }).unwrap_err();
            assert!(matches!(error, BenchError::Damaged { .. }), "{error}");
        }
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
