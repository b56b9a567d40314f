//! `run-vectors` from outside.

use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

/// Writes `input` as vectors and runs them. Exit code, stderr, and the answers if there are any.
fn run(dir: &Path, input: &str, more: &[&str]) -> (i32, String, Option<Vec<Value>>) {
    std::fs::write(dir.join("in.jsonl"), input).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_labtrust"))
        .args(["run-vectors", "--in", "in.jsonl", "--out", "out.jsonl"])
        .args(more)
        .current_dir(dir)
        .env_remove("LABTRUST_POLICY_DIR")
        .output()
        .unwrap();
    assert!(output.stdout.is_empty());
    let answers = std::fs::read_to_string(dir.join("out.jsonl")).ok();
    let answers = answers.map(|text| text.lines().map(|line| serde_json::from_str(line).unwrap()).collect());
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap(), answers)
}

/// A door is opened; the expected status and the expected zone of the agent are the caller's.
fn script(id: &str, status: &str, zone: &str) -> String {
    let event = json!({
        "event_id": "e1", "t_s": 0, "agent_id": "A_RUNNER", "action_type": "OPEN_DOOR", "args": {"door_id": "D_WASTE"},
    });
    let script = json!({
        "id": id, "initial_state": {}, "script": [event], "expect": [{"status": status}],
        "final": {"agent_zone(A_RUNNER)": zone},
    });
    format!("{script}\n")
}

#[test]
fn answers_have_every_key_and_the_queries_of_the_input() {
    for engine in ["reference", "sound"] {
        let dir = tempfile::tempdir().unwrap();
        let input = script("a", "ACCEPTED", "Z_SORTING_LANES");
        let (code, stderr, answers) = run(dir.path(), &input, &["--semantics", engine]);
        assert_eq!(code, 0, "{stderr}");
        let answer = &answers.unwrap()[0];
        assert_eq!(answer["id"], "a");
        assert_eq!(answer["final"], json!({"agent_zone(A_RUNNER)": "Z_SORTING_LANES"}));
        let keys: Vec<&String> = answer["results"][0].as_object().unwrap().keys().collect();
        let expected =
            ["blocked_reason_code", "emits", "enforcements", "hashchain", "status", "token_consumed", "violations"];
        assert_eq!(keys, expected);
    }
}

#[test]
fn a_check_says_what_differs_first_in_each_script_and_exits_1() {
    let dir = tempfile::tempdir().unwrap();
    let good = script("good", "ACCEPTED", "Z_SORTING_LANES");
    assert_eq!(run(dir.path(), &good, &["--check"]).0, 0);
    let input = good + &script("bad", "BLOCKED", "Z_NONE") + &script("worse", "ACCEPTED", "Z_NONE");
    let (code, stderr, answers) = run(dir.path(), &input, &["--check", "--quiet"]);
    assert_eq!((code, answers.map(|answers| answers.len())), (1, Some(3)));
    assert!(stderr.contains("bad step 1: status\n"), "{stderr}");
    assert!(stderr.contains("expected \"BLOCKED\"\n  actual   \"ACCEPTED\"\n"), "{stderr}");
    assert!(stderr.contains("worse at the end: agent_zone(A_RUNNER)\n"), "{stderr}");
    assert!(!stderr.contains("good"), "{stderr}");
    assert!(stderr.contains("2 of 3 scripts differ"), "{stderr}");
    assert_eq!(run(dir.path(), &input, &[]).0, 0, "without --check nothing is compared");
    let json = ["run-vectors", "--in", "in.jsonl", "--out", "out.jsonl", "--check", "--format", "json"];
    let output = Command::new(env!("CARGO_BIN_EXE_labtrust")).args(json).current_dir(dir.path()).output().unwrap();
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &told["ok"]), (Some(1), &false.into()), "{told}");
    assert_eq!((&told["summary"]["differing"], &told["written"]), (&2.into(), &json!(["out.jsonl"])), "{told}");
}

#[test]
fn input_that_cannot_be_used_is_named_by_its_line_and_leaves_no_answers() {
    let good = script("good", "ACCEPTED", "Z_SORTING_LANES");
    let no_token_id = json!({"id": "a", "initial_state": {"tokens": [{}]}, "script": []});
    for (line, problem) in [
        ("{".to_owned(), "not JSON"),
        ("[]".to_owned(), "a script should be a map"),
        (json!({"initial_state": {}, "script": []}).to_string(), "the key \"id\" is missing"),
        (json!({"id": "a", "script": []}).to_string(), "the key \"initial_state\" is missing"),
        (json!({"id": "a", "initial_state": {}}).to_string(), "the key \"script\" is missing"),
        (json!({"id": "a", "initial_state": {}, "script": [1]}).to_string(), "event 1 of \"a\" should be a map"),
        (no_token_id.to_string(), "has no token_id"),
        (
            json!({"id": "a", "initial_state": {}, "script": [], "final": {"what?": 1}}).to_string(),
            "Unsupported query: what?",
        ),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let (code, stderr, answers) = run(dir.path(), &format!("{good}\n{line}\n"), &[]);
        assert_eq!((code, answers), (1, None), "{line}");
        assert!(stderr.contains("in.jsonl line 3: ") && stderr.contains(problem), "{stderr}");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "nothing half-written stays");
    }
    let dir = tempfile::tempdir().unwrap();
    let (code, stderr, _) =
        run(dir.path(), &json!({"id": "a", "initial_state": {}, "script": []}).to_string(), &["--check"]);
    assert_eq!(code, 1);
    assert!(stderr.contains("nothing to check"), "{stderr}");
}

/// In simulated timing devices fail and are repaired up to the last moment, and no further. One device that seldom fails
/// makes that quick to see.
#[test]
fn an_event_at_the_end_of_time_is_answered() {
    let failures = "failure_models:\n  version: \"0.1\"\n  device_failures:\n    \
                    DEV_HAEM_01: {enabled: true, mtbf_hours: 100000.0, mttr_s: 900}\n  maintenance_schedule: []\n";
    let policy = labtrust_policy::PolicyStore::builtin().with_text("equipment/failure_models.v0.1.yaml", failures);
    let registry = labtrust_builtin::registry().unwrap();
    let mut engine = registry.lab_domain("hospital_lab").unwrap().load(&policy).unwrap().engine();
    engine.reset(json!({"timing_mode": "simulated"}).as_object().unwrap(), 1).unwrap();
    engine.begin_batch();
    let tick = json!({"event_id": "e1", "t_s": i64::MAX, "agent_id": "A_RUNNER", "action_type": "TICK"});
    let result = engine.play(tick.as_object().unwrap());
    assert_eq!(result.blocked_reason_code, None);
    assert!(result.hashchain.length > 20, "failures and repairs of 584 years are on record");
}
