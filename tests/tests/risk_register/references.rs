//! Waivers, references, the shape of the document, and the same bytes again.

use crate::desk::{Desk, TODAY, entry};
use labtrust_assurance::register::crossref::contradictions;
use labtrust_assurance::register::placeholders;
use labtrust_assurance::register::policy::{COVERAGE, MATRIX, PLAN, RISKS, SECURITY_MAP, WAIVERS};
use labtrust_assurance::register::{BundleOptions, Coverage, Register, State, build, crosswalk};
use labtrust_bench::date::Date;
use labtrust_policy::{PolicyStore, schema_complaints, schemas};
use serde_json::{Value, json};

const CELL: (&str, &str) = ("market_auction", "R-DATA-001");

fn waiver(method: &str, expires_on: &str) -> String {
    format!(
        "  - {{ method_id: {method}, risk_id: R-DATA-001, why: No., expires_on: \"{expires_on}\", approved_by: ROLE_SECURITY_OFFICER }}\n"
    )
}

#[test]
fn a_waiver_holds_up_to_its_last_day_and_for_its_own_cell() {
    let state = |method: &str, expires_on: &str| {
        Desk::new().with_waivers(&waiver(method, expires_on)).state(CELL.0, CELL.1, TODAY)
    };
    assert!(matches!(state(CELL.0, "2026-11-22"), State::Waived { .. }));
    let State::Gap { reasons } = state(CELL.0, "2026-11-21") else { panic!("an expired waiver holds") };
    assert_eq!(reasons, ["its waiver expired on 2026-11-21"]);
    assert_eq!(state("kernel_auction_edf", "2027-01-01"), State::Gap { reasons: Vec::new() });
    assert!(matches!(state(CELL.0, "whenever"), State::Gap { .. }), "a waiver without an end holds");
}

#[test]
fn only_methods_that_do_not_exist_are_waived_and_the_waivers_end() {
    let desk = Desk::new();
    let waived: Vec<String> = desk.register().waivers.into_iter().map(|waiver| waiver.method_id).collect();
    let registry = labtrust_builtin::registry().unwrap();
    for method in &waived {
        assert!(registry.coordination_method(method).is_err(), "{method} exists and is waived");
    }
    let gaps = |date: &str| desk.coverage(date).gaps().count();
    assert_eq!((waived.len(), gaps(TODAY), gaps("2027-06-30"), gaps("2027-07-01")), (24, 21, 21, 45));
}

#[test]
fn every_gap_has_a_command_that_would_close_it() {
    let desk = Desk::new();
    let coverage = desk.coverage("2027-07-01");
    let commands = coverage.commands(&desk.register());
    for gap in coverage.gaps() {
        assert!(commands.iter().any(|line| line.contains(&format!("--coord-method {} ", gap.cell.method))), "{gap:?}");
    }
    assert_eq!(commands.iter().filter(|line| line.contains("--ablate")).count() * 2, commands.len());
}

#[test]
fn the_shipped_files_do_not_contradict_each_other() {
    let policy = PolicyStore::builtin();
    let found = contradictions(&policy, &Register::load(&policy).unwrap());
    assert!(found.is_empty(), "{:?}", found.iter().map(ToString::to_string).collect::<Vec<_>>());
}

#[test]
fn what_contradicts_is_told_with_its_file() {
    let cases = [
        (
            RISKS,
            "suggested_injections: [inj_tool_selection_noise]",
            "suggested_injections: [inj_device_melts]",
            "inj_device_melts",
        ),
        (COVERAGE, "- risk_id: R-FLOW-002", "- risk_id: R-FLOW-009", "R-FLOW-009"),
        (
            COVERAGE,
            "injection_ids: [INJ-MEMORY-POISON-001]",
            "injection_ids: [INJ-REPLAY-001]",
            "not about `R-DATA-003`",
        ),
        (COVERAGE, "injection_ids: [INJ-MEMORY-POISON-001]", "injection_ids: [inj_jailbreak]", "inj_jailbreak"),
        (COVERAGE, "attack_ids: [SEC-MEM-001]", "attack_ids: [SEC-MEM-009]", "SEC-MEM-009"),
        (SECURITY_MAP, "ref: INJ-SLOW-POISON-001", "ref: INJ-REPLAY-001", "not about `R-DATA-002`"),
        (SECURITY_MAP, "ref: SEC-MEM-001", "ref: SEC-TOOL-SELECT-001", "not about `R-DATA-003`"),
        (MATRIX, "required_bench: false", "required_bench: true", "no row says how to get it"),
        (
            PLAN,
            "  - method_id: ripple_effect\n    risk_id: R-DATA-001",
            "  - method_id: ripple_effect\n    risk_id: R-CAP-001",
            "needs no evidence",
        ),
        (PLAN, "injection_id: INJ-ID-SPOOF-001", "injection_id: inj_jailbreak", "inj_jailbreak"),
        (WAIVERS, "expires_on: \"2027-06-30\"", "expires_on: \"2027-06-31\"", "2027-06-31"),
        (
            WAIVERS,
            "method_id: llm_constrained, risk_id: R-TOOL-001",
            "method_id: ripple_effect, risk_id: R-CAP-001",
            "nothing is to be waived",
        ),
    ];
    // Of the small suite, only the two attacks that are in it can be named.
    let desk = Desk::new();
    let known = |policy: &PolicyStore| -> Vec<String> {
        contradictions(policy, &Register::load(policy).unwrap()).iter().map(ToString::to_string).collect()
    };
    let before = known(&desk.policy);
    for (file, from, to, says) in cases {
        let text = desk.policy.text(file).unwrap();
        assert!(text.contains(from), "{file} has no {from}");
        let policy = desk.policy.with_text(file, &text.replacen(from, to, 1));
        let new: Vec<String> = known(&policy).into_iter().filter(|one| !before.contains(one)).collect();
        assert!(new.iter().any(|one| one.contains(says)), "{says} is not told: {new:?}");
    }
    // D-40: one file calls a risk not applicable that the other covers.
    let text = desk.policy.text(COVERAGE).unwrap();
    let from = "injection_ids: [inj_dos_flood, INJ-DOS-PLANNER-001, INJ-TIMING-QUEUE-001, INJ-COMMS-FLOOD-LLM-001]";
    let policy =
        desk.policy.with_text(COVERAGE, &text.replacen(from, "not_applicable_justification: Nothing floods.", 1));
    assert!(
        known(&policy).iter().any(|one| one.contains("`R-SYS-001` is covered here")),
        "the contradiction is not told"
    );
}

