//! Reading a policy directory into memory, once, with limits.
//!
//! The directory is read completely when it is opened, so that an episode does not change its rules when
//! somebody edits a file while it runs.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::PolicyError;

/// Largest policy file that is read [bytes]. The largest file of the built-in policy has about 60 KiB.
pub(crate) const MAX_FILE_BYTES: u64 = 4 << 20;
/// Most files that a policy directory may hold [count].
const MAX_FILES: usize = 5_000;
/// Most bytes that all files of a policy directory may have together [bytes].
const MAX_TOTAL_BYTES: u64 = 64 << 20;
/// Deepest nesting of directories [count].
const MAX_DEPTH: usize = 12;

/// A file as it was found: its text, or why it has none. The reason is reported when somebody asks for the file.
pub(crate) type Content = Result<Arc<str>, String>;

/// Reads every YAML and JSON file below `root`. Keys are relative paths with `/`.
///
/// Hidden files and directories are left out. Symbolic links are followed (mounted configuration often consists
/// of them); a directory that contains itself through a link is read once.
///
/// # Errors
/// [`PolicyError::Read`] when a directory cannot be listed, [`PolicyError::TooLarge`] beyond the limits.
pub(crate) fn read(root: &Path) -> Result<BTreeMap<String, Content>, PolicyError> {
    let mut reader = Reader { root, files: BTreeMap::new(), bytes: 0, ancestors: Vec::new() };
    reader.directory(root, "")?;
    Ok(reader.files)
}

/// The text of one file, within the limits.
pub(crate) fn content(path: &Path) -> Content {
    match fs::metadata(path) {
        Err(error) => Err(format!("cannot be read: {error}")),
        // A pipe or a device would block or never end.
        Ok(meta) if !meta.is_file() => Err("is not a regular file".to_owned()),
        Ok(meta) if meta.len() > MAX_FILE_BYTES => Err(format!("has {} KiB", meta.len() / 1024)),
        Ok(_) => fs::read(path).map_err(|error| format!("cannot be read: {error}")).and_then(|bytes| {
            let text = String::from_utf8(bytes)
                .map_err(|error| format!("is not UTF-8 text (byte {})", error.utf8_error().valid_up_to()))?;
            // Editors on some systems put a byte order mark in front of the text.
            Ok(Arc::from(text.strip_prefix('\u{feff}').unwrap_or(&text)))
        }),
    }
}

struct Reader<'r> {
    root: &'r Path,
    files: BTreeMap<String, Content>,
    bytes: u64,
    /// Real paths of the directories that are being read, outermost first.
    ancestors: Vec<PathBuf>,
}

impl Reader<'_> {
    fn directory(&mut self, dir: &Path, prefix: &str) -> Result<(), PolicyError> {
        let unreadable = |source| PolicyError::Read { path: dir.to_path_buf(), source };
        let real = dir.canonicalize().map_err(unreadable)?;
        if self.ancestors.contains(&real) {
            // Its files are in the store already, under their shorter names.
            return Ok(());
        }
        if self.ancestors.len() >= MAX_DEPTH {
            return Err(self.too_large(format!("directories nested deeper than {MAX_DEPTH}")));
        }
        self.ancestors.push(real);
        let mut entries = fs::read_dir(dir).map_err(unreadable)?.collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
        // The order of the directory must not decide which file hits a limit first.
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let path = entry.path();
            let name = entry.file_name();
            // A name that is not Unicode cannot be one that a reader asks for.
            let Some(name) = name.to_str().filter(|name| !name.starts_with('.')) else { continue };
            let relative = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") };
            if path.is_dir() {
                self.directory(&path, &relative)?;
            } else if matches!(path.extension().and_then(|e| e.to_str()), Some("yaml" | "yml" | "json")) {
                self.file(&path, relative)?;
            }
        }
        self.ancestors.pop();
        Ok(())
    }

    fn file(&mut self, path: &Path, relative: String) -> Result<(), PolicyError> {
        let content = content(path);
        self.bytes += content.as_ref().map_or(0, |text| text.len() as u64);
        self.files.insert(relative, content);
        if self.files.len() > MAX_FILES {
            return Err(self.too_large(format!("more than {MAX_FILES} YAML and JSON files")));
        }
        if self.bytes > MAX_TOTAL_BYTES {
            return Err(self.too_large(format!("more than {} MiB of YAML and JSON", MAX_TOTAL_BYTES >> 20)));
        }
        Ok(())
    }

    fn too_large(&self, problem: String) -> PolicyError {
        PolicyError::TooLarge { path: self.root.to_path_buf(), problem }
    }
}
