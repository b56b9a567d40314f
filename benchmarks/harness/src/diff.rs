//! `diff`: where two results, two logs or two runs part.
//!
//! What is told is the first difference: the event at which two logs part explains everything after it. Two results
//! part in what was run, or in a metric of an episode; where they came from (commit, metadata) is told apart and is no
//! difference of results. Runs are directories: their logs are compared first, then their results.

mod logs;
mod results;

use crate::BenchError;
use crate::results::MANIFEST_NAME;
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The first difference.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Difference {
    /// An event that went another way.
    Event {
        /// Line in both logs, from 1.
        line: u64,
        /// Episode of the run, from 0; of the first log, or of the second where the first has ended.
        episode: Value,
        /// Step of the episode, from 0.
        step: Value,
        /// Who acted.
        agent: Value,
        /// JSON pointer to the first field that differs; empty where one log has ended.
        field: String,
        /// Its value in the first log; null where it has none.
        first: Value,
        /// Its value in the second log.
        second: Value,
    },
    /// A metric of an episode.
    Metric {
        /// Seed of the episode.
        seed: Value,
        /// Name of the metric, with the path in it.
        name: String,
        /// Its value in the first file.
        first: Value,
        /// Its value in the second file.
        second: Value,
        /// Metrics of all episodes that differ, this one included [count].
        differing: u64,
    },
    /// What was run, or which episodes.
    Field {
        /// JSON pointer.
        field: String,
        /// Its value in the first file.
        first: Value,
        /// Its value in the second file.
        second: Value,
    },
    /// A file that only one of two runs has.
    Missing {
        /// Its name in the run.
        name: String,
        /// Whether the first run has it.
        in_first: bool,
    },
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let short = |value: &Value| shortened(&value.to_string());
        match self {
            Self::Event { line, episode, step, agent, field, first, second } => {
                let (episode, step, agent) = (short(episode), short(step), short(agent));
                write!(f, "line {line}, episode {episode}, step {step}, agent {agent}")?;
                if field.is_empty() {
                    let ended = if first.is_null() { "first" } else { "second" };
                    return write!(f, ": the {ended} log has ended");
                }
                write!(f, ": {} is {} in the first and {} in the second", printable(field), short(first), short(second))
            }
            Self::Metric { seed, name, first, second, differing } => {
                let (name, seed) = (printable(name), short(seed));
                write!(f, "seed {seed}: {name} is {} in the first and {} in the second", short(first), short(second))?;
                if *differing > 1 { write!(f, " ({differing} figures differ)") } else { Ok(()) }
            }
            Self::Field { field, first, second } => {
                write!(f, "{} is {} in the first and {} in the second", printable(field), short(first), short(second))
            }
            Self::Missing { name, in_first } => {
                write!(f, "{} is in the {} only", printable(name), if *in_first { "first" } else { "second" })
            }
        }
    }
}

/// What a comparison came to.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Comparison {
    /// Files compared [count].
    pub files: u64,
    /// Where they part; absent when they are the same.
    pub difference: Option<Difference>,
    /// The files that part, where runs are compared.
    pub within: Option<String>,
    /// What differs without being a difference of results: where they came from.
    pub notes: Vec<String>,
}

/// Compares two results files, two logs (`.jsonl`, `.framed` or `.parquet`, also two of different forms), or two run directories.
///
/// # Errors
/// [`BenchError::Read`] and [`BenchError::NotJson`] when a file cannot be read, [`BenchError::NotComparable`] when the
/// two are of different kinds, [`BenchError::NoResults`] when a directory holds neither logs nor results.
pub fn diff(first: &Path, second: &Path) -> Result<Comparison, BenchError> {
    let mut comparison = Comparison::default();
    match (Kind::of(first)?, Kind::of(second)?) {
        (Kind::Run, Kind::Run) => runs(first, second, &mut comparison)?,
        (Kind::Log, Kind::Log) | (Kind::Results, Kind::Results) => pair(first, second, &mut comparison)?,
        (a, b) => {
            let (first, second) = (first.to_path_buf(), second.to_path_buf());
            return Err(BenchError::NotComparable { first, first_is: a.name(), second, second_is: b.name() });
        }
    }
    Ok(comparison)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Run,
    Log,
    Results,
}

