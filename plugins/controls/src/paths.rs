//! Names and ways inside a directory, from text that somebody else chose.

use std::path::{Path, PathBuf};

/// Why a path is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PathError {
    /// The text is no path inside a directory.
    #[error("{path:?} is no path inside a directory: {why}")]
    Unsafe {
        /// The text.
        path: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A link leads out of the directory.
    #[error("{path:?} leads out of {base:?}")]
    Escapes {
        /// The text.
        path: String,
        /// The directory.
        base: PathBuf,
    },
    /// The file system did not answer.
    #[error("cannot look at {path:?}")]
    Read {
        /// What was looked at.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
}

/// Whether `name` is one name of a file or directory, and neither a way nor a special name.
///
/// # Errors
/// [`PathError::Unsafe`].
pub fn safe_component(name: &str) -> Result<&str, PathError> {
    let why = if name.is_empty() {
        "it is empty"
    } else if name == "." || name == ".." {
        "it stands for another directory"
    } else if name.contains(['/', '\\']) {
        "it is more than one name"
    } else if name.contains(|c: char| c.is_control()) {
        "it has control characters"
    } else if has_drive(name) {
        "it begins with a drive"
    } else {
        return Ok(name);
    };
    Err(PathError::Unsafe { path: name.to_owned(), why })
}

fn has_drive(name: &str) -> bool {
    let mut letters = name.chars();
    letters.next().is_some_and(|first| first.is_ascii_alphabetic()) && letters.next() == Some(':')
}

/// `path` below `base`, by its text alone. Two points inside a name are part of the name.
///
/// # Errors
/// [`PathError::Unsafe`]: an absolute path, a drive, a step up, an empty step, a control character.
pub fn join_within(base: &Path, path: &str) -> Result<PathBuf, PathError> {
    let mut joined = base.to_path_buf();
    if path.starts_with(['/', '\\']) {
        return Err(PathError::Unsafe { path: path.to_owned(), why: "it is absolute" });
    }
    for name in path.split(['/', '\\']) {
        let name = safe_component(name).map_err(|error| match error {
            PathError::Unsafe { why, .. } => PathError::Unsafe { path: path.to_owned(), why },
            other => other,
        })?;
        joined.push(name);
    }
    Ok(joined)
}

/// `path` below `base`, which exists, with links followed: what of it exists lies in `base`.
///
/// Between asking and using, links can change; who lets others write into `base` opens files by handles of directories.
///
/// # Errors
/// As [`join_within`]; [`PathError::Escapes`]; [`PathError::Read`].
pub fn resolve_within(base: &Path, path: &str) -> Result<PathBuf, PathError> {
    let joined = join_within(base, path)?;
    let real = |path: &Path| path.canonicalize().map_err(|source| PathError::Read { path: path.to_owned(), source });
    let base = real(base)?;
    let escapes = || PathError::Escapes { path: path.to_owned(), base: base.clone() };
    for part in joined.ancestors() {
        match part.symlink_metadata() {
            Ok(_) => {
                // A link that leads nowhere cannot be told to stay inside.
                let real = part.canonicalize().map_err(|_| escapes())?;
                return if real.starts_with(&base) { Ok(joined) } else { Err(escapes()) };
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(source) => return Err(PathError::Read { path: part.to_owned(), source }),
        }
    }
    Err(escapes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ways_out_are_refused_and_points_in_names_are_not() {
        let base = Path::new("runs");
        for path in [
            "",
            "/etc/passwd",
            "..",
            "a/../b",
            "a//b",
            "a/",
            "./a",
            "C:\\x",
            "c:x",
            "\\\\host\\x",
            "a\\..\\b",
            "a\0b",
            "a\nb",
        ] {
            assert!(matches!(join_within(base, path), Err(PathError::Unsafe { .. })), "{path:?}");
        }
        for path in ["a", "a/b.json", "a..b", "..a/b..", "...", "é"] {
            assert_eq!(join_within(base, path).unwrap(), base.join(path), "{path:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_that_leads_out_is_refused_also_when_what_follows_does_not_exist() {
        let dir = tempfile::tempdir().unwrap();
        let base = dir.path().join("base");
        std::fs::create_dir_all(base.join("in")).unwrap();
        std::os::unix::fs::symlink(dir.path(), base.join("out")).unwrap();
        std::os::unix::fs::symlink("in", base.join("near")).unwrap();
        std::os::unix::fs::symlink("/nowhere/at/all", base.join("dangling")).unwrap();
        for path in ["out", "out/new.json", "out/deep/new.json", "dangling", "dangling/new.json"] {
            assert!(matches!(resolve_within(&base, path), Err(PathError::Escapes { .. })), "{path}");
        }
        for path in ["in", "in/new.json", "near/new.json", "new/deep.json"] {
            assert_eq!(resolve_within(&base, path).unwrap(), base.join(path), "{path}");
        }
        assert!(matches!(resolve_within(&dir.path().join("gone"), "a"), Err(PathError::Read { .. })));
    }

    proptest! {
        #[test]
        fn whatever_is_joined_stays_below_its_base(path in "[a./\\\\:]{0,12}") {
            if let Ok(joined) = join_within(Path::new("/base"), &path) {
                prop_assert!(joined.starts_with("/base") && joined != Path::new("/base"));
                prop_assert!(joined.components().all(|part| part != std::path::Component::ParentDir));
            }
        }
    }
}
