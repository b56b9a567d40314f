//! What a viewer loads of a run: index, events, receipts and reason codes in one archive.
//!
//! Every run is recognised by what it has: results with logs beside them (`run-benchmark`), results by task with `logs/`
//! (`quick-eval`), `_repr/<task>` with `receipts/<task>` (a release), `results/<id>` with `logs/<id>` (a study), `baselines/` with
//! `SECURITY/` or `SAFETY_CASE/` (a full pipeline). Every event belongs to one episode, and the summary of an episode is no
//! event, unless there is no log: then it is the only one.

use crate::export::BUNDLE;
use crate::lines::{self, Form, LogError};
use crate::release::pretty;
use crate::zip::archive;
use labtrust_policy::{PolicyError, PolicyStore};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The registry of reason codes in a policy.
const CODES: &str = "reason_codes/reason_code_registry.v0.1.yaml";
/// Reports about coordination that are taken along where they are, at the root of a run or in `coordination_pack/`.
const COORDINATION: [(&str, &str); 11] = [
    ("pack_summary.csv", "Pack summary"),
    ("pack_gate.md", "Pack gate"),
    ("SECURITY/coordination_risk_matrix.csv", "Coordination risk matrix (CSV)"),
    ("SECURITY/coordination_risk_matrix.md", "Coordination risk matrix (MD)"),
    ("LAB_COORDINATION_REPORT.md", "Lab coordination report"),
    ("COORDINATION_DECISION.v0.1.json", "Coordination decision (JSON)"),
    ("COORDINATION_DECISION.md", "Coordination decision (MD)"),
    ("summary/sota_leaderboard.md", "SOTA leaderboard"),
    ("summary/sota_leaderboard_full.md", "SOTA leaderboard (full metrics)"),
    ("summary/sota_leaderboard_full.csv", "SOTA leaderboard full CSV"),
    ("summary/method_class_comparison.md", "Method class comparison"),
];
/// Fields of an event, as the log has them.
const FIELDS: [&str; 9] = [
    "t_s",
    "agent_id",
    "action_type",
    "status",
    "blocked_reason_code",
    "emits",
    "violations",
    "token_consumed",
    "event_id",
];

/// What a coordination method decided, beside a log.
const DECISIONS: &str = "coord_decisions.jsonl";
const FULL_PIPELINE: &str = "full_pipeline";
const NO_RECEIPTS: &str = "A full pipeline keeps no receipts; a release does.";

/// Why there is no archive.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UiError {
    /// Nothing in the directory is a run.
    #[error("{} is no run: it has no results with a log", .0.display())]
    NoRun(PathBuf),
    /// A log cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A file cannot be used.
    #[error("{}: {problem}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// The policy cannot be read.
    #[error(transparent)]
    Policy(#[from] PolicyError),
}

/// One task of a run.
struct Part {
    /// Relative to the run.
    results: String,
    log: Option<String>,
    receipts: Option<String>,
}

/// The archive, and how many episodes and events are in it.
#[derive(Debug)]
pub struct Exported {
    /// The bytes of the archive.
    pub archive: Vec<u8>,
    /// Which kind of run it was.
    pub run_type: &'static str,
    /// [count]
    pub episodes: usize,
    /// [count]
    pub events: usize,
}

/// Names in a directory, in order.
fn names(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).into_iter().flatten();
    let mut names: Vec<String> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.sort_unstable();
    names
}

