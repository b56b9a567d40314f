//! `check-trace` and `explain` from outside.

use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

/// Runs the program in `dir`. Exit code, stdout, stderr.
fn labtrust(dir: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_labtrust"))
        .args(arguments)
        .current_dir(dir)
        .env_remove("LABTRUST_POLICY_DIR")
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// `check-trace` with the report as JSON.
fn check(dir: &Path, arguments: &[&str]) -> (i32, Value) {
    let (code, stdout, stderr) = labtrust(dir, &[&["check-trace", "--format", "json"], arguments].concat());
    (code, serde_json::from_str(&stdout).unwrap_or_else(|_| panic!("{stderr}")))
}

/// Reception accessions S1; then somebody without a token tries the airlock, which breaks INV-ZONE-004.
const SCENARIO: &str = r#"(
    scenario_id: "A",
    initial_state: {"workflow": "open", "specimens": [{"template_ref": "S_BIOCHEM_OK"}]},
    script: [
        (event_id: "e1", t_s: 600, agent_id: "A_RECEPTION", action_type: "CREATE_ACCESSION", args: {"specimen_id": "S1"}),
        (event_id: "e2", t_s: 700, agent_id: "A_RUNNER", action_type: "OPEN_DOOR", args: {"door_id": "D_RESTRICTED_AIRLOCK"}),
        (event_id: "e3", t_s: 800, agent_id: "A_RUNNER", action_type: "TICK"),
    ],
)"#;

/// A directory with the scenario and its trace `A.jsonl`.
fn traced(semantics: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("a.ron"), SCENARIO).unwrap();
    let arguments = ["run-scenario", "a.ron", "--trace", ".", "--semantics", semantics, "-q"];
    let (_, _, stderr) = labtrust(dir.path(), &arguments);
    assert!(dir.path().join("A.jsonl").is_file(), "{stderr}");
    dir
}

/// The same trace with `from` changed to `to` in line `line`, counted from 0, as `forged.jsonl`.
fn forge(dir: &Path, name: &str, line: usize, from: &str, to: &str) {
    let text = std::fs::read_to_string(dir.join(name)).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    assert!(lines[line].contains(from), "{from} in {}", lines[line]);
    lines[line] = lines[line].replace(from, to);
    std::fs::write(dir.join("forged.jsonl"), lines.join("\n")).unwrap();
}

/// The invariants or `TRACE-DIVERGENCE`, with the step.
fn found(report: &Value) -> Vec<(String, u64)> {
    let one =
        |found: &Value| (found["invariant_id"].as_str().unwrap().to_owned(), found["step_index"].as_u64().unwrap());
    report["violations"].as_array().unwrap().iter().map(one).collect()
}

#[test]
fn a_recorded_violation_is_found_and_one_that_is_not_listed_is_not() {
    for semantics in ["sound", "reference"] {
        let dir = traced(semantics);
        let (code, report) = check(dir.path(), &["A.jsonl", "--invariants", "INV-ZONE-004"]);
        assert_eq!((code, found(&report)), (1, vec![("INV-ZONE-004".to_owned(), 1)]), "{semantics}");
        assert_eq!((&report["re_evaluated"], &report["divergences"]), (&true.into(), &0.into()), "{semantics}");
        let evidence = &report["violations"][0]["evidence"];
        assert_eq!(
            (&evidence["event_id"], &evidence["t_s"], &evidence["status"]),
            (&"e2".into(), &700.into(), &"BLOCKED".into())
        );
        // The reference records no code with a verdict.
        let what = if semantics == "sound" { "RBAC_RESTRICTED_ENTRY_DENY" } else { "violation" };
        let message = format!("INV-ZONE-004: Containment needs a token and a role — {what}");
        assert_eq!(report["violations"][0]["message"], message);
        let (code, report) = check(dir.path(), &["A.jsonl", "--invariants", "INV-ZONE-001,INV-ZONE-002"]);
        assert_eq!((code, &report["safe"]), (0, &true.into()), "{semantics}");
        assert_eq!(report["invariant_ids_checked"], json!(["INV-ZONE-001", "INV-ZONE-002"]));
    }
}

#[test]
fn a_verdict_that_was_falsified_is_found_by_playing_the_events_again() {
    let dir = traced("sound");
    forge(dir.path(), "A.jsonl", 2, "\"VIOLATION\"", "\"PASS\"");
    let (code, report) = check(dir.path(), &["forged.jsonl", "--invariants", "INV-ZONE-004", "--recorded-only"]);
    assert_eq!((code, &report["re_evaluated"]), (0, &false.into()), "whoever believes the record is fooled");
    let (code, report) = check(dir.path(), &["forged.jsonl", "--invariants", "INV-ZONE-001"]);
    assert_eq!(code, 1, "{report}");
    assert!(found(&report).contains(&("INV-ZONE-004".to_owned(), 1)), "{report}");
    assert!(found(&report).iter().all(|(_, step)| *step == 1), "{report}");
    let message = report["violations"][0]["message"].as_str().unwrap();
    assert!(message.contains("recorded as PASS, and is VIOLATION"), "{message}");
}

