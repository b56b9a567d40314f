//! `run-scenario` from outside.

use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// Runs the command in `dir`. Exit code, stdout, stderr.
fn run(dir: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_labtrust"))
        .arg("run-scenario")
        .args(arguments)
        .current_dir(dir)
        .env_remove("LABTRUST_POLICY_DIR")
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// A scenario in which reception accessions S1; what is expected of it is the caller's.
fn scenario(id: &str, expect: &str) -> String {
    format!(
        r#"(
    scenario_id: "{id}", title: "a <b> & \"c\"",
    initial_state: {{"workflow": "open", "specimens": [{{"template_ref": "S_BIOCHEM_OK"}}]}},
    script: [(
        event_id: "e1", t_s: 600, agent_id: "A_RECEPTION", action_type: "CREATE_ACCESSION",
        args: {{"specimen_id": "S1"}}, expect: ({expect}),
    )],
)"#
    )
}

/// A directory with a good scenario and a bad one, which comes first.
fn good_and_bad() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let bad = r#"status: "ACCEPTED", state_assertions: ["specimen_status('S1') == 'released'"]"#;
    std::fs::write(dir.path().join("a.ron"), scenario("BAD", bad)).unwrap();
    std::fs::write(dir.path().join("b.ron"), scenario("GOOD", r#"status: "ACCEPTED", hashchain_len_delta: 1"#))
        .unwrap();
    dir
}

#[test]
fn a_failure_shows_what_was_expected_and_the_state_around_it_and_keeps_no_other_scenario_from_running() {
    let dir = good_and_bad();
    let (code, stdout, stderr) = run(dir.path(), &["."]);
    assert_eq!(code, 1, "{stderr}");
    assert!(stdout.contains("FAILED      BAD"), "{stdout}");
    assert!(stdout.contains("step 1 (e1): specimen_status('S1') == 'released' does not hold"), "{stdout}");
    assert!(stdout.contains("expected \"released\"\n    actual   \"accessioning\""), "{stdout}");
    assert!(stdout.contains("agent_zone('A_RECEPTION') = "), "{stdout}");
    assert!(stdout.contains("ok          GOOD"), "{stdout}");
    let (code, stdout, stderr) = run(dir.path(), &[".", "--filter", "GOOD"]);
    assert_eq!((code, stdout.contains("BAD")), (0, false), "{stderr}");
}

#[test]
fn json_keeps_the_runner_output_contract_and_a_trace_has_a_line_a_step() {
    let dir = good_and_bad();
    let (code, stdout, stderr) =
        run(dir.path(), &["b.ron", "--format", "json", "--out", "r.json", "--trace", "traces"]);
    assert_eq!((code, stdout.as_str()), (0, ""), "{stderr}");
    let read = |name: &str| std::fs::read_to_string(dir.path().join(name)).unwrap();
    let report: Value = serde_json::from_str(&read("r.json")).unwrap();
    let scenario = &report["scenario_reports"][0];
    assert_eq!((&scenario["scenario_id"], &scenario["passed"]), (&"GOOD".into(), &true.into()));
    let step = &scenario["step_reports"][0];
    for key in ["event_id", "t_s", "agent_id", "action_type", "status", "hashchain", "raw_engine_result"] {
        assert!(!step[key].is_null(), "{key}: {step}");
    }
    let trace = read("traces/GOOD.jsonl");
    let lines: Vec<Value> = trace.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!((&lines[0]["semantics"], &lines[0]["seed"]), (&"sound".into(), &12345.into()));
    assert_eq!(lines[0]["initial_state"]["workflow"], "open");
    assert_eq!(lines[1]["event"]["action_type"], "CREATE_ACCESSION");
    assert_eq!(lines[1]["result"]["hashchain"], step["hashchain"]);
}

#[test]
fn the_json_report_has_the_shape_of_the_runner_output_contract() {
    let dir = good_and_bad();
    std::fs::write(dir.path().join("0.ron"), scenario("A0", "").replace("\"open\"", "\"ajar\"")).unwrap();
    let (code, stdout, stderr) = run(dir.path(), &[".", "--format", "json"]);
    assert_eq!(code, 1, "{stderr}");
    let mut report: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(report["scenario_reports"].as_array().map(Vec::len), Some(3));
    let (_, contract) = labtrust_policy::schemas().find(|(name, _)| *name == "runner_output_contract.v0.1").unwrap();
    let none: &[String] = &[];
    assert_eq!(labtrust_policy::schema_complaints(contract, &report).unwrap(), none);
    report["scenario_reports"][2]["step_reports"][0]["status"] = "MAYBE".into();
    let complaints = labtrust_policy::schema_complaints(contract, &report).unwrap();
    assert!(complaints[0].starts_with("/scenario_reports/2/step_reports/0/status: "), "{complaints:?}");
}

#[test]
fn junit_says_the_same_to_an_xml_reader() {
    let dir = good_and_bad();
    let (code, stdout, _) = run(dir.path(), &[".", "--format", "junit"]);
    assert_eq!(code, 1);
    let document = roxmltree::Document::parse(&stdout).unwrap();
    let suite = document.root_element().first_element_child().unwrap();
    assert_eq!((suite.attribute("tests"), suite.attribute("failures")), (Some("2"), Some("1")));
    let cases: Vec<_> = suite.children().filter(|node| node.has_tag_name("testcase")).collect();
    assert_eq!(cases[0].attribute("name"), Some("BAD a <b> & \"c\""));
    assert_eq!(cases[1].attribute("name"), Some("GOOD a <b> & \"c\""));
    let failure =
        |case: &roxmltree::Node<'_, '_>| case.first_element_child().map(|node| node.tag_name().name().to_owned());
    assert_eq!((failure(&cases[0]).as_deref(), failure(&cases[1])), (Some("failure"), None));
    let body = cases[0].first_element_child().unwrap().text().unwrap();
    assert!(body.contains("expected \"released\"\n"), "{body}");
}

#[test]
fn what_only_the_laboratory_looks_at_fails_in_it_and_passes_in_the_reference() {
    for expect in [r#"state: {"specimen_status": {"S1": "released"}}"#, "hashchain_len_delta: 2"] {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("a.ron"), scenario("A", expect)).unwrap();
        assert_eq!(run(dir.path(), &["a.ron"]).0, 1, "{expect}");
        assert_eq!(run(dir.path(), &["a.ron", "--semantics", "reference"]).0, 0, "{expect}");
    }
}

#[test]
fn a_state_that_cannot_be_used_is_a_failure_of_its_scenario() {
    let dir = good_and_bad();
    let broken = scenario("A0", "").replace("\"open\"", "\"ajar\"");
    std::fs::write(dir.path().join("0.ron"), broken).unwrap();
    let (code, stdout, _) = run(dir.path(), &["."]);
    assert_eq!(code, 1);
    assert!(stdout.contains("__RESET__: initial state: workflow"), "{stdout}");
    assert!(stdout.contains("ok          GOOD"), "{stdout}");
}

#[test]
fn a_hook_that_nobody_knows_is_told_as_unsupported_and_fails() {
    let dir = tempfile::tempdir().unwrap();
    let with = |more: &str| {
        let text = scenario("A", "").trim_end_matches(')').to_owned() + more + ")";
        std::fs::write(dir.path().join("a.ron"), text).unwrap();
        run(dir.path(), &["a.ron"])
    };
    let (code, stdout, _) = with("post_run_hooks: [\"EXPORT_TO_THE_MOON\"],");
    assert_eq!(code, 1);
    assert!(stdout.contains("UNSUPPORTED A"), "{stdout}");
    assert!(stdout.contains("unsupported hook EXPORT_TO_THE_MOON"), "{stdout}");
    let exists = |path: &str| format!("post_run: [(action: \"ASSERT_FILE_EXISTS\", path: \"{path}\")],");
    assert_eq!(with(&exists("episode_log.jsonl")).0, 0);
    assert_eq!(with(&exists("nothing.json")).0, 1);
}

#[test]
fn a_file_of_the_work_directory_is_held_against_a_schema_of_the_policy() {
    let dir = tempfile::tempdir().unwrap();
    let with = |path: &str, schema: &str| {
        let post_run =
            format!("post_run: [(action: \"ASSERT_SCHEMA_VALID\", path: \"{path}\", schema: \"{schema}\")],");
        let text = scenario("A", "").trim_end_matches(')').to_owned() + &post_run + ")";
        std::fs::write(dir.path().join("a.ron"), text).unwrap();
        run(dir.path(), &["a.ron"])
    };
    let contract = "runner_output_contract.v0.1.schema.json";
    let (code, stdout, _) = with("report.json", contract);
    assert_eq!(code, 0, "{stdout}");
    assert_eq!(with("report.json", &format!("schemas/{contract}")).0, 0, "a path in the policy");
    for (path, schema, part) in [
        ("report.json", "results.v0.2.schema.json", "is not what results.v0.2.schema.json asks for"),
        ("report.json", "nothing.schema.json", "there is no schema nothing.schema.json"),
        ("episode_log.jsonl", "rbac/rbac_policy.v0.1.yaml", "the schema rbac/rbac_policy.v0.1.yaml: it is not JSON"),
        ("nothing.json", contract, "the file nothing.json is not there"),
        ("report.json", "", "needs a schema"),
    ] {
        let (code, stdout, _) = with(path, schema);
        assert_eq!(code, 1, "{schema}");
        assert!(stdout.contains(part), "{part}: {stdout}");
    }
}

#[test]
fn input_that_makes_no_sense_is_told_with_file_and_place() {
    let good = scenario("A", "");
    let cases = [
        ("a.ron", good.replace("args:", "argz:"), "line 6"),
        ("a.ron", good.replace("\"workflow\": \"open\", ", ""), "\"workflow\""),
        ("a.yaml", "scenario_id: A\ninitial_state: {}\nscrypt: []\n".to_owned(), "line 3"),
        ("a.yaml", "golden_suite:\n  scenarios:\n    - scenario_id: [\n".to_owned(), "line"),
        ("a.txt", good.clone(), ".ron, .yaml or .yml"),
    ];
    for (name, text, part) in cases {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(name), text).unwrap();
        let (code, stdout, stderr) = run(dir.path(), &[name]);
        assert_eq!((code, stdout.as_str()), (1, ""), "{stderr}");
        assert!(stderr.contains(&format!("{name}: ")) && stderr.contains(part), "{part}: {stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
    }
    let dir = good_and_bad();
    assert_eq!(run(dir.path(), &["nowhere.ron"]).0, 1);
    assert_eq!(run(dir.path(), &[".", "a.ron"]).0, 1, "one id twice");
    assert_eq!(run(dir.path(), &[".", "--filter", "NOBODY"]).0, 1);
    assert_eq!(run(dir.path(), &[]).0, 2);
}
