//! The episodes of all conditions, and the files of the study.

use super::axes::coarse_roles;
use super::logs::{Extent, measure};
use super::page;
use super::paired::{Arm, Figures, csv, figures};
use super::spec::{AblationSpec, Condition, Seeding};
use crate::StudyError;
use labtrust_bench::approvals::NO_ANSWER;
use labtrust_bench::files::write_whole;
use labtrust_bench::log::{Beside, LogFiles};
use labtrust_bench::results::{canonical_bytes, results_bytes};
use labtrust_bench::{Ablation, BenchmarkRun, Cast, RunLogs};
use labtrust_contract::ResultsFile;
use labtrust_evidence::digest::sha256;
use labtrust_evidence::release::pretty;
use labtrust_plugin::lab::LabDomain;
use labtrust_plugin::{AgentSet, Registry, Task};
use labtrust_policy::PolicyStore;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// What each condition changes.
pub const PAIRED: &str = "paired_differences.csv";
/// What the study is.
pub const MANIFEST: &str = "manifest.json";

/// A study to run.
pub struct Request<'a> {
    /// What is varied.
    pub spec: &'a AblationSpec,
    /// What there is to run.
    pub registry: &'a Registry,
    /// The policy with its overlays.
    pub policy: &'a PolicyStore,
    /// The domain of the laboratory.
    pub domain: &'a dyn LabDomain,
    /// Threads [count]; as many as the machine has when absent. The bytes do not depend on it.
    pub threads: Option<usize>,
    /// Commit of the program, where known.
    pub git_sha: Option<String>,
    /// Where the files go.
    pub out: &'a Path,
    /// Is told of every episode when it is done, from any thread.
    pub progress: &'a (dyn Fn() + Sync),
}

/// A condition that was run.
#[derive(Debug)]
pub struct Ran {
    /// The condition.
    pub condition: Condition,
    /// Its results.
    pub results: ResultsFile,
    /// SHA-256 of the results as canonical JSON.
    pub sha256: String,
    /// The figures of its episodes.
    pub figures: Vec<Figures>,
    pub(super) log: Extent,
}

impl Ran {
    /// Lines of the log that were kept [count], and their length [bytes].
    #[must_use]
    pub fn log(&self) -> (u64, u64) {
        (self.log.lines, self.log.bytes)
    }
}

/// Runs a study and writes its files.
///
/// # Errors
/// [`StudyError`] for a task that there is not, for episodes that cannot be run, and for files that cannot be written.
pub fn run(request: &Request<'_>) -> Result<Vec<Ran>, StudyError> {
    let spec = request.spec;
    let unknown = |error: labtrust_plugin::RegistryError| labtrust_assurance::AssuranceError::Invalid {
        file: "the spec".to_owned(),
        place: spec.task.clone(),
        problem: error.to_string(),
    };
    let task = request.registry.task(&spec.task).map_err(unknown)?;
    let agents = spec.agent_set.map(|set| request.registry.agent_set(set)).transpose().map_err(unknown)?;
    let mut all = Vec::with_capacity(spec.conditions.len());
    for condition in &spec.conditions {
        all.push(condition_of(request, condition, task, agents)?);
    }
    let arms: Vec<Arm<'_>> = all
        .iter()
        .map(|ran| Arm { id: &ran.condition.id, label: &ran.condition.label, episodes: &ran.figures })
        .collect();
    let out = request.out;
    // Without common seeds there are no pairs, and the table has no rows.
    write_whole(&out.join(PAIRED), &csv(if spec.seeding == Seeding::Common { &arms } else { &[] }))?;
    write_whole(&out.join("conditions.jsonl"), &conditions(spec)?)?;
    write_whole(&out.join("README.md"), page::readme(spec, &all).as_bytes())?;
    write_whole(&out.join(MANIFEST), &pretty(&manifest(spec, &all)))?;
    Ok(all)
}