#[test]
fn a_reference_that_leads_nowhere_is_told() {
    let mut bundle = Desk::new().bundle();
    bundle["risks"][0]["evidence_refs"] = json!(["ev-nowhere-1"]);
    bundle["risks"][1]["claimed_controls"] = json!(["CTRL-NONE"]);
    bundle["evidence"][0]["risk_ids"] = json!(["R-NONE-001"]);
    let found = crosswalk(&bundle).join("\n");
    for id in ["ev-nowhere-1", "CTRL-NONE", "R-NONE-001"] {
        assert!(found.contains(id), "{id} is not told: {found}");
    }
}

#[test]
fn the_published_schema_takes_what_is_present_or_missing() {
    let (_, schema) = schemas().find(|(name, _)| *name == "risk_register_bundle.v0.1").unwrap();
    let mut schema: Value = serde_json::from_str(schema).unwrap();
    // As it was published: without the type and the state that were added.
    let entry = &mut schema["$defs"]["evidence_entry"]["properties"];
    for (member, added) in [("type", "coord_risk_run"), ("status", "inadmissible")] {
        let known = entry[member]["enum"].as_array_mut().unwrap();
        let before = known.len();
        known.retain(|word| word != added);
        assert_eq!(known.len() + 1, before);
    }
    let bundle = Desk::new().bundle();
    assert_eq!(schema_complaints(&schema.to_string(), &bundle).unwrap(), [""; 0]);
    let mut spoilt = bundle;
    spoilt["evidence"][0]["status"] = json!("inadmissible");
    assert_ne!(schema_complaints(&schema.to_string(), &spoilt).unwrap(), [""; 0]);
}

#[test]
fn a_document_of_the_reference_can_be_judged_and_covers_nothing() {
    // It says of a whole file that it is there, and of no method what it showed.
    let bundle = json!({
        "bundle_version": "0.1", "risks": [], "controls": [],
        "evidence": [{
            "evidence_id": "ev-coord-pack-summary-0", "type": "coordination_pack", "path": "pack_summary.csv",
            "status": "present", "risk_ids": ["R-DATA-001"],
        }],
    });
    let desk = Desk::new();
    let date: Date = TODAY.parse().unwrap();
    let coverage = Coverage::of(&desk.register(), &bundle, date).unwrap();
    assert_eq!((coverage.cells.len(), coverage.without_evidence()), (45, 45));
    assert!(Coverage::of(&desk.register(), &json!({ "evidence": [] }), date).is_err());
    assert!(Coverage::of(&desk.register(), &json!({ "bundle_version": "0.1" }), date).is_err());
}

#[test]
fn a_required_cell_without_a_row_in_the_plan_is_an_error() {
    let desk = Desk::new();
    let mut register = desk.register();
    register.plan.cells.retain(|row| row.method_id != "ripple_effect");
    let error = Coverage::of(&register, &desk.bundle(), TODAY.parse().unwrap()).unwrap_err().to_string();
    assert!(error.contains("ripple_effect"), "{error}");
}

#[test]
fn the_same_bytes_come_out_again_and_for_any_number_of_threads() {
    let desk = Desk::new();
    for run in ["a", "b", "c", "d"] {
        desk.write(run, "pack_summary.csv", "method_id\r\nmarket_auction\r\n");
        desk.write(run, "PARETO/pareto.json", "{\"front\": []}");
        desk.write(run, "LAB_COORDINATION_REPORT.md", run);
    }
    let register = desk.register();
    let bytes = |threads: usize| {
        let runs = ["d", "a", "c", "b", "a"].map(|run| desk.path().join(run)).to_vec();
        let options = BundleOptions { runs, ..BundleOptions::default() };
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| build(&desk.policy, &register, &options).unwrap().to_string())
    };
    assert_eq!(bytes(1), bytes(4));
    assert_eq!(bytes(4), bytes(4));
    assert!(!bytes(1).contains(&desk.path().display().to_string()), "the place of the runs is in it");
    let bundle: Value = serde_json::from_str(&bytes(2)).unwrap();
    assert_eq!(entry(&bundle, "coordination_pack")["synthetic"], json!(true));
    assert_eq!(bundle["evidence_level"], "deterministic_only");
}

#[test]
fn a_word_that_was_to_be_replaced_is_told_with_its_line_and_the_shipped_policy_has_none() {
    let policy = PolicyStore::builtin();
    assert_eq!(placeholders::find(&policy), [""; 0]);
    let spoilt = policy.with_text("emits/extra.yaml", "a: 1\nb: TBD # later\nc: TBDS\n");
    assert_eq!(placeholders::find(&spoilt), ["emits/extra.yaml:2: TBD"]);
}
