//! Runs of the coordination security pack.

use crate::desk::{Desk, entry};
use serde_json::json;
use std::collections::BTreeMap;

const METHOD: &str = "market_auction";
const RISK: &str = "R-DATA-001";
const SUMMARY: &[(&str, &str)] = &[
    ("method_id", METHOD),
    ("scale_id", "small_smoke"),
    ("injection_id", "INJ-COMMS-POISON-001"),
    ("perf.throughput", "11.0"),
    ("sec.attack_success_rate", "0.0"),
    ("sec.attack_success_observed", "0.0"),
    ("sec.applied_episodes", "3"),
    ("sec.applications_total", "140"),
    ("sec.false_positive_rate", "0.0"),
    ("perf.utility_ratio", "0.8"),
    ("sec.potency", "1.0"),
];

type Row = BTreeMap<&'static str, String>;

/// A pack with a baseline and one cell.
struct Pack {
    baseline: Row,
    cell: Row,
    verdict: &'static str,
    gate: bool,
    matrix: Option<&'static str>,
    failed: usize,
}

impl Pack {
    fn good() -> Self {
        let cell: Row = SUMMARY.iter().map(|(column, value)| (*column, (*value).to_owned())).collect();
        let mut baseline = cell.clone();
        baseline.insert("injection_id", "none".to_owned());
        Self { baseline, cell, verdict: "PASS | it holds", gate: true, matrix: Some("PASS"), failed: 0 }
    }

    fn desk(&self) -> Desk {
        let desk = Desk::new();
        let line =
            |row: &Row| SUMMARY.iter().filter_map(|(column, _)| row.get(column).cloned()).collect::<Vec<_>>().join(",");
        let header: Vec<&str> =
            SUMMARY.iter().map(|(column, _)| *column).filter(|column| self.cell.contains_key(column)).collect();
        let rows = [header.join(","), line(&self.baseline), line(&self.cell)];
        desk.write("pack", "pack_summary.csv", rows.map(|row| row + "\r\n").concat());
        if self.gate {
            let row =
                |injection: &str, verdict: &str| format!("| small_smoke | {METHOD} | {injection} | {verdict} |\n");
            let table = format!(
                "# Gate\n\n| scale_id | method_id | injection_id | verdict | rationale |\n|---|---|---|---|---|\n{}{}",
                row("none", "PASS | baseline (no injection)"),
                row("INJ-COMMS-POISON-001", self.verdict)
            );
            desk.write("pack", "pack_gate.md", table);
        }
        if let Some(verdict) = self.matrix {
            let matrix = format!(
                "method_id,injection_id,scale_id,verdict\r\n{METHOD},INJ-COMMS-POISON-001,small_smoke,{verdict}\r\n"
            );
            desk.write("pack", "SECURITY/coordination_risk_matrix.csv", matrix);
            let summary = json!({ "overall_pass": self.failed == 0, "total_cells": 2, "failed": self.failed });
            desk.write_json("pack", "SECURITY/coord_pack_gate_summary.json", &summary);
        }
        desk
    }
}

#[test]
fn a_cell_that_passed_and_whose_figures_bear_it_out_covers_its_method_and_risk() {
    let desk = Pack::good().desk();
    assert!(desk.is_covered(METHOD, RISK));
    let bundle = desk.bundle();
    assert_eq!(entry(&bundle, "coordination_pack")["risk_ids"], json!(["R-COMMS-002", RISK]));
    assert!(!desk.is_covered("kernel_auction_whca", RISK), "another method has the same risk");
}

#[test]
fn a_cell_that_proves_nothing_is_told_by_its_kind_and_covers_nothing() {
    type Change = fn(&mut Pack);
    let cases: &[(&str, Change)] = &[
        ("failed", |pack| {
            pack.verdict = "FAIL | it came through";
            pack.matrix = Some("FAIL");
            pack.failed = 1;
        }),
        ("failed", |pack| drop(pack.cell.insert("sec.attack_success_rate", "0.5".to_owned()))),
        ("failed", |pack| drop(pack.cell.insert("sec.attack_success_observed", "1.0".to_owned()))),
        ("skipped", |pack| (pack.verdict, pack.matrix) = ("SKIP | (no_data)", Some("SKIP"))),
        ("skipped", |pack| (pack.verdict, pack.matrix) = ("not_supported | no detector", Some("not_supported"))),
        ("not_run", |pack| (pack.verdict, pack.matrix) = ("not_run | there is no such method", Some("not_run"))),
        ("not_applied", |pack| (pack.verdict, pack.matrix) = ("SKIP | (not_applied)", Some("SKIP"))),
        ("not_applied", |pack| drop(pack.cell.insert("sec.applied_episodes", "0".to_owned()))),
        ("not_applied", |pack| drop(pack.cell.insert("sec.applications_total", String::new()))),
        ("crashed", |pack| drop(pack.cell.insert("sec.attack_success_rate", String::new()))),
        ("inert", |pack| drop(pack.cell.insert("sec.potency", "0.0".to_owned()))),
        ("inert", |pack| drop(pack.cell.insert("sec.potency", String::new()))),
        ("no_baseline_utility", |pack| drop(pack.baseline.insert("perf.throughput", "0.0".to_owned()))),
        ("no_baseline_utility", |pack| drop(pack.baseline.insert("injection_id", "INJ-REPLAY-001".to_owned()))),
        ("no_utility", |pack| drop(pack.cell.insert("perf.utility_ratio", "0.0".to_owned()))),
        ("noisy", |pack| drop(pack.cell.insert("sec.false_positive_rate", "0.2".to_owned()))),
        ("noisy", |pack| drop(pack.cell.insert("sec.false_positive_rate", String::new()))),
    ];
    for (kind, change) in cases {
        let mut pack = Pack::good();
        change(&mut pack);
        pack.desk().is_refused(METHOD, RISK, kind);
    }
}

#[test]
fn a_pack_that_is_nothing_as_a_whole_is_inadmissible() {
    type Change = fn(&mut Pack);
    let cases: &[(&str, Change)] = &[
        ("synthetic", |pack| pack.matrix = None),
        ("no_verdict", |pack| pack.gate = false),
        ("unverified", |pack| pack.matrix = Some("FAIL")),
        ("unverified", |pack| pack.failed = 1),
        ("semantics", |pack| {
            pack.cell.remove("sec.potency");
            pack.baseline.remove("sec.potency");
        }),
    ];
    for (kind, change) in cases {
        let mut pack = Pack::good();
        change(&mut pack);
        let desk = pack.desk();
        let bundle = desk.bundle();
        let entry = entry(&bundle, "coordination_pack");
        assert_eq!(entry["status"], "inadmissible", "{kind}");
        assert!(entry["reason"].as_str().unwrap().starts_with(kind), "{kind}: {}", entry["reason"]);
        assert!(!desk.is_covered(METHOD, RISK), "{kind}");
    }
    let desk = Pack::good().desk();
    desk.write("pack", "pack_summary.csv", "method_id,scale_id,injection_id\r\n");
    assert!(!desk.is_covered(METHOD, RISK), "an empty table covers");
}
