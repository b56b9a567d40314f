//! The files of a pack, read again. What is missing, empty or cannot be read is an error, never a pass.

use super::gate::{Row, Verdict};
use super::outputs;
use crate::AssuranceError;
use std::path::{Path, PathBuf};

/// A row of `pack_gate.md`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GateRow {
    /// Size.
    pub scale_id: String,
    /// Method.
    pub method_id: String,
    /// Injection.
    pub injection_id: String,
    /// The verdict.
    pub verdict: Verdict,
    /// Why.
    pub rationale: String,
}

pub(super) fn text_of(path: &Path) -> Result<String, AssuranceError> {
    std::fs::read_to_string(path).map_err(|source| AssuranceError::Read { path: PathBuf::from(path), source })
}

pub(super) fn invalid(path: &Path, place: impl Into<String>, problem: impl Into<String>) -> AssuranceError {
    AssuranceError::Invalid { file: path.display().to_string(), place: place.into(), problem: problem.into() }
}

/// The rows of a gate that stand in a text, none where it has no table.
///
/// # Errors
/// Place and problem of a row that is cut, and of a verdict that there is not.
pub fn parse_gate(text: &str) -> Result<Vec<GateRow>, (String, String)> {
    let mut rows = Vec::new();
    let table = text.lines().enumerate().filter(|(_, line)| line.trim_start().starts_with('|'));
    for (number, line) in table {
        let cells: Vec<&str> = line.trim().trim_matches('|').split('|').map(str::trim).collect();
        let is_rule = cells.iter().all(|cell| !cell.is_empty() && cell.chars().all(|c| c == '-' || c == ':'));
        if is_rule || cells.first() == Some(&"scale_id") {
            continue;
        }
        let place = format!("line {}", number + 1);
        let [scale_id, method_id, injection_id, verdict, rest @ ..] = cells.as_slice() else {
            return Err((place, "a row has a size, a method, an injection, a verdict and a rationale".to_owned()));
        };
        let Some(verdict) = Verdict::of_word(verdict) else {
            return Err((place, format!("there is no verdict {verdict:?}")));
        };
        rows.push(GateRow {
            scale_id: (*scale_id).to_owned(),
            method_id: (*method_id).to_owned(),
            injection_id: (*injection_id).to_owned(),
            verdict,
            rationale: rest.join(" | "),
        });
    }
    Ok(rows)
}

/// The rows of the gate in a directory of a pack.
///
/// # Errors
/// [`AssuranceError::Read`] without the file; [`AssuranceError::Invalid`] for a table without rows, a row that is cut, and a verdict
/// that there is not.
pub fn gate_rows(run: &Path) -> Result<Vec<GateRow>, AssuranceError> {
    let path = run.join(outputs::GATE);
    let rows = parse_gate(&text_of(&path)?).map_err(|(place, problem)| invalid(&path, place, problem))?;
    if rows.is_empty() {
        Err(invalid(&path, "the table", "there is no row in it: nothing was tried"))
    } else {
        Ok(rows)
    }
}

/// A table with a head: numbers are numbers, what is empty is null.
///
/// # Errors
/// [`AssuranceError::Read`], [`AssuranceError::Invalid`] for a file that is no table or has no row.
pub fn rows(path: &Path) -> Result<(Vec<String>, Vec<Row>), AssuranceError> {
    Ok(labtrust_comparison::table::rows(path)?)
}

/// The table of a pack that people look at, with a name of what it was made of: the risk matrix, else the rows of figures.
///
/// # Errors
/// As [`rows`], of the last of them.
pub fn results(run: &Path) -> Result<(&'static str, Vec<String>, Vec<Row>), AssuranceError> {
    let name = if run.join(outputs::MATRIX_CSV).is_file() { outputs::MATRIX_CSV } else { outputs::SUMMARY };
    let (head, rows) = rows(&run.join(name))?;
    Ok((name, head, rows))
}
