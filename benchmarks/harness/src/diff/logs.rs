//! Two logs, line by line.

use super::{Difference, first_place, is_columnar};
use crate::BenchError;
use crate::log::columnar::RecordLines;
use labtrust_evidence::frames::LogLines;
use serde_json::Value;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

/// The first line that says something else. Lines are read one at a time: a log may be larger than memory.
pub(super) fn first_difference(first: &Path, second: &Path) -> Result<Option<Difference>, BenchError> {
    let (mut ours, mut theirs) = (Lines::open(first)?, Lines::open(second)?);
    let mut line = 0;
    loop {
        line += 1;
        let (a, b) = (ours.next()?, theirs.next()?);
        if a == b {
            if a.is_none() {
                return Ok(None);
            }
            continue;
        }
        let a = a.map(|bytes| ours.parse(bytes, line)).transpose()?;
        let b = b.map(|bytes| theirs.parse(bytes, line)).transpose()?;
        let (field, first, second) = match (&a, &b) {
            (Some(a), Some(b)) => match first_place(a, b) {
                Some(place) => place,
                // Written in another way, and the same.
                None => continue,
            },
            _ => (String::new(), a.clone().unwrap_or_default(), b.clone().unwrap_or_default()),
        };
        let record = a.as_ref().or(b.as_ref()).unwrap_or(&Value::Null);
        let known = |name: &str| record.get(name).cloned().unwrap_or_default();
        let (episode, step, agent) = (known("episode"), known("step"), known("agent_id"));
        return Ok(Some(Difference::Event { line, episode, step, agent, field, first, second }));
    }
}

struct Lines<'a> {
    path: &'a Path,
    source: Source,
}

/// Where the lines are.
enum Source {
    Text(LogLines<BufReader<File>>),
    Columns(Box<RecordLines>),
}

impl<'a> Lines<'a> {
    fn open(path: &'a Path) -> Result<Self, BenchError> {
        let source = if is_columnar(path) {
            Source::Columns(Box::new(RecordLines::open(path)?))
        } else {
            let lines = File::open(path).and_then(|file| LogLines::new(BufReader::with_capacity(1 << 16, file)));
            Source::Text(lines.map_err(|source| BenchError::Read { path: path.to_path_buf(), source })?)
        };
        Ok(Self { path, source })
    }

    /// The next line without its end; `None` after the last.
    fn next(&mut self) -> Result<Option<Vec<u8>>, BenchError> {
        let file = match &mut self.source {
            Source::Columns(lines) => return lines.next_line(),
            Source::Text(file) => file,
        };
        file.next().transpose().map_err(|source| BenchError::Read { path: self.path.to_path_buf(), source })
    }

    fn parse(&self, line: Vec<u8>, number: u64) -> Result<Value, BenchError> {
        serde_json::from_slice(&line).map_err(|error| BenchError::NotJson {
            path: self.path.to_path_buf(),
            message: format!("line {number}: {error}"),
        })
    }
}
