//! Reviews, and what a partner has of its own: seen from outside, by exit codes and files.
#![cfg(unix)]

use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

/// Exit code and stderr of the program in `dir`.
fn labtrust(dir: &Path, arguments: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_labtrust"));
    command.args(arguments).current_dir(dir).env("NO_COLOR", "1");
    for variable in ["LABTRUST_POLICY_DIR", "LABTRUST_PARTNER", "LABTRUST_REPRO_SMOKE", "LABTRUST_STRICT_COVERAGE"] {
        command.env_remove(variable);
    }
    let output = command.output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

fn fixture(dir: &Path, name: &str) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    std::fs::copy(from, dir.join(name)).unwrap();
}

fn document(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn step<'d>(document: &'d Value, name: &str) -> &'d Value {
    document["steps"].as_array().unwrap().iter().find(|step| step["name"] == name).unwrap()
}

#[test]
fn a_strict_review_that_fails_leaves_its_report() {
    let dir = tempfile::tempdir().unwrap();
    fixture(dir.path(), "study.yaml");
    let (code, said) = labtrust(dir.path(), &["review", "r", "--spec", "study.yaml", "--threads", "1"]);
    assert_eq!(code, 0, "{said}");
    let missing = document(&dir.path().join("r/review.json"))["missing"].as_array().unwrap().len();
    assert!(missing > 0, "one injection does not exercise every risk that needs evidence");

    let (code, said) = labtrust(dir.path(), &["review", "r", "--strict"]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("coverage") && said.contains("summary/coverage_gate.json"), "{said}");
    let review = document(&dir.path().join("r/review.json"));
    assert_eq!((&review["strict_coverage"], &step(&review, "coverage")["status"]), (&json!(true), &json!("failed")));
    // What failed is told in full, and the others were done all the same.
    assert_eq!(review["missing"].as_array().unwrap().len(), missing);
    assert_eq!(
        document(&dir.path().join("r/summary/coverage_gate.json"))["missing"].as_array().unwrap().len(),
        missing
    );
    assert_eq!((&step(&review, "verify_bundles")["status"], &review["bundles"]), (&json!("done"), &json!(1)));

    // A file of a bundle that was changed.
    let receipts = dir.path().join("r/receipts");
    let bundle = std::fs::read_dir(&receipts).unwrap().next().unwrap().unwrap().path().join("EvidenceBundle.v0.1");
    let log = std::fs::read_dir(&bundle).unwrap().map(|entry| entry.unwrap().path());
    let log = log.filter(|path| path.extension().is_some_and(|end| end == "jsonl")).max().unwrap();
    let text = std::fs::read_to_string(&log).unwrap();
    std::fs::write(&log, text.replacen('1', "2", 1)).unwrap();
    let (code, said) = labtrust(dir.path(), &["review", "r"]);
    assert!(code == 1 && said.contains("verify_bundles"), "{code} {said}");

    // No bundle, and what only looks like one.
    std::fs::remove_file(bundle.join("manifest.json")).unwrap();
    let (code, said) = labtrust(dir.path(), &["review", "r"]);
    assert!(code == 1 && said.contains("has no EvidenceBundle.v0.1 with a manifest"), "{code} {said}");
    std::fs::remove_dir_all(&receipts).unwrap();
    let (code, said) = labtrust(dir.path(), &["review", "r"]);
    assert!(code == 1 && said.contains("no evidence bundle below receipts/, so nothing was verified"), "{code} {said}");
    let review = document(&dir.path().join("r/review.json"));
    assert_eq!((&step(&review, "verify_bundles")["status"], &review["bundles"]), (&json!("failed"), &json!(0)));
}

#[test]
fn what_is_no_study_is_not_reviewed_and_nothing_is_put_into_it() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("thesis.txt"), "mine").unwrap();
    for command in [
        &["review", "."][..],
        &["reproduce", "--profile", "minimal", "--out", "."],
        &["forker-quickstart", "--out", "."],
        &["package-release", "--profile", "paper_v0.1", "--out", "."],
        &["run-hospital-lab-full-pipeline", "--out", "."],
        &["reproduce", "--profile", "minimal", "--out", "thesis.txt"],
    ] {
        let (code, said) = labtrust(dir.path(), command);
        assert_eq!(code, 1, "{command:?}: {said}");
        assert!(said.contains("no coordination study") || said.contains("holds something else"), "{said}");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "{command:?}");
    }
}

