//! The figures of single episodes, read from the results file of a cell.

use crate::ComparisonError;
use labtrust_bench::stats::percentile;
use serde_json::{Map, Value};

/// Which cell of a study: size, method, injection. In the order of these three.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CellKey {
    /// Size.
    pub scale_id: String,
    /// Method.
    pub method_id: String,
    /// Injection; [`NONE`] is the baseline.
    pub injection_id: String,
}

/// The id of what is no injection.
pub const NONE: &str = "none";

/// The score of an episode by the figures that all methods of its size have under its injection. The published score gives half marks for a
/// component without a figure, so that a method that sends no messages loses against one that loses none of them; this one does not.
pub const COMMON_SCORE: &str = "resilience.common_score";

/// The figures of one episode.
#[derive(Clone, Debug, PartialEq)]
pub struct EpisodeRow {
    /// Its cell.
    pub key: CellKey,
    /// Its place in the cell, from 0 on.
    pub episode: u32,
    /// Its seed. Episodes of one size with the same place and the same seed did the same work: they are pairs.
    pub seed: u64,
    /// A figure for every one of [`EPISODE_COLUMNS`]; none where it does not apply.
    pub values: Vec<Option<f64>>,
    /// What each call of a model took, where every one is recorded [ms].
    pub latencies_ms: Vec<f64>,
}

/// How the figures of the episodes of a cell become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pooling {
    /// The mean of those that there are.
    Mean,
    /// The mean, with 0 for what is missing.
    MeanOrZero,
    /// The mean of those that there are, 0 of none.
    MeanElseZero,
    /// The sum, with 0 for what is missing.
    Sum,
    /// The sum of those that there are, none of none.
    SumOfPresent,
    /// Share of those that there are which are above 0.
    Share,
}

/// A column of the table of episodes.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its name; that of the cell's figure, too.
    pub name: &'static str,
    /// How it becomes the cell's figure.
    pub pooling: Pooling,
    /// Whether it counts something: whole numbers.
    pub is_count: bool,
    places: &'static [&'static [&'static str]],
}

const fn column(name: &'static str, pooling: Pooling, places: &'static [&'static [&'static str]]) -> Column {
    Column { name, pooling, is_count: false, places }
}

const fn counted(name: &'static str, pooling: Pooling, places: &'static [&'static [&'static str]]) -> Column {
    Column { name, pooling, is_count: true, places }
}

/// The columns of an episode, in the order of the table, with the places of a results file that each is read from. Units: `_steps` [steps],
/// `_ms` [ms], `p95_tat` [s], `_usd` [USD], `_per_hour` [1/h], rates and scores [1], others [count]. Columns without a place are computed.
pub const EPISODE_COLUMNS: [Column; 39] = {
    use Pooling::{Mean, MeanElseZero, MeanOrZero, Share, Sum, SumOfPresent};
    [
        counted("perf.throughput", MeanOrZero, &[&["throughput"]]),
        column("perf.p95_tat", Mean, &[&["p95_turnaround_s"]]),
        column("perf.on_time_rate", Mean, &[&["on_time_rate"]]),
        counted("safety.violations_total", Sum, &[&["violations_by_invariant_id"]]),
        counted("safety.blocks_total", Sum, &[&["blocked_by_reason_code"]]),
        column("safety.critical_communication_compliance_rate", Mean, &[&["critical_communication_compliance_rate"]]),
        counted("sec.applied", Share, &[]),
        counted("sec.attack_success_rate", Share, &[&["sec", "attack_success_rate"]]),
        column("sec.detection_latency_steps", Mean, &[&["sec", "detection_latency_steps"]]),
        column("sec.containment_time_steps", Mean, &[&["sec", "containment_time_steps"]]),
        counted("sec.stealth_success_rate", Share, &[&["sec", "stealth_success_rate"]]),
        column("sec.time_to_attribution_steps", Mean, &[&["sec", "time_to_attribution_steps"]]),
        column("sec.blast_radius_proxy", Mean, &[&["sec", "blast_radius_proxy"]]),
        column("robustness.resilience_score", Mean, &[&["robustness", "resilience_score"]]),
        column("resilience.component_perf", Mean, &[]),
        column("resilience.component_safety", Mean, &[]),
        column("resilience.component_security", Mean, &[]),
        column("resilience.component_coordination", Mean, &[]),
        counted("comm.msg_count", MeanOrZero, &[&["coordination", "comm", "msg_count"]]),
        column("comm.p95_latency_ms", Mean, &[&["coordination", "comm", "p95_latency_ms"]]),
        column("comm.drop_rate", Mean, &[&["coordination", "comm", "drop_rate"]]),
        counted("comm.partition_events", SumOfPresent, &[&["coordination", "comm", "partition_events"]]),
        column("coordination.stale_action_rate", Mean, &[&["coordination", "timing", "stale_action_rate"]]),
        column("proposal_valid_rate", Mean, &[&["coordination", "llm", "proposal_validity_rate"]]),
        column("blocked_rate", Mean, &[&["coordination", "llm", "blocked_rate"]]),
        column(
            "repair_rate",
            Mean,
            &[&["coordination", "llm", "repair_rate"], &["coordination", "llm_repair", "repair_success_rate"]],
        ),
        column("tokens_per_step", Mean, &[&["coordination", "llm", "tokens_per_step"]]),
        column("p95_llm_latency_ms", Mean, &[&["coordination", "llm", "p95_latency_ms"]]),
        counted("cost.total_tokens", Sum, &[&["coordination", "llm", "total_tokens"]]),
        column("cost.estimated_cost_usd", SumOfPresent, &[&["coordination", "llm", "estimated_cost_usd"]]),
        column("llm.error_rate", MeanElseZero, &[&["coordination", "llm", "error_rate"]]),
        column("llm.invalid_output_rate", Mean, &[&["coordination", "llm", "invalid_output_rate"]]),
        column("coordination.deadlock_avoids", Mean, &[&["coordination", "route", "deadlock_avoids"]]),
        column("perf.throughput_per_hour", Mean, &[&["throughput_per_hour"]]),
        column("safety.violations_per_action", Mean, &[&["violations_per_action"]]),
        column("llm.mean_latency_ms", Mean, &[&["coordination", "llm", "mean_latency_ms"]]),
        column("llm.fallback_rate", Mean, &[&["coordination", "llm", "fallback_rate"]]),
        counted("steps", Sum, &[&["steps"]]),
        column(COMMON_SCORE, Mean, &[]),
    ]
};