impl Kind {
    fn of(path: &Path) -> Result<Self, BenchError> {
        let meta = std::fs::metadata(path).map_err(|source| BenchError::Read { path: path.to_path_buf(), source })?;
        Ok(match path.extension().and_then(|extension| extension.to_str()) {
            _ if meta.is_dir() => Self::Run,
            Some("jsonl" | "ndjson" | "framed" | "parquet") => Self::Log,
            _ => Self::Results,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Run => "a directory",
            Self::Log => "a log",
            Self::Results => "a results file",
        }
    }
}

fn pair(first: &Path, second: &Path, comparison: &mut Comparison) -> Result<(), BenchError> {
    comparison.files += 1;
    if Kind::of(first)? == Kind::Log {
        comparison.difference = logs::first_difference(first, second)?;
    } else {
        comparison.difference = results::first_difference(first, second, &mut comparison.notes)?;
    }
    Ok(())
}

/// Whether a log is one in columns.
fn is_columnar(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "parquet")
}

/// Compares the files of two runs by name, logs before results, until one differs.
fn runs(first: &Path, second: &Path, comparison: &mut Comparison) -> Result<(), BenchError> {
    let (ours, theirs) = (contents(first)?, contents(second)?);
    for (dir, files) in [(first, &ours), (second, &theirs)] {
        if files.is_empty() {
            return Err(BenchError::NoResults { path: dir.to_path_buf(), skipped: Vec::new() });
        }
    }
    let names: BTreeSet<_> = ours.keys().chain(theirs.keys()).collect();
    for name in names {
        match (ours.get(name), theirs.get(name)) {
            (Some(ours), Some(theirs)) => pair(ours, theirs, comparison)?,
            (in_first, _) => {
                comparison.difference =
                    Some(Difference::Missing { name: name.1.clone(), in_first: in_first.is_some() });
            }
        }
        if comparison.difference.is_some() {
            comparison.within = Some(name.1.clone());
            break;
        }
    }
    Ok(())
}

/// Logs and results of a run, by (whether it is a results file, name in the run).
fn contents(dir: &Path) -> Result<BTreeMap<(bool, String), PathBuf>, BenchError> {
    let mut found = BTreeMap::new();
    let mut open = vec![dir.to_path_buf()];
    while let Some(inner) = open.pop() {
        let fail = |source| BenchError::Read { path: inner.clone(), source };
        for entry in std::fs::read_dir(&inner).map_err(fail)? {
            let entry = entry.map_err(fail)?;
            let path = entry.path();
            if entry.file_type().map_err(fail)?.is_dir() {
                open.push(path);
                continue;
            }
            let name = entry.file_name().to_string_lossy().into_owned();
            let is_results = name.ends_with(".json") && name != MANIFEST_NAME;
            let is_log = name.ends_with(".jsonl") || name.ends_with(".framed") || is_columnar(&path);
            if name.starts_with('.') || !(is_results || is_log) {
                continue;
            }
            // Other JSON files of a run have forms of their own.
            if is_results && !results::is_results(&path) {
                continue;
            }
            let within = path.strip_prefix(dir).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            found.insert((is_results, within), path);
        }
    }
    Ok(found)
}

/// The first place in code-point order where two values differ: pointer and both values there.
fn first_place(first: &Value, second: &Value) -> Option<(String, Value, Value)> {
    match (first, second) {
        (Value::Object(a), Value::Object(b)) => {
            let names: BTreeSet<_> = a.keys().chain(b.keys()).collect();
            names.into_iter().find_map(|name| match (a.get(name), b.get(name)) {
                (Some(a), Some(b)) => below(name, first_place(a, b)),
                (a, b) => Some((pointer(name), a.cloned().unwrap_or_default(), b.cloned().unwrap_or_default())),
            })
        }
        (Value::Array(a), Value::Array(b)) => (0..a.len().max(b.len())).find_map(|place| {
            let name = place.to_string();
            match (a.get(place), b.get(place)) {
                (Some(a), Some(b)) => below(&name, first_place(a, b)),
                (a, b) => Some((pointer(&name), a.cloned().unwrap_or_default(), b.cloned().unwrap_or_default())),
            }
        }),
        (a, b) if a == b => None,
        (a, b) => Some((String::new(), a.clone(), b.clone())),
    }
}

fn below(name: &str, found: Option<(String, Value, Value)>) -> Option<(String, Value, Value)> {
    found.map(|(rest, first, second)| (pointer(name) + &rest, first, second))
}

fn pointer(name: &str) -> String {
    format!("/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// A value that fits on a line of a terminal.
fn shortened(text: &str) -> String {
    const LONGEST: usize = 120;
    let mut short: String = printable(text).chars().take(LONGEST).collect();
    if text.chars().count() > LONGEST {
        short.push_str(" ...");
    }
    short
}

fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests;
