//! The audit chain can be recomputed from the log alone, and a changed record shows.

use labtrust_bench::{
    EpisodeSetup,
    log::{EpisodeLog, LogContext},
    run_episode,
};
use labtrust_kernel::ClockMode;
use labtrust_tests::laboratory;
use labtrust_trust::canonical::to_canonical_vec;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;

/// The log of one episode with an intruder, parsed.
fn log() -> Vec<Value> {
    let registry = labtrust_builtin::registry().unwrap();
    let setup = EpisodeSetup {
        task: registry.task("adversarial_disruption").unwrap(),
        seed: 3,
        max_steps: 80,
        timing: ClockMode::Simulated,
        strict_signatures: false,
        calibration: None,
        metrics: &registry.metrics(),
        cast: labtrust_bench::Cast::default(),
    };
    let mut log = EpisodeLog::new(Arc::new(LogContext::default()), 0);
    run_episode(laboratory().engine().as_mut(), &setup, Some(&mut log)).unwrap();
    let text = String::from_utf8(log.into_bytes()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What the record of a log line hashes to, from what the line says of event and outcome.
fn recomputed(line: &Value) -> String {
    let outcome = json!({
        "blocked_reason_code": line["blocked_reason_code"], "emits": line["emits"], "enforcements": line["enforcements"],
        "status": line["status"], "token_consumed": line["token_consumed"], "violations": line["violations"],
    });
    let record = to_canonical_vec(&json!({"event": line["event"], "outcome": outcome})).unwrap();
    let mut hasher = Sha256::new();
    hasher.update(line["prev_hash"].as_str().unwrap());
    hasher.update(&record);
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn every_record_of_a_log_hashes_to_what_it_says_and_follows_the_one_before() {
    let lines = log();
    assert!(lines.iter().any(|line| line["status"] == "BLOCKED") && lines.len() > 40);
    let mut prev = String::new();
    for (i, line) in lines.iter().enumerate() {
        assert_eq!(line["prev_hash"], prev, "record {i}");
        assert_eq!(line["chain_hash"], recomputed(line), "record {i}");
        assert_eq!(line["hashchain"]["length"], i + 1);
        prev = line["chain_hash"].as_str().unwrap().to_owned();
    }
}

#[test]
fn whatever_is_changed_in_a_record_changes_its_hash() {
    let lines = log();
    let blocked = lines.iter().find(|line| line["status"] == "BLOCKED").unwrap();
    let changes: [(&str, Value); 6] = [
        ("status", json!("ACCEPTED")),
        ("blocked_reason_code", Value::Null),
        ("emits", json!(["RELEASE_RESULT"])),
        ("violations", json!([{"invariant_id": "INV-ZONE-001", "status": "PASS"}])),
        ("token_consumed", json!(["T"])),
        ("event", json!({})),
    ];
    for (key, value) in changes {
        let mut changed = blocked.clone();
        changed[key] = value;
        assert_ne!(changed[key], blocked[key], "{key} really is changed");
        assert_ne!(recomputed(&changed), blocked["chain_hash"], "{key}");
    }
}