/// The place of a column among [`EPISODE_COLUMNS`].
#[must_use]
pub fn place_of(column: &str) -> Option<usize> {
    EPISODE_COLUMNS.iter().position(|one| one.name == column)
}

impl EpisodeRow {
    /// The figure of a column; none where it does not apply.
    #[must_use]
    pub fn value(&self, column: &str) -> Option<f64> {
        self.values.get(place_of(column)?).copied().flatten()
    }

    /// Puts a figure where a column is.
    pub(crate) fn set(&mut self, column: &str, value: Option<f64>) {
        if let Some(slot) = place_of(column).and_then(|place| self.values.get_mut(place)) {
            *slot = value;
        }
    }
}

/// The episodes of a results file of `coord_risk`, in its order.
///
/// # Errors
/// [`ComparisonError::Invalid`] for a document that is no results file.
pub fn episode_rows(key: &CellKey, results: &Value) -> Result<Vec<EpisodeRow>, ComparisonError> {
    let file = || format!("results of {} / {} / {}", key.scale_id, key.method_id, key.injection_id);
    let invalid = |place: String, problem: &str| ComparisonError::invalid(file(), place, problem);
    let episodes = results
        .get("episodes")
        .and_then(Value::as_array)
        .ok_or_else(|| invalid("episodes".to_owned(), "there is no list of episodes; it must be a results file"))?;
    let mut rows = Vec::with_capacity(episodes.len());
    for (episode, record) in (0_u32..).zip(episodes) {
        let place = || format!("episodes[{episode}]");
        let metrics = record
            .get("metrics")
            .and_then(Value::as_object)
            .ok_or_else(|| invalid(place(), "it has no metrics; it must be an episode of a results file"))?;
        let seed = record
            .get("seed")
            .and_then(Value::as_u64)
            .ok_or_else(|| invalid(place(), "it has no seed; episodes are paired by their seeds"))?;
        let (values, latencies_ms) = figures(metrics);
        rows.push(EpisodeRow { key: key.clone(), episode, seed, values, latencies_ms });
    }
    Ok(rows)
}

fn at<'a>(metrics: &'a Map<String, Value>, path: &[&str]) -> Option<&'a Value> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(metrics.get(*first)?, |value, key| value.get(*key))
}

/// A number; of an object of counts their sum; of a truth value 0 or 1.
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Bool(yes) => Some(f64::from(u8::from(*yes))),
        Value::Object(counts) => Some(counts.values().filter_map(Value::as_f64).sum()),
        other => other.as_f64().filter(|number| number.is_finite()),
    }
}

fn figures(metrics: &Map<String, Value>) -> (Vec<Option<f64>>, Vec<f64>) {
    let read = |path: &[&str]| at(metrics, path).and_then(number);
    let latencies: Vec<f64> = at(metrics, &["coordination", "llm", "latency_ms_list"])
        .or_else(|| at(metrics, &["coordination", "llm", "latency_ms"]))
        .map(|value| match value {
            Value::Array(all) => all.iter().filter_map(number).collect(),
            one => number(one).into_iter().collect(),
        })
        .unwrap_or_default();
    let computed = |name: &str| match name {
        "sec.applied" => read(&["sec", "applications_total"]).map(|count| f64::from(u8::from(count > 0.0))),
        "tokens_per_step" => {
            let tokens = read(&["coordination", "llm", "tokens_in"])? + read(&["coordination", "llm", "tokens_out"])?;
            Some(tokens / read(&["steps"]).unwrap_or(0.0).max(1.0))
        }
        "p95_llm_latency_ms" => percentile(&latencies, 95.0),
        _ => None,
    };
    let flag = |value: f64| f64::from(u8::from(value > 0.0));
    let values = EPISODE_COLUMNS
        .iter()
        .map(|column| {
            let read = column.places.iter().find_map(|path| read(path)).or_else(|| computed(column.name));
            if column.pooling == Pooling::Share { read.map(flag) } else { read }
        })
        .collect();
    (values, latencies)
}
