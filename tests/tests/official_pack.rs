//! The official pack through its library: every file of its layout is there and says something, what is on record holds,
//! and a step that fails is named and ends the whole.

#[path = "official_pack/releases.rs"]
mod releases;

use labtrust_bench::validate::validate_results;
use labtrust_official_pack::pack::{MANIFEST, vacant};
use labtrust_official_pack::{Ground, Outcome, PackError, PackPolicy, Request, Status, policy, run};
use labtrust_plugin::Registry;
use labtrust_policy::PolicyStore;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const SUITE: &str = "golden/security_attack_suite.v0.1.yaml";

fn registry() -> Registry {
    labtrust_builtin::registry().expect("ids are unique")
}

/// The built-in policy with a pack of one size, and with a suite of one attack.
fn small(change: impl FnOnce(&mut Value)) -> PolicyStore {
    let builtin = PolicyStore::builtin();
    let mut pack = builtin.value(policy::FILE).expect("there is a pack");
    let smallest = pack["scale_configs"]["S"].clone();
    pack["scale_configs"] = json!({ "S": smallest });
    pack["injections"] = json!(["none", "INJ-ID-SPOOF-001"]);
    pack["episodes"]["smoke"] = json!({ "baseline": 1, "cell": 1 });
    change(&mut pack);
    let mut suite = builtin.value(SUITE).expect("there is a suite");
    let inner =
        if suite.get("security_attack_suite").is_some() { &mut suite["security_attack_suite"] } else { &mut suite };
    inner["attacks"].as_array_mut().expect("it lists attacks").retain(|attack| attack["attack_id"] == "SEC-TOOL-001");
    builtin.with_text(policy::FILE, &pack.to_string()).with_text(SUITE, &suite.to_string())
}

fn made(store: &PolicyStore, out: &Path, threads: usize) -> Outcome {
    let registry = registry();
    let inventory = json!({ "version": "0.1", "packages": [] });
    let pack = PackPolicy::load(store, None, &registry).expect("the pack makes sense");
    run(&Request {
        ground: Ground {
            registry: &registry,
            policy: store,
            lab_domain: None,
            threads: Some(threads),
            git_sha: None,
            inventory: &inventory,
            replay: None,
        },
        pack: &pack,
        seed_base: 100,
        smoke: true,
        full_security: false,
        coordination_pack: false,
        episodes_per_cell: None,
        out,
        told: &|_| (),
    })
    .expect("a pack can be written")
}

/// Every file below a directory, by its path.
fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    fn walk(dir: &Path, base: &Path, all: &mut BTreeMap<String, Vec<u8>>) {
        for entry in std::fs::read_dir(dir).expect("a directory can be read") {
            let path: PathBuf = entry.expect("an entry has a name").path();
            if path.is_dir() {
                walk(&path, base, all);
            } else {
                let name = path.strip_prefix(base).expect("it is below").to_string_lossy().into_owned();
                all.insert(name, std::fs::read(&path).expect("a file can be read"));
            }
        }
    }
    let mut all = BTreeMap::new();
    walk(dir, dir, &mut all);
    all
}

const LAYOUT: &[&str] = &[
    "baselines/results/throughput_sla_scripted_ops.json",
    "baselines/results/stat_insertion_scripted_ops.json",
    "baselines/results/qc_cascade_scripted_ops.json",
    "baselines/results/adversarial_disruption_adversary.json",
    "baselines/results/multi_site_stat_scripted_ops.json",
    "baselines/results/insider_key_misuse_insider.json",
    "baselines/results/coord_scale_kernel_scheduler_or.json",
    "baselines/results/coord_risk_kernel_scheduler_or.json",
    "SECURITY/attack_results.json",
    "SECURITY/coverage.json",
    "SECURITY/coverage.md",
    "SECURITY/reason_codes.md",
    "SECURITY/deps_inventory_runtime.json",
    "SAFETY_CASE/safety_case.json",
    "SAFETY_CASE/safety_case.md",
    "TRANSPARENCY_LOG/log.json",
    "TRANSPARENCY_LOG/root.txt",
    "TRANSPARENCY_LOG/proofs/throughput_sla.json",
    "summary/sota_leaderboard.csv",
    "summary/sota_leaderboard.md",
    "summary/sota_leaderboard_full.csv",
    "summary/sota_leaderboard_full.md",
    "summary/method_class_comparison.csv",
    "summary/method_class_comparison.md",
    "_repr/coord_scale/METHOD_TRACE.jsonl",
    "_repr/coord_risk/METHOD_TRACE.jsonl",
    "_repr/coord_risk/coord_decisions.jsonl",
    "PARETO/pareto.json",
    "report.html",
    "pack_manifest.json",
    "PACK_SUMMARY.md",
];