#[test]
fn whatever_else_was_falsified_is_a_divergence_at_its_step() {
    let one = |line: usize, from: &str, to: &str, field: &str| {
        let dir = traced("sound");
        forge(dir.path(), "A.jsonl", line, from, to);
        let (code, report) = check(dir.path(), &["forged.jsonl", "--invariants", "INV-ZONE-001"]);
        let step = line as u64 - 1;
        assert_eq!((code, found(&report)), (1, vec![("TRACE-DIVERGENCE".to_owned(), step)]), "{report}");
        assert_eq!(report["violations"][0]["evidence"]["details"]["field"], field);
    };
    one(1, "\"status\":\"ACCEPTED\"", "\"status\":\"BLOCKED\"", "status");
    one(1, "\"emits\":[\"CREATE_ACCESSION\"]", "\"emits\":[]", "emits");
    one(2, "\"blocked_reason_code\":\"RBAC", "\"blocked_reason_code\":\"RC", "blocked_reason_code");
    one(3, "\"length\":3", "\"length\":2", "hashchain");
    // An event that was changed or taken out changes every hash after it, and is told once.
    one(3, "\"t_s\":800", "\"t_s\":801", "hashchain");
    let dir = traced("sound");
    let text = std::fs::read_to_string(dir.path().join("A.jsonl")).unwrap();
    let kept: Vec<&str> = text.lines().enumerate().filter(|(index, _)| *index != 1).map(|(_, line)| line).collect();
    std::fs::write(dir.path().join("cut.jsonl"), kept.join("\n")).unwrap();
    let (code, report) = check(dir.path(), &["cut.jsonl", "--invariants", "INV-ZONE-001"]);
    assert_eq!((code, found(&report)), (1, vec![("TRACE-DIVERGENCE".to_owned(), 0)]), "{report}");
}

#[test]
fn a_list_without_a_beginning_is_believed_until_somebody_says_how_it_began() {
    let dir = traced("sound");
    let text = std::fs::read_to_string(dir.path().join("A.jsonl")).unwrap();
    let mut lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let state = lines.next().unwrap()["initial_state"].take();
    let entries: Vec<Value> = lines.map(|line| json!({"event": line["event"], "result": line["result"]})).collect();
    std::fs::write(dir.path().join("list.json"), json!(entries).to_string()).unwrap();
    std::fs::write(dir.path().join("state.json"), state.to_string()).unwrap();
    let listed = ["list.json", "--invariants", "INV-ZONE-004", "--out", "report"];
    let (code, report) = check(dir.path(), &listed);
    assert_eq!((code, &report["re_evaluated"]), (1, &false.into()));
    assert!(report["not_re_evaluated_because"].as_str().unwrap().contains("--initial-state"), "{report}");
    let written = std::fs::read_to_string(dir.path().join("report/model_check_report.json")).unwrap();
    let keys = ["safe", "max_steps", "steps_checked", "violations", "invariant_ids_checked", "re_evaluated"];
    let places: Vec<usize> = keys.iter().map(|key| written.find(&format!("\n  \"{key}\": ")).unwrap()).collect();
    assert!(places.is_sorted(), "the published keys come first, in their order: {written}");
    let page = std::fs::read_to_string(dir.path().join("report/model_check_report.md")).unwrap();
    assert!(page.contains("- **Safe**: no\n- **Steps checked**: 3\n- **Violations**: 1\n"), "{page}");
    for more in [["--initial-state", "state.json"], ["--scenario", "a.ron"]] {
        let (code, report) = check(dir.path(), &[&listed[..], &more[..]].concat());
        assert_eq!((code, &report["re_evaluated"], &report["divergences"]), (1, &true.into(), &0.into()), "{report}");
    }
}

#[test]
fn the_trace_is_cut_after_max_steps_and_one() {
    let dir = traced("sound");
    for (bound, steps, exit) in [("0", 1, 0), ("1", 2, 1), ("100", 3, 1)] {
        let (code, report) = check(dir.path(), &["A.jsonl", "--max-steps", bound]);
        assert_eq!((code, &report["steps_checked"]), (exit, &steps.into()), "{bound}");
    }
}

