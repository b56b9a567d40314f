//! The frozen reference engine: equal to recorded traces of the reference, and to scripts whose answers were worked out
//! by hand from its rules.

use labtrust_contract::StepResult;
use labtrust_hospital_lab::reference::FrozenEngine;
use labtrust_plugin::lab::Engine as _;
use labtrust_policy::PolicyStore;
use labtrust_tests::reference_policy;
use labtrust_trust::canonical::to_canonical_vec;
use labtrust_trust::chain::record_hash;
use labtrust_trust::keys::Signer;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

fn object(value: &Value) -> &Map<String, Value> {
    value.as_object().expect("a map")
}

fn engine() -> FrozenEngine {
    FrozenEngine::new(&PolicyStore::builtin()).expect("the policy loads")
}

/// Runs every script of a file of vectors and compares every step and every query. Returns the steps compared.
fn compare(engine: &mut FrozenEngine, vectors: &str) -> usize {
    let mut steps = 0;
    for line in vectors.lines() {
        let script: Value = serde_json::from_str(line).expect("a JSON line");
        let id = &script["id"];
        engine.reset(object(&script["initial_state"]), 12_345).expect("the state is good");
        let (events, expected) = (script["script"].as_array().unwrap(), script["expect"].as_array().unwrap());
        assert_eq!(events.len(), expected.len(), "{id}");
        for (event, expected) in events.iter().zip(expected) {
            let actual = serde_json::to_value(engine.play(object(event))).unwrap();
            steps += 1;
            for (key, expected) in object(expected) {
                assert!(agrees(&actual[key], expected), "{id} {event}\n{key}: {expected}\nbut was: {}", actual[key]);
            }
        }
        for (query, expected) in object(&script["final"]) {
            assert_eq!(engine.query(query).expect("a known query"), *expected, "{id} {query}");
        }
    }
    steps
}

/// Equal, where a list of maps has to agree only on the keys that are expected and a missing key is `null`.
fn agrees(actual: &Value, expected: &Value) -> bool {
    match (actual, expected) {
        (Value::Array(actual), Value::Array(expected)) => {
            actual.len() == expected.len() && actual.iter().zip(expected).all(|(a, e)| agrees(a, e))
        }
        (Value::Object(_), Value::Object(expected)) => expected.iter().all(|(key, value)| agrees(&actual[key], value)),
        _ => actual == expected,
    }
}

#[test]
fn recorded_traces_of_the_reference_come_out_the_same_in_every_step_and_query() {
    let Some(policy) = reference_policy() else { return };
    let vectors = std::fs::read_to_string(policy.with_file_name("vectors").join("engine_vectors.jsonl")).unwrap();
    let mut engine = FrozenEngine::new(&PolicyStore::open(&policy).unwrap()).unwrap();
    assert!(compare(&mut engine, &vectors) > 8_000);
}

#[test]
fn scripts_worked_out_by_hand_come_out_as_they_should() {
    assert!(compare(&mut engine(), include_str!("../vectors/reference_rules.jsonl")) > 100);
}

fn event(id: &str, t_s: i64, agent: &str, action: &str, args: Value) -> Map<String, Value> {
    let event = json!({
        "event_id": id, "t_s": t_s, "agent_id": agent, "action_type": action, "args": args, "reason_code": null,
        "token_refs": [],
    });
    object(&event).clone()
}

