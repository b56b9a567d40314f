//! The results file and the manifest beside it.
//!
//! The results file has only what follows from task, policy, seeds and timing; equal runs give equal bytes. What depends
//! on the machine or the moment is in `run_manifest.json`, which no reader takes for a result.

use crate::BenchError;
use crate::episode::Cast;
use labtrust_contract::{ResultsFile, RunManifest};
use labtrust_kernel::ClockMode;
use labtrust_plugin::{AgentSet, Injection, Task};
use labtrust_policy::{PolicyError, PolicyStore};
use labtrust_trust::canonical;
use serde::Serialize;
use serde_json::{Map, Value, json};

/// Version of the results format.
pub const SCHEMA_VERSION: &str = "0.2";
/// Name of the manifest, always beside the results.
pub const MANIFEST_NAME: &str = "run_manifest.json";

const EMITS_FILE: &str = "emits/emits_vocab.v0.1.yaml";
const TOOL_REGISTRY_FILE: &str = "tool_registry.v0.1.yaml";

/// What a results file says of the policy.
#[derive(Debug, Clone, PartialEq)]
pub struct PolicyFacts {
    /// Versions of the files that readers care about.
    pub versions: Map<String, Value>,
    /// Partner overlay in force.
    pub partner_id: Option<String>,
    /// Fingerprint of the policy in force; only with a partner or a domain overlay, as in the published format.
    pub fingerprint: Option<String>,
    /// SHA-256 of the canonical JSON of the tool registry file, where there is one.
    pub tool_registry_fingerprint: Option<String>,
}

impl PolicyFacts {
    /// Reads them from a policy.
    ///
    /// # Errors
    /// [`PolicyError`] when a file that is needed cannot be read.
    pub fn of(policy: &PolicyStore) -> Result<Self, BenchError> {
        let overlaid = policy.partner().is_some() || policy.domain().is_some();
        let registry = match policy.contains(TOOL_REGISTRY_FILE) {
            true => {
                let value = policy.value(TOOL_REGISTRY_FILE)?;
                let print = canonical::fingerprint(&value);
                Some(print.map_err(|source| BenchError::Canonical { what: "the tool registry", source })?)
            }
            false => None,
        };
        let emits = version_of(policy, EMITS_FILE)?;
        let mut versions = Map::new();
        versions.insert("emits_vocab".to_owned(), json!(emits));
        // The catalogue of tests has no version of its own; readers expect the key.
        versions.insert("catalogue_schema".to_owned(), json!("unknown"));
        Ok(Self {
            versions,
            partner_id: policy.partner().map(str::to_owned),
            fingerprint: overlaid.then(|| policy.policy_fingerprint()).transpose()?,
            tool_registry_fingerprint: registry,
        })
    }
}

/// The value of the first `version:` among the first 20 lines of a file, without parsing all of it.
fn version_of(policy: &PolicyStore, path: &str) -> Result<String, PolicyError> {
    let text = policy.text(path)?;
    let version = text.lines().take(20).find_map(|line| line.trim_start().strip_prefix("version:"));
    let version = version.map(|value| value.split(" #").next().unwrap_or(value).trim().trim_matches(['"', '\'']));
    Ok(version.filter(|value| !value.is_empty()).unwrap_or("unknown").to_owned())
}

/// What the run decided about its task.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// Who moves time.
    pub timing: ClockMode,
    /// Steps of an episode [count].
    pub max_steps: u32,
    /// Signatures are required even where the task does not.
    pub strict_signatures: bool,
    /// Who acts and what disturbs them.
    pub cast: Cast<'a>,
}

/// What was run, the `config` of a results file.
#[must_use]
pub fn config_of(task: &dyn Task, asked: &Asked<'_>) -> Map<String, Value> {
    let spec = task.spec();
    // The set that leaves every seat to the task's own agents is the task's.
    let agent_set = asked.cast.agents.filter(|set| set.baseline_id().is_some()).map_or(spec.agent_set, AgentSet::id);
    let rewards: Map<_, _> =
        spec.reward_config.iter().map(|(name, weight)| ((*name).to_owned(), json!(weight))).collect();
    let config = json!({
        "max_steps": asked.max_steps,
        "scripted_agents": spec.scripted_agents,
        "reward_config": rewards,
        "timing_mode": asked.timing.as_str(),
        "coord_method": null,
        "injection_id": asked.cast.injection.map(Injection::id),
        "agent_set": agent_set,
        "dt_s": spec.dt_s,
        "workflow": "enforced",
        "sla_turnaround_s": spec.sla_turnaround_s,
        "attack_start_step": spec.attack_start_step,
        "task_max_steps": spec.max_steps,
        "task_max_steps_simulated": spec.max_steps_simulated,
        "strict_signatures_forced": asked.strict_signatures,
    });
    match config {
        Value::Object(mut map) => {
            map.append(&mut task.facts());
            if let Some(hook) = asked.cast.approvals {
                map.insert("approval_hook".to_owned(), hook.id.into());
            }
            if !asked.cast.without.is_empty() {
                map.insert("ablate_run".to_owned(), json!(asked.cast.without));
            }
            if let Some(direction) = &asked.cast.method {
                map.extend(direction.config().map(|(name, value)| (name.to_owned(), value)));
            }
            map
        }
        _ => unreachable!("an object was written"),
    }
}

/// The bytes of a results file: canonical JSON and a line end.
///
/// # Errors
/// [`BenchError::Canonical`] when a metric is not a finite number.
pub fn results_bytes(results: &ResultsFile) -> Result<Vec<u8>, BenchError> {
    let mut bytes = canonical_bytes(results, "the results")?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// The bytes of a manifest: indented JSON and a line end.
#[must_use]
pub fn manifest_bytes(manifest: &RunManifest) -> Vec<u8> {
    // By way of a value, whose maps are sorted.
    let value = serde_json::to_value(manifest).unwrap_or(Value::Null);
    let mut bytes = serde_json::to_vec_pretty(&value).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

/// SHA-256 of `bytes` in lower-case hexadecimal.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    crate::files::hex(&Sha256::digest(bytes))
}

/// Any value as canonical JSON: sorted keys, no spaces, nothing but ASCII.
///
/// # Errors
/// [`BenchError::Canonical`] naming `what`, when a number in it is not finite.
pub fn canonical_bytes<T: Serialize>(value: &T, what: &'static str) -> Result<Vec<u8>, BenchError> {
    // A value that has no JSON form becomes null here and is refused by readers; our own types all have one.
    let value = serde_json::to_value(value).unwrap_or(Value::Null);
    canonical::to_canonical_vec(&value).map_err(|source| BenchError::Canonical { what, source })
}
