//! Writing artefacts so that they are there whole or not at all.
//!
//! Everything is written under a temporary name, handed to the disk, renamed, and then the directory is handed to the
//! disk: an order in which a crash at any moment leaves no half of an artefact under its final name. All of it goes
//! through [`Disk`], so that tests can let every single call go wrong.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Something could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot {what} {}: {source}", path.display())]
pub struct DiskError {
    /// What was tried: `write`, `rename`, ...
    pub what: &'static str,
    /// On what.
    pub path: PathBuf,
    /// Why not.
    pub source: io::Error,
}

fn failed(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> DiskError {
    move |source| DiskError { what, path: path.to_path_buf(), source }
}

/// The calls that writing is made of.
pub trait Disk: Sync {
    /// Makes a directory and those above it.
    ///
    /// # Errors
    /// As the system says.
    fn make_dirs(&self, path: &Path) -> io::Result<()>;
    /// Begins a file anew.
    ///
    /// # Errors
    /// As the system says.
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;
    /// Gives something another name in one step.
    ///
    /// # Errors
    /// As the system says.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Hands a directory's names to the disk.
    ///
    /// # Errors
    /// As the system says.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;
    /// Hands a directory with everything below it to the disk.
    ///
    /// # Errors
    /// As the system says.
    fn sync_tree(&self, path: &Path) -> io::Result<()>;
    /// Removes a directory with all that is in it; one that is not there is removed already.
    ///
    /// # Errors
    /// As the system says.
    fn remove_tree(&self, path: &Path) -> io::Result<()>;
}

/// A file that is being written.
pub trait DiskFile: Write {
    /// Hands the bytes to the disk.
    ///
    /// # Errors
    /// As the system says.
    fn sync(&mut self) -> io::Result<()>;
}

/// The file system.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealDisk;

impl Disk for RealDisk {
    fn make_dirs(&self, path: &Path) -> io::Result<()> {
        std::fs::create_dir_all(path)
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(File::create(path)?))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    fn sync_tree(&self, path: &Path) -> io::Result<()> {
        let mut files = Vec::new();
        #[cfg(target_os = "linux")]
        if !list_tree(path, &mut files, MANY)? {
            return Ok(rustix::fs::syncfs(File::open(path)?)?);
        }
        #[cfg(not(target_os = "linux"))]
        list_tree(path, &mut files, usize::MAX)?;
        files.iter().try_for_each(|file| File::open(file)?.sync_all())
    }

    fn remove_tree(&self, path: &Path) -> io::Result<()> {
        match std::fs::remove_dir_all(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

/// From so many files on the whole file system is handed to the disk: one call, where each file would cost milliseconds.
/// With fewer that would be to wait for what others write.
#[cfg(target_os = "linux")]
const MANY: usize = 256;

/// Everything below a directory, and then the directory. Whether that is all: it stops where there are more than `most`.
fn list_tree(path: &Path, files: &mut Vec<PathBuf>, most: usize) -> io::Result<bool> {
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        if !entry.file_type()?.is_dir() {
            files.push(entry.path());
        } else if !list_tree(&entry.path(), files, most)? {
            return Ok(false);
        }
        if files.len() > most {
            return Ok(false);
        }
    }
    files.push(path.to_path_buf());
    Ok(true)
}

impl DiskFile for File {
    fn sync(&mut self) -> io::Result<()> {
        self.sync_all()
    }
}

/// The directory that a path is in.
fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// The name that something has until it is whole.
fn temporary(path: &Path, tag: &str) -> PathBuf {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    path.with_file_name(format!(".{name}.{}.{tag}", std::process::id()))
}

/// Writes a whole file.
///
/// # Errors
/// [`DiskError`]; a file that was there before is then what it was.
pub fn write_file(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> Result<(), DiskError> {
    write_with(disk, path, |file| file.write_all(bytes).map_err(failed("write", path)))
}

fn write_with(
    disk: &dyn Disk,
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> Result<(), DiskError>,
) -> Result<(), DiskError> {
    let directory = parent(path);
    disk.make_dirs(directory).map_err(failed("make the directory", directory))?;
    let partial = temporary(path, "partial");
    let written = (|| {
        let mut file = disk.create(&partial).map_err(failed("create", path))?;
        write(&mut file)?;
        file.sync().map_err(failed("hand to the disk", path))?;
        drop(file);
        disk.rename(&partial, path).map_err(failed("rename to", path))
    })();
    if written.is_err() {
        // Best effort: the name says what it is.
        let _ = std::fs::remove_file(&partial);
    }
    written?;
    disk.sync_dir(directory).map_err(failed("hand to the disk", directory))
}

/// Writes the first `length` bytes of a file to another, of any length.
///
/// # Errors
/// [`DiskError`]; a file that was there before is then what it was.
pub fn copy_beginning(disk: &dyn Disk, from: &Path, length: u64, path: &Path) -> Result<(), DiskError> {
    let source = File::open(from).map_err(failed("read", from))?;
    write_with(disk, path, |file| {
        let copied = io::copy(&mut source.take(length), file).map_err(failed("write", path))?;
        if copied < length {
            return Err(failed("read", from)(io::Error::from(io::ErrorKind::UnexpectedEof)));
        }
        Ok(())
    })
}

/// A directory that gets its name when all its files are in it. Dropped before, it leaves nothing.
pub struct NewDirectory<'d> {
    disk: &'d dyn Disk,
    target: PathBuf,
    partial: PathBuf,
    inner: Mutex<Vec<PathBuf>>,
    done: bool,
}

impl<'d> NewDirectory<'d> {
    /// Begins a directory that will be `target`.
    ///
    /// # Errors
    /// [`DiskError`].
    pub fn begin(disk: &'d dyn Disk, target: &Path) -> Result<Self, DiskError> {
        let partial = temporary(target, "partial");
        disk.remove_tree(&partial).map_err(failed("remove", &partial))?;
        disk.make_dirs(&partial).map_err(failed("make the directory", target))?;
        Ok(Self { disk, target: target.to_path_buf(), partial, inner: Mutex::default(), done: false })
    }

    /// Begins a file in it; `name` has `/` between its parts. Several may be written at once.
    ///
    /// # Errors
    /// [`DiskError`].
    pub fn create(&self, name: &str) -> Result<NewFile, DiskError> {
        let (file, path) = self.open(name)?;
        Ok(NewFile { file: io::BufWriter::with_capacity(1 << 16, file), path })
    }

    fn open(&self, name: &str) -> Result<(Box<dyn DiskFile>, PathBuf), DiskError> {
        let path = self.partial.join(name);
        let directory = parent(&path).to_path_buf();
        if directory != self.partial {
            let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
            if !inner.contains(&directory) {
                self.disk.make_dirs(&directory).map_err(failed("make the directory", &directory))?;
                inner.push(directory);
            }
        }
        let named = self.target.join(name);
        let file = self.disk.create(&path).map_err(failed("create", &named))?;
        Ok((file, named))
    }

    /// Writes a whole file in it.
    ///
    /// # Errors
    /// [`DiskError`].
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), DiskError> {
        let (mut file, path) = self.open(name)?;
        file.write_all(bytes).map_err(failed("write", &path))
    }

    /// Gives it its name. What had the name before is replaced.
    ///
    /// # Errors
    /// [`DiskError`]; what had the name is then there as it was, or nothing has it.
    pub fn finish(mut self) -> Result<(), DiskError> {
        let directory = parent(&self.target).to_path_buf();
        self.disk.sync_tree(&self.partial).map_err(failed("hand to the disk", &self.target))?;
        let old = temporary(&self.target, "old");
        self.disk.remove_tree(&old).map_err(failed("remove", &old))?;
        match self.disk.rename(&self.target, &old) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(failed("replace", &self.target)(error));
            }
            _ => {}
        }
        if let Err(error) = self.disk.rename(&self.partial, &self.target) {
            let _ = self.disk.rename(&old, &self.target);
            return Err(failed("rename to", &self.target)(error));
        }
        self.done = true;
        self.disk.sync_dir(&directory).map_err(failed("hand to the disk", &directory))?;
        self.disk.remove_tree(&old).map_err(failed("remove", &old))
    }
}

impl Drop for NewDirectory<'_> {
    fn drop(&mut self) {
        if !self.done {
            // Best effort: the name says what it is.
            let _ = std::fs::remove_dir_all(&self.partial);
        }
    }
}

/// A file of a [`NewDirectory`].
pub struct NewFile {
    file: io::BufWriter<Box<dyn DiskFile>>,
    path: PathBuf,
}

impl NewFile {
    /// Appends bytes.
    ///
    /// # Errors
    /// [`DiskError`].
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), DiskError> {
        self.file.write_all(bytes).map_err(failed("write", &self.path))
    }

    /// Writes what is still in memory. The disk gets the whole directory at once.
    ///
    /// # Errors
    /// [`DiskError`].
    pub fn finish(mut self) -> Result<(), DiskError> {
        self.file.flush().map_err(failed("write", &self.path))
    }
}
