//! What leaves the laboratory of a run, for whom: less than there is, unless the reader is an administrator.
//!
//! Below that a reader gets a summary of a run, never its log; of an entry of the log only when, what and how it ended;
//! of a signature whether it was good; of a model's answer its digest. Fields that must never leave are named in
//! [`FORBIDDEN`] and taken out at any depth. Ids are replaced by keyed digests ([`Obfuscation`]), because a digest
//! without a key of an id like `S-17` is undone by counting.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Fields that never leave, whatever their spelling and depth.
pub const FORBIDDEN: [&str; 12] = [
    "signature",
    "raw_prompt",
    "prompt",
    "raw_response",
    "response",
    "api_key",
    "secret",
    "password",
    "token",
    "private_key",
    "episode_log",
    "entries",
];

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// May see everything but [`FORBIDDEN`] fields.
    Admin,
    /// Anybody else.
    Other,
}

impl Reader {
    /// The reader of a role: only the role `admin` is one, whatever else a text says.
    #[must_use]
    pub fn of_role(role: Option<&str>) -> Self {
        if role == Some("admin") { Self::Admin } else { Self::Other }
    }
}

/// The value without forbidden fields.
#[must_use]
pub fn without_forbidden(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(without_forbidden).collect(),
        Value::Object(map) => {
            let left = map.iter().filter(|(key, _)| !is_forbidden(key));
            Value::Object(left.map(|(key, inner)| (key.clone(), without_forbidden(inner))).collect())
        }
        other => other.clone(),
    }
}

/// Whether a key names a forbidden field: in any case, with `-`, spaces or humps for `_`.
#[must_use]
pub fn is_forbidden(key: &str) -> bool {
    let plain = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase();
    let key = plain(&crate::normalize::folded(key));
    FORBIDDEN.iter().any(|forbidden| plain(forbidden) == key)
}

/// Episode figures that a summary sums up: in the results, in the summary.
const TOTALS: [(&str, &str); 2] = [("steps", "steps_total"), ("blocked_total", "blocked_count")];
/// Episode figures that a summary takes the mean of: in the results, in the summary.
const MEANS: [(&str, &str); 5] = [
    ("throughput", "throughput_mean"),
    ("on_time_rate", "on_time_rate_mean"),
    ("p50_turnaround_s", "p50_turnaround_s_mean"),
    ("p95_turnaround_s", "p95_turnaround_s_mean"),
    ("critical_communication_compliance_rate", "critical_communication_compliance_rate_mean"),
];
/// Counts by id: in the results, in the summary.
const COUNTS: [(&str, &str); 2] = [
    ("blocked_by_reason_code", "blocked_by_reason_code"),
    ("violations_by_invariant_id", "violations_by_invariant_id"),
];

/// The summary of a `results.json`, of the figures of its episodes alone.
///
/// Means are taken in whole millionths, so they depend on nothing but the figures; they are printed as decimals because
/// that is what the published form has. A figure that no episode has is left out.
#[must_use]
pub fn run_summary(results: &Value) -> Value {
    let none = Vec::new();
    let episodes = results.get("episodes").and_then(Value::as_array).unwrap_or(&none);
    let metrics = || episodes.iter().filter_map(|episode| episode.get("metrics"));
    let mut summary = Map::new();
    summary.insert("n_episodes".to_owned(), json!(episodes.len()));
    for (from, to) in COUNTS {
        let mut counts = BTreeMap::<&str, u64>::new();
        for (id, count) in metrics().filter_map(|metrics| metrics.get(from)?.as_object()).flatten() {
            *counts.entry(id).or_default() += count.as_u64().unwrap_or(0);
        }
        if from == "violations_by_invariant_id" {
            summary.insert("violations_total".to_owned(), json!(counts.values().sum::<u64>()));
        } else {
            summary.insert("blocked_count".to_owned(), json!(counts.values().sum::<u64>()));
        }
        summary.insert(to.to_owned(), json!(counts));
    }
    for (from, to) in TOTALS {
        let figures: Vec<u64> = metrics().filter_map(|metrics| metrics.get(from)?.as_u64()).collect();
        if !figures.is_empty() {
            summary.insert(to.to_owned(), json!(figures.iter().sum::<u64>()));
        }
    }
    for (from, to) in MEANS {
        let figures: Vec<i128> = metrics().filter_map(|metrics| millionths(metrics.get(from)?)).collect();
        if let Ok(count) = i128::try_from(figures.len())
            && count > 0
        {
            summary.insert(to.to_owned(), decimal(figures.iter().sum::<i128>() / count));
        }
    }
    for field in ["task", "agent_baseline_id", "partner_id"] {
        if let Some(text) = results.get(field).and_then(Value::as_str) {
            summary.insert(field.to_owned(), json!(text));
        }
    }
    Value::Object(summary)
}

