//! The results file (schema v0.2) and the manifest beside it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Metrics of one episode by name. A map, because plugins add metrics of their own.
pub type Metrics = BTreeMap<String, Value>;

/// One episode of a results file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EpisodeRecord {
    /// The episode's seed.
    pub seed: u64,
    /// Its metrics.
    pub metrics: Metrics,
}

/// A results file, schema v0.2. It holds nothing that depends on the machine or the clock, so that equal runs give
/// equal bytes; such facts are in the [`RunManifest`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResultsFile {
    /// Always `0.2`.
    pub schema_version: String,
    /// `deterministic` unless a language model took part.
    pub pipeline_mode: String,
    /// `none` unless a language model took part.
    pub llm_backend_id: String,
    /// Model name, where there is one.
    pub llm_model_id: Option<String>,
    /// Whether the run was allowed to use the network.
    pub allow_network: bool,
    /// Whether a second run may give other bytes.
    pub non_deterministic: bool,
    /// Task id.
    pub task: String,
    /// Episodes asked for [count].
    pub num_episodes: u64,
    /// Seed of the first episode.
    pub base_seed: u64,
    /// Seed of every episode.
    pub seeds: Vec<u64>,
    /// What was run: horizon, agents, timing, workflow.
    pub config: Map<String, Value>,
    /// Versions of the policy files that matter to readers of the file.
    pub policy_versions: Map<String, Value>,
    /// Commit of the checkout, where known.
    pub git_sha: Option<String>,
    /// Same as `git_sha`.
    pub git_commit_hash: Option<String>,
    /// Partner overlay in force.
    pub partner_id: Option<String>,
    /// Fingerprint of the policy in force.
    pub policy_fingerprint: Option<String>,
    /// Fingerprint of the tool registry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_registry_fingerprint: Option<String>,
    /// Who acted.
    pub agent_baseline_id: String,
    /// One record an episode, in seed order.
    pub episodes: Vec<EpisodeRecord>,
    /// Facts about the run that every reader may use, none of them about the machine.
    pub metadata: Map<String, Value>,
    /// What went less than well, one sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// Facts about the machine and the moment of a run. Not part of the hashed result, and named so that result
/// discovery does not pick it up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunManifest {
    /// Version of the program.
    pub program_version: String,
    /// Operating system and architecture.
    pub platform: String,
    /// Threads the run used [count].
    pub threads: usize,
    /// Wall time of all episodes [s].
    pub run_duration_wall_s: f64,
    /// Episodes per second of wall time [1/s].
    pub run_duration_episodes_per_s: Option<f64>,
    /// SHA-256 of each file the run wrote, by file name.
    pub outputs: BTreeMap<String, String>,
    /// Who answered requests for approvals, `none` or `auto_approve`, where the command asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval_hook: Option<String>,
    /// How long steps took, where they were timed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_timing: Option<Map<String, Value>>,
}