#[test]
fn every_file_of_the_layout_is_there_and_what_is_on_record_holds() {
    let dir = tempfile::tempdir().expect("there is room");
    let (first, second) = (dir.path().join("one"), dir.path().join("two"));
    let store = small(|_| ());
    let outcome = made(&store, &first, 2);
    outcome.require().expect("every step was done");
    let all = files(&first);
    for name in LAYOUT {
        assert!(all.get(*name).is_some_and(|bytes| !bytes.is_empty()), "{name} is not there or empty");
    }
    assert!(!all.contains_key("TRANSPARENCY_LOG/README.txt"));
    for (name, bytes) in all.iter().filter(|(name, _)| name.ends_with(".json")) {
        assert!(serde_json::from_slice::<Value>(bytes).is_ok(), "{name} is JSON");
    }
    let check = validate_results(&[first.join("baselines/results")]).expect("results can be read");
    assert_eq!((check.files, check.findings), (8, vec![]));
    for task in ["throughput_sla", "insider_key_misuse", "coord_scale", "coord_risk"] {
        let report: Value = serde_json::from_slice(&all[&format!("receipts/{task}/verify_report.json")]).expect("JSON");
        assert_eq!(report["passed"], true, "{task}: {report}");
        assert!(report["receipts"].as_u64() > Some(0), "{task} has receipts");
    }
    let log: Value = serde_json::from_slice(&all["TRANSPARENCY_LOG/log.json"]).expect("JSON");
    assert_eq!(log["entries"].as_array().map(Vec::len), Some(8));
    let manifest: Value = serde_json::from_slice(&all[MANIFEST]).expect("JSON");
    assert_eq!(manifest["timestamp"], "1970-01-01T00:01:40Z");
    assert_eq!(manifest["not_run"][0]["method_id"], "llm_constrained");
    let cells: Vec<&str> =
        all.keys().filter_map(|name| name.strip_prefix("cells/")?.strip_suffix("/results.json")).collect();
    for method in ["centralized_planner", "hierarchical_hub_rr", "kernel_scheduler_or"] {
        assert_eq!(cells.iter().filter(|cell| cell.contains(method)).count(), 2, "{method}: {cells:?}");
    }
    for one in &outcome.played {
        assert!(one.throughput_mean > 0.0 && one.throughput_mean >= one.floor, "{one:?}");
    }

    // Other threads, same bytes; only how long attacks took differs.
    made(&store, &second, 1).require().expect("every step was done");
    let again = files(&second);
    assert_eq!(all.keys().collect::<Vec<_>>(), again.keys().collect::<Vec<_>>());
    for (name, bytes) in all.iter().filter(|(name, _)| !name.ends_with("timings.json")) {
        assert!(again[name] == *bytes, "{name} differs");
    }
}

/// A pack of one task whose other steps are cheap.
fn one_task(pack: &mut Value) {
    pack["tasks"] = json!({ "core": ["throughput_sla"], "coordination": [] });
    pack["coordination_methods"] = json!(["centralized_planner"]);
    pack["injections"] = json!(["none"]);
}

fn status(outcome: &Outcome, name: &str) -> Option<Status> {
    outcome.steps.iter().find(|step| step.name == name).map(|step| step.status)
}

#[test]
fn a_step_that_fails_is_named_and_what_needs_it_is_not_tried() {
    let dir = tempfile::tempdir().expect("there is room");
    let out = dir.path().join("pack");
    let store = small(|pack| {
        one_task(pack);
        pack["least_throughput_mean"] = json!({ "throughput_sla": 1000.0 });
        pack["episodes"]["smoke"]["baseline"] = json!(20);
    });
    let outcome = made(&store, &out, 2);
    assert_eq!(status(&outcome, "baselines"), Some(Status::Failed));
    assert_eq!(status(&outcome, "receipts"), Some(Status::NotTried));
    assert_eq!(status(&outcome, "security"), Some(Status::Done));
    assert_eq!(status(&outcome, "required_reports"), Some(Status::Failed));
    let error = outcome.require().expect_err("it is no good pack").to_string();
    assert!(error.contains("throughput_sla released") && error.contains("1000"), "{error}");
    assert!(error.contains("transparency_log has no TRANSPARENCY_LOG/log.json"), "{error}");
    let manifest: Value = serde_json::from_slice(&files(&out)[MANIFEST]).expect("JSON");
    assert_eq!(manifest["steps"][0]["status"], "failed");
}

#[test]
fn a_required_report_that_is_switched_off_fails_the_pack() {
    let dir = tempfile::tempdir().expect("there is room");
    let store = small(|pack| {
        one_task(pack);
        pack["security_suite"]["smoke"]["enabled"] = json!(false);
    });
    let outcome = made(&store, &dir.path().join("pack"), 2);
    assert_eq!(status(&outcome, "security"), None);
    let error = outcome.require().expect_err("security is required").to_string();
    assert!(error.contains("security has no SECURITY/attack_results.json"), "{error}");
}

#[test]
fn a_pack_that_names_what_there_is_not_is_refused_with_its_place() {
    let registry = registry();
    let refused = |change: fn(&mut Value)| {
        PackPolicy::load(&small(change), None, &registry).expect_err("it makes no sense").to_string()
    };
    assert!(refused(|pack| pack["tasks"]["core"] = json!(["throughput_slo"])).contains("throughput_slo"));
    assert!(refused(|pack| pack["coordination_methods"] = json!(["kernel_edf"])).contains("kernel_edf"));
    assert!(refused(|pack| pack["injections"] = json!(["INJ-NONE-001"])).contains("INJ-NONE-001"));
    assert!(refused(|pack| pack["required_reports"] = json!(["fashion"])).contains("fashion"));
    assert!(refused(|pack| pack["baselines"]["coord_scale"] = json!("llm_constrained_v0")).contains("llm_constrained"));
    assert!(refused(|pack| pack["episodes"]["full"]["cell"] = json!(0)).contains("no episodes"));
}

#[test]
fn only_a_pack_or_nothing_is_replaced() {
    let dir = tempfile::tempdir().expect("there is room");
    vacant(&dir.path().join("new"), MANIFEST, "a pack").expect("nothing is there");
    vacant(dir.path(), MANIFEST, "a pack").expect("it is empty");
    std::fs::write(dir.path().join("thesis.txt"), "mine").expect("there is room");
    let error = vacant(dir.path(), MANIFEST, "a pack").expect_err("it is somebody's");
    assert!(matches!(error, PackError::Occupied { .. }), "{error}");
    std::fs::write(dir.path().join(MANIFEST), "{}").expect("there is room");
    vacant(dir.path(), MANIFEST, "a pack").expect("it is a pack");
}
