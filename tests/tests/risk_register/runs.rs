//! Runs of one method under one injection: two real ones, and what happens when something is wrong with them.

use crate::campaign::Campaign;
use crate::desk::{Desk, TODAY, entry};
use labtrust_assurance::register::State;
use serde_json::{Value, json};
use std::sync::LazyLock;

const METHOD: &str = "market_auction";
const RISK: &str = "R-DATA-001";

/// Two episodes under their controls, and the same without the one that stops the injection.
static REAL: LazyLock<(Value, Value)> = LazyLock::new(|| {
    let campaign = Campaign { episodes: 2, ..Campaign::of(METHOD, "INJ-COMMS-POISON-001") };
    (campaign.run().results, Campaign { without: &["bus.signature"], ..campaign }.run().results)
});

type Change = fn(&mut Value, &mut Value);

/// A desk with both runs, changed.
fn changed(change: Change) -> Desk {
    let (mut with, mut without) = REAL.clone();
    change(&mut with, &mut without);
    let desk = Desk::new();
    desk.write_json("run", "results.json", &with);
    desk.write_json("run", "without/results.json", &without);
    desk
}

fn each_episode(results: &mut Value, change: impl Fn(&mut Value)) {
    results["episodes"].as_array_mut().unwrap().iter_mut().for_each(|episode| change(&mut episode["metrics"]));
}

#[test]
fn a_run_that_holds_and_comes_through_without_its_control_covers_its_cell_and_no_other() {
    let desk = changed(|_, _| ());
    assert!(desk.is_covered(METHOD, RISK));
    let covered = desk.coverage(TODAY).cells.into_iter().filter(|cell| matches!(cell.state, State::Covered { .. }));
    assert_eq!(covered.count(), 1, "another method or risk is covered by it");
    let bundle = desk.bundle();
    let run = entry(&bundle, "coord_risk_run");
    assert_eq!((&run["status"], &run["risk_ids"]), (&json!("present"), &json!(["R-COMMS-002", RISK])));
}

#[test]
fn what_proves_nothing_is_told_by_its_kind_and_covers_nothing() {
    let cases: &[(&str, Change)] = &[
        ("empty", |with, _| {
            with["episodes"] = json!([]);
            with["seeds"] = json!([]);
            with["num_episodes"] = json!(0);
        }),
        ("crashed", |with, _| each_episode(with, |of| of["coordination"]["method"]["failures"] = json!(1))),
        ("crashed", |with, _| each_episode(with, |of| of["coordination"]["method"]["ended_step"] = json!(3))),
        ("crashed", |with, _| with["episodes"][1]["metrics"]["sec"] = Value::Null),
        ("crashed", |with, _| each_episode(with, |of| of["sec"]["attack_success_rate"] = Value::Null)),
        ("failed", |with, _| with["episodes"][1]["metrics"]["sec"]["attack_success_rate"] = json!(1.0)),
        ("failed", |with, _| with["episodes"][0]["metrics"]["sec"]["attack_success_observed"] = json!(1.0)),
        ("synthetic", |with, _| with["metadata"]["synthetic"] = json!(true)),
        ("wrong_method", |with, _| with["agent_baseline_id"] = json!("ripple_effect")),
        ("wrong_method", |with, _| {
            each_episode(with, |of| of["coordination"]["method"]["id"] = json!("ripple_effect"))
        }),
        ("wrong_attack", |with, _| each_episode(with, |of| of["sec"]["injection_id"] = json!("INJ-REPLAY-001"))),
        ("not_applied", |with, _| each_episode(with, |of| of["sec"]["applications_total"] = json!(0))),
        ("no_baseline_utility", |with, _| each_episode(with, |of| of["sec"]["utility_ratio"] = Value::Null)),
        ("no_utility", |with, _| each_episode(with, |of| of["throughput"] = json!(0))),
        ("noisy", |with, _| each_episode(with, |of| of["sec"]["false_positive_rate"] = json!(0.5))),
        ("noisy", |with, _| each_episode(with, |of| of["sec"]["false_positive_rate"] = Value::Null)),
        ("semantics", |with, _| with["metadata"]["sec_semantics"] = json!("0.1")),
        ("semantics", |with, _| with["metadata"] = Value::Null),
        ("unshielded", |with, without| std::mem::swap(with, without)),
        ("unverified", |with, _| with["seeds"] = json!([1])),
        ("too_few", |with, _| {
            each_episode(with, |of| of["sec"]["attack_class"] = json!("resource"));
        }),
        ("inert", |_, without| each_episode(without, |of| of["sec"]["attack_success_rate"] = json!(0.0))),
        ("inert", |with, without| *without = with.clone()),
        ("inert", |_, without| without["seeds"] = json!([7, 8])),
        ("inert", |_, without| without["config"]["scale_id"] = json!("medium_stress_signed_bus")),
        ("inert", |_, without| without["config"]["ablate_run"] = json!(["memory"])),
        ("inert", |_, without| *without = json!([])),
    ];
    for (kind, change) in cases {
        changed(*change).is_refused(METHOD, RISK, kind);
    }
}

