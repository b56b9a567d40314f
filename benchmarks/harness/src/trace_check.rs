//! The bounded trace checker: whether the first steps of a recorded trace broke an invariant, and whether what the trace
//! says about them is true.
//!
//! Start at [`Trace::read`], then [`check`]. The reference's checker believes what was recorded. This one does as well
//! where a trace has nothing else; where it knows how the episode began ([`Beginning`]), it plays the events again
//! ([`Replay`]) and reports every verdict, status, code and chain hash that comes out otherwise. It says in the report
//! which of the two it did. It is no model checker: what did not happen in the trace is not looked at.

mod read;
mod replay;
mod report;

pub use crate::scenario::Beginning;
pub use read::{Entry, Trace, TraceError};
pub use replay::{Player, Replay};
pub use report::{Evidence, Found, TraceReport};

use labtrust_policy::{PolicyError, PolicyStore};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The id under which everything is reported that was recorded otherwise than it happened, verdicts of invariants
/// excepted: those are reported under the invariant's own id.
pub const DIVERGENCE: &str = "TRACE-DIVERGENCE";

/// Invariants by id, with their titles: those of the registry, and of every further file in its directory.
///
/// # Errors
/// [`PolicyError`] when the registry is missing, or one of the files cannot be read.
pub fn invariant_titles(policy: &PolicyStore) -> Result<BTreeMap<String, String>, PolicyError> {
    const REGISTRY: &str = "invariants/invariant_registry.v1.0.yaml";
    let mut titles = BTreeMap::new();
    let further = policy.paths().filter(|path| path.starts_with("invariants/") && *path != REGISTRY);
    for path in std::iter::once(REGISTRY).chain(further) {
        let file: Value = policy.value(path)?;
        for entry in file.get("invariants").and_then(Value::as_array).into_iter().flatten() {
            let text = |key: &str| entry.get(key).and_then(Value::as_str);
            if let Some(id) = text("invariant_id") {
                // The registry comes first and decides.
                titles.entry(id.to_owned()).or_insert_with(|| text("title").unwrap_or(id).to_owned());
            }
        }
    }
    Ok(titles)
}

/// What is to be looked at.
#[derive(Debug, Clone, Copy)]
pub struct Bounds<'a> {
    /// Invariants whose violations count.
    pub invariants: &'a BTreeSet<String>,
    /// Titles by id; an invariant without one is called by its id.
    pub titles: &'a BTreeMap<String, String>,
    /// The trace is cut after this many steps and one more [count].
    pub max_steps: usize,
}

/// Looks at the first steps of a trace. With `replay`, what was recorded is compared with what comes out; without, the
/// reason is in the report.
#[must_use]
pub fn check(trace: &Trace, bounds: &Bounds<'_>, replay: Result<Replay, String>) -> TraceReport {
    let entries = &trace.entries[..trace.entries.len().min(bounds.max_steps.saturating_add(1))];
    let (replayed, reason) = match replay.and_then(|replay| replay.run(entries)) {
        Ok(outcomes) => (Some(outcomes), None),
        Err(reason) => (None, Some(reason)),
    };
    let mut found = Vec::new();
    let mut divergences = 0;
    let mut chain_holds = true;
    for (index, entry) in entries.iter().enumerate() {
        recorded_violations(index, entry, bounds, &mut found);
        let Some(outcome) = replayed.as_ref().map(|outcomes| &outcomes[index]) else { continue };
        let before = found.len();
        replay::differences(entry, outcome, &mut chain_holds, &mut |id, details, what| {
            let message = match id {
                Some(id) => format!("{id}: {} — {what}", title(bounds, id)),
                None => format!("{DIVERGENCE}: {what}"),
            };
            let evidence = Evidence::of(entry, Some(details));
            found.push(Found {
                invariant_id: id.unwrap_or(DIVERGENCE).to_owned(),
                step_index: index,
                evidence,
                message,
            });
        });
        divergences += found.len() - before;
    }
    TraceReport {
        safe: found.is_empty(),
        max_steps: bounds.max_steps,
        steps_checked: entries.len(),
        violations: found,
        invariant_ids_checked: bounds.invariants.iter().cloned().collect(),
        re_evaluated: replayed.is_some(),
        not_re_evaluated_because: reason,
        divergences,
        steps_in_trace: trace.entries.len(),
    }
}

/// The violations that the trace itself admits.
fn recorded_violations(index: usize, entry: &Entry, bounds: &Bounds<'_>, found: &mut Vec<Found>) {
    for violation in entry.list("violations").filter_map(Value::as_object) {
        let text = |key: &str| violation.get(key).and_then(Value::as_str);
        let broken = text("status").is_some_and(|status| status.eq_ignore_ascii_case("VIOLATION"));
        let Some(id) = text("invariant_id").filter(|id| broken && bounds.invariants.contains(*id)) else { continue };
        let what = text("reason_code").or_else(|| text("message")).unwrap_or("violation");
        found.push(Found {
            invariant_id: id.to_owned(),
            step_index: index,
            evidence: Evidence::of(entry, violation.get("details").filter(|details| !details.is_null()).cloned()),
            message: format!("{id}: {} — {what}", title(bounds, id)),
        });
    }
}

fn title<'a>(bounds: &'a Bounds<'_>, id: &'a str) -> &'a str {
    bounds.titles.get(id).map_or(id, String::as_str)
}

/// The values that differ, as evidence.
fn details(field: &str, recorded: Value, replayed: Value) -> Value {
    Value::Object(Map::from_iter([
        ("field".to_owned(), json!(field)),
        ("recorded".to_owned(), recorded),
        ("replayed".to_owned(), replayed),
    ]))
}
