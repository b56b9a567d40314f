//! Two results files.

use super::{Difference, first_place};
use crate::BenchError;
use serde_json::{Map, Value};
use std::path::Path;

/// Where a file came from, which says nothing of what was measured.
const PROVENANCE: [&str; 3] = ["git_sha", "git_commit_hash", "metadata"];

/// The first thing that was run otherwise, or the first metric that came out otherwise.
pub(super) fn first_difference(
    first: &Path,
    second: &Path,
    notes: &mut Vec<String>,
) -> Result<Option<Difference>, BenchError> {
    let (mut a, mut b) = (read(first)?, read(second)?);
    if let (Some(a), Some(b)) = (a.as_object_mut(), b.as_object_mut()) {
        let (episodes_a, episodes_b) = (a.remove("episodes"), b.remove("episodes"));
        provenance(a, b, notes);
        if let (Some(Value::Array(ours)), Some(Value::Array(theirs))) = (&episodes_a, &episodes_b) {
            // What was run comes first: other settings give other figures.
            for name in ["schema_version", "task", "agent_baseline_id", "partner_id", "config", "seeds"] {
                if let Some(difference) = field(a, b, name) {
                    return Ok(Some(difference));
                }
            }
            if let Some(difference) = episodes(ours, theirs) {
                return Ok(Some(difference));
            }
        } else if episodes_a != episodes_b {
            let (first, second) = (episodes_a.unwrap_or_default(), episodes_b.unwrap_or_default());
            return Ok(Some(Difference::Field { field: "/episodes".to_owned(), first, second }));
        }
    }
    Ok(first_place(&a, &b).map(|(field, first, second)| Difference::Field { field, first, second }))
}

/// Whether a file holds results.
pub(super) fn is_results(path: &Path) -> bool {
    read(path).is_ok_and(|value| value.get("task").is_some() && value.get("episodes").is_some_and(Value::is_array))
}

fn read(path: &Path) -> Result<Value, BenchError> {
    let bytes = std::fs::read(path).map_err(|source| BenchError::Read { path: path.to_path_buf(), source })?;
    serde_json::from_slice(&bytes)
        .map_err(|error| BenchError::NotJson { path: path.to_path_buf(), message: error.to_string() })
}

/// Takes out where the files came from, and notes where that differs.
fn provenance(a: &mut Map<String, Value>, b: &mut Map<String, Value>, notes: &mut Vec<String>) {
    for name in PROVENANCE {
        let (ours, theirs) = (a.remove(name).unwrap_or_default(), b.remove(name).unwrap_or_default());
        if let Some((place, first, second)) = first_place(&ours, &theirs) {
            notes.push(format!("{name}{place} is {first} in the first and {second} in the second"));
        }
    }
}

fn field(a: &Map<String, Value>, b: &Map<String, Value>, name: &str) -> Option<Difference> {
    let (a, b) = (a.get(name).cloned().unwrap_or_default(), b.get(name).cloned().unwrap_or_default());
    let (place, first, second) = first_place(&a, &b)?;
    Some(Difference::Field { field: format!("/{name}{place}"), first, second })
}

/// The first metric that differs, in the order of the episodes and of the names, and how many do.
fn episodes(ours: &[Value], theirs: &[Value]) -> Option<Difference> {
    if ours.len() != theirs.len() {
        let (first, second) = (ours.len().into(), theirs.len().into());
        return Some(Difference::Field { field: "/episodes (count)".to_owned(), first, second });
    }
    let empty = Map::new();
    let mut found = None;
    let mut differing = 0;
    for (place, (a, b)) in ours.iter().zip(theirs).enumerate() {
        let of = |episode: &Value| episode.get("seed").cloned().unwrap_or_default();
        if of(a) != of(b) {
            return found.or(Some(Difference::Field {
                field: format!("/episodes/{place}/seed"),
                first: of(a),
                second: of(b),
            }));
        }
        let metrics = |episode| Value::as_object(Value::get(episode, "metrics")?);
        let (left, right) = (metrics(a).unwrap_or(&empty), metrics(b).unwrap_or(&empty));
        let names: std::collections::BTreeSet<_> = left.keys().chain(right.keys()).collect();
        for name in names {
            let null = Value::Null;
            let (x, y) = (left.get(name).unwrap_or(&null), right.get(name).unwrap_or(&null));
            if let Some((rest, first, second)) = first_place(x, y) {
                differing += 1;
                found.get_or_insert(Difference::Metric {
                    seed: of(a),
                    name: format!("{name}{rest}"),
                    first,
                    second,
                    differing: 0,
                });
            }
        }
    }
    match found {
        Some(Difference::Metric { seed, name, first, second, .. }) => {
            Some(Difference::Metric { seed, name, first, second, differing })
        }
        other => other,
    }
}
