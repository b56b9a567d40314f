//! `run-mine` from outside: its good run, the tutorial's figures, and everything that it refuses.

use std::path::Path;
use std::process::Command;

/// Runs the program in `dir`; exit code, stdout, stderr.
fn labtrust(dir: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_labtrust"))
        .args(arguments)
        .current_dir(dir)
        .env("NO_COLOR", "1")
        .env_remove("RAYON_NUM_THREADS")
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

fn entries(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// `run-mine` with `arguments` is refused with `code`, says all of `words`, and leaves nothing.
#[track_caller]
fn refused(arguments: &[&str], code: i32, words: &[&str]) {
    let dir = tempfile::tempdir().unwrap();
    let (found, stdout, stderr) = labtrust(dir.path(), &[&["run-mine"], arguments].concat());
    assert_eq!(found, code, "{arguments:?}: {stderr}");
    for word in words {
        assert!(stderr.contains(word), "{arguments:?} does not say {word}: {stderr}");
    }
    assert_eq!((stdout.as_str(), entries(dir.path())), ("", vec![]), "{arguments:?}");
}

/// The project's mine as a directory of tables that can be spoilt.
fn mine(dir: &Path) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../benchmarks/001_synthetic_mine_throughput/data");
    std::fs::create_dir_all(dir.join("data/scenarios")).unwrap();
    for below in ["", "scenarios"] {
        for entry in std::fs::read_dir(from.join(below)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                std::fs::copy(&path, dir.join("data").join(below).join(path.file_name().unwrap())).unwrap();
            }
        }
    }
}

#[test]
fn the_tutorial_tells_the_figures_of_a_run() {
    let dir = tempfile::tempdir().unwrap();
    let arguments =
        ["run-mine", "--all", "--sweep", "fleet.truck_count=4..16", "--no-event-log", "--out", "study", "--quiet"];
    let (code, stdout, stderr) = labtrust(dir.path(), &arguments);
    assert_eq!(code, 0, "{stderr}");
    let study = |name: &str| std::fs::read_to_string(dir.path().join("study").join(name)).unwrap();
    let readme = study("README.md");
    let section = |title: &str| {
        let (_, rest) = readme.split_once(&format!("## {title}\n\n")).unwrap();
        rest.split_once("\n## ").map_or(rest, |(section, _)| section).trim_end().to_owned()
    };
    let page = "docs/src/tutorial/mine_study.md";
    labtrust_tests::generated::check(page, "table", &format!("```text\n{stdout}```"));
    for (name, title) in [
        ("results", "Results"),
        ("differences", "Differences to baseline"),
        ("answers", "Answers"),
        ("lanes", "The other lane model"),
        ("sweep", "Sweep of fleet.truck_count"),
        ("further", "Further scenarios"),
    ] {
        labtrust_tests::generated::check(page, name, &section(title));
    }
    for (name, image) in [("topology.svg", "mine_topology.svg"), ("saturation.svg", "mine_saturation.svg")] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/src/images").join(image);
        if std::env::var_os("LABTRUST_REGENERATE").is_some() {
            std::fs::write(&path, study(name)).unwrap();
        }
        let known = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(known == study(name), "{image} is not what a study draws: LABTRUST_REGENERATE=1 draws it anew");
    }
}