fn detect(run: &Path) -> (&'static str, Vec<Part>) {
    let there = |path: String| run.join(&path).is_file().then_some(path);
    let bundle = |label: &str| {
        let path = format!("receipts/{label}");
        run.join(&path).join(BUNDLE).is_dir().then_some(path)
    };
    let by_label = |base: &str, logs: &dyn Fn(&str) -> Vec<String>| {
        let part = |label: &String| {
            let results = there(format!("{base}/{label}/results.json"))?;
            let log = logs(label).into_iter().find_map(&there);
            Some(Part { results, log, receipts: bundle(label) })
        };
        names(&run.join(base)).iter().filter_map(part).collect::<Vec<_>>()
    };
    let is_dir = |name: &str| run.join(name).is_dir();
    if is_dir("baselines") && (is_dir("SECURITY") || is_dir("SAFETY_CASE")) {
        let base = if is_dir("baselines/results") { "baselines/results" } else { "baselines" };
        let part = |name: &String| {
            let label = name.strip_suffix(".json")?;
            let log = there(format!("baselines/logs/{label}.jsonl"));
            Some(Part { results: format!("{base}/{name}"), log, receipts: None })
        };
        return (FULL_PIPELINE, names(&run.join(base)).iter().filter_map(part).collect());
    }
    if run.join("_repr").is_dir() {
        return ("package_release", by_label("_repr", &|label| vec![format!("_repr/{label}/episodes.jsonl")]));
    }
    if run.join("results").is_dir() {
        let logs = |label: &str| vec![format!("logs/{label}/episodes.jsonl"), format!("logs/{label}.jsonl")];
        return ("study", by_label("results", &logs));
    }
    if run.join("logs").is_dir() {
        let part = |name: &String| {
            let task = name.strip_suffix(".json")?;
            let log = there(format!("logs/{task}.jsonl"))?;
            Some(Part { results: name.clone(), log: Some(log), receipts: bundle(task) })
        };
        return ("quick_eval", names(run).iter().filter_map(part).collect());
    }
    let log = ["log.jsonl", "episode_log.jsonl", "episodes.jsonl"].into_iter().find_map(|name| there(name.to_owned()));
    let receipts = run.join(BUNDLE).is_dir().then(|| ".".to_owned());
    let part = there("results.json".to_owned()).map(|results| Part { results, log, receipts });
    ("benchmark", part.into_iter().collect())
}

/// Makes the archive of the run in a directory.
///
/// # Errors
/// [`UiError`].
pub fn export(run: &Path, policy: &PolicyStore) -> Result<Exported, UiError> {
    let (run_type, parts) = detect(run);
    if parts.is_empty() {
        return Err(UiError::NoRun(run.to_path_buf()));
    }
    let mut index = json!({
        "ui_bundle_version": "0.1", "run_type": run_type, "baselines": [], "pipeline_mode": "deterministic",
        "llm_backend_id": "none", "llm_model_id": null, "allow_network": false,
    });
    let (mut tasks, mut episodes, mut events, mut receipts) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut telemetry, mut baselines) = (Vec::new(), Vec::new());
    for part in &parts {
        let path = run.join(&part.results);
        let wrong = |problem: String| UiError::File { path: path.clone(), problem };
        let bytes = std::fs::read(&path).map_err(|error| wrong(error.to_string()))?;
        let results: Value = serde_json::from_slice(&bytes).map_err(|error| wrong(format!("not JSON: {error}")))?;
        let task = results.get("task").and_then(Value::as_str).unwrap_or("unknown").to_owned();
        let label = match run_type {
            FULL_PIPELINE => path.file_stem().map_or_else(|| task.clone(), |stem| stem.to_string_lossy().into_owned()),
            "study" | "package_release" => part.results.split('/').nth(1).unwrap_or(&task).to_owned(),
            _ => task.clone(),
        };
        let of_task = results.get("episodes").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        for (episode, told) in of_task.iter().enumerate() {
            let key = format!("{label}_{episode}");
            episodes.push(json!({
                "task": task, "episode_index": episode, "episode_key": key,
                "results_ref": part.results, "log_ref": part.log, "receipts_ref": part.receipts,
            }));
            if part.log.is_none() && run_type == FULL_PIPELINE {
                events.push(summary(told, &task, episode, &key));
            }
        }
        if let Some(log) = &part.log {
            let log = run.join(log);
            take_events(&log, &task, &label, &mut events)?;
            telemetry.extend(decisions(&log.with_file_name(DECISIONS), &label)?);
        }
        if run_type == FULL_PIPELINE {
            baselines.push(label);
        }
        if let Some(at) = &part.receipts {
            let files: Vec<String> =
                names(&run.join(at).join(BUNDLE)).into_iter().filter(|name| name.starts_with("receipt_")).collect();
            receipts.push(json!({ "task": task, "path": at, "receipt_files": files }));
        }
        if !tasks.contains(&task) {
            tasks.push(task);
        }
    }
    let coordination = coordination(run);
    if !coordination.is_empty() {
        let entry = |(path, label, _): &(String, &str, Vec<u8>)| json!({ "path": path, "label": label });
        index["coordination_artifacts"] = coordination.iter().map(entry).collect();
    }
    if !telemetry.is_empty() {
        let entry = |(key, member, _): &Telemetry| json!({ "episode_key": key, "coord_decisions_ref": member });
        index["coord_telemetry"] = telemetry.iter().map(entry).collect();
    }
    if run_type == FULL_PIPELINE {
        index["baselines"] = json!(baselines);
        index["receipts_note"] = json!(NO_RECEIPTS);
    }
    index["tasks"] = json!(tasks);
    index["episodes"] = json!(episodes);
    let mut members = vec![("index.json".to_owned(), pretty(&index))];
    members.extend(coordination.into_iter().map(|(path, _, bytes)| (format!("coordination/{path}"), bytes)));
    let count = events.len();
    members.push(("events.json".to_owned(), pretty(&Value::Array(events))));
    members.push(("receipts_index.json".to_owned(), pretty(&Value::Array(receipts))));
    members.push(("reason_codes.json".to_owned(), pretty(&reason_codes(policy)?)));
    members.extend(telemetry.into_iter().map(|(_, member, bytes)| (member, bytes)));
    let archive =
        archive(&members).map_err(|error| UiError::File { path: run.to_path_buf(), problem: error.to_string() })?;
    Ok(Exported { archive, run_type, episodes: episodes.len(), events: count })
}

