//! The official baselines: which tasks, played by whom, how little may come out, and what of them must never change.
//!
//! The registry is a file in `benchmarks/official`. A baseline that a registry names is run as it is named, or not at
//! all. Of every episode the [`GUARDED`] figures are kept, all of them whole numbers or counts by name, so that they
//! compare exactly.

use crate::BenchError;
use labtrust_contract::ResultsFile;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::path::PathBuf;

/// The registry as it is in its file.
const REGISTRY: &str = include_str!("../baseline_registry.v0.1.yaml");

/// Figures of an episode that are compared exactly.
pub const GUARDED: [&str; 7] = [
    "throughput",
    "holds_count",
    "tokens_minted",
    "tokens_consumed",
    "steps",
    "blocked_by_reason_code",
    "violations_by_invariant_id",
];

/// What is published, and what it is compared with.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfficialRegistry {
    /// Version of the form.
    pub version: String,
    /// The set of agents that every task is played by, besides, as a line to compare with.
    pub reference_agents: String,
    /// The tasks, in the order in which they are run.
    pub official_tasks: Vec<OfficialTask>,
}

/// One task of the registry.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfficialTask {
    /// Id of the task.
    pub task: String,
    /// Baseline that its results must name.
    pub baseline_id: String,
    /// Set of agents that plays it.
    pub agents: String,
    /// Least mean throughput of an episode [count], above 0.
    pub least_throughput_mean: Floors,
}

/// A floor for each timing [count].
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Floors {
    /// Services take no time.
    pub explicit: f64,
    /// Services take the time that the policy says.
    pub simulated: f64,
}

/// The registry of this program.
///
/// # Errors
/// [`BenchError::NotJson`] when the file that was built in is no registry.
pub fn registry() -> Result<OfficialRegistry, BenchError> {
    #[derive(Deserialize)]
    struct File {
        baseline_registry: OfficialRegistry,
    }
    let file: Result<File, _> = serde_yaml::from_str(REGISTRY);
    file.map(|file| file.baseline_registry).map_err(|error| BenchError::NotJson {
        path: PathBuf::from("benchmarks/official/baseline_registry.v0.1.yaml"),
        message: error.to_string(),
    })
}

/// What of a result must never change: seed and [`GUARDED`] figures of every episode. A figure that an episode does not
/// have is null.
#[must_use]
pub fn guarded(results: &ResultsFile) -> Value {
    let episode = |episode: &labtrust_contract::EpisodeRecord| {
        let figure = |name: &&str| ((*name).to_owned(), episode.metrics.get(*name).cloned().unwrap_or(Value::Null));
        let mut map: Map<_, _> = GUARDED.iter().map(figure).collect();
        map.insert("seed".to_owned(), json!(episode.seed));
        Value::Object(map)
    };
    json!({
        "task": results.task,
        "agent_baseline_id": results.agent_baseline_id,
        "timing_mode": results.config.get("timing_mode"),
        "base_seed": results.base_seed,
        "num_episodes": results.num_episodes,
        "episodes": results.episodes.iter().map(episode).collect::<Vec<_>>(),
    })
}