#[test]
fn records_of_enforcement_are_in_the_chain_but_not_in_the_answer_of_their_step() {
    let mut engine = engine();
    let rule = |id: &str| json!({"rule_id": id, "match": {}, "action": {"type": "forensic_freeze"}});
    let state = json!({
        "enforcement_enabled": true,
        "effective_policy": {"enforcement_map": {"rules": [rule("A"), rule("B"), rule("C")]}},
    });
    engine.reset(object(&state), 0).unwrap();
    engine.play(&event("e1", 0, "A_SUPERVISOR", "OPEN_DOOR", json!({"door_id": "D_WASTE"})));
    let tick = engine.play(&event("e2", 500, "A_SUPERVISOR", "TICK", json!({})));
    assert_eq!((tick.enforcements.len(), tick.hashchain.length), (3, 2));
    let last = event("e3", 501, "A_SUPERVISOR", "OPEN_DOOR", json!({}));
    let mut hash = tick.hashchain.last_event_hash;
    for (index, rule) in ["A", "B", "C"].iter().enumerate() {
        let record = json!({
            "event_id": format!("e2_enf_{index}"), "event_type": "ENFORCEMENT", "rule_id": rule,
            "action_type": "forensic_freeze", "target": null, "duration_s": null, "reason_code": null, "zone_id": null,
        });
        hash = record_hash(&hash, &to_canonical_vec(&record).unwrap());
    }
    let next = engine.play(&last).hashchain;
    hash = record_hash(&hash, &to_canonical_vec(&Value::Object(last)).unwrap());
    assert_eq!((next.length, next.last_event_hash), (6, hash));
}

/// An engine whose registry has real keys: of the system, of the system's role but another agent, and of another role.
fn with_keys() -> FrozenEngine {
    let key = |id: &str, seed: u8, agent: &str, role: &str| {
        let public = Signer::from_seed([seed; 32]).public_b64();
        json!({"key_id": id, "public_key": public, "agent_id": agent, "role_id": role})
    };
    let keys = json!([
        key("k:system", 1, "SYSTEM", "R_SYSTEM_CONTROL"),
        key("k:other", 2, "A_QC", "R_SYSTEM_CONTROL"),
        key("k:reception", 3, "A_RECEPTION", "ROLE_RECEPTION"),
    ]);
    let mut engine = engine();
    engine.reset(object(&json!({"effective_policy": {"key_registry": {"keys": keys}}})), 0).unwrap();
    engine
}

fn signed(engine: &mut FrozenEngine, mut event: Map<String, Value>, key: &str, seed: u8) -> Map<String, Value> {
    let payload = engine.signing_payload(&event).expect("the time is a number");
    event.insert("key_id".into(), json!(key));
    event.insert("signature".into(), json!(Signer::from_seed([seed; 32]).sign_b64(&payload)));
    event
}

fn play_signed(engine: &mut FrozenEngine, event: Map<String, Value>, key: &str, seed: u8) -> StepResult {
    let event = signed(engine, event, key, seed);
    engine.play(&event)
}

#[test]
fn runtime_control_wants_good_bytes_then_the_control_role_then_the_agent_of_the_key() {
    let mut engine = with_keys();
    let roster = || event("e", 0, "SYSTEM", "UPDATE_ROSTER", json!({"roster": {"A_RECEPTION": "ROLE_ANALYTICS"}}));
    for (key, seed, code) in [
        ("k:system", 9, "SIG_INVALID"),
        ("k:reception", 9, "SIG_INVALID"),
        ("k:reception", 3, "SIG_ROLE_MISMATCH"),
        ("k:other", 2, "SIG_INVALID"),
    ] {
        let result = play_signed(&mut engine, roster(), key, seed);
        assert_eq!(result.blocked_reason_code.as_deref(), Some(code), "{key}");
        assert_eq!(result.control_decision.unwrap().reason_code.as_deref(), Some(code));
        assert_eq!(engine.agent_role("A_RECEPTION"), Some("ROLE_RECEPTION"));
    }
    let mut sentinel = roster();
    sentinel.extend([("key_id".into(), json!("k:system")), ("signature".into(), json!("GOLDEN_TEST_ACCEPT"))]);
    assert_eq!(engine.play(&sentinel).blocked_reason_code.as_deref(), Some("SIG_INVALID"));
    let good = play_signed(&mut engine, roster(), "k:system", 1);
    assert_eq!(good.blocked_reason_code, None);
    assert_eq!(engine.agent_role("A_RECEPTION"), Some("ROLE_ANALYTICS"));
    let inject = |id: &str, args| event(id, 0, "SYSTEM", "INJECT_SPECIMEN", args);
    let once = play_signed(&mut engine, inject("i1", json!({"specimen_id": "N1"})), "k:system", 1);
    assert_eq!(once.emits, ["INJECT_SPECIMEN"]);
    for args in [json!({"specimen_id": "N1"}), json!({})] {
        let again = play_signed(&mut engine, inject("i2", args), "k:system", 1);
        assert_eq!(again.blocked_reason_code.as_deref(), Some("RC_INJECT_SPECIMEN_DUPLICATE"));
        assert!(again.control_decision.unwrap().allowed);
    }
}

