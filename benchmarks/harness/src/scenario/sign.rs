//! Good signatures for scenarios, which cannot know the chain head they have to cover.
//!
//! Where a scenario writes [`FIXTURE_SIGNATURE`], the runner signs the event just before the step. The secret keys of a
//! policy are nobody's business, so the keys that sign so get another public key for the scenario, whose secret is known
//! to all; agent, role, state and life time stay those of the policy. A key that the policy does not have stays unknown.

use super::{Scenario, ScriptStep};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use labtrust_plugin::lab::Engine;
use labtrust_trust::keys::Signer;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;

/// Stands in a scenario for a signature that is good.
pub const FIXTURE_SIGNATURE: &str = "GOLDEN_TEST_ACCEPT";

/// Stands in a scenario for a signature that would be good if one of its bits were not another.
pub const FLIPPED_SIGNATURE: &str = "GOLDEN_TEST_FLIP";

/// The key pair that signs for `key_id` in scenarios. No secret: its seed is the SHA-256 of a known text.
#[must_use]
pub fn fixture_signer(key_id: &str) -> Signer {
    Signer::from_seed(Sha256::digest(format!("labtrust fixture key {key_id}")).into())
}

/// Gives the keys that sign in `scenario` their public half for the episode, in the form of either engine.
pub(super) fn overlay_keys(scenario: &Scenario, policy_keys: &[Value], state: &mut Map<String, Value>) {
    let signed = scenario.script.iter().filter(|step| is_fixture(step));
    let ids: BTreeSet<&str> = signed.filter_map(|step| step.key_id.as_deref()).collect();
    if ids.is_empty() {
        return;
    }
    let id_of = |entry: &Value| entry.get("key_id").and_then(Value::as_str).unwrap_or_default().to_owned();
    let inline = state.get("effective_policy").and_then(|policy| policy.pointer("/key_registry/keys"));
    let mut registry: Vec<Value> = inline.and_then(Value::as_array).map_or_else(|| policy_keys.to_vec(), Clone::clone);
    // What the scenario itself says about a key outranks the policy.
    for own in state.get("keys").and_then(Value::as_array).into_iter().flatten() {
        registry.retain(|entry| id_of(entry) != id_of(own));
        registry.push(own.clone());
    }
    for entry in &mut registry {
        let id = id_of(entry);
        if let (true, Some(entry)) = (ids.contains(id.as_str()), entry.as_object_mut()) {
            entry.insert("public_key".into(), fixture_signer(&id).public_b64().into());
        }
    }
    let ours: Vec<Value> = registry.iter().filter(|entry| ids.contains(id_of(entry).as_str())).cloned().collect();
    let keys = state.entry("keys").or_insert_with(|| json!([]));
    if let Some(keys) = keys.as_array_mut() {
        keys.retain(|entry| !ids.contains(id_of(entry).as_str()));
        keys.extend(ours);
    }
    let policy = state.entry("effective_policy").or_insert_with(|| json!({}));
    if let Some(policy) = policy.as_object_mut() {
        let version = policy.get("key_registry").and_then(|old| old.get("version")).cloned().unwrap_or(json!("0.1"));
        policy.insert("key_registry".into(), json!({"version": version, "keys": registry}));
    }
}

/// Whether the runner makes the signature of the step.
fn is_fixture(step: &ScriptStep) -> bool {
    !step.signature_as_written && matches!(step.signature.as_deref(), Some(FIXTURE_SIGNATURE | FLIPPED_SIGNATURE))
}

/// The event of a step, with a signature where it asks for one.
pub(super) fn signed_event(step: &ScriptStep, engine: &mut dyn Engine) -> Map<String, Value> {
    let mut event = step.event();
    let Some(key_id) = step.key_id.as_deref().filter(|_| is_fixture(step)) else { return event };
    let mut as_signed = event.clone();
    as_signed.extend(step.signed_as.clone());
    // An event that cannot be read has nothing to sign; the engine refuses it as it is.
    if let Some(payload) = engine.signing_payload(&as_signed) {
        let mut signature = fixture_signer(key_id).sign_b64(&payload);
        if step.signature.as_deref() == Some(FLIPPED_SIGNATURE) {
            signature = flipped(&signature);
        }
        event.insert("signature".into(), signature.into());
    }
    event
}

/// The same signature with its first bit the other way round.
fn flipped(signature: &str) -> String {
    let mut bytes = STANDARD.decode(signature).unwrap_or_default();
    if let Some(first) = bytes.first_mut() {
        *first ^= 1;
    }
    STANDARD.encode(bytes)
}