#[test]
fn an_episode_of_a_log_is_played_again_with_what_the_laboratory_does_by_itself() {
    let dir = tempfile::tempdir().unwrap();
    let log = ["--log", "log.jsonl", "--out", "results.json"];
    let run = ["run-benchmark", "--task", "throughput_sla", "--episodes", "2", "--seed", "7", "--timing", "simulated"];
    assert_eq!(labtrust(dir.path(), &[&run[..], &log[..]].concat()).0, 0);
    let of = |file: &str, episode: &str, seed: &str| {
        let task = ["--task", "throughput_sla", "--timing", "simulated", "--max-steps", "100000"];
        check(dir.path(), &[&[file, "--episode", episode, "--seed", seed], &task[..]].concat())
    };
    for (episode, seed) in [("0", "7"), ("1", "8")] {
        let (code, report) = of("log.jsonl", episode, seed);
        assert_eq!((code, &report["re_evaluated"]), (0, &true.into()), "{report}");
    }
    assert_eq!(of("log.jsonl", "1", "7").0, 1, "another seed is another episode");
    let (code, _, stderr) = labtrust(dir.path(), &["check-trace", "log.jsonl", "--episode", "9"]);
    assert!(code == 1 && stderr.contains("it has no episode 9"), "nothing to look at is not safety: {stderr}");
    let text = std::fs::read_to_string(dir.path().join("log.jsonl")).unwrap();
    let own = text.lines().position(|line| line.contains("\"emits\":[\"END_RUN\"]")).unwrap();
    forge(dir.path(), "log.jsonl", own, "\"emits\":[\"END_RUN\"]", "\"emits\":[]");
    let (code, report) = of("forged.jsonl", "0", "7");
    assert_eq!((code, found(&report)), (1, vec![("TRACE-DIVERGENCE".to_owned(), own as u64)]), "{report}");
    let (_, report) = check(dir.path(), &["log.jsonl", "--task", "throughput_sla"]);
    assert!(report["not_re_evaluated_because"].as_str().unwrap().contains("--episode"), "{report}");
}

#[test]
fn what_is_no_trace_is_told_with_its_place() {
    for (text, part) in [
        ("{", "line 1: not JSON"),
        ("{\"event\":{},\"result\":{}}\n[]\n", "line 2: an entry should be a map"),
        ("", "it has no steps"),
        ("[{\"event\":{}}]", "entry 1: neither an event with its result nor a line of a log"),
        ("[{\"event\":1,\"result\":{}}]", "entry 1: \"event\" should be a map"),
        ("[{\"event\":{},\"result\":{\"violations\":7}}]", "entry 1: \"violations\" should be a list"),
        ("{\"initial_state\":{},\"seed\":1,\"semantics\":\"loose\"}", "line 1: \"semantics\""),
    ] {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("t"), text).unwrap();
        let (code, stdout, stderr) = labtrust(dir.path(), &["check-trace", "t", "--out", "report"]);
        assert_eq!((code, stdout.as_str()), (1, ""), "{stderr}");
        assert!(stderr.contains(part), "{part}: {stderr}");
        assert!(!dir.path().join("report").exists());
    }
    let dir = traced("sound");
    let fails = |arguments: &[&str]| labtrust(dir.path(), &[&["check-trace"], arguments].concat());
    assert_eq!(fails(&["nothing.jsonl"]).0, 1);
    let (code, _, stderr) = fails(&["A.jsonl", "--invariants", "INV-ZONE-044"]);
    assert!(code == 1 && stderr.contains("did you mean `INV-ZONE-004`?"), "{stderr}");
    assert_eq!(fails(&["A.jsonl", "--initial-state", "s.json", "--task", "x"]).0, 2);
    assert_eq!(fails(&[]).0, 2);
}

#[test]
fn a_code_an_invariant_and_an_emit_are_explained_with_their_places() {
    let dir = tempfile::tempdir().unwrap();
    let explain = |arguments: &[&str]| labtrust(dir.path(), &[&["explain"], arguments].concat());
    let (code, stdout, _) = explain(&["RC_DEVICE_NOT_COLOCATED"]);
    assert_eq!(code, 0);
    let gates = "  raised by         colocation, precondition\n";
    for part in ["The agent is not in the room", "P0_STOP", gates, "invariants/invariant_registry.v1.0.yaml:"] {
        assert!(stdout.contains(part), "{part}: {stdout}");
    }
    assert!(explain(&["INT_HEMOLYSED"]).1.contains("  raised by         no gate\n"));
    for (id, kind, meaning) in [
        ("RC_DEVICE_NOT_COLOCATED", "reason_code", "The agent is not in the room of the device."),
        ("INV-ZONE-005", "invariant", "Once the door has been open longer"),
        ("KILL_SWITCH_ZONE", "emit", "a word in which steps report"),
    ] {
        let (code, stdout, stderr) = explain(&[id, "--format", "json"]);
        assert_eq!(code, 0, "{stderr}");
        let told: Value = serde_json::from_str(&stdout).unwrap();
        assert_eq!((&told["id"], &told["what"]), (&id.into(), &kind.into()));
        assert!(told["meaning"].as_str().unwrap().starts_with(meaning), "{told}");
        let place = &told["places"][0];
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../policy/").to_owned() + place["file"].as_str().unwrap();
        let line = place["line"].as_u64().unwrap() as usize;
        let text = std::fs::read_to_string(file).unwrap();
        assert!(text.lines().nth(line - 1).unwrap().contains(id), "{place}");
    }
    let (code, stdout, stderr) = explain(&["RC_DEVICE_NOT_COLOCATD"]);
    assert_eq!((code, stdout.as_str()), (1, ""));
    assert!(stderr.contains("did you mean `RC_DEVICE_NOT_COLOCATED`?"), "{stderr}");
}
