//! The release of a paper and the full pipeline of the hospital laboratory.

use super::{files, one_task, registry, small, status};
use labtrust_official_pack::paper::{self, paper};
use labtrust_official_pack::pipeline::{self, Ran, Security};
use labtrust_official_pack::{Ground, PackError, PackPolicy, Status, Step};
use labtrust_policy::PolicyStore;
use serde_json::{Value, json};
use std::path::Path;

const PRESETS: &str = "coordination/coordination_security_pack.v0.1.yaml";

/// One size, one method, one attack, few episodes.
fn with_preset(store: &PolicyStore) -> PolicyStore {
    let mut presets = store.value(PRESETS).expect("there are presets");
    presets["matrix_presets"]["hospital_lab"] = json!({
        "scale_ids": ["small_smoke"], "method_ids": ["kernel_centralized_edf"], "injection_ids": ["none", "INJ-ID-SPOOF-001"],
    });
    presets["evidence"]["episodes"] = json!(2);
    presets["evidence"]["success_ceiling"] = json!(0.99);
    presets["evidence"]["baseline_results_floor"] = json!(0.1);
    store.with_text(PRESETS, &presets.to_string())
}

fn on<T>(store: &PolicyStore, threads: usize, work: impl FnOnce(Ground<'_>, &PackPolicy) -> T) -> T {
    let registry = registry();
    let inventory = json!({ "version": "0.1", "packages": [] });
    let pack = PackPolicy::load(store, None, &registry).expect("the pack makes sense");
    let ground = Ground {
        registry: &registry,
        policy: store,
        lab_domain: None,
        threads: Some(threads),
        git_sha: None,
        inventory: &inventory,
        replay: None,
    };
    work(ground, &pack)
}

#[expect(clippy::result_large_err, reason = "a test looks at its errors once")]
fn released(store: &PolicyStore, out: &Path, threads: usize, with_pack: bool) -> Result<Vec<Step>, PackError> {
    on(store, threads, |ground, pack| {
        let ground = &ground;
        paper(&paper::Request {
            ground,
            pack,
            seed_base: 100,
            smoke: true,
            coordination_pack: with_pack,
            out,
            told: &|_| (),
        })
    })
}

const CORE: [&str; 6] = [
    "throughput_sla",
    "stat_insertion",
    "qc_cascade",
    "adversarial_disruption",
    "multi_site_stat",
    "insider_key_misuse",
];
const LAYOUT: &[&str] = &[
    "RELEASE_NOTES.md",
    "metadata.json",
    "BENCHMARK_CARD.md",
    "COORDINATION_CARD.md",
    "COORDINATION_LLM_CARD.md",
    "MANIFEST.v0.1.json",
    "RELEASE_MANIFEST.v0.1.json",
    "ENV/deps_inventory.json",
    "TABLES/summary.csv",
    "TABLES/paper_table.md",
    "FIGURES/study_throughput_box_by_condition.svg",
    "FIGURES/study_throughput_box_by_condition.png",
    "_baselines/guarded.json",
    "_baselines/results/coord_risk_scripted_ops.json",
    "_study/spec.yaml",
    "_study/results/cond_1/results.json",
    "SECURITY/attack_results.json",
    "SAFETY_CASE/safety_case.json",
    "TRANSPARENCY_LOG/log.json",
    "_coordination_policy/manifest.json",
    "_coordination_policy/method_risk_matrix.v0.1.yaml",
];

#[test]
fn the_release_of_a_paper_is_whole_verified_and_the_same_again() {
    let dir = tempfile::tempdir().expect("there is room");
    let (one, two) = (dir.path().join("one"), dir.path().join("two"));
    let store = with_preset(&small(|_| ()));
    released(&store, &one, 2, true).expect("every step is done");
    let all = files(&one);
    for name in LAYOUT.iter().chain(&[
        "_coordination_pack/COORDINATION_DECISION.v0.1.json",
        "COORDINATION_MATRIX/coordination_matrix.v0.1.json",
        "FIGURES/coordination_pack_pack_gate_heatmap.png",
    ]) {
        assert!(
            all.get(*name).is_some_and(|bytes| !bytes.is_empty()),
            "{name} is not there or empty: {:?}",
            all.keys()
        );
    }
    for task in CORE {
        let report: Value = serde_json::from_slice(&all[&format!("receipts/{task}/verify_report.json")]).expect("JSON");
        assert_eq!(report["passed"], true, "{task}: {report}");
        assert!(all[&format!("receipts/{task}/verify_report.txt")].starts_with(b"VERIFICATION REPORT"));
        // What is on record is the first episode of the baseline.
        let results = |name: &str| -> Value { serde_json::from_slice(&all[name]).expect("JSON") };
        let recorded = results(&format!("_repr/{task}/results.json"));
        let baseline = all.keys().find(|name| {
            name.starts_with(&format!("_baselines/results/{task}_")) && !name.ends_with("random_legal.json")
        });
        let baseline = results(baseline.expect("the baseline is there"));
        assert_eq!(recorded["episodes"][0], baseline["episodes"][0], "{task}");
    }
    let manifest: Value = serde_json::from_slice(&all["MANIFEST.v0.1.json"]).expect("JSON");
    let listed: Vec<&str> =
        manifest["files"].as_array().into_iter().flatten().filter_map(|one| one["path"].as_str()).collect();
    let rest = ["MANIFEST.v0.1.json", "RELEASE_MANIFEST.v0.1.json"];
    let expected: Vec<&str> = all.keys().map(String::as_str).filter(|name| !rest.contains(name)).collect();
    assert_eq!(listed.len(), expected.len());
    assert!(
        expected.iter().all(|name| listed.contains(name)) && !listed.iter().any(|name| name.ends_with("timings.json"))
    );
    let notes = String::from_utf8(all["RELEASE_NOTES.md"].clone()).expect("text");
    assert!(notes.contains("| Tasks | throughput_sla, stat_insertion") && notes.contains("## Pack summary"), "{notes}");
    let case: Value = serde_json::from_slice(&all["SAFETY_CASE/safety_case.json"]).expect("JSON");
    let claim = case["claims"].as_array().into_iter().flatten().find(|one| one["claim_id"] == "SC-PAPER-ARTIFACT-001");
    assert_eq!(claim.map(|claim| &claim["status"]), Some(&json!("supported")), "{claim:#?}");
    let metadata: Value = serde_json::from_slice(&all["metadata.json"]).expect("JSON");
    assert_eq!((&metadata["episodes_baselines"], &metadata["episodes_study_taskf"]), (&json!(1), &json!(2)));

    released(&store, &two, 1, true).expect("every step is done");
    let again = files(&two);
    assert_eq!(all.keys().collect::<Vec<_>>(), again.keys().collect::<Vec<_>>());
    for (name, bytes) in &all {
        assert!(again[name] == *bytes, "{name} differs");
    }

    // Without the coordination pack there is no matrix, and nothing stands in for it.
    released(&store, &two, 2, false).expect("every step is done");
    let without = files(&two);
    assert!(
        !without.keys().any(|name| name.starts_with("COORDINATION_MATRIX") || name.starts_with("_coordination_pack"))
    );
    let notes = String::from_utf8(without["RELEASE_NOTES.md"].clone()).expect("text");
    assert!(notes.contains("was not asked for"), "{notes}");
}

#[test]
fn a_step_of_a_paper_that_fails_leaves_the_release_that_was_there() {
    let dir = tempfile::tempdir().expect("there is room");
    let out = dir.path().join("release");
    std::fs::create_dir(&out).expect("there is room");
    std::fs::write(out.join("MANIFEST.v0.1.json"), "{}").expect("there is room");
    // A task that the official registry does not have is not recorded by whom the registry names.
    let store = small(|pack| pack["tasks"]["core"] = json!(["throughput_sla", "coord_scale_probe"]));
    let registry = registry();
    assert!(PackPolicy::load(&store, None, &registry).is_err(), "there is no such task");
    let store = small(|_| ())
        .with_text("safety_case/claims.v0.1.yaml", "safety_case_claims: { version: \"0.1\", claims: [] }\n");
    let error = released(&store, &out, 2, false).expect_err("there is nothing to claim").to_string();
    assert!(error.contains("safety_case") && error.contains("manifest: it needs the step safety_case"), "{error}");
    assert_eq!(files(&out).into_keys().collect::<Vec<_>>(), ["MANIFEST.v0.1.json"]);
    assert_eq!(std::fs::read_dir(dir.path()).expect("it can be read").count(), 1, "nothing half-written is left");
    std::fs::remove_file(out.join("MANIFEST.v0.1.json")).expect("it is there");
    std::fs::write(out.join("thesis.txt"), "mine").expect("there is room");
    assert!(matches!(released(&store, &out, 2, false), Err(PackError::Occupied { .. })));
}

#[expect(clippy::result_large_err, reason = "a test looks at its errors once")]
fn piped(store: &PolicyStore, out: &Path, threads: usize, security: Security) -> Result<Ran, PackError> {
    on(store, threads, |ground, pack| {
        pipeline::run(&pipeline::Request {
            ground,
            pack,
            seed_base: 100,
            smoke: true,
            security,
            method_sweep: false,
            episodes_per_cell: None,
            out,
            told: &|_| (),
        })
    })
}

#[test]
fn the_full_pipeline_is_one_folder_and_the_same_again() {
    let dir = tempfile::tempdir().expect("there is room");
    let (one, two) = (dir.path().join("one"), dir.path().join("two"));
    let store = with_preset(&small(one_task));
    let ran = piped(&store, &one, 2, Security::Both).expect("it can be written");
    ran.require().expect("every stage is done");
    let all = files(&one);
    for name in [
        "pack_manifest.json",
        "baselines/results/throughput_sla_scripted_ops.json",
        "SECURITY/attack_results.json",
        "security_full/SECURITY/attack_results.json",
        "SAFETY_CASE/safety_case.json",
        "coordination_pack/pack_gate.md",
        "coordination_pack/LAB_COORDINATION_REPORT.md",
        "coordination_pack/COORDINATION_DECISION.v0.1.json",
        "risk_register_out/RISK_REGISTER_BUNDLE.v0.1.json",
        "summary/full_pipeline_manifest.md",
    ] {
        assert!(all.get(name).is_some_and(|bytes| !bytes.is_empty()), "{name} is not there or empty");
    }
    let manifest: Value = serde_json::from_slice(&all[pipeline::MANIFEST]).expect("JSON");
    for artifact in manifest["artifacts"].as_array().expect("it lists them") {
        assert_eq!(artifact.get("error"), None, "{artifact}");
        assert!(one.join(artifact["path"].as_str().expect("a path")).exists(), "{artifact}");
    }
    assert_eq!((manifest.get("partial"), &manifest["security_mode"]), (None, &json!("both")));
    let risks: Value = serde_json::from_slice(&all["risk_register_out/RISK_REGISTER_BUNDLE.v0.1.json"]).expect("JSON");
    for one in risks["evidence"].as_array().into_iter().flatten().filter(|one| one["status"] != "missing") {
        let path = one["path"].as_str().expect("it has a path");
        assert!(dir.path().join("one").join(path).exists(), "{one}");
    }
    let present = |one: &&Value| one["status"] == "present";
    assert!(risks["evidence"].as_array().into_iter().flatten().filter(present).count() > 0, "it has evidence");

    piped(&store, &two, 1, Security::Both).expect("it can be written").require().expect("every stage is done");
    let again = files(&two);
    assert_eq!(all.keys().collect::<Vec<_>>(), again.keys().collect::<Vec<_>>());
    for (name, bytes) in all.iter().filter(|(name, _)| !name.ends_with("timings.json")) {
        assert!(again[name] == *bytes, "{name} differs");
    }
}

#[test]
fn a_stage_that_fails_is_named_and_the_others_are_there() {
    let dir = tempfile::tempdir().expect("there is room");
    let out = dir.path().join("pipeline");
    let store = with_preset(&small(|pack| {
        one_task(pack);
        pack["least_throughput_mean"] = json!({ "throughput_sla": 1000.0 });
        pack["episodes"]["smoke"]["baseline"] = json!(20);
    }));
    let ran = piped(&store, &out, 2, Security::Smoke).expect("it can be written");
    assert_eq!(status(&ran.pack, "baselines"), Some(Status::Failed));
    let error = ran.require().expect_err("a stage failed").to_string();
    assert!(error.contains("throughput_sla released"), "{error}");
    let all = files(&out);
    assert!(all.contains_key("coordination_pack/COORDINATION_DECISION.md"));
    let manifest: Value = serde_json::from_slice(&all[pipeline::MANIFEST]).expect("JSON");
    assert_eq!(manifest["partial"], true);
    assert!(manifest["pipeline_error"].as_str().is_some_and(|told| told.contains("baselines")));
    let receipts = manifest["artifacts"].as_array().into_iter().flatten().find(|one| one["path"] == "receipts");
    assert!(receipts.is_some_and(|one| one["error"].as_str().is_some()), "{manifest:#}");
    let page = String::from_utf8(all[pipeline::SUMMARY].clone()).expect("text");
    assert!(page.contains("stages were not done"), "{page}");

    let store = small(|pack| pack["coordination_pack"]["matrix_preset"] = json!("enormous"));
    let error = piped(&store, &dir.path().join("other"), 2, Security::Smoke).expect_err("there is no such preset");
    assert!(error.to_string().contains("enormous") && !dir.path().join("other").exists(), "{error}");
}
