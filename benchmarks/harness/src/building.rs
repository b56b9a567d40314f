//! A directory that is there whole or not at all: it is made under a temporary name beside its final one.

use crate::BenchError;
use crate::files::{AtomicFile, make_parent};
use std::path::{Path, PathBuf};

/// The directory while it is made; gone unless it is finished.
#[derive(Debug)]
pub struct Building {
    dir: PathBuf,
}

impl Building {
    /// Begins the directory that will be `out`.
    ///
    /// # Errors
    /// [`BenchError::Write`] naming the directory.
    pub fn new(out: &Path) -> Result<Self, BenchError> {
        make_parent(out)?;
        let name = out.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let dir = out.with_file_name(format!(".{name}.{}.partial", std::process::id()));
        // What a killed process of the same number left is not part of this one.
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(&dir).map_err(|source| BenchError::Write { path: dir.clone(), source })?;
        Ok(Self { dir })
    }

    /// Where it is until it is finished.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.dir
    }

    /// Writes a file of it.
    ///
    /// # Errors
    /// [`BenchError::Write`] naming the file.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), BenchError> {
        let mut file = AtomicFile::create(&self.dir.join(name))?;
        file.write(bytes)?;
        file.persist()?;
        Ok(())
    }

    /// Gives the directory its name; what had it before is replaced.
    ///
    /// # Errors
    /// [`BenchError::Write`] naming the directory.
    pub fn finish(&self, out: &Path) -> Result<(), BenchError> {
        let fail = |source| BenchError::Write { path: out.to_path_buf(), source };
        if out.exists() {
            // Only now: until here the old directory was whole.
            std::fs::remove_dir_all(out).map_err(fail)?;
        }
        std::fs::rename(&self.dir, out).map_err(fail)
    }
}

impl Drop for Building {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}
