//! `generate-official-baselines`, from outside.

use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// Runs the command in `dir` with `more` arguments; exit code and stderr.
fn generate(dir: &Path, more: &[&str]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_labtrust"))
        .args(["generate-official-baselines", "--episodes", "1", "--out", "baselines"])
        .args(more)
        .current_dir(dir)
        .env_remove("LABTRUST_POLICY_DIR")
        .env_remove("LABTRUST_PARTNER")
        .env_remove("LABTRUST_STRICT_SIGNATURES")
        .output()
        .unwrap();
    assert!(output.stdout.is_empty());
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn every_task_of_the_registry_is_run_and_by_the_agents_that_it_is_compared_with() {
    let dir = tempfile::tempdir().unwrap();
    let (code, stderr) = generate(dir.path(), &["--seed", "5"]);
    assert_eq!(code, 0, "{stderr}");
    let out = dir.path().join("baselines");
    assert_eq!(std::fs::read_dir(out.join("results")).unwrap().count(), 20);
    let guarded = json(&out.join("guarded.json"));
    assert_eq!(guarded.as_array().unwrap().len(), 10);
    for entry in guarded.as_array().unwrap() {
        assert_eq!((entry["base_seed"].as_u64(), &entry["timing_mode"]), (Some(5), &Value::from("explicit")));
        let task = entry["task"].as_str().unwrap();
        let baseline = entry["agent_baseline_id"].as_str().unwrap().replace("_v1", "");
        let results = json(&out.join(format!("results/{task}_{baseline}.json")));
        assert_eq!(results["episodes"][0]["metrics"]["throughput"], entry["episodes"][0]["throughput"]);
        assert!(entry["episodes"][0]["throughput"].as_u64().unwrap() > 0, "{task}");
        let reference = json(&out.join(format!("results/{task}_random_legal.json")));
        assert_eq!(reference["config"]["agent_set"], "random_legal");
    }
    let table = std::fs::read_to_string(out.join("summary.csv")).unwrap();
    assert!(table.lines().count() > 10 && table.contains("random_legal"), "{table}");
    assert_eq!(json(&out.join("metadata.json"))["tasks"].as_array().unwrap().len(), 10);

    // It is there now, and stays until somebody says otherwise.
    let (code, stderr) = generate(dir.path(), &["--seed", "6"]);
    assert_eq!(code, 1);
    assert!(stderr.contains("baselines exists already; --force replaces it"), "{stderr}");
    assert_eq!(json(&out.join("guarded.json")), guarded);
    let (code, stderr) = generate(dir.path(), &["--seed", "6", "--timing", "simulated", "--force"]);
    assert_eq!(code, 0, "{stderr}");
    assert_eq!(json(&out.join("metadata.json"))["timing_mode"], "simulated");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "nothing temporary is left");
}

#[test]
fn a_directory_of_something_else_is_not_replaced() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("baselines")).unwrap();
    std::fs::write(dir.path().join("baselines/thesis.txt"), "kept").unwrap();
    let (code, stderr) = generate(dir.path(), &["--force"]);
    assert_eq!(code, 1);
    assert!(stderr.contains("holds something else than baselines"), "{stderr}");
    assert_eq!(std::fs::read_to_string(dir.path().join("baselines/thesis.txt")).unwrap(), "kept");
}
