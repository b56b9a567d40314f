//! What the fuzz targets share: a laboratory under the built-in policy, keys whose secrets are known, and what holds for
//! every answer whatever was asked.
//!
//! The targets are in `fuzz_targets/`, one a file; `.ci/fuzz` runs them. An input that broke something belongs into
//! `corpus/<target>/`, where every later run begins with it.

#![warn(missing_docs)]

use labtrust_bench::scenario::fixture_signer;
use labtrust_contract::{StepResult, StepStatus};
use labtrust_hospital_lab::HospitalLab;
use labtrust_plugin::lab::{ActionKind, LabDomain, LabEngine, LoadedLab};
use labtrust_policy::PolicyStore;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

/// Seed of every episode here.
pub const SEED: u64 = 12_345;

/// Devices that seldom fail: an input that jumps to the end of time costs fifty failures, not a hundred thousand.
const FAILURES: &str = r#"
failure_models:
  version: "0.1"
  device_failures:
    DEV_CHEM_A_01: { enabled: true, mtbf_hours: 100000.0, mttr_s: 900 }
  maintenance_schedule:
    - { device_id: DEV_HAEM_01, start_ts_s: 200, end_ts_s: 500 }
"#;

/// The laboratory under the built-in policy, loaded once.
///
/// # Panics
/// When the policy does not load.
pub fn laboratory() -> &'static Arc<dyn LoadedLab> {
    static LAB: OnceLock<Arc<dyn LoadedLab>> = OnceLock::new();
    LAB.get_or_init(|| {
        let policy = PolicyStore::builtin().with_text("equipment/failure_models.v0.1.yaml", FAILURES);
        HospitalLab.load(&policy).expect("the policy loads")
    })
}

/// An engine in an episode that begins with `state`; `None` where the state is refused.
#[must_use]
pub fn episode(state: &Map<String, Value>) -> Option<Box<dyn LabEngine>> {
    let mut engine = laboratory().engine();
    engine.reset(state, SEED).ok()?;
    Some(engine)
}

/// The keys of the built-in policy, with public halves whose secrets everybody can compute.
///
/// # Panics
/// When the built-in key registry cannot be read.
pub fn keys() -> &'static [Value] {
    static KEYS: OnceLock<Vec<Value>> = OnceLock::new();
    KEYS.get_or_init(|| {
        let registry: Value = PolicyStore::builtin()
            .section("keys/key_registry.v0.1.yaml", Some("key_registry"))
            .expect("the built-in key registry is readable");
        let mut keys = registry["keys"].as_array().cloned().unwrap_or_default();
        for key in &mut keys {
            let id = key["key_id"].as_str().unwrap_or_default().to_owned();
            key["public_key"] = fixture_signer(&id).public_b64().into();
        }
        keys
    })
}

/// Signs an event with the key that it names, or with the first one of its agent.
pub fn sign(event: &mut Map<String, Value>, engine: &mut dyn LabEngine) {
    let agent = event.get("agent_id").and_then(Value::as_str).unwrap_or_default();
    let own = || keys().iter().find(|key| key["agent_id"] == agent).and_then(|key| key["key_id"].as_str());
    let named = event.get("key_id").and_then(Value::as_str);
    let Some(key) = named.or_else(own).map(str::to_owned) else { return };
    event.insert("key_id".into(), key.as_str().into());
    if let Some(payload) = engine.signing_payload(event) {
        event.insert("signature".into(), fixture_signer(&key).sign_b64(&payload).into());
    }
}

/// Panics when an answer breaks what holds for every answer.
///
/// # Panics
/// When a refusal has no code or one that is not registered, an accepted step has one, or the chain shrinks.
pub fn holds(result: &StepResult, length_before: u64) {
    match (&result.status, &result.blocked_reason_code) {
        (StepStatus::Accepted, None) => {}
        (StepStatus::Blocked, Some(code)) => assert!(codes().contains(code), "{code} is not registered"),
        (status, code) => panic!("{status:?} with the code {code:?}"),
    }
    assert!(result.hashchain.length >= length_before, "records do not vanish");
}

fn codes() -> &'static BTreeSet<String> {
    static CODES: OnceLock<BTreeSet<String>> = OnceLock::new();
    CODES.get_or_init(|| {
        let registry: Value = PolicyStore::builtin()
            .section("reason_codes/reason_code_registry.v0.1.yaml", Some("reason_code_registry"))
            .expect("the built-in registry is readable");
        let listed = registry["codes"].as_array().into_iter().flatten();
        listed.filter_map(|entry| entry["code"].as_str()).map(str::to_owned).collect()
    })
}

/// The state of inputs that state none: two specimens at reception, everybody at their place.
#[must_use]
pub fn default_state() -> Map<String, Value> {
    let state = json!({
        "workflow": "enforced",
        "specimens": [{"template_ref": "S_BIOCHEM_OK"}, {"template_ref": "S_COAG_OK"}],
    });
    state.as_object().cloned().unwrap_or_default()
}

/// The actions that an agent may ask for, as `validate-policy` knows them.
#[must_use]
pub fn actions() -> Vec<&'static str> {
    ActionKind::ALL.iter().map(|kind| kind.name()).collect()
}
