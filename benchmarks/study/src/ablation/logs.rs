//! Logs of conditions: all of it, or what an auditor asks for first.

use crate::StudyError;
use labtrust_bench::BenchError;
use labtrust_bench::files::AtomicFile;
use serde::Deserialize;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

/// What is looked at in a line.
#[derive(Deserialize)]
struct Line {
    episode: usize,
    status: String,
    #[serde(default)]
    violations: Vec<Finding>,
}

#[derive(Deserialize)]
struct Finding {
    status: String,
}

impl Line {
    /// A refusal or a violation.
    fn is_notable(&self) -> bool {
        self.status != "ACCEPTED" || self.violations.iter().any(|finding| finding.status != "PASS")
    }
}

/// How much of the log an episode has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Extent {
    /// Lines [count].
    pub(super) lines: u64,
    /// Their length [bytes].
    pub(super) bytes: u64,
}

/// Measures the log at `path`, and keeps only refusals and violations of it where that is asked for.
///
/// # Errors
/// [`StudyError`] for what cannot be read or written.
pub(super) fn measure(path: &Path, minimal: bool, episodes: usize) -> Result<Vec<Extent>, StudyError> {
    let mut extents = vec![Extent::default(); episodes];
    let mut reader = BufReader::new(File::open(path).map_err(StudyError::io(path))?);
    let mut kept = minimal.then(|| AtomicFile::create(path)).transpose()?;
    let mut line = Vec::new();
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line).map_err(StudyError::io(path))? == 0 {
            break;
        }
        let damaged = || BenchError::Damaged { path: path.to_path_buf(), length: line.len() as u64 };
        let read: Line = serde_json::from_slice(&line).map_err(|_| damaged())?;
        if minimal && !read.is_notable() {
            continue;
        }
        if let Some(extent) = extents.get_mut(read.episode) {
            extent.lines += 1;
            extent.bytes += line.len() as u64;
        }
        if let Some(kept) = &mut kept {
            kept.write(&line)?;
        }
    }
    if let Some(kept) = kept {
        kept.persist()?;
    }
    Ok(extents)
}