fn take_events(log: &Path, task: &str, label: &str, events: &mut Vec<Value>) -> Result<(), LogError> {
    lines::read(log, Form::Any, |line| {
        if !line.entry.has("action_type") {
            return;
        }
        let field = |key: &&str| ((*key).to_owned(), line.entry.map().get(*key).cloned().unwrap_or_default());
        let mut event: Map<String, Value> = FIELDS.iter().map(field).collect();
        let episode = line.entry.episode();
        event.insert("task".to_owned(), json!(task));
        event.insert("episode_index".to_owned(), json!(episode));
        event.insert("episode_key".to_owned(), json!(format!("{label}_{episode}")));
        events.push(Value::Object(event));
    })?;
    Ok(())
}

/// All that is known of an episode without a log.
fn summary(told: &Value, task: &str, episode: usize, key: &str) -> Value {
    let mut event: Map<String, Value> = FIELDS.iter().map(|field| ((*field).to_owned(), Value::Null)).collect();
    event.insert("event_id".to_owned(), json!(format!("episode_summary_{key}")));
    event.insert("episode_metrics".to_owned(), told.get("metrics").cloned().unwrap_or_default());
    if let Some(seed) = told.get("seed") {
        event.insert("seed".to_owned(), seed.clone());
    }
    event.insert("task".to_owned(), json!(task));
    event.insert("episode_index".to_owned(), json!(episode));
    event.insert("episode_key".to_owned(), json!(key));
    Value::Object(event)
}

/// An episode, the member of the archive that has its decisions, and its bytes.
type Telemetry = (String, String, Vec<u8>);

/// The lines of a file of decisions, episode by episode, as they are; nothing where there is no such file.
fn decisions(path: &Path, label: &str) -> Result<Vec<Telemetry>, UiError> {
    let wrong = |problem: String| UiError::File { path: path.to_path_buf(), problem };
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(wrong(error.to_string())),
    };
    let mut by_episode: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
    for (number, line) in text.lines().enumerate() {
        let decided: Value =
            serde_json::from_str(line).map_err(|error| wrong(format!("line {}: not JSON: {error}", number + 1)))?;
        let episode = decided.get("episode").and_then(Value::as_u64).unwrap_or(0);
        let lines = by_episode.entry(episode).or_default();
        lines.extend_from_slice(line.as_bytes());
        lines.push(b'\n');
    }
    let named = |(episode, bytes)| {
        let key = format!("{label}_{episode}");
        let member = format!("coord_telemetry/{key}.jsonl");
        (key, member, bytes)
    };
    Ok(by_episode.into_iter().map(named).collect())
}