#[expect(clippy::cast_possible_truncation, reason = "figures are far below 10^12; a larger one saturates")]
fn millionths(figure: &Value) -> Option<i128> {
    figure.as_f64().filter(|figure| figure.is_finite()).map(|figure| (figure * 1e6).round() as i128)
}

#[expect(clippy::cast_precision_loss, reason = "a mean of a summary is shown, not reckoned with")]
fn decimal(millionths: i128) -> Value {
    json!(millionths as f64 / 1e6)
}

/// What a reader gets of a run: everything for an administrator, else the summary.
#[must_use]
pub fn results_for(reader: Reader, results: &Value) -> Value {
    match reader {
        Reader::Admin => without_forbidden(results),
        Reader::Other => run_summary(results),
    }
}

/// What a reader gets of one entry of a log.
#[must_use]
pub fn log_entry_for(reader: Reader, entry: &Value) -> Value {
    match reader {
        Reader::Admin => without_forbidden(entry),
        Reader::Other => only(entry, &["t_s", "action_type", "status"]),
    }
}

/// What may be told of the verification of a signature.
#[must_use]
pub fn signature_view(verification: &Value) -> Value {
    only(verification, &["passed", "reason_code", "key_id"])
}

/// What may be told of a call of a model.
#[must_use]
pub fn model_view(call: &Value) -> Value {
    let fields = [
        "prompt_sha256",
        "response_sha256",
        "backend_id",
        "model_id",
        "latency_ms",
        "error_code",
        "repair_attempted",
        "repair_succeeded",
    ];
    only(call, &fields)
}

/// The simple values of these fields; what hides in an object or a list is not among them.
fn only(value: &Value, fields: &[&str]) -> Value {
    let simple = |field: &str| {
        let inner = value.get(field)?;
        (!inner.is_object() && !inner.is_array()).then(|| (field.to_owned(), inner.clone()))
    };
    Value::Object(fields.iter().filter_map(|field| simple(field)).collect())
}

/// Replaces ids by digests that only the holder of the key can recompute.
#[derive(Clone)]
pub struct Obfuscation {
    key: [u8; 32],
}

impl std::fmt::Debug for Obfuscation {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Obfuscation(..)")
    }
}

impl Obfuscation {
    /// With a key that is not published with what it hides.
    #[must_use]
    pub const fn new(key: [u8; 32]) -> Self {
        Self { key }
    }

    /// The first 16 hexadecimal digits of HMAC-SHA-256 of the id: equal ids stay equal.
    #[must_use]
    pub fn id(&self, id: &str) -> String {
        hmac(&self.key, id.as_bytes()).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }

    /// The value with the ids of these fields replaced, at any depth.
    #[must_use]
    pub fn fields(&self, value: &Value, fields: &[&str]) -> Value {
        match value {
            Value::Array(items) => items.iter().map(|item| self.fields(item, fields)).collect(),
            Value::Object(map) => {
                let one = |(key, inner): (&String, &Value)| {
                    let hidden = fields.contains(&key.as_str()).then(|| self.every_text(inner));
                    (key.clone(), hidden.unwrap_or_else(|| self.fields(inner, fields)))
                };
                Value::Object(map.iter().map(one).collect())
            }
            other => other.clone(),
        }
    }