#[test]
fn too_few_episodes_do_not_bound_a_rate() {
    let desk = changed(|_, _| ());
    let policy = labtrust_policy::PolicyStore::builtin();
    let desk = Desk { policy, ..desk };
    desk.is_refused(METHOD, RISK, "too_few");
}

#[test]
fn a_run_without_its_counterpart_is_inert_and_nothing_at_all_is_a_gap_without_a_reason() {
    let desk = Desk::new();
    assert_eq!(desk.state(METHOD, RISK, TODAY), State::Gap { reasons: Vec::new() });
    desk.write_json("run", "results.json", &REAL.0);
    desk.is_refused(METHOD, RISK, "inert");
}

#[test]
fn a_failed_run_is_not_made_good_by_another_one() {
    let desk = changed(|_, _| ());
    let mut failed = REAL.0.clone();
    failed["episodes"][0]["metrics"]["sec"]["attack_success_rate"] = json!(1.0);
    desk.write_json("run2", "results.json", &failed);
    desk.write_json("run2", "without/results.json", &REAL.1);
    desk.is_refused(METHOD, RISK, "failed");
}

#[test]
fn bytes_that_somebody_else_vouched_for_are_unverified() {
    let bytes = serde_json::to_vec(&REAL.0).unwrap();
    let other = sha256(b"another file");
    type Voucher = fn(&str) -> String;
    let vouchers: [(&str, Voucher); 3] = [
        ("run_manifest.json", |digest| json!({ "outputs": { "results.json": digest } }).to_string()),
        ("results.json.sha256", |digest| digest.to_owned()),
        ("MANIFEST.v0.1.json", |digest| json!({ "files": [{ "path": "results.json", "sha256": digest }] }).to_string()),
    ];
    for (file, voucher) in vouchers {
        let desk = changed(|_, _| ());
        desk.write("run", file, voucher(&other));
        let run = desk.bundle();
        assert_eq!(entry(&run, "coord_risk_run")["status"], "inadmissible", "{file}");
        assert!(entry(&run, "coord_risk_run")["reason"].as_str().unwrap().starts_with("unverified"), "{file}");
        assert!(!desk.is_covered(METHOD, RISK), "{file}");
    }
    // With the right digest each of them vouches for it; a manifest has to name the counterpart, too.
    let desk = changed(|_, _| ());
    desk.write("run", "run_manifest.json", vouchers[0].1(&sha256(&bytes)));
    desk.write("run", "results.json.sha256", vouchers[1].1(&sha256(&bytes)));
    assert!(desk.is_covered(METHOD, RISK));
    assert_eq!(
        entry(&desk.bundle(), "coord_risk_run")["verified_by"],
        json!(["results.json.sha256", "run_manifest.json"])
    );
    desk.write("run", "MANIFEST.v0.1.json", vouchers[2].1(&sha256(&bytes)));
    desk.is_refused(METHOD, RISK, "unverified");
}

#[test]
fn a_statement_whose_signature_does_not_hold_makes_everything_beside_it_unverified() {
    let desk = changed(|_, _| ());
    desk.write("run", "evidence.dsse.json", "{}");
    assert!(!desk.is_covered(METHOD, RISK));
}

/// SHA-256 in hexadecimal digits.
fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
