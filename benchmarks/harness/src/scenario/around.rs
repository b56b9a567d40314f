//! The state around a step that went wrong: what the ids of its event are about.

use labtrust_plugin::lab::Engine;
use serde_json::{Map, Value};

/// Questions about the ids that an argument holds.
const ABOUT: &[(&[&str], &[&str])] = &[
    (
        &["specimen_id", "specimen_ids", "accession_ids", "work_id"],
        &["specimen_status", "last_reason_code", "specimen_zone"],
    ),
    (&["result_id"], &["result_status", "result_criticality", "result_flags"]),
    (&["device_id"], &["device_qc_state", "queue_head", "queue_length"]),
    (&["door_id"], &["door_state"]),
    (&["from_zone", "to_zone"], &["zone_state"]),
];

/// Asks everything that has an answer.
pub(super) fn queries(event: &Map<String, Value>, engine: &mut dyn Engine) -> Map<String, Value> {
    let mut questions = vec!["last_reason_code_system".to_owned(), "token_active".to_owned()];
    if let Some(agent) = event.get("agent_id").and_then(Value::as_str) {
        questions.push(format!("agent_zone('{agent}')"));
    }
    let args = event.get("args").and_then(Value::as_object);
    for (keys, names) in ABOUT {
        for value in keys.iter().filter_map(|key| args?.get(*key)) {
            let ids = value.as_array().map_or_else(|| std::slice::from_ref(value), Vec::as_slice);
            for id in ids.iter().filter_map(Value::as_str) {
                questions.extend(names.iter().map(|name| format!("{name}('{id}')")));
            }
        }
    }
    let mut answers = Map::new();
    for question in questions {
        // Engines differ in what they can be asked.
        if let Ok(answer) = engine.query(&question) {
            answers.insert(question, answer);
        }
    }
    answers
}
