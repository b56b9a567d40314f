//! Results of the security suite.

use crate::desk::{Desk, entry};
use labtrust_assurance::register::policy::PLAN;
use serde_json::{Value, json};

fn results() -> Value {
    let row = |attack: &str, risk: &str| {
        json!({
            "attack_id": attack, "risk_id": risk, "expected_outcome": "blocked", "passed": true, "error": null,
            "observed_outcome": "blocked", "potency": 1.0, "not_applied": false, "reason_code_counts": { "RC_X": 2 },
        })
    };
    json!({
        "version": "0.1", "metadata": { "seed": 42 },
        "results": [row("SEC-TOOL-SELECT-001", "R-TOOL-001"), row("SEC-MEM-001", "R-DATA-003")],
        "summary": { "total": 2, "passed": 2, "failed": 0 },
    })
}

const FILE: &str = "SECURITY/attack_results.json";

#[test]
fn attacks_that_hold_are_evidence_of_their_own_risks_only() {
    let desk = Desk::new();
    desk.write_json("suite", FILE, &results());
    let bundle = desk.bundle();
    let entry = entry(&bundle, "security_suite");
    assert_eq!((&entry["status"], &entry["risk_ids"]), (&json!("present"), &json!(["R-DATA-003", "R-TOOL-001"])));
    assert_eq!(entry["reason_code_distribution"], json!({ "RC_X": 4 }));
    let missing = bundle["evidence"].as_array().unwrap().iter().filter(|entry| entry["status"] == "missing").count();
    assert_eq!(missing, 15);
}

#[test]
fn an_attack_that_proves_nothing_leaves_its_risk_without_evidence() {
    type Change = fn(&mut Value);
    let of_one: &[(&str, Change)] = &[
        ("failed", |row| row["passed"] = json!(false)),
        ("failed", |row| row["observed_outcome"] = json!("accepted")),
        ("failed", |row| row["observed_outcome"] = json!("detected")),
        ("skipped", |row| row["skipped"] = json!(true)),
        ("skipped", |row| row["observed_outcome"] = json!("skipped")),
        ("crashed", |row| {
            row["error"] = json!("it stopped");
            row["observed_outcome"] = Value::Null;
        }),
        ("no_verdict", |row| row["observed_outcome"] = Value::Null),
        ("not_applied", |row| row["not_applied"] = json!(true)),
        ("inert", |row| row["potency"] = json!(0.0)),
        ("inert", |row| row["potency"] = Value::Null),
        ("no_utility", |row| row["benign_pair_passed"] = json!(false)),
        ("wrong_attack", |row| row["attack_id"] = json!("SEC-MADE-UP-001")),
        ("wrong_attack", |row| row["risk_id"] = json!("R-CAP-001")),
    ];
    for (kind, change) in of_one {
        let desk = Desk::new();
        let mut changed = results();
        change(&mut changed["results"][1]);
        desk.write_json("suite", FILE, &changed);
        let bundle = desk.bundle();
        let entry = entry(&bundle, "security_suite");
        assert_eq!(entry["risk_ids"], json!(["R-TOOL-001"]), "{kind}");
        assert_eq!(entry["assessments"][1]["kind"], *kind);
    }
}

#[test]
fn results_that_are_nothing_as_a_whole_are_inadmissible() {
    type Change = fn(&mut Value);
    let of_all: &[(&str, Change)] = &[
        ("empty", |all| {
            all["results"] = json!([]);
            all["summary"]["total"] = json!(0);
        }),
        ("synthetic", |all| all["metadata"]["synthetic"] = json!(true)),
        ("unverified", |all| all["summary"]["total"] = json!(54)),
        ("unreadable", |all| all["results"][1] = all["results"][0].clone()),
        ("unreadable", |all| *all = json!("results")),
    ];
    for (kind, change) in of_all {
        let desk = Desk::new();
        let mut changed = results();
        change(&mut changed);
        desk.write_json("suite", FILE, &changed);
        let bundle = desk.bundle();
        let entry = entry(&bundle, "security_suite");
        assert_eq!(entry["status"], "inadmissible", "{kind}");
        assert!(entry["reason"].as_str().unwrap().starts_with(kind), "{kind}: {}", entry["reason"]);
    }
    let desk = Desk::new();
    desk.write_json("suite", FILE, &results());
    desk.write("suite", "SECURITY/attack_results.json.sha256", "0".repeat(64));
    assert_eq!(entry(&desk.bundle(), "security_suite")["status"], "inadmissible");
}

#[test]
fn a_cell_whose_plan_asks_for_an_attack_is_covered_by_this_attack_and_not_by_another() {
    let covered = |attack: &str| {
        let desk = Desk::new();
        let row = "kind: coord_risk\n      injection_id: inj_tool_selection_noise";
        let asked = format!("kind: security_suite\n      attack_id: {attack}");
        let plan = desk.policy.text(PLAN).unwrap().replacen(row, &asked, 1);
        let policy = desk.policy.with_text(PLAN, &plan);
        let desk = Desk { policy, ..desk };
        desk.write_json("suite", FILE, &results());
        desk.is_covered("centralized_planner", "R-TOOL-001")
    };
    assert!(covered("SEC-TOOL-SELECT-001"));
    assert!(!covered("SEC-MEM-001"));
}