#[test]
fn what_was_found_of_a_signature_shows_in_finalised_steps_and_lives_on() {
    let mut engine = with_keys();
    let mut tick = event("e1", 0, "A_RECEPTION", "TICK", json!({}));
    tick.extend([("key_id".into(), json!("k:reception")), ("signature".into(), json!("bad"))]);
    let found = engine.play(&tick).signature_verification.expect("a tick is finalised");
    assert_eq!((found.passed, found.reason_code.as_deref()), (false, Some("SIG_INVALID")));
    assert_eq!(found.key_role_id.as_deref(), Some("ROLE_RECEPTION"));
    // A step of runtime control reports that of the step before.
    let roster = event("e2", 0, "SYSTEM", "UPDATE_ROSTER", json!({}));
    let result = play_signed(&mut engine, roster, "k:system", 1);
    assert_eq!((result.blocked_reason_code, result.signature_verification), (None, Some(found)));
    let unsigned = engine.play(&event("e3", 0, "A_RECEPTION", "TICK", json!({})));
    assert_eq!(unsigned.signature_verification, None);
    let mut moved = event("e4", 0, "A_RECEPTION", "MOVE", json!({}));
    moved.extend([("key_id".into(), json!("k:reception")), ("signature".into(), json!("bad"))]);
    assert_eq!(engine.play(&moved).signature_verification, None, "a move is not finalised");
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop::sample::select(vec!["", "S1", "R1", "DEV_CHEM_A_01", "Z_ACCESSIONING", "phone", "CONS_1", "é'\""])
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::vec(("[a-z_]{1,8}", inner), 0..3)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// The content of an event is never an error: it is answered, and a refusal has a code.
    #[test]
    fn whatever_an_event_holds_it_is_answered(
        events in prop::collection::vec((
            prop::sample::select(vec![
                "TICK", "MOVE", "MINT_TOKEN", "OPEN_DOOR", "ACCEPT_SPECIMEN", "CENTRIFUGE_END", "QUEUE_RUN", "START_RUN",
                "GENERATE_RESULT", "RELEASE_RESULT", "NOTIFY_CRITICAL_RESULT", "ACK_CRITICAL_RESULT",
                "ESCALATE_CRITICAL_RESULT", "DISPATCH_TRANSPORT", "RECEIVE_TRANSPORT", "UPDATE_ROSTER", "",
            ]),
            prop::collection::vec((prop::sample::select(vec![
                "specimen_id", "specimen_ids", "aliquot_ids", "device_id", "work_id", "run_id", "result_id", "value",
                "analyte_code", "units", "approvals", "from_zone", "to_zone", "separated_ts_s", "channel", "next_role",
                "consignment_id", "roster", "attempt_id",
            ]), any_json()), 0..6),
            any_json(),
            any_json(),
        ), 1..30),
        simulated: bool,
    ) {
        let mut engine = engine();
        let timing = if simulated { "simulated" } else { "explicit" };
        engine.reset(object(&json!({"timing_mode": timing, "enforcement_enabled": true})), 0).unwrap();
        let mut length = 0;
        for (action, args, odd, t_s) in events {
            let args: Map<String, Value> = args.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
            let event = json!({
                "event_id": "e", "t_s": t_s, "agent_id": "X", "action_type": action, "args": args, "token_refs": odd,
                "key_id": odd, "signature": odd, "tool_id": null,
            });
            let result = engine.play(object(&event));
            prop_assert_eq!(result.blocked_reason_code.is_some(), result.status == labtrust_contract::StepStatus::Blocked);
            prop_assert!(result.hashchain.length >= length);
            length = result.hashchain.length;
        }
    }
}
