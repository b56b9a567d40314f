//! Results as they are read for a summary: ours, the reference's, and those that others write.

use crate::BenchError;
use crate::results::MANIFEST_NAME;
use crate::summary::discover::{Candidate, candidates};
use labtrust_contract::RunManifest;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// Who acted, where a file does not say.
const DEFAULT_BASELINE: &str = "scripted_ops_v1";

/// One results object.
#[derive(Debug, Clone)]
pub(super) struct Document {
    /// The file it is in.
    pub(super) path: PathBuf,
    pub(super) task: String,
    pub(super) baseline: String,
    pub(super) partner: String,
    pub(super) episodes: Vec<Episode>,
    pub(super) metadata: Map<String, Value>,
    /// What was run: two documents that agree in it and in a seed are the same episode.
    pub(super) setting: Value,
    /// Whether a second run may give other metrics.
    pub(super) non_deterministic: bool,
    /// Wall time and rate of the run, from its manifest; only where the manifest is that of this very file.
    pub(super) manifest: Option<RunManifest>,
}

impl Document {
    /// What was configured; null where the file does not say.
    pub(super) fn config(&self) -> &Value {
        self.setting.get("config").unwrap_or(&Value::Null)
    }
}

/// One episode of it.
#[derive(Debug, Clone)]
pub(super) struct Episode {
    pub(super) seed: Option<i128>,
    pub(super) metrics: Map<String, Value>,
}

/// What was found.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) documents: Vec<Document>,
    /// A sentence for every file that was left out.
    pub(super) warnings: Vec<String>,
}

/// Reads what lies in `paths`.
///
/// # Errors
/// [`BenchError::Read`] when a path is not there. A file in a directory that cannot be used is a warning.
pub(super) fn load(paths: &[PathBuf]) -> Result<Loaded, BenchError> {
    let found = candidates(paths)?;
    let mut loaded = Loaded { documents: Vec::new(), warnings: Vec::new() };
    for path in &found.repeated {
        loaded.warnings.push(format!("{} was named more than once and is counted once", path.display()));
    }
    for Candidate { path, claims } in &found.files {
        match read(path) {
            Ok(documents) => loaded.documents.extend(documents),
            Err(reason) if *claims => loaded.warnings.push(format!("skipped {}: {reason}", path.display())),
            Err(_) => {}
        }
    }
    Ok(loaded)
}

fn read(path: &Path) -> Result<Vec<Document>, String> {
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    let value: Value = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
    match value {
        Value::Array(list) if list.is_empty() => Err("it is an empty list".to_owned()),
        Value::Array(list) => {
            let parse = |(place, value)| document(path, value).map_err(|reason| format!("entry {place}: {reason}"));
            list.into_iter().enumerate().map(parse).collect()
        }
        one => {
            let mut document = document(path, one)?;
            document.manifest = manifest_of(path, &bytes);
            Ok(vec![document])
        }
    }
}

/// Reads an object as leniently as the published format allows: `task` and `episodes` are needed.
fn document(path: &Path, value: Value) -> Result<Document, String> {
    let Value::Object(mut map) = value else { return Err("it is no results object".to_owned()) };
    let text = |map: &Map<String, Value>, name: &str| map.get(name).and_then(Value::as_str).map(str::to_owned);
    let Some(task) = text(&map, "task") else { return Err("it has no `task`".to_owned()) };
    let Some(Value::Array(records)) = map.remove("episodes") else { return Err("it has no `episodes`".to_owned()) };
    let mut episodes = Vec::with_capacity(records.len());
    for (place, record) in records.into_iter().enumerate() {
        let Value::Object(mut record) = record else { return Err(format!("/episodes/{place} is no object")) };
        let Some(Value::Object(metrics)) = record.remove("metrics") else {
            return Err(format!("/episodes/{place} has no `metrics`"));
        };
        let whole = |seed: &Value| seed.as_i64().map(i128::from).or_else(|| seed.as_u64().map(i128::from));
        episodes.push(Episode { seed: record.get("seed").and_then(whole), metrics });
    }
    let known = [
        "config",
        "policy_fingerprint",
        "tool_registry_fingerprint",
        "pipeline_mode",
        "llm_backend_id",
        "llm_model_id",
    ];
    let setting = known.into_iter().filter_map(|name| map.get(name).map(|value| (name.to_owned(), value.clone())));
    Ok(Document {
        path: path.to_path_buf(),
        task,
        baseline: text(&map, "agent_baseline_id").unwrap_or_else(|| DEFAULT_BASELINE.to_owned()),
        partner: text(&map, "partner_id").unwrap_or_default(),
        episodes,
        setting: Value::Object(setting.collect()),
        non_deterministic: map.get("non_deterministic").and_then(Value::as_bool).unwrap_or(false),
        metadata: match map.remove("metadata") {
            Some(Value::Object(metadata)) => metadata,
            _ => Map::new(),
        },
        manifest: None,
    })
}

/// The manifest beside a results file, if it is this file's and of no other results: its wall time is then the file's.
fn manifest_of(path: &Path, bytes: &[u8]) -> Option<RunManifest> {
    let text = std::fs::read(path.with_file_name(MANIFEST_NAME)).ok()?;
    let manifest: RunManifest = serde_json::from_slice(&text).ok()?;
    let name = path.file_name()?.to_str()?;
    let digest = crate::files::hex(&Sha256::digest(bytes));
    let only = manifest.outputs.keys().all(|output| output == name || !output.ends_with(".json"));
    (only && manifest.outputs.get(name) == Some(&digest)).then_some(manifest)
}