fn condition_of(
    request: &Request<'_>,
    condition: &Condition,
    task: &'static dyn Task,
    agents: Option<&'static dyn AgentSet>,
) -> Result<Ran, StudyError> {
    let (spec, effect) = (request.spec, condition.effect());
    let policy = if effect.coarse_roles { coarse_roles(request.policy)? } else { request.policy.clone() };
    let task = Ablation::new(task, effect.without);
    let (results_path, log_path) = paths(request.out, &condition.id);
    let mut logs = LogFiles::create(&log_path, &results_path, Beside::default())?;
    let run = BenchmarkRun {
        task: &task,
        lab: request.domain.load(&policy)?,
        policy: &policy,
        episodes: spec.episodes,
        base_seed: first_seed(spec, condition),
        timing: Some(spec.timing),
        max_steps: None,
        strict_signatures: effect.strict_signatures,
        threads: request.threads,
        metrics: &request.registry.metrics(),
        scale: None,
        cast: Cast { agents, approvals: effect.asks_for_approvals.then_some(&NO_ANSWER), ..Cast::default() },
        git_sha: request.git_sha.clone(),
    };
    let mut results = run.run(RunLogs::Files(&mut logs), request.progress)?.results;
    logs.persist()?;
    results.config.insert("study_condition".to_owned(), Value::Object(condition.json()));
    let extents = measure(&log_path, effect.minimal_log, results.episodes.len())?;
    let of_episode = |(record, extent): (&labtrust_contract::EpisodeRecord, &Extent)| {
        let metrics = serde_json::to_value(&record.metrics).unwrap_or_default();
        let mut found = metrics.as_object().map(figures).unwrap_or_default();
        #[expect(clippy::cast_precision_loss, reason = "lines and bytes of a log are far below 2^53")]
        let (lines, bytes) = (extent.lines as f64, extent.bytes as f64);
        found.insert("log_lines".to_owned(), lines);
        found.insert("log_bytes".to_owned(), bytes);
        found
    };
    let found = results.episodes.iter().zip(&extents).map(of_episode).collect();
    write_whole(&results_path, &results_bytes(&results)?)?;
    let log = extents
        .iter()
        .fold(Extent::default(), |sum, one| Extent { lines: sum.lines + one.lines, bytes: sum.bytes + one.bytes });
    let sha256 = sha256(&canonical_bytes(&results, "the results")?);
    Ok(Ran { condition: condition.clone(), results, sha256, figures: found, log })
}

fn paths(out: &Path, condition: &str) -> (PathBuf, PathBuf) {
    (out.join("results").join(condition).join("results.json"), out.join("logs").join(condition).join("log.jsonl"))
}

fn first_seed(spec: &AblationSpec, condition: &Condition) -> u64 {
    match spec.seeding {
        Seeding::Common => spec.seed_base,
        Seeding::PerCondition => condition.seed,
    }
}

/// A line for every condition.
fn conditions(spec: &AblationSpec) -> Result<Vec<u8>, StudyError> {
    let mut bytes = Vec::new();
    for (index, condition) in spec.conditions.iter().enumerate() {
        let mut overrides: serde_json::Map<String, Value> =
            condition.json().into_iter().map(|(axis, value)| (format!("ablation_{axis}"), value)).collect();
        overrides.insert("timing_mode".to_owned(), spec.timing.as_str().into());
        overrides.insert("strict_signatures".to_owned(), condition.effect().strict_signatures.into());
        overrides.insert("ablate".to_owned(), json!(condition.effect().without.ids()));
        let line = json!({
            "condition_id": condition.id,
            "condition_label": condition.label,
            "condition_index": index,
            "condition": condition.json(),
            "task": spec.task,
            "episodes": spec.episodes,
            "seed_base": spec.seed_base,
            "condition_seed": condition.seed,
            "first_seed": first_seed(spec, condition),
            "initial_state_overrides": overrides,
            "agent_config": spec.agent_config,
        });
        bytes.extend(canonical_bytes(&line, "a condition")?);
        bytes.push(b'\n');
    }
    Ok(bytes)
}

/// What the study is, without places and without the machine.
fn manifest(spec: &AblationSpec, all: &[Ran]) -> Value {
    let results = all.first().map(|ran| &ran.results);
    let of = |pick: fn(&Ran) -> Value| all.iter().map(pick).collect::<Vec<_>>();
    json!({
        "version": "0.1",
        "spec_sha256": spec.sha256,
        "task": spec.task,
        "episodes": spec.episodes,
        "seed_base": spec.seed_base,
        "seeding": match spec.seeding { Seeding::Common => "common", Seeding::PerCondition => "per_condition" },
        "timing_mode": spec.timing.as_str(),
        "agent_config": spec.agent_config,
        "num_conditions": all.len(),
        "condition_ids": of(|ran| ran.condition.id.as_str().into()),
        "condition_labels": of(|ran| ran.condition.label.as_str().into()),
        "condition_seeds": of(|ran| ran.condition.seed.into()),
        "result_hashes": of(|ran| ran.sha256.as_str().into()),
        "log_lines": of(|ran| ran.log.lines.into()),
        "log_bytes": of(|ran| ran.log.bytes.into()),
        "reference_condition_id": all.first().map(|ran| ran.condition.id.as_str()),
        "git_commit_hash": results.and_then(|results| results.git_commit_hash.clone()),
        "policy_versions": results.map(|results| results.policy_versions.clone()),
        "partner_id": results.and_then(|results| results.partner_id.clone()),
        "policy_fingerprint": results.and_then(|results| results.policy_fingerprint.clone()),
        "program_version": env!("CARGO_PKG_VERSION"),
    })
}
