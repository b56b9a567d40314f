//! What is told of a results file and not of a group: how long it took, and what its language model cost.

use super::documents::Document;
use super::table::Row;
use serde_json::{Map, Value, json};

/// One row a file whose duration is known: from the file itself, as published, or from the manifest of its run.
pub(super) fn run_info(documents: &[Document]) -> Vec<Row> {
    let row = |document: &Document| {
        let from_file = present(&document.metadata, "run_duration_wall_s");
        let (wall, rate) = match (from_file, &document.manifest) {
            (Some(wall), _) => (wall, field(&document.metadata, "run_duration_episodes_per_s")),
            (None, Some(manifest)) => {
                (json!(manifest.run_duration_wall_s), json!(manifest.run_duration_episodes_per_s))
            }
            (None, None) => return None,
        };
        let mut row = identified(document);
        row.set("partner_id", json!(document.partner));
        row.set("n_episodes", json!(document.episodes.len()));
        row.set("run_duration_wall_s", wall);
        row.set("episodes_per_second", rate);
        Some(row)
    };
    documents.iter().filter_map(row).collect()
}

/// One row a file that a language model took part in.
pub(super) fn economics(documents: &[Document]) -> Vec<Row> {
    let row = |document: &Document| {
        let metadata = &document.metadata;
        let backend = present(metadata, "llm_backend_id").or_else(|| present(metadata, "llm_backend"))?;
        let mut row = identified(document);
        row.set("llm_backend_id", backend);
        for name in [
            "llm_model_id",
            "total_tokens",
            "tokens_per_step",
            "estimated_cost_usd",
            "mean_llm_latency_ms",
            "p50_llm_latency_ms",
            "p95_llm_latency_ms",
            "llm_error_rate",
        ] {
            row.set(name, field(metadata, name));
        }
        for name in ["proposal_valid_rate", "blocked_rate", "repair_rate"] {
            if let Some(value) = present(metadata, name) {
                row.set(name, value);
            }
        }
        Some(row)
    };
    documents.iter().filter_map(row).collect()
}

fn identified(document: &Document) -> Row {
    let mut row = Row::default();
    row.set("task", json!(document.task));
    row.set("agent_baseline_id", json!(document.baseline));
    row
}

fn field(map: &Map<String, Value>, name: &str) -> Value {
    map.get(name).cloned().unwrap_or_default()
}

fn present(map: &Map<String, Value>, name: &str) -> Option<Value> {
    map.get(name).filter(|value| !value.is_null()).cloned()
}
