//! A plan as a file.

use super::{Head, KIND, Plan, PlannedCell, VERSION, hash};
use crate::StudyError;
use labtrust_bench::files::write_whole_again;
use labtrust_bench::results::canonical_bytes;
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};

/// What a plan is called in a directory.
pub const NAME: &str = "plan.jsonl";

impl Plan {
    /// Where a plan is: the file, or `plan.jsonl` in the directory.
    #[must_use]
    pub fn file(path: &Path) -> PathBuf {
        if path.is_dir() { path.join(NAME) } else { path.to_path_buf() }
    }

    /// The bytes of the file.
    ///
    /// # Errors
    /// [`StudyError::Bench`] for a number that is not finite.
    pub fn bytes(&self) -> Result<Vec<u8>, StudyError> {
        let mut bytes = canonical_bytes(&self.head, "the head of the plan")?;
        bytes.push(b'\n');
        for cell in &self.cells {
            bytes.extend(canonical_bytes(cell, "a cell of the plan")?);
            bytes.push(b'\n');
        }
        Ok(bytes)
    }

    /// Writes it; the path of the file.
    ///
    /// # Errors
    /// [`StudyError::Bench`] naming the file.
    pub fn write(&self, path: &Path) -> Result<PathBuf, StudyError> {
        let path = Self::file(path);
        write_whole_again(&path, &self.bytes()?)?;
        Ok(path)
    }

    /// Reads a plan.
    ///
    /// # Errors
    /// [`StudyError::Plan`] with file and line for what is no plan, or is no longer the one that was made.
    pub fn read(path: &Path) -> Result<Self, StudyError> {
        let path = Self::file(path);
        let wrong = |line: Option<usize>, problem: String| StudyError::Plan { path: path.clone(), line, problem };
        let text = std::fs::read_to_string(&path).map_err(StudyError::io(&path))?;
        let mut lines = text.lines().enumerate();
        let first = lines.next().map_or("", |(_, line)| line);
        let head: Head = parse(first).map_err(|problem| wrong(Some(1), problem))?;
        if head.kind != KIND || head.version != VERSION {
            let problem = format!("it is {} {}, and this program reads {KIND} {VERSION}", head.kind, head.version);
            return Err(wrong(Some(1), problem));
        }
        let mut cells: Vec<PlannedCell> = Vec::with_capacity(head.cells.min(1 << 20));
        for (number, line) in lines {
            let at = Some(number + 1);
            let cell: PlannedCell = parse(line).map_err(|problem| wrong(at, problem))?;
            if cell.index != cells.len() {
                let problem = format!("it is cell {}, and its place is {}", cell.index, cells.len());
                return Err(wrong(at, problem));
            }
            if hash(&cell.config)? != cell.hash {
                return Err(wrong(at, format!("the hash of {} is not that of its configuration", cell.cell_id)));
            }
            cells.push(cell);
        }
        if cells.len() != head.cells {
            let problem = format!("it has {} cells, and says that they are {}", cells.len(), head.cells);
            return Err(wrong(None, problem));
        }
        Ok(Self { head, cells })
    }
}

fn parse<T: DeserializeOwned>(line: &str) -> Result<T, String> {
    serde_json::from_str(line).map_err(|error| format!("it is no line of a plan: {error}"))
}
