//! `validate-results`: whether a results file has the published shape, and whether its figures can be true.
//!
//! The shape is a JSON Schema, by the version that the file names. The sense is in [`sense`] (of the file) and in
//! [`figures`] (of an episode): every rule compares figures of the file with each other, so that it holds for files of
//! any program; a figure that a file does not have is not asked for. What a finding says is where it is and what to do.

mod figures;
mod sense;

use crate::BenchError;
use crate::summary::discover::{Candidate, candidates};
use labtrust_policy::{schema_complaints, schemas};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Something that is wrong with a results file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultsFinding {
    /// The file.
    pub file: PathBuf,
    /// JSON pointer to the place; empty for the whole file.
    pub pointer: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: String,
}

impl std::fmt::Display for ResultsFinding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}#{}: {}; {}", self.file.display(), self.pointer, self.message, self.hint)
    }
}

/// What was looked at and found.
#[derive(Debug, Clone, Default)]
pub struct ResultsCheck {
    /// Files that were checked [count].
    pub files: usize,
    /// In the order of the files, and of the places within a file.
    pub findings: Vec<ResultsFinding>,
}

/// A finding in the making: place, what is wrong, what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Complaint {
    pointer: String,
    message: String,
    hint: String,
}

impl Complaint {
    fn new(pointer: impl Into<String>, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), message: message.into(), hint: hint.into() }
    }
}

/// Checks the results files in `paths`; in a directory, those that `summarize-results` would read.
///
/// # Errors
/// [`BenchError::Read`] when a path is not there, [`BenchError::NoResults`] when no file was found. A file that cannot
/// be read is a finding.
pub fn validate_results(paths: &[PathBuf]) -> Result<ResultsCheck, BenchError> {
    let found = candidates(paths)?;
    let mut check = ResultsCheck::default();
    for Candidate { path, claims } in &found.files {
        let value = match read(path) {
            // What lies beside a run's manifest may be anything.
            Ok(value) if !claims && value.get("episodes").is_none() => continue,
            Ok(value) => value,
            Err(_) if !claims => continue,
            Err(message) => {
                check.files += 1;
                let hint = "write it again, or take it out of the directory".to_owned();
                check.findings.push(ResultsFinding { file: path.clone(), pointer: String::new(), message, hint });
                continue;
            }
        };
        check.files += 1;
        let complaints = match &value {
            Value::Array(list) => {
                list.iter().enumerate().flat_map(|(place, one)| within(place, complaints(one))).collect()
            }
            one => complaints(one),
        };
        let tell = |Complaint { pointer, message, hint }| ResultsFinding { file: path.clone(), pointer, message, hint };
        check.findings.extend(complaints.into_iter().map(tell));
    }
    if check.files == 0 {
        return Err(BenchError::NoResults { path: paths.first().cloned().unwrap_or_default(), skipped: Vec::new() });
    }
    Ok(check)
}

fn within(place: usize, complaints: Vec<Complaint>) -> Vec<Complaint> {
    let put = |complaint: Complaint| Complaint { pointer: format!("/{place}{}", complaint.pointer), ..complaint };
    complaints.into_iter().map(put).collect()
}

fn read(path: &Path) -> Result<Value, String> {
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    serde_json::from_slice(&bytes).map_err(|error| format!("it is not JSON: {error}"))
}

/// Everything that is wrong with one results object.
fn complaints(value: &Value) -> Vec<Complaint> {
    if !value.is_object() {
        return vec![Complaint::new("", "it is no results object", "name results files only")];
    }
    let version = value.get("schema_version").and_then(Value::as_str);
    let name = match version {
        Some("0.2") => "results.v0.2",
        Some("0.3") => "results.v0.3",
        _ => {
            let message =
                format!("schema version {} is not known", value.get("schema_version").unwrap_or(&Value::Null));
            return vec![Complaint::new("/schema_version", message, "0.2 and 0.3 are")];
        }
    };
    let Some((_, schema)) = schemas().find(|(known, _)| *known == name) else {
        unreachable!("{name} is compiled in");
    };
    let shape = schema_complaints(schema, value).unwrap_or_else(|reason| vec![format!(": {reason}")]);
    let mut all: Vec<Complaint> = shape
        .iter()
        .map(|complaint| {
            let (pointer, message) = complaint.split_once(": ").unwrap_or(("", complaint));
            Complaint::new(pointer, message, format!("`labtrust schema {name}` prints the shape"))
        })
        .collect();
    // Sense is asked of a file that has a shape: one wrong type would be told many times.
    if all.is_empty() {
        all = sense::complaints(value);
    }
    all
}

#[cfg(test)]
mod tests;
