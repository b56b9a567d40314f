//! The safety case.

use crate::desk::Desk;
use labtrust_assurance::register::{CaseStatus, SafetyCase};
use serde_json::{Value, json};

fn status(desk: &Desk, claim: &str, findings: &[String]) -> (CaseStatus, Vec<String>) {
    let case = SafetyCase::judge(&desk.register(), &desk.path().join("case"), findings);
    let judged = case.claims.into_iter().find(|one| one.id() == claim).expect("the claim is there");
    (judged.status, judged.problems())
}

/// As `determinism-report` writes it.
fn report() -> Value {
    json!({ "passed": true, "num_episodes": 20, "episode_log_identical": true, "results_identical": true })
}

const DETERMINISM: &str = "SC-DETERMINISM-001";

#[test]
fn a_claim_stands_with_its_artefacts_and_falls_with_one_of_them() {
    let desk = Desk::new();
    assert_eq!(status(&desk, DETERMINISM, &[]).0, CaseStatus::NotEvaluated, "nothing is there");
    desk.write_json("case", "determinism_report.json", &report());
    assert_eq!(status(&desk, DETERMINISM, &[]), (CaseStatus::Supported, Vec::new()));
    for (key, value) in [("passed", json!(false)), ("num_episodes", json!(0)), ("episode_log_identical", Value::Null)] {
        let mut broken = report();
        broken[key] = value;
        desk.write_json("case", "determinism_report.json", &broken);
        assert_eq!(status(&desk, DETERMINISM, &[]).0, CaseStatus::Unsupported, "{key}");
    }
    desk.write("case", "determinism_report.json", "{");
    assert_eq!(status(&desk, DETERMINISM, &[]).0, CaseStatus::Unsupported, "it is no JSON");
}

#[test]
fn a_list_without_entries_holds_nothing() {
    let desk = Desk::new();
    let reports = |passed: &[bool]| json!({ "scenario_reports": passed.iter().map(|passed| json!({ "passed": passed })).collect::<Vec<_>>() });
    for (passed, wanted) in [
        (&[true, true][..], CaseStatus::Supported),
        (&[true, false], CaseStatus::Unsupported),
        (&[], CaseStatus::Unsupported),
    ] {
        desk.write_json("case", "golden.json", &reports(passed));
        assert_eq!(status(&desk, "SC-CONTRACT-001", &[]).0, wanted, "{passed:?}");
    }
}

#[test]
fn artefacts_that_were_changed_do_not_bear_a_claim_out() {
    let desk = Desk::new();
    desk.write_json("case", "determinism_report.json", &report());
    desk.write("case", "determinism_report.json.sha256", "0".repeat(64));
    let (status, problems) = status(&desk, DETERMINISM, &[]);
    assert_eq!(status, CaseStatus::Unsupported);
    assert!(problems[0].contains("unverified"), "{problems:?}");
}

#[test]
fn the_policy_claim_falls_with_one_finding_and_the_claim_of_a_package_that_cannot_be_made_is_not_evaluated() {
    let desk = Desk::new();
    assert_eq!(status(&desk, "SC-POLICY-001", &[]).0, CaseStatus::Supported);
    assert_eq!(status(&desk, "SC-POLICY-001", &["zones: wrong".to_owned()]).0, CaseStatus::Unsupported);
    assert_eq!(status(&desk, "SC-PAPER-ARTIFACT-001", &[]).0, CaseStatus::NotEvaluated);
}

#[test]
fn security_results_bear_a_claim_out_only_where_every_attack_counts() {
    let desk = Desk::new();
    let row = |potency: f64| {
        json!({
            "attack_id": "SEC-MEM-001", "risk_id": "R-DATA-003", "passed": true, "error": null,
            "observed_outcome": "blocked", "expected_outcome": "blocked", "potency": potency,
        })
    };
    let results =
        |potency: f64| json!({ "results": [row(potency)], "summary": { "total": 1, "passed": 1, "failed": 0 } });
    for (potency, wanted) in [(1.0, CaseStatus::Supported), (0.0, CaseStatus::Unsupported)] {
        desk.write_json("case", "SECURITY/attack_results.json", &results(potency));
        assert_eq!(status(&desk, "SC-SECURITY-001", &[]).0, wanted, "{potency}");
    }
}

#[test]
fn a_case_lists_the_digests_of_what_it_expects_and_is_the_same_again() {
    let desk = Desk::new();
    desk.write_json("case", "determinism_report.json", &report());
    let case = || SafetyCase::judge(&desk.register(), &desk.path().join("case"), &[]);
    let (json, text) = (case().json(), case().markdown());
    assert_eq!((&json, &text), (&case().json(), &case().markdown()));
    assert_eq!(json["claims"].as_array().unwrap().len(), 7);
    assert_eq!(json["claims"][1]["artifact_sha256"][0]["path"], "determinism_report.json");
    assert_eq!(json["claims"][0]["traceability"]["evidence_links"][2]["path"], "tests/tests/golden.rs");
    assert!(text.contains("## SC-DETERMINISM-001") && text.contains("**Status:** supported"));
    let before = json["claims"][1]["evaluated_at_digest"].clone();
    let mut other = report();
    other["num_episodes"] = json!(21);
    desk.write_json("case", "determinism_report.json", &other);
    assert_ne!(case().json()["claims"][1]["evaluated_at_digest"], before, "the digest is not of what was judged");
}
