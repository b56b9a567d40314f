//! Two logs side by side: where a second run parts from the first.

use crate::derive::canonical_bytes;
use crate::digest::sha256;
use crate::entry::Entry;
use crate::lines::{self, Form, LogError};
use crate::receipts::{ReceiptMaker, Rules};
use serde_json::{Value, json};
use std::path::Path;

/// Differences that are listed, at most [count].
const MOST: usize = 200;

/// What of a line has to be the same, with the name that the difference is told under.
fn compared(entry: &Entry) -> Vec<(&'static str, Value)> {
    let field = |key: &str| entry.map().get(key).cloned().unwrap_or_default();
    let mut emits: Vec<Value> = entry.list("emits").cloned().collect();
    emits.sort_by_key(ToString::to_string);
    let verdict = |violation: &Value| {
        let status = violation.get("status").and_then(Value::as_str).map(str::to_uppercase);
        json!([violation.get("invariant_id"), status])
    };
    let mut verdicts: Vec<Value> = entry.list("violations").map(verdict).collect();
    verdicts.sort_by_key(ToString::to_string);
    let last = entry.get("hashchain").and_then(|chain| chain.get("last_event_hash")).cloned().unwrap_or_default();
    let mut fields: Vec<(&'static str, Value)> =
        ["t_s", "agent_id", "action_type", "args", "status", "blocked_reason_code"].map(|key| (key, field(key))).into();
    // The newest hash, not the first: only it follows every change.
    fields.extend([("violations", json!(verdicts)), ("last_event_hash", last), ("emits", json!(emits))]);
    fields
}

struct Side {
    lines: Vec<Vec<(&'static str, Value)>>,
    receipts: String,
}

fn side(path: &Path) -> Result<Side, LogError> {
    let (mut lines, mut receipts, mut rules) = (Vec::new(), None, Rules::Corrected);
    lines::read(path, Form::Any, |line| {
        let maker = receipts.get_or_insert_with(|| {
            rules = if line.entry.is_full() { Rules::Corrected } else { Rules::Reference };
            ReceiptMaker::new(rules)
        });
        maker.take(&line.entry);
        lines.push(compared(&line.entry));
    })?;
    let receipts = receipts.unwrap_or_else(|| ReceiptMaker::new(rules)).finish(None);
    let list: Vec<Value> = receipts.iter().map(|receipt| receipt.content).collect();
    Ok(Side { lines, receipts: sha256(&canonical_bytes(&Value::Array(list))) })
}

/// Compares the log of a second run with that of the first, and says so in the form of `replay_summary.json`. `pointers`
/// are how the two are called in it.
///
/// # Errors
/// [`LogError`] when one of them cannot be read.
pub fn compare(reference: &Path, second: &Path, pointers: [&str; 2]) -> Result<Value, LogError> {
    let (first, other) = (side(reference)?, side(second)?);
    let steps = first.lines.len().min(other.lines.len());
    let mut differences = Vec::new();
    let mut divergence: Option<usize> = None;
    let mut told = 0_usize;
    for (index, (expected, actual)) in first.lines.iter().zip(&other.lines).enumerate() {
        for ((field, expected), (_, actual)) in expected.iter().zip(actual).filter(|(one, two)| one != two) {
            divergence.get_or_insert(index);
            told += 1;
            if differences.len() < MOST {
                differences
                    .push(json!({ "step_index": index, "field": field, "expected": expected, "actual": actual }));
            }
        }
    }
    let whole = |field: &str, expected: Value, actual: Value| json!({ "step_index": null, "field": field, "expected": expected, "actual": actual });
    if first.lines.len() != other.lines.len() {
        divergence.get_or_insert(steps);
        differences.push(whole("step_count", json!(first.lines.len()), json!(other.lines.len())));
    }
    let same_receipts = first.receipts == other.receipts;
    if !same_receipts {
        differences.push(whole("receipt_digest", json!(first.receipts), json!(other.receipts)));
    }
    let status = match (divergence.is_none() && same_receipts, other.lines.is_empty() && !first.lines.is_empty()) {
        (true, _) => "ok",
        (false, true) => "failed",
        (false, false) => "diverged",
    };
    Ok(json!({
        "status": status,
        "first_divergence_step": divergence,
        "steps_compared": steps,
        "differences_found": told,
        "diff_summary": differences,
        "receipt_digests_match": same_receipts,
        "artifact_pointers": { "reference_log": pointers[0], "re_run_log": pointers[1] },
        "method_ids": [],
        "method_comparisons": [],
    }))
}
