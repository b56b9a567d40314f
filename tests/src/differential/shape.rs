//! Whether an event has the shape that it should have: every key that means something holds the right type.

use serde_json::{Map, Value};

const TEXTS: [&str; 35] = [
    "aliquot_id",
    "analyte_code",
    "attempt_id",
    "channel",
    "consignment_id",
    "dest_site",
    "device_id",
    "door_id",
    "entity_id",
    "entity_type",
    "from_zone",
    "kind",
    "message_template_id",
    "next_role",
    "origin_site",
    "outcome",
    "priority",
    "priority_class",
    "qc_outcome",
    "qc_state",
    "reason_code",
    "receiver_location_or_org",
    "receiver_name_or_id",
    "receiver_role",
    "result_id",
    "run_id",
    "specimen_id",
    "subject_id",
    "subject_type",
    "target",
    "to_zone",
    "token_id",
    "token_type",
    "units",
    "work_id",
];

/// Whether a key of the event or of its arguments holds another type than it should.
pub(super) fn is_misshapen(event: &Map<String, Value>) -> bool {
    let args = event.get("args").unwrap_or(&Value::Null);
    let wrong = |of: &Value, keys: &[&str], right: fn(&Value) -> bool| {
        keys.iter().any(|key| of.get(key).is_some_and(|value| !value.is_null() && !right(value)))
    };
    let outer = |keys: &[&str], right: fn(&Value) -> bool| {
        keys.iter().any(|key| event.get(*key).is_some_and(|value| !value.is_null() && !right(value)))
    };
    outer(
        &["action_type", "agent_id", "event_id", "key_id", "rationale", "reason_code", "signature", "tool_id"],
        Value::is_string,
    ) || outer(&["t_s"], is_whole)
        || outer(&["token_refs"], is_list_of_texts)
        || outer(&["args"], Value::is_object)
        || wrong(args, &TEXTS, Value::is_string)
        || wrong(args, &["specimen_ids", "aliquot_ids", "accession_ids"], is_list_of_texts)
        || wrong(args, &["value"], Value::is_number)
        || wrong(args, &["id_match", "read_back_confirmed"], Value::is_boolean)
        || wrong(args, &["separated_ts_s", "acknowledgment_ts_s"], is_whole)
        || wrong(args, &["tool_args", "roster"], Value::is_object)
}

fn is_list_of_texts(value: &Value) -> bool {
    value.as_array().is_some_and(|items| items.iter().all(Value::is_string))
}

/// A whole number, also when it is written with a fraction of zero.
fn is_whole(value: &Value) -> bool {
    value.is_i64() || value.as_f64().is_some_and(|float| float % 1.0 == 0.0 && float.abs() < 9e15)
}
