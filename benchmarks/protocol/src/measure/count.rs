//! How much was written: lines of code and files of a submission.
//!
//! The Python counts are those of the protocol's published runs (a comment is a line that begins with `#`; a docstring is
//! code); the counts of every language come from `tokei`. Both look at the same files.

use crate::error::ProtocolError;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use tokei::{Config, LanguageType};

/// Directories that are not the submission's own work.
pub const EXCLUDED: [&str; 8] =
    [".git", ".venv", "venv", "__pycache__", ".pytest_cache", "node_modules", "outputs", "results"];

/// Lines of a file, or of several [lines].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Lines {
    /// All of them.
    pub total_lines: u64,
    /// Those that are neither comment nor blank.
    pub code_lines: u64,
    /// Those that are comment only.
    pub comment_lines: u64,
    /// Those with nothing but spaces.
    pub blank_lines: u64,
}

impl Lines {
    fn add(&mut self, other: Self) {
        self.total_lines += other.total_lines;
        self.code_lines += other.code_lines;
        self.comment_lines += other.comment_lines;
        self.blank_lines += other.blank_lines;
    }
}

/// Lines of one Python file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileLines {
    /// Its path below the submission's directory, with `/`.
    pub path: String,
    /// Its lines.
    #[serde(flatten)]
    pub lines: Lines,
}

/// Lines and files of one language.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct LanguageLines {
    /// Files of the language [count].
    pub file_count: u64,
    /// Their lines.
    #[serde(flatten)]
    pub lines: Lines,
}

/// Lines of code of a submission.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct LineCounts {
    /// Python files [count].
    pub python_file_count: u64,
    /// Their lines.
    #[serde(flatten)]
    pub python: Lines,
    /// Every Python file.
    pub files: Vec<FileLines>,
    /// Every language, Python too; here a docstring is a comment.
    pub languages: BTreeMap<String, LanguageLines>,
}

/// Files of a submission.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct FileCounts {
    /// All of them [count].
    pub file_count: u64,
    /// Their size [bytes].
    pub total_bytes: u64,
    /// How many there are of each ending, without the dot; `""` for those without one [count].
    pub by_extension: BTreeMap<String, u64>,
}

/// Counts lines and files below `dir`, without the directories in [`EXCLUDED`]. Links are not followed.
///
/// # Errors
/// [`ProtocolError::Read`] when a directory or a Python file cannot be read.
pub fn count(dir: &Path) -> Result<(LineCounts, FileCounts), ProtocolError> {
    let mut paths = Vec::new();
    walk(dir, &mut paths)?;
    let (mut lines, mut files) = (LineCounts::default(), FileCounts::default());
    let config = Config::default();
    for path in paths {
        let ending = path.extension().map(|ending| ending.to_string_lossy().into_owned()).unwrap_or_default();
        files.file_count += 1;
        files.total_bytes += path.metadata().map_or(0, |file| file.len());
        *files.by_extension.entry(ending.clone()).or_default() += 1;
        if ending == "py" {
            let bytes = std::fs::read(&path).map_err(|source| ProtocolError::Read { path: path.clone(), source })?;
            let found = python_lines(&String::from_utf8_lossy(&bytes));
            lines.python_file_count += 1;
            lines.python.add(found);
            let below = path.strip_prefix(dir).unwrap_or(&path);
            let parts: Vec<_> = below.components().map(|part| part.as_os_str().to_string_lossy()).collect();
            lines.files.push(FileLines { path: parts.join("/"), lines: found });
        }
        let Some(language) = LanguageType::from_path(&path, &config) else {
            continue;
        };
        // A file that is no text has no lines of code.
        if let Ok(report) = language.parse(path, &config) {
            let stats = report.stats.summarise();
            let found = lines.languages.entry(language.name().to_owned()).or_default();
            found.file_count += 1;
            found.lines.add(Lines {
                total_lines: stats.lines() as u64,
                code_lines: stats.code as u64,
                comment_lines: stats.comments as u64,
                blank_lines: stats.blanks as u64,
            });
        }
    }
    Ok((lines, files))
}

/// Files below `dir`, sorted within every directory.
fn walk(dir: &Path, files: &mut Vec<PathBuf>) -> Result<(), ProtocolError> {
    let fail = |source| ProtocolError::Read { path: dir.to_path_buf(), source };
    let mut entries: Vec<_> = std::fs::read_dir(dir).map_err(fail)?.collect::<Result<_, _>>().map_err(fail)?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let kind = entry.file_type().map_err(fail)?;
        let name = entry.file_name();
        if kind.is_dir() {
            if !EXCLUDED.iter().any(|excluded| name == *excluded) {
                walk(&entry.path(), files)?;
            }
        } else if kind.is_file() && !is_unfinished(&name.to_string_lossy()) {
            files.push(entry.path());
        }
    }
    Ok(())
}

/// Files of ours that have not got their name yet.
fn is_unfinished(name: &str) -> bool {
    name.starts_with('.') && name.ends_with(".partial")
}

fn python_lines(text: &str) -> Lines {
    let mut found = Lines::default();
    for line in text.lines().map(str::trim) {
        found.total_lines += 1;
        match line.as_bytes().first() {
            None => found.blank_lines += 1,
            Some(b'#') => found.comment_lines += 1,
            Some(_) => found.code_lines += 1,
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_is_the_submissions_own_work() {
        let dir = tempfile::tempdir().unwrap();
        let put = |path: &str, text: &[u8]| {
            let path = dir.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        put("run.py", b"# one\n\nimport os\n  # two\n\"\"\"doc\"\"\"\nx = 1  # code\n");
        put("src/model.py", b"x = '\xff'\n\t\n");
        put("src/lib.rs", b"// c\nfn main() {}\n");
        put("README", b"text");
        for excluded in EXCLUDED {
            put(&format!("{excluded}/far/away.py"), b"x = 1\n");
        }
        put("src/results_of/ours.py", b"y = 1\n");
        #[cfg(unix)]
        std::os::unix::fs::symlink(dir.path(), dir.path().join("again")).unwrap();
        let (lines, files) = count(dir.path()).unwrap();
        assert_eq!(lines.python_file_count, 3);
        let expected = Lines { total_lines: 9, code_lines: 5, comment_lines: 2, blank_lines: 2 };
        assert_eq!(lines.python, expected);
        let paths: Vec<_> = lines.files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(paths, ["run.py", "src/model.py", "src/results_of/ours.py"]);
        assert_eq!(lines.languages["Rust"].lines.code_lines, 1);
        assert_eq!(lines.languages["Python"].file_count, 3);
        assert_eq!((files.file_count, files.by_extension["py"], files.by_extension[""]), (5, 3, 1));
    }
}