    fn every_text(&self, value: &Value) -> Value {
        match value {
            Value::String(id) => Value::String(self.id(id)),
            Value::Array(items) => items.iter().map(|item| self.every_text(item)).collect(),
            Value::Object(map) => {
                Value::Object(map.iter().map(|(key, inner)| (key.clone(), self.every_text(inner))).collect())
            }
            other => other.clone(),
        }
    }
}

/// HMAC-SHA-256 (RFC 2104) with a key shorter than a block.
fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let pad = |with: u8| -> [u8; 64] { std::array::from_fn(|at| key.get(at).copied().unwrap_or(0) ^ with) };
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn the_digest_is_that_of_rfc_4231() {
        assert_eq!(
            hex(&hmac(&[0x0b; 20], b"Hi There")),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        );
        assert_eq!(
            hex(&hmac(b"Jefe", b"what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn an_id_is_hidden_by_the_key_and_stays_itself_under_it() {
        let (one, other) = (Obfuscation::new([1; 32]), Obfuscation::new([2; 32]));
        assert_eq!(one.id("S-17"), one.id("S-17"));
        assert!(one.id("S-17") != one.id("S-18") && one.id("S-17") != other.id("S-17"));
        assert_eq!(one.id("S-17").len(), 16);
        let hidden = one.fields(&json!({"a": [{"specimen_id": ["S-17"]}], "zone": "Z"}), &["specimen_id"]);
        assert_eq!(hidden, json!({"a": [{"specimen_id": [one.id("S-17")]}], "zone": "Z"}));
        assert_eq!(format!("{one:?}"), "Obfuscation(..)");
    }

    #[test]
    fn forbidden_fields_go_at_any_depth_and_in_any_spelling() {
        let value = json!({"a": [{"API-Key": 1, "b": {"Signature": 2, "privateKey": 3, "T\u{43e}ken": 4, "c": 5}}], "tokens": 6});
        assert_eq!(without_forbidden(&value), json!({"a": [{"b": {"c": 5}}], "tokens": 6}));
    }

    #[test]
    fn only_an_administrator_sees_more_than_the_summary() {
        let results = json!({
            "task": "throughput_sla", "secret": "x",
            "episodes": [
                {"seed": 1, "metrics": {"throughput": 3, "steps": 10, "p50_turnaround_s": null,
                    "blocked_by_reason_code": {"RBAC_ACTION_DENY": 2}, "violations_by_invariant_id": {"INV-ZONE-001": 1}}},
                {"seed": 2, "metrics": {"throughput": 4, "steps": 10, "on_time_rate": 0.5, "blocked_by_reason_code": {"RBAC_ACTION_DENY": 1}}},
            ],
        });
        let wanted = json!({
            "n_episodes": 2, "throughput_mean": 3.5, "steps_total": 20, "on_time_rate_mean": 0.5, "task": "throughput_sla",
            "blocked_count": 3, "blocked_by_reason_code": {"RBAC_ACTION_DENY": 3},
            "violations_total": 1, "violations_by_invariant_id": {"INV-ZONE-001": 1},
        });
        for role in [None, Some("viewer"), Some("Admin"), Some("admin ")] {
            assert_eq!(results_for(Reader::of_role(role), &results), wanted);
        }
        assert_eq!(results_for(Reader::of_role(Some("admin")), &results), without_forbidden(&results));
        assert_eq!(run_summary(&json!([]))["n_episodes"], 0);
    }

    #[test]
    fn entries_signatures_and_answers_are_shown_by_a_list_of_fields() {
        let entry = json!({"t_s": 1, "action_type": "MOVE", "status": "ACCEPTED", "args": {"x": 1}, "agent_id": "A"});
        assert_eq!(
            log_entry_for(Reader::Other, &entry),
            json!({"t_s": 1, "action_type": "MOVE", "status": "ACCEPTED"})
        );
        assert_eq!(log_entry_for(Reader::Other, &json!({"status": {"prompt": "x"}})), json!({}));
        assert_eq!(signature_view(&json!({"passed": true, "signature": "x"})), json!({"passed": true}));
        assert_eq!(model_view(&json!({"model_id": "m", "prompt": "x"})), json!({"model_id": "m"}));
    }
}
