//! One bit of a signed event is another than when it was signed: whatever it is, the event is refused.

use crate::play::{Held, broken};
use labtrust_tests::scripts::{Step, Tamper};
use serde_json::{Map, Value};

/// An event with one bit changed.
pub(crate) struct Flipped {
    pub event: Map<String, Value>,
    field: &'static str,
}

/// Fields whose texts are signed, with the codes that may come before the signature is looked at: the field then says
/// who acts or what is done, and that is judged first.
const FIELDS: [(&str, &[&str]); 9] = [
    ("event_id", &[]),
    ("agent_id", &["RC_AGENT_UNKNOWN", "RBAC_ACTION_DENY"]),
    ("action_type", &["RC_UNKNOWN_ACTION"]),
    ("args", &["RC_DEVICE_UNKNOWN"]),
    ("reason_code", &[]),
    ("rationale", &[]),
    ("token_refs", &[]),
    ("key_id", &[]),
    ("signature", &[]),
];

/// Only signatures that somebody asks for are judged, and only now and then: each costs a verification.
pub(crate) fn worth_flipping(step: &Step, event: &Map<String, Value>, strict: bool) -> bool {
    let control = ["UPDATE_ROSTER", "INJECT_SPECIMEN", "LIFT_ENFORCEMENT"];
    let is_control = event.get("action_type").and_then(Value::as_str).is_some_and(|action| control.contains(&action));
    let number = number_of(event);
    step.tamper == Tamper::Nothing
        && step.honest != is_control
        && (strict || is_control)
        && event.contains_key("signature")
        && number.is_multiple_of(3)
}

/// A number that the event's own signature gives: as good as any to choose a bit by.
fn number_of(event: &Map<String, Value>) -> usize {
    let text = event.get("signature").and_then(Value::as_str).unwrap_or_default();
    text.bytes().fold(7usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(usize::from(byte)))
}

/// The event with one bit changed: in two of its fields.
pub(crate) fn flips(event: &Map<String, Value>) -> Vec<Flipped> {
    let number = number_of(event);
    let mut flipped = Vec::new();
    for turn in 0..2 {
        let (field, _) = FIELDS[(number / 3 + turn * 4) % FIELDS.len()];
        let mut changed = event.clone();
        if changed.get_mut(field).is_some_and(|value| flip(value, number / 64 + turn)) {
            flipped.push(Flipped { event: changed, field });
        }
    }
    if number.is_multiple_of(4) && event.get("t_s").and_then(Value::as_i64).is_some_and(|t_s| t_s % 2 == 1) {
        // A second earlier: the signature is wrong, or the time is over.
        let mut changed = event.clone();
        let t_s = event.get("t_s").and_then(Value::as_i64).unwrap_or(1);
        changed.insert("t_s".into(), Value::from(t_s ^ 1));
        flipped.push(Flipped { event: changed, field: "t_s" });
    }
    flipped
}

/// Changes one of the lower five bits of one character in the first text found.
fn flip(value: &mut Value, number: usize) -> bool {
    match value {
        Value::String(text) if !text.is_empty() => {
            let mut bytes = text.as_bytes().to_vec();
            let place = number % bytes.len();
            bytes[place] ^= 1 << (number / 7 % 5);
            if !bytes[place].is_ascii() {
                return false;
            }
            *text = String::from_utf8_lossy(&bytes).into_owned();
            true
        }
        Value::Array(items) => items.iter_mut().any(|item| flip(item, number)),
        Value::Object(map) => map.values_mut().any(|item| flip(item, number)),
        _ => false,
    }
}

impl Flipped {
    /// The signature is what is wrong, or one of the neighbours that the field leads to.
    pub(crate) fn judge(&self, code: &str, frozen: bool) -> Held {
        let neighbours = FIELDS
            .iter()
            .find(|(field, _)| *field == self.field)
            .map_or(&["RC_TIME_BACKWARDS"][..], |(_, codes)| codes);
        // Who is stopped or has no right anyway is told so first.
        let earlier = [
            "RC_AGENT_THROTTLED",
            "RC_AGENT_KILLED",
            "AGENT_RATE_LIMIT",
            "AGENT_CAPABILITY_DENY",
            "AGENT_OVERRIDE_BUDGET_EXCEEDED",
            "RBAC_ACTION_DENY",
            "RBAC_ZONE_DENY",
            "RBAC_DEVICE_DENY",
            "RC_DEVICE_NOT_COLOCATED",
            "RC_AGENT_UNKNOWN",
            "RC_TIME_BACKWARDS",
        ];
        let fine = code == "SIG_INVALID"
            || neighbours.contains(&code)
            || earlier.contains(&code)
            || code.starts_with("SIG_KEY_")
            || (frozen && code == "AUDIT_CHAIN_BROKEN");
        if fine { Ok(()) } else { Err(broken(format!("a changed bit in {} leads to {code}", self.field))) }
    }
}
