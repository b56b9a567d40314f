//! Where results files are: the files named, and those that lie in the directories named.

use crate::BenchError;
use crate::results::MANIFEST_NAME;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Files that may hold results, and what is known of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Candidates {
    /// In the order of the paths given, and by path within a directory; no file twice.
    pub(crate) files: Vec<Candidate>,
    /// Files that were named twice, by whatever path.
    pub(crate) repeated: Vec<PathBuf>,
}

/// A file that may hold results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) path: PathBuf,
    /// Whether it claims to be one: it was named, is called `results...`, or lies in a directory `results`. The other
    /// JSON files of a run directory may be something else, and nothing is said of them.
    pub(crate) claims: bool,
}

/// Looks through `paths`. In a directory these are results: every `results*.json` below it, every `*.json` directly in
/// a directory named `results` (the one given included), and every `*.json` beside a run manifest. Links to directories
/// are not followed.
///
/// # Errors
/// [`BenchError::Read`] when a path is not there or a directory cannot be read.
pub(crate) fn candidates(paths: &[PathBuf]) -> Result<Candidates, BenchError> {
    let mut found = Candidates::default();
    let mut known = BTreeSet::new();
    for path in paths {
        let meta = std::fs::metadata(path).map_err(|source| BenchError::Read { path: path.clone(), source })?;
        let mut files = Vec::new();
        if meta.is_dir() {
            collect(path, &mut files)?;
            // The operating system's order of directory entries is its own.
            files.sort_by(|a, b| a.path.cmp(&b.path));
        } else {
            files.push(Candidate { path: path.clone(), claims: true });
        }
        for file in files {
            let real = file.path.canonicalize().unwrap_or_else(|_| file.path.clone());
            if known.insert(real) {
                found.files.push(file);
            } else {
                found.repeated.push(file.path);
            }
        }
    }
    Ok(found)
}

fn collect(dir: &Path, files: &mut Vec<Candidate>) -> Result<(), BenchError> {
    let fail = |source| BenchError::Read { path: dir.to_path_buf(), source };
    // `.` has a name too.
    let real = dir.canonicalize().map_err(fail)?;
    let in_results = real.file_name().is_some_and(|name| name == "results");
    let beside_manifest = dir.join(MANIFEST_NAME).is_file();
    for entry in std::fs::read_dir(dir).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        let path = entry.path();
        if entry.file_type().map_err(fail)?.is_dir() {
            collect(&path, files)?;
            continue;
        }
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if !name.ends_with(".json") || name.starts_with('.') || name == MANIFEST_NAME {
            continue;
        }
        let claims = in_results || name.starts_with("results");
        if claims || beside_manifest {
            files.push(Candidate { path, claims });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(dir: &Path, paths: &[&str]) -> Vec<String> {
        let paths: Vec<_> = paths.iter().map(|path| dir.join(path)).collect();
        let found = candidates(&paths).unwrap();
        let short = |file: &Candidate| file.path.strip_prefix(dir).unwrap().to_string_lossy().into_owned();
        found.files.iter().map(short).collect()
    }

    #[test]
    fn results_are_found_by_name_by_directory_and_beside_a_manifest() {
        let dir = tempfile::tempdir().unwrap();
        for name in [
            "results.json",
            "notes.json",
            "a/results_2.json",
            "a/other.json",
            "results/x.json",
            "results/deep/y.json",
            "results/run_manifest.json",
            "run/task.json",
            "run/run_manifest.json",
            "run/logs/log.jsonl",
            ".results.json.partial",
        ] {
            crate::files::write_whole(&dir.path().join(name), b"{}").unwrap();
        }
        assert_eq!(names(dir.path(), &["."]), ["a/results_2.json", "results/x.json", "results.json", "run/task.json"]);
        assert_eq!(names(dir.path(), &["results"]), ["results/x.json"], "the directory itself counts");
        assert_eq!(names(dir.path(), &["notes.json", "a"]), ["notes.json", "a/results_2.json"]);
    }

    #[test]
    fn a_file_that_is_named_twice_is_read_once_and_told() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("results/x.json");
        crate::files::write_whole(&file, b"{}").unwrap();
        let found = candidates(&[dir.path().to_path_buf(), file.clone()]).unwrap();
        assert_eq!((found.files.len(), found.repeated), (1, vec![file]));
    }

    #[test]
    fn a_path_that_is_not_there_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let error = candidates(&[dir.path().join("none")]).unwrap_err();
        assert!(error.to_string().contains("none"), "{error}");
    }
}
