//! An episode as one document for the viewer: who did what in which step, where, and the rooms it happened in.

use crate::entry::Entry;
use crate::frames::LogLines;
use crate::lines::{self, Form, LogError};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

/// Zones in the order of the work, with their labels.
const ZONES: [(&str, &str); 10] = [
    ("Z_SRA_RECEPTION", "Reception"),
    ("Z_ACCESSIONING", "Accessioning"),
    ("Z_SORTING_LANES", "Sorting"),
    ("Z_PREANALYTICS", "Preanalytics"),
    ("Z_CENTRIFUGE_BAY", "Centrifuge"),
    ("Z_ALIQUOT_LABEL", "Aliquot"),
    ("Z_ANALYZER_HALL_A", "Analyzer A"),
    ("Z_ANALYZER_HALL_B", "Analyzer B"),
    ("Z_QC_SUPERVISOR", "QC"),
    ("Z_RESTRICTED_BIOHAZARD", "Restricted"),
];
/// Devices with the zones that they are in.
const DEVICES: [(&str, &str); 6] = [
    ("DEV_CENTRIFUGE_BANK_01", "Z_CENTRIFUGE_BAY"),
    ("DEV_ALIQUOTER_01", "Z_ALIQUOT_LABEL"),
    ("DEV_CHEM_A_01", "Z_ANALYZER_HALL_A"),
    ("DEV_CHEM_B_01", "Z_ANALYZER_HALL_B"),
    ("DEV_HAEM_01", "Z_ANALYZER_HALL_A"),
    ("DEV_COAG_01", "Z_ANALYZER_HALL_B"),
];
const STATUSES: [&str; 8] =
    ["arrived_at_reception", "accessioning", "accepted", "held", "rejected", "in_transit", "separated", "unknown"];

/// Why there is no document.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EpisodeBundleError {
    /// A log cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// There is none.
    #[error("{} has no log: neither episode_log.jsonl, nor logs/*.jsonl, log.jsonl, log.framed or episodes.jsonl with steps", .0.display())]
    NoLog(PathBuf),
    /// It has no such episode.
    #[error("{} has no episode {episode}", path.display())]
    NoEpisode {
        /// The log.
        path: PathBuf,
        /// Which.
        episode: u64,
    },
}

/// The log of a run, wherever the commands that make one put it.
///
/// # Errors
/// [`EpisodeBundleError::NoLog`].
pub fn find_log(run: &Path) -> Result<PathBuf, EpisodeBundleError> {
    let below = std::fs::read_dir(run.join("logs")).into_iter().flatten();
    let mut logs: Vec<PathBuf> = below.filter_map(|entry| Some(entry.ok()?.path())).collect();
    logs.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl" || extension == "framed"));
    logs.sort_unstable();
    let named = |name: &str| run.join(name);
    let candidates = [named("episode_log.jsonl")]
        .into_iter()
        .chain(logs)
        .chain(["log.jsonl", "log.framed", "episodes.jsonl"].map(named));
    let steps = |path: &PathBuf| {
        let lines = File::open(path).and_then(|file| LogLines::new(BufReader::new(file)));
        let first = lines.ok().and_then(|mut lines| lines.next()?.ok()).unwrap_or_default();
        Entry::parse(first).is_ok_and(|entry| entry.has("action_type"))
    };
    candidates.into_iter().find(steps).ok_or_else(|| EpisodeBundleError::NoLog(run.to_path_buf()))
}

/// Lines of a file by the step that they name.
fn by_step(path: &Path) -> Result<BTreeMap<u64, Value>, LogError> {
    let mut rows = BTreeMap::new();
    if path.is_file() {
        lines::read(path, Form::Any, |line| {
            if let Some(step) = line.entry.get("t_step").and_then(Value::as_u64) {
                rows.insert(step, Value::Object(line.entry.map().clone()));
            }
        })?;
    }
    Ok(rows)
}

/// The document of one episode of the run in a directory.
///
/// # Errors
/// [`EpisodeBundleError`].
pub fn build(run: &Path, episode: u64) -> Result<Value, EpisodeBundleError> {
    let log = find_log(run)?;
    let mut steps: BTreeMap<i64, Vec<Value>> = BTreeMap::new();
    let mut agents = BTreeSet::new();
    lines::read(&log, Form::Any, |line| {
        let entry: &Entry = &line.entry;
        // The summary of an episode is no step of it.
        if entry.episode() != episode || !entry.has("action_type") {
            return;
        }
        agents.extend(entry.text("agent_id").map(str::to_owned));
        steps.entry(entry.t_s()).or_default().push(Value::Object(entry.map().clone()));
    })?;
    if steps.is_empty() {
        return Err(EpisodeBundleError::NoEpisode { path: log, episode });
    }
    let traces = [
        ("method_trace", by_step(&run.join("METHOD_TRACE.jsonl"))?),
        ("coord_decision", by_step(&run.join("coord_decisions.jsonl"))?),
    ];
    let step = |(index, (t_s, entries)): (u64, (&i64, &Vec<Value>))| {
        let mut step = json!({ "stepIndex": index, "t_s": t_s, "entries": entries });
        for (key, rows) in &traces {
            if let Some(row) = rows.get(&index) {
                step[*key] = row.clone();
            }
        }
        step
    };
    let labels: Map<String, Value> = ZONES.iter().map(|(zone, label)| ((*zone).to_owned(), json!(label))).collect();
    let places: Map<String, Value> = DEVICES.iter().map(|(device, zone)| ((*device).to_owned(), json!(zone))).collect();
    let source = log.strip_prefix(run).unwrap_or(&log).display().to_string();
    Ok(json!({
        "version": "0.1",
        "lab_design": {
            "zones": ZONES.map(|(zone, _)| zone),
            "zone_labels": labels,
            "devices": DEVICES.map(|(device, _)| device),
            "device_zone": places,
            "specimen_status_order": STATUSES,
        },
        "agents": agents,
        "steps": (0..).zip(&steps).map(step).collect::<Vec<_>>(),
        // Relative to the run, so that the document does not depend on where it is.
        "meta": { "source_log": source, "source_run_dir": ".", "episode": episode },
    }))
}
