//! Summaries of results: `summarize-results`, and for a quick look `run-summary` and the table of `quick-eval`.

mod aggregate;
pub(crate) mod discover;
mod quick_eval;
mod run_dir;
mod uncertainty;

pub use aggregate::{ResultsSummary, summarise_results};
pub use quick_eval::{QuickEvalSummary, quick_eval_markdown};
pub use run_dir::{RunSummary, Summaries, summarise_run};
pub use uncertainty::{UNCERTAINTY_FILE, UncertaintyKind, UncertaintyMapping};

use labtrust_contract::Metrics;
use serde_json::Value;

/// Sum of the counts of a map metric such as `violations_by_invariant_id` [count]; 0 when it is absent.
#[must_use]
pub fn total(metrics: &Metrics, name: &str) -> u64 {
    let counts = metrics.get(name).and_then(Value::as_object);
    counts.map_or(0, |counts| counts.values().filter_map(Value::as_u64).sum())
}

/// A whole-number metric [count]; 0 when it is absent.
#[must_use]
pub fn count(metrics: &Metrics, name: &str) -> u64 {
    metrics.get(name).and_then(Value::as_u64).unwrap_or(0)
}