#[test]
fn a_study_is_the_same_from_tables_and_built_in_and_is_replaced_on_request_only() {
    let dir = tempfile::tempdir().unwrap();
    mine(dir.path());
    let run = |arguments: &[&str]| labtrust(dir.path(), &[&["run-mine", "--replications", "2"], arguments].concat());
    let (code, stdout, stderr) = run(&["--scenario", "baseline", "trucks_4", "--out", "a", "--format", "json"]);
    assert_eq!(code, 0, "{stderr}");
    let answer: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((answer["ok"].as_bool(), answer["kind"].as_str()), (Some(true), Some("labtrust.run-mine")));
    assert_eq!(answer["summary"]["scenarios"][1]["id"], "trucks_4");
    assert_eq!(answer["written"].as_array().unwrap().len(), 10);
    let (code, ..) = run(&["--scenario", "baseline", "trucks_4", "--data", "data", "--out", "b"]);
    assert_eq!(code, 0);
    for name in ["results.csv", "event_log.csv", "paired_differences.csv", "lane_models.csv"] {
        let read = |study: &str| std::fs::read(dir.path().join(study).join(name)).unwrap();
        assert!(read("a") == read("b"), "{name} differs");
    }

    let before = entries(&dir.path().join("a"));
    let (code, _, stderr) = run(&["--scenario", "trucks_12", "--out", "a"]);
    assert!(code == 1 && stderr.contains("a exists and is not empty") && stderr.contains("--force"), "{stderr}");
    assert_eq!(entries(&dir.path().join("a")), before);
    let (code, _, stderr) = run(&["--scenario", "trucks_12", "--no-event-log", "--out", "a", "--force"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(!entries(&dir.path().join("a")).contains(&"event_log.csv".to_owned()), "nothing of the old study is left");
    let (code, _, stderr) = run(&["--scenario", "trucks_12", "--out", "data", "--force"]);
    assert!(code == 1 && stderr.contains("something else than a mine study"), "{stderr}");
    assert_eq!(entries(dir.path()), ["a", "b", "data"], "nothing temporary is left");
}

#[test]
fn what_is_asked_for_wrongly_is_refused_before_anything_is_written() {
    let out = ["--out", "s"];
    let with = |arguments: &[&'static str]| [arguments, &out].concat();
    refused(&with(&[]), 2, &["--scenario", "--all"]);
    refused(&with(&["--all", "--scenario", "baseline"]), 2, &["cannot be used with"]);
    refused(
        &with(&["--scenario", "basline"]),
        1,
        &["unknown scenario basline", "baseline", "ramp_closed", "trucks_12"],
    );
    refused(&with(&["--scenario", "baseline", "baseline"]), 2, &["asked for twice"]);
    refused(&with(&["--all", "--replications", "0"]), 2, &["--replications", "0"]);
    refused(&with(&["--all", "--replications", "-3"]), 2, &["-3"]);
    refused(&with(&["--all", "--seed", "x"]), 2, &["--seed"]);
    refused(&with(&["--all", "--lane-model", "narrow"]), 2, &["shared_physical_road"]);
    refused(&with(&["--all", "--dispatch", "nearest"]), 1, &["nearest_available_loader", "fixed_assignment"]);
    refused(&with(&["--all", "--warmup-minutes", "-5"]), 2, &["-5"]);
    refused(&with(&["--all", "--animate", "ramp"]), 2, &["ramp", "--animate"]);
    refused(&with(&["--scenario", "baseline", "--animate-replication", "30"]), 2, &["replication 30 of baseline"]);
    for sweep in ["fleet.truck_count", "fleet.truck_count=9..4", "fleet.truck_count=1..9:0", "fleet.truck_count=a..b"] {
        refused(&with(&["--scenario", "baseline", "--sweep", sweep]), 2, &["sweep", sweep]);
    }
    refused(&with(&["--scenario", "baseline", "--sweep", "fleet.trucks=4..5"]), 1, &["fleet.trucks"]);
    refused(&with(&["--scenario", "baseline", "--sweep", "fleet.truck_count=0..2"]), 1, &["truck_count"]);
    refused(&with(&["--scenario", "baseline", "--sweep", "edge_overrides.E99_UP.capacity=1..2"]), 1, &["E99_UP"]);
    refused(&["--all", "--out", ""], 2, &["--out"]);
    refused(&["--all"], 2, &["--out"]);
}

#[test]
fn a_place_that_cannot_be_written_is_named() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("file"), "x").unwrap();
    let run =
        |out: &str| labtrust(dir.path(), &["run-mine", "--scenario", "trucks_4", "--replications", "1", "--out", out]);
    for out in ["file", "file/below", ".."] {
        let (code, _, stderr) = run(out);
        assert!(code == 1 && stderr.contains(out) && stderr.contains("hint: "), "{out}: {stderr}");
    }
    assert_eq!(entries(dir.path()), ["file"]);
    std::fs::create_dir(dir.path().join("empty")).unwrap();
    assert_eq!(run("empty").0, 0, "an empty directory is filled");
    assert!(entries(&dir.path().join("empty")).contains(&"README.md".to_owned()));
}

#[test]
fn a_mistake_in_the_data_is_told_with_file_and_row() {
    let spoilt = |file: &str, from: &str, to: &str| {
        let dir = tempfile::tempdir().unwrap();
        mine(dir.path());
        let path = dir.path().join("data").join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file} has no {from}");
        std::fs::write(&path, text.replacen(from, to, 1)).unwrap();
        let arguments = ["run-mine", "--scenario", "baseline", "--data", "data", "--out", "s"];
        let (code, _, stderr) = labtrust(dir.path(), &arguments);
        assert_eq!((code, entries(dir.path())), (1, vec!["data".to_owned()]), "{stderr}");
        assert!(stderr.contains(file), "{file} is not named: {stderr}");
        stderr
    };
    let negative = spoilt("edges.csv", "J1,PARK,510", "J1,PARK,-510");
    assert!(negative.contains("line 3") && negative.contains("distance_m"), "{negative}");
    let unknown = spoilt("loaders.csv", "LOAD_S", "LOAD_X");
    assert!(unknown.contains("line 3") && unknown.contains("LOAD_X"), "{unknown}");
    let key = spoilt("scenarios/trucks_4.yaml", "truck_count", "trucks_count");
    assert!(key.contains("trucks_count"), "{key}");

    let dir = tempfile::tempdir().unwrap();
    let (code, _, stderr) = labtrust(dir.path(), &["run-mine", "--all", "--data", "nowhere", "--out", "s"]);
    assert!(code == 1 && stderr.contains("nowhere") && stderr.contains("hint: "), "{stderr}");
}
