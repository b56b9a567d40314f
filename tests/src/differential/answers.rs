//! What both engines are asked after every step.

use super::Script;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The zones that a door left open freezes.
const ZONES: [&str; 4] = ["Z_INGRESS_DOCK", "Z_SRA_RECEPTION", "Z_RESTRICTED_BIOHAZARD", "Z_WASTE_DISPOSAL"];
/// The door that moves ask for.
const AIRLOCK: &str = "D_RESTRICTED_AIRLOCK";
const ALWAYS: [&str; 6] = [
    "last_reason_code_system",
    "system_state('log_frozen')",
    "token_active",
    "transport_consignments",
    "accepted_specimen_ids_not_in_queue",
    "releasable_result_ids",
];
const ABOUT: [(&str, &[&str]); 6] = [
    ("specimen", &["specimen_status", "last_reason_code"]),
    ("result", &["result_status", "result_flags", "result_criticality", "notification_mode_required"]),
    ("agent", &["agent_zone"]),
    ("device", &["queue_head", "queue_length", "device_qc_state"]),
    ("door", &["door_state"]),
    ("zone", &["zone_state"]),
];

/// The questions that the ids of a script make sensible, in a fixed order.
pub(super) fn questions(script: &Script) -> Vec<String> {
    let ids = ids(script);
    let mut questions: Vec<String> = ALWAYS.map(str::to_owned).into();
    for (kind, names) in ABOUT {
        for id in ids.get(kind).into_iter().flatten() {
            questions.extend(names.iter().map(|name| format!("{name}('{id}')")));
        }
    }
    let results = ids.get("result").into_iter().flatten();
    questions.extend(results.map(|id| format!("comm_record_exists(result_id='{id}')")));
    questions
}

fn ids(script: &Script) -> BTreeMap<&'static str, BTreeSet<String>> {
    let mut ids: BTreeMap<&'static str, BTreeSet<String>> = BTreeMap::new();
    let mut add = |kind, id: &Value| {
        // An id that would end the quotes of a query cannot be asked for.
        if let Some(id) =
            id.as_str().filter(|id| !id.is_empty() && !id.contains(['\'', '"', '(', ')']) && id.trim() == *id)
        {
            ids.entry(kind).or_default().insert(id.to_owned());
        }
    };
    for specimen in script.state.get("specimens").and_then(Value::as_array).into_iter().flatten() {
        add("specimen", &specimen["specimen_id"]);
        match specimen["template_ref"].as_str() {
            Some("S_BIOCHEM_OK") => add("specimen", &Value::from("S1")),
            Some("S_COAG_OK") => add("specimen", &Value::from("S2")),
            _ => {}
        }
    }
    for event in &script.events {
        let args = event.get("args").unwrap_or(&Value::Null);
        add("agent", event.get("agent_id").unwrap_or(&Value::Null));
        add("specimen", &args["specimen_id"]);
        for specimen in args["specimen_ids"].as_array().into_iter().flatten() {
            add("specimen", specimen);
        }
        add("result", &args["result_id"]);
        add("device", &args["device_id"]);
        add("door", &args["door_id"]);
    }
    for entry in script.state.get("initial_queue_entries").and_then(Value::as_array).into_iter().flatten() {
        add("device", &entry["device_id"]);
    }
    let freezes = script.state.get("enforcement_enabled") == Some(&Value::Bool(true));
    if freezes || ids.contains_key("door") {
        ids.entry("zone").or_default().extend(ZONES.map(str::to_owned));
    }
    ids.entry("door").or_default().insert(AIRLOCK.to_owned());
    ids
}
