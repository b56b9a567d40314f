//! The program of one's own: it has what it brings, beside everything that is built in, in every command.

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

fn own_lab(dir: &Path, arguments: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_own_lab")).args(arguments.split(' ')).current_dir(dir).output().unwrap()
}

fn said(dir: &Path, arguments: &str) -> String {
    let Output { status, stdout, stderr } = own_lab(dir, arguments);
    assert!(status.success(), "{arguments}: {}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).unwrap()
}

/// Released results and specimens of all episodes of a run.
fn run(dir: &Path, options: &str) -> (u64, u64) {
    said(dir, &format!("run-benchmark --task night_shift --episodes 5 --quiet --out results.json {options}"));
    let results: Value = serde_json::from_slice(&std::fs::read(dir.join("results.json")).unwrap()).unwrap();
    let episodes = results["episodes"].as_array().unwrap().iter();
    let sum = |name: &str| episodes.clone().map(|episode| episode["metrics"][name].as_u64().unwrap()).sum();
    (sum("throughput"), sum("specimens_total"))
}

#[test]
fn what_is_compiled_in_is_listed_with_the_crate_that_brings_it() {
    let dir = tempfile::tempdir().unwrap();
    let plugins: Value = serde_json::from_str(&said(dir.path(), "plugins list --format json")).unwrap();
    let owner = |id: &str| {
        let plugins = plugins["plugins"].as_array().unwrap();
        let found = plugins.iter().find(|plugin| plugin["id"] == id).unwrap_or_else(|| panic!("{id} is not there"));
        found["owner"].as_str().unwrap().to_owned()
    };
    assert_eq!(owner("night_shift"), "labtrust-example-own-lab");
    assert_eq!(owner("org.example.stat_first"), "labtrust-example-own-lab");
    assert_eq!(owner("org.example.earliest_due"), "labtrust-example-earliest-due");
    assert_eq!(owner("throughput_sla"), "labtrust-hospital-lab");
}

#[test]
fn its_task_runs_with_its_own_crew_and_with_either_method() {
    let dir = tempfile::tempdir().unwrap();
    for timing in ["explicit", "simulated"] {
        for method in ["", " --coord-method org.example.stat_first", " --coord-method org.example.earliest_due"] {
            let (released, specimens) = run(dir.path(), &format!("--timing {timing}{method}"));
            assert!(specimens >= 10);
            assert_eq!(released, specimens, "{timing}{method}");
        }
    }
}

#[test]
fn a_name_that_is_neither_its_own_nor_built_in_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let refused = own_lab(dir.path(), "run-benchmark --task nihgt_shift --out results.json");
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("night_shift"));
    assert!(!dir.path().join("results.json").exists());
}