fn coordination(run: &Path) -> Vec<(String, &'static str, Vec<u8>)> {
    let find = |(path, label): &(&str, &'static str)| {
        ["", "coordination_pack/"].into_iter().find_map(|base| {
            let path = format!("{base}{path}");
            std::fs::read(run.join(&path)).ok().map(|bytes| (path, *label, bytes))
        })
    };
    COORDINATION.iter().filter_map(find).collect()
}

fn reason_codes(policy: &PolicyStore) -> Result<Value, PolicyError> {
    let registry: Value = policy.value(CODES)?;
    let list = registry.get("reason_code_registry").and_then(|registry| registry.get("codes")?.as_array());
    let entry = |code: &Value| Some((code.get("code")?.as_str()?.to_owned(), code.clone()));
    let codes: Map<String, Value> = list.into_iter().flatten().filter_map(entry).collect();
    Ok(json!({ "version": "0.1", "codes": codes }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_episodes_have_their_own_events_and_the_archive_is_the_same_every_time() {
        let dir = tempfile::tempdir().unwrap();
        let results = json!({ "task": "t", "episodes": [{ "seed": 1 }, { "seed": 2 }] });
        std::fs::write(dir.path().join("results.json"), results.to_string()).unwrap();
        let line = |episode: u64| {
            json!({ "episode": episode, "action_type": "MOVE", "status": "ACCEPTED", "t_s": 1 }).to_string()
        };
        let log = format!("{}\n{}\n{{\"metrics\":{{}},\"seed\":1}}\n", line(0), line(1));
        std::fs::write(dir.path().join("log.jsonl"), log).unwrap();
        let policy = PolicyStore::builtin();
        let one = export(dir.path(), &policy).unwrap();
        assert_eq!((one.run_type, one.episodes, one.events), ("benchmark", 2, 2));
        assert_eq!(one.archive, export(dir.path(), &policy).unwrap().archive);
        assert!(one.archive.starts_with(b"PK\x03\x04"));
    }

    /// What is stored in an archive says so in plain text only when it is not deflated, so the parts are asked.
    #[test]
    fn decisions_are_split_by_episode_and_a_broken_line_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(DECISIONS);
        assert!(decisions(&path, "t").unwrap().is_empty());
        std::fs::write(&path, "{\"episode\":0,\"a\":1}\n{\"episode\":1}\n{\"episode\":0}\n").unwrap();
        let split = decisions(&path, "t").unwrap();
        assert_eq!(
            split[0],
            ("t_0".into(), "coord_telemetry/t_0.jsonl".into(), b"{\"episode\":0,\"a\":1}\n{\"episode\":0}\n".to_vec())
        );
        assert_eq!(split[1].2, b"{\"episode\":1}\n");
        std::fs::write(&path, "{}\n{").unwrap();
        assert!(decisions(&path, "t").unwrap_err().to_string().contains("line 2"));
    }

    #[test]
    fn a_full_pipeline_without_logs_has_a_summary_for_each_episode() {
        let dir = tempfile::tempdir().unwrap();
        for folder in ["baselines/results", "SAFETY_CASE"] {
            std::fs::create_dir_all(dir.path().join(folder)).unwrap();
        }
        let results =
            json!({ "task": "t", "episodes": [{ "seed": 7, "metrics": { "throughput": 4 } }, { "seed": 8 }] });
        std::fs::write(dir.path().join("baselines/results/t_scripted.json"), results.to_string()).unwrap();
        let made = export(dir.path(), &PolicyStore::builtin()).unwrap();
        assert_eq!((made.run_type, made.episodes, made.events), (FULL_PIPELINE, 2, 2));
        let event = summary(&results["episodes"][0], "t", 0, "t_scripted_0");
        assert_eq!((&event["event_id"], &event["seed"]), (&json!("episode_summary_t_scripted_0"), &json!(7)));
        assert_eq!((&event["episode_metrics"]["throughput"], &event["status"]), (&json!(4), &Value::Null));
    }

    #[test]
    fn a_directory_without_a_run_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(export(dir.path(), &PolicyStore::builtin()), Err(UiError::NoRun(_))));
    }
}
