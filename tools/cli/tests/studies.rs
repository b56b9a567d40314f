//! Studies from outside: kills, exit codes, and variables.
#![cfg(unix)]

use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A few cells that take a moment each.
const SPEC: &str = "study_id: from_outside
seed_base: 3
episodes_per_cell: 3
scales: [{ name: scale_preset, values: [small_smoke, small_8] }]
methods: [kernel_auction_edf, gossip_consensus]
injections: [{ injection_id: INJ-ID-SPOOF-001, intensity: 0.5 }]
";

fn command(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_labtrust"));
    command.args(arguments).current_dir(dir).env("NO_COLOR", "1");
    for variable in ["LABTRUST_POLICY_DIR", "LABTRUST_PARTNER", "LABTRUST_REPRO_SMOKE", "LABTRUST_STRICT_COVERAGE"] {
        command.env_remove(variable);
    }
    command
}

/// Exit code and stderr.
fn told(command: &mut Command) -> (i32, String) {
    let output = command.output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

fn with_spec() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("study.yaml"), SPEC).unwrap();
    dir
}

fn files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    let mut open = vec![dir.to_path_buf()];
    while let Some(at) = open.pop() {
        for entry in std::fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => open.push(path),
                false => {
                    all.insert(path.strip_prefix(dir).unwrap().to_path_buf(), std::fs::read(&path).unwrap());
                }
            }
        }
    }
    all
}

const STUDY: [&str; 6] = ["run-coordination-study", "--spec", "study.yaml", "--progress", "json", "--out"];

#[test]
fn a_study_that_is_killed_again_and_again_comes_to_the_bytes_of_one_that_is_not() {
    let dir = with_spec();
    assert_eq!(told(&mut command(dir.path(), &[&STUDY[..], &["whole", "--threads", "2"]].concat())).0, 0);
    let mut kills = 0;
    let done = loop {
        let mut study = command(dir.path(), &[&STUDY[..], &["killed", "--threads", "1"]].concat());
        let mut study = study.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(study.stderr.take().unwrap()).lines().map_while(Result::ok);
        // As soon as it has made one more cell, and before it can come to its end.
        let made =
            lines.filter_map(|line| serde_json::from_str::<Value>(&line).ok()).find(|line| line["status"] == "done");
        match made {
            Some(line) if kills < 3 => {
                assert!(line["eta_s"].is_number() && line["cells"] == 8, "{line}");
                study.kill().unwrap();
                kills += 1;
                study.wait().unwrap();
            }
            _ => break study.wait().unwrap(),
        }
    };
    assert!(done.code() == Some(0) || done.code().is_none());
    assert!(kills > 0);
    // The last one may have ended on a closed pipe.
    assert_eq!(told(&mut command(dir.path(), &[&STUDY[..], &["killed"]].concat())).0, 0);
    let (whole, killed) = (files(&dir.path().join("whole")), files(&dir.path().join("killed")));
    assert_eq!(whole.keys().collect::<Vec<_>>(), killed.keys().collect::<Vec<_>>());
    let differ: Vec<_> = whole.iter().filter(|(name, bytes)| killed[*name] != **bytes).map(|(name, _)| name).collect();
    assert!(differ.is_empty(), "{differ:?}");
    assert!(whole.len() > 2 * 8 + 3);
}

#[test]
fn two_processes_at_one_study_do_not_disturb_each_other() {
    let dir = with_spec();
    let study = [&STUDY[..], &["both", "--threads", "1", "-q"]].concat();
    let both: Vec<_> = (0..2)
        .map(|_| command(dir.path(), &study).stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap())
        .collect();
    let codes: Vec<_> = both.into_iter().map(|mut one| one.wait().unwrap().code().unwrap()).collect();
    // At worst one has met the other at a file, and says that the same call may do later.
    assert!(codes.contains(&0) && codes.iter().all(|code| [0, 75].contains(code)), "{codes:?}");
    assert_eq!(told(&mut command(dir.path(), &[&STUDY[..], &["alone"]].concat())).0, 0);
    let (both, alone) = (files(&dir.path().join("both")), files(&dir.path().join("alone")));
    assert_eq!(both.keys().collect::<Vec<_>>(), alone.keys().collect::<Vec<_>>());
    assert!(both == alone);
}

#[test]
fn a_study_that_leaves_a_risk_out_ends_before_its_first_cell_where_that_is_asked_for() {
    let dir = with_spec();
    let (code, said) = told(command(dir.path(), &[&STUDY[..], &["out"]].concat()).env("LABTRUST_STRICT_COVERAGE", "1"));
    assert!(code == 1 && said.contains("R-TOOL-001"), "{said}");
    let names: Vec<PathBuf> = files(&dir.path().join("out")).into_keys().collect();
    assert_eq!(names, [PathBuf::from("summary/coverage_missing.json")]);
}

#[test]
fn a_small_study_has_one_episode_a_cell() {
    let dir = with_spec();
    let plan = ["study", "plan", "study.yaml"];
    assert_eq!(told(command(dir.path(), &plan).env("LABTRUST_REPRO_SMOKE", "true")).0, 0);
    let text = std::fs::read_to_string(dir.path().join("plan.jsonl")).unwrap();
    assert_eq!(text.lines().skip(1).filter(|line| line.contains("\"episodes\":1,")).count(), 8);
}

#[test]
fn a_cell_that_may_do_later_ends_with_75_and_leaves_nothing_and_one_that_is_done_is_not_made_again() {
    let dir = with_spec();
    assert_eq!(told(&mut command(dir.path(), &["study", "plan", "study.yaml", "--logs"])).0, 0);
    let cell = ["study", "cell", "plan.jsonl", "--index", "1"];
    // Too few files may be open for the logs of a cell.
    let mut starved = Command::new("sh");
    let line = format!("ulimit -n 6; exec '{}' {}", env!("CARGO_BIN_EXE_labtrust"), cell.join(" "));
    let (code, said) = told(starved.args(["-c", &line]).current_dir(dir.path()));
    assert!(code == 75 && said.contains("try again"), "{code}: {said}");
    assert_eq!(files(&dir.path().join("cells")), BTreeMap::new());

    assert_eq!(told(&mut command(dir.path(), &cell)).0, 0);
    let made = files(&dir.path().join("cells"));
    assert!(made.keys().any(|name| name.ends_with("METHOD_TRACE.jsonl")), "{:?}", made.keys());
    let when = |name: &Path| std::fs::metadata(dir.path().join("cells").join(name)).unwrap().modified().unwrap();
    let before: Vec<_> = made.keys().map(|name| when(name)).collect();
    assert_eq!(told(&mut command(dir.path(), &cell)).0, 0);
    assert_eq!(made.keys().map(|name| when(name)).collect::<Vec<_>>(), before);
    let (code, said) = told(&mut command(dir.path(), &["study", "merge", "plan.jsonl", "--out", "merged"]));
    assert!(code == 1 && said.contains("7 missing") && !dir.path().join("merged").exists(), "{said}");
}