#[test]
fn many_bundles_are_reviewed_at_once() {
    // More bundles than threads, with logs of more than one batch of lines: nobody may wait for somebody who waits.
    let dir = tempfile::tempdir().unwrap();
    fixture(dir.path(), "study.yaml");
    let (code, said) = labtrust(dir.path(), &["review", "r", "--spec", "study.yaml", "--threads", "1"]);
    assert_eq!(code, 0, "{said}");
    let long = [
        "run-benchmark",
        "--task",
        "coord_scale",
        "--episodes",
        "4",
        "--out",
        "run/results.json",
        "--log",
        "run/log.jsonl",
    ];
    let (code, said) = labtrust(dir.path(), &long);
    assert_eq!(code, 0, "{said}");
    for name in ["a", "b", "c", "d"] {
        let out = format!("r/receipts/{name}");
        let (code, said) = labtrust(
            dir.path(),
            &["export-receipts", "--run", "run/log.jsonl", "--out", &out, "--partner", "hsl_like"],
        );
        assert_eq!(code, 0, "{said}");
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_labtrust"));
    let mut review =
        command.args(["review", "r"]).current_dir(dir.path()).env("RAYON_NUM_THREADS", "2").spawn().unwrap();
    let begun = std::time::Instant::now();
    while review.try_wait().unwrap().is_none() {
        assert!(begun.elapsed().as_secs() < 300, "the review does not come to an end");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert_eq!(document(&dir.path().join("r/review.json"))["steps"].as_array().unwrap().len(), 4);
}

/// A copy of the shipped policy in `dir`, as somebody has it who took the project over.
fn policy(dir: &Path) {
    fn copy(from: &Path, to: &Path) {
        std::fs::create_dir_all(to).unwrap();
        for entry in std::fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            let to = to.join(entry.file_name());
            match entry.path().is_dir() {
                true => copy(&entry.path(), &to),
                false => drop(std::fs::copy(entry.path(), to).unwrap()),
            }
        }
    }
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policy"), &dir.join("policy"));
}

fn put(dir: &Path, path: &str, text: &str) {
    let path = dir.join("policy").join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn text_of(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)).unwrap()
}

/// The program under the policy in `dir`.
fn under(dir: &Path, arguments: &[&str]) -> (i32, String) {
    labtrust(dir, &[&["--policy-dir", "policy"], arguments].concat())
}

#[test]
fn a_partner_has_an_official_pack_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    policy(dir.path());
    let own = "partners/my_lab/official/benchmark_pack.v0.1.yaml";
    put(dir.path(), own, &text_of("small_pack.yaml").replace("version: \"0.1\"", "version: \"0.1-mine\""));
    let pack = ["run-official-pack", "--smoke", "--partner", "my_lab", "--out", "pack", "--threads", "2"];
    let (code, said) = under(dir.path(), &pack);
    assert_eq!(code, 0, "{said}");
    let manifest = document(&dir.path().join("pack/pack_manifest.json"));
    assert_eq!(manifest["pack_policy"], format!("policy/{own}"));
    assert_eq!((&manifest["version"], &manifest["partner_id"]), (&json!("0.1-mine"), &json!("my_lab")));
    assert_eq!(manifest["tasks"], json!(["throughput_sla", "coord_scale"]));
    let (code, said) = under(dir.path(), &["validate-policy", "--partner", "my_lab"]);
    assert_eq!(code, 0, "{said}");

    // A slip of the pen in it is told with its place; nothing is begun.
    put(dir.path(), own, &text_of("small_pack.yaml").replace("core: [throughput_sla]", "core: [throughput_slo]"));
    let (code, said) = under(dir.path(), &["run-official-pack", "--smoke", "--partner", "my_lab", "--out", "other"]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("my_lab/official/benchmark_pack.v0.1.yaml") && said.contains("throughput_slo"), "{said}");
    assert!(!dir.path().join("other").exists());

    // What no overlay can change is still refused.
    put(dir.path(), "partners/my_lab/rbac/rbac_policy.v0.1.yaml", "version: \"0.1\"\n");
    let (code, said) = under(dir.path(), &["run-official-pack", "--smoke", "--partner", "my_lab", "--out", "other"]);
    assert!(code == 1 && said.contains("rbac_policy.v0.1.yaml"), "{code} {said}");
}

#[test]
fn a_partner_and_a_profile_have_studies_of_their_own() {
    let dir = tempfile::tempdir().unwrap();
    policy(dir.path());
    let study = text_of("study.yaml");
    let named = |name: &str| study.replace("study_id: smallest", &format!("study_id: {name}"));
    put(dir.path(), "partners/my_lab/coordination/coordination_study_spec.v0.1.yaml", &named("of_partner"));
    put(dir.path(), "partners/my_lab/studies/study_spec.v0.1.yaml", &text_of("ablations.yaml"));
    put(dir.path(), "studies/of_profile.yaml", &named("of_profile"));
    let profile = "version: \"0.1\"\nprofile_id: mine\npartner_id: my_lab\n\
        coordination_study_spec_path: studies/of_profile.yaml\n";
    put(dir.path(), "lab_profiles/mine.v0.1.yaml", profile);
    let id = |out: &str| document(&dir.path().join(out).join("manifest_coordination.json"))["study_id"].clone();

    let (code, said) = under(dir.path(), &["run-coordination-study", "--partner", "my_lab", "--out", "one"]);
    assert_eq!((code, id("one")), (0, json!("of_partner")), "{said}");
    // The profile has the last word; a file on the command line outranks both.
    let (code, said) = under(dir.path(), &["--profile", "mine", "run-coordination-study", "--out", "two"]);
    assert_eq!((code, id("two")), (0, json!("of_profile")), "{said}");
    std::fs::write(dir.path().join("given.yaml"), named("given")).unwrap();
    let given = ["--profile", "mine", "run-coordination-study", "--spec", "given.yaml", "--out", "three"];
    let (code, said) = under(dir.path(), &given);
    assert_eq!((code, id("three")), (0, json!("given")), "{said}");

    let (code, said) = under(dir.path(), &["run-study", "--partner", "my_lab", "--out", "conditions"]);
    assert_eq!(code, 0, "{said}");
    let manifest = document(&dir.path().join("conditions/manifest.json"));
    assert_eq!(manifest["partner_id"], "my_lab");
    let (code, said) = under(dir.path(), &["run-study", "--out", "none"]);
    assert!(code == 1 && said.contains("--spec") && !dir.path().join("none").exists(), "{code} {said}");
}
