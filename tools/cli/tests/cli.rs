//! The program from outside: what it says, where it says it, with which exit code.

use std::path::Path;
use std::process::{Command, Output};

/// Runs the program in `dir` with nothing of the tester's own settings.
fn labtrust(dir: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_labtrust"))
        .args(arguments)
        .current_dir(dir)
        .env_remove("LABTRUST_POLICY_DIR")
        .env_remove("LABTRUST_PARTNER")
        .env_remove("LABTRUST_STRICT_SIGNATURES")
        .env("COLUMNS", "100")
        .env("NO_COLOR", "1")
        .output()
        .unwrap()
}

/// Exit code, stdout, stderr.
fn told(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

fn in_empty_dir(arguments: &[&str]) -> (i32, String, String) {
    let dir = tempfile::tempdir().unwrap();
    let answer = told(&labtrust(dir.path(), arguments));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "a refused command leaves no file behind");
    answer
}

#[test]
fn help_is_as_it_was() {
    for arguments in [
        &["--help"][..],
        &["run-benchmark", "--help"],
        &["quick-eval", "--help"],
        &["run-summary", "--help"],
        &["summarize-results", "--help"],
        &["validate-results", "--help"],
        &["diff", "--help"],
        &["bench-smoke", "--help"],
        &["throughput-compare", "--help"],
        &["determinism-report", "--help"],
        &["generate-official-baselines", "--help"],
        &["run-scenario", "--help"],
        &["run-vectors", "--help"],
        &["plugins", "list", "--help"],
        &["lab", "draw", "--help"],
    ] {
        let (code, stdout, stderr) = in_empty_dir(arguments);
        assert_eq!((code, stderr.as_str()), (0, ""));
        insta::assert_snapshot!(arguments.join(" ").replace(' ', "_"), stdout);
    }
}

#[test]
fn version_is_name_version_and_commit_on_stdout_wherever_it_is_asked() {
    for arguments in [&["--version"][..], &["-V"], &["quick-eval", "-V"]] {
        let (code, stdout, stderr) = in_empty_dir(arguments);
        assert_eq!((code, stderr.as_str()), (0, ""));
        let commit = stdout.strip_prefix(concat!("labtrust ", env!("CARGO_PKG_VERSION"), " (git ")).unwrap();
        let commit = commit.strip_suffix(")\n").unwrap();
        assert!(
            commit == "unknown" || (commit.len() == 12 && commit.bytes().all(|b| b.is_ascii_hexdigit())),
            "{stdout}"
        );
    }
}

#[test]
fn an_unknown_task_is_exit_1_and_the_tasks_are_listed() {
    let (code, stdout, stderr) = in_empty_dir(&["run-benchmark", "--task", "no_such_task"]);
    assert_eq!((code, stdout.as_str()), (1, ""));
    assert!(stderr.starts_with("labtrust run-benchmark failed: unknown task: no_such_task. Known: ["), "{stderr}");
}

#[test]
fn an_unknown_scale_agent_set_or_injection_is_exit_1_and_what_there_is_is_listed() {
    let mut known: Vec<&str> = labtrust_redteam::catalogue::ids().collect();
    known.sort_unstable();
    let injections = format!("unknown injection: INJ-NONE. Known: [{}]", known.join(", "));
    for (arguments, sentence) in [
        (["--scale", "huge"], "unknown scale: huge. Known: [corridor, "),
        (["--agents", "clever"], "unknown agents: clever. Known: [null, random_legal, scripted]"),
        (["--injection", "INJ-NONE"], injections.as_str()),
        (["--injection", "none"], "task coord_scale takes no injections"),
    ] {
        let (code, _, stderr) = in_empty_dir(&[&["run-benchmark", "--task", "coord_scale"], &arguments[..]].concat());
        assert_eq!(code, 1, "{arguments:?}");
        assert!(stderr.contains(sentence), "{arguments:?}: {stderr}");
    }
}

#[test]
fn a_reserved_injection_is_warned_of_and_leaves_no_ground_truth() {
    let dir = tempfile::tempdir().unwrap();
    let run = |id: &str| {
        let arguments = ["run-benchmark", "--task", "coord_risk", "--scale", "small_smoke", "--episodes", "1"];
        let log = ["--log", "log.jsonl", "--injection", id];
        told(&labtrust(dir.path(), &[&arguments[..], &log[..]].concat()))
    };
    let (code, _, stderr) = run("inj_jailbreak");
    assert_eq!(code, 0, "{stderr}");
    assert!(stderr.contains("inj_jailbreak is a reserved name"), "{stderr}");
    assert!(!dir.path().join("ground_truth.jsonl").exists());
    let (code, _, stderr) = run("INJ-ID-SPOOF-001");
    assert_eq!(code, 0, "{stderr}");
    assert!(!stderr.contains("reserved"), "{stderr}");
    let truth = read(dir.path(), "ground_truth.jsonl");
    assert!(truth.lines().next().is_some_and(|line| line.contains("\"event\":\"attempt\"")), "{truth}");
}

#[test]
fn the_size_and_the_agents_that_were_asked_for_are_in_the_result() {
    let dir = tempfile::tempdir().unwrap();
    let arguments =
        ["run-benchmark", "--task", "coord_risk", "--scale", "small_smoke", "--agents", "null", "--injection", "none"];
    let (code, _, stderr) = told(&labtrust(dir.path(), &[&arguments[..], &["--episodes", "1"]].concat()));
    assert_eq!(code, 0, "{stderr}");
    let results: serde_json::Value = serde_json::from_str(&read(dir.path(), "results.json")).unwrap();
    let config = &results["config"];
    assert_eq!((&config["scale_id"], &config["max_steps"]), (&"small_smoke".into(), &80.into()));
    assert_eq!((&config["agent_set"], &results["agent_baseline_id"]), (&"null".into(), &"null_v1".into()));
    assert_eq!((&config["injection_id"], &config["coord_method"]), (&"none".into(), &serde_json::Value::Null));
}

#[test]
fn wrong_usage_is_exit_2() {
    for arguments in [
        &["run-benchmark", "--task", "throughput_sla", "--episodes", "0"][..],
        &["run-benchmark", "--task", "throughput_sla", "--episodes", "many"],
        &["run-benchmark", "--task", "throughput_sla", "--max-steps", "0"],
        &["run-benchmark", "--task", "throughput_sla", "--timing", "sometimes"],
        &["run-benchmark", "--task", "throughput_sla", "--seed", "-1"],
        &["run-benchmark", "--task", "throughput_sla", "--no-such-flag"],
        &["run-benchmark"],
        &["quick-eval", "--run-id", "../elsewhere"],
        &["no-such-command"],
        &[],
    ] {
        let (code, stdout, stderr) = in_empty_dir(arguments);
        assert_eq!((code, stdout.as_str()), (2, ""), "{arguments:?}: {stderr}");
        assert!(!stderr.is_empty());
    }
}

#[test]
fn an_option_whose_feature_is_missing_is_refused_by_name() {
    for (flag, value) in [
        ("--coord-planner-backend", "openai_live"),
        ("--llm-backend", "openai_live"),
        ("--profile", "llm_live_eval"),
        ("--pipeline-mode", "llm_live"),
    ] {
        let (code, _, stderr) = in_empty_dir(&["run-benchmark", "--task", "throughput_sla", flag, value]);
        assert_eq!(code, 1);
        assert!(stderr.contains(flag) && stderr.contains("not available"), "{stderr}");
    }
}

#[test]
fn two_outputs_cannot_be_one_file() {
    for log in ["results.json", "./results.json", "episodes.jsonl", "run_manifest.json"] {
        let (code, _, stderr) = in_empty_dir(&["run-benchmark", "--task", "throughput_sla", "--log", log]);
        assert_eq!(code, 2, "{stderr}");
        assert!(stderr.contains("the same file"), "{stderr}");
    }
}

#[test]
fn an_output_that_cannot_be_written_is_found_out_before_the_run() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("file"), "kept").unwrap();
    let output = labtrust(dir.path(), &["run-benchmark", "--task", "throughput_sla", "--out", "file/results.json"]);
    let (code, stdout, stderr) = told(&output);
    assert_eq!((code, stdout.as_str()), (1, ""));
    assert!(stderr.contains("labtrust run-benchmark failed: cannot write file"), "{stderr}");
    assert_eq!(std::fs::read_to_string(dir.path().join("file")).unwrap(), "kept");
}

#[test]
fn a_policy_directory_that_is_not_there_is_named() {
    for arguments in [&["quick-eval"][..], &["lab", "draw"], &["run-benchmark", "--task", "throughput_sla"]] {
        let arguments: Vec<_> = arguments.iter().copied().chain(["--policy-dir", "nowhere"]).collect();
        let dir = tempfile::tempdir().unwrap();
        let (code, stdout, stderr) = told(&labtrust(dir.path(), &arguments));
        assert_eq!((code, stdout.as_str()), (1, ""));
        assert!(stderr.contains("nowhere does not exist"), "{stderr}");
    }
}

#[test]
fn a_mistake_in_a_policy_file_is_shown_where_it_stands() {
    let dir = tempfile::tempdir().unwrap();
    let policy = dir.path().join("policy");
    for file in built_in_policy() {
        let target = policy.join(&file);
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        std::fs::copy(Path::new(POLICY).join(&file), target).unwrap();
    }
    let zones = policy.join("zones/zone_layout_policy.v0.1.yaml");
    let text = std::fs::read_to_string(&zones).unwrap().replacen("to: Z_SRA_RECEPTION", "to: Z_SRA_RECEPTIOM", 1);
    std::fs::write(&zones, text).unwrap();
    let (code, stdout, stderr) = told(&labtrust(dir.path(), &["lab", "draw", "--policy-dir", "policy"]));
    assert_eq!((code, stdout.as_str()), (1, ""));
    assert!(stderr.contains("zone_layout_policy.v0.1.yaml:") && stderr.contains("Z_SRA_RECEPTIOM"), "{stderr}");
}

/// The policy that is compiled in.
const POLICY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../policy");

/// Its files, relative to it.
fn built_in_policy() -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![Path::new(POLICY).to_path_buf()];
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.push(path.strip_prefix(POLICY).unwrap().to_path_buf());
            }
        }
    }
    found
}

#[test]
fn an_unknown_profile_is_an_error_and_not_ignored() {
    let (code, _, stderr) = in_empty_dir(&["lab", "draw", "--profile", "no_such_profile"]);
    assert_eq!(code, 1);
    assert!(stderr.contains("no_such_profile"), "{stderr}");
}

#[test]
fn the_picture_of_the_laboratory_shows_every_zone_and_is_the_same_every_time() {
    let (code, first, stderr) = in_empty_dir(&["lab", "draw"]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    let (_, second, _) = in_empty_dir(&["lab", "draw"]);
    assert_eq!(first, second);
    for zone in ["Z_INGRESS_DOCK", "Z_ANALYZER_HALL_B", "Z_WASTE_DISPOSAL"] {
        assert!(first.contains(zone));
    }
    assert!(first.starts_with("<svg ") && first.ends_with("</svg>\n"));
}

#[test]
fn a_directory_without_results_cannot_be_summarised() {
    let (code, stdout, stderr) = in_empty_dir(&["run-summary", "--run", "."]);
    assert_eq!((code, stdout.as_str()), (1, ""));
    assert!(stderr.contains("labtrust run-summary failed: no results file"), "{stderr}");
}

#[test]
fn a_summary_has_the_published_line_and_keys() {
    let dir = tempfile::tempdir().unwrap();
    let metrics = r#"{"steps":80,"throughput":4,"violations_by_invariant_id":{"INV-ZONE-001":1}}"#;
    let results = format!(r#"{{"task":"throughput_sla","episodes":[{{"seed":1,"metrics":{metrics}}}]}}"#);
    std::fs::write(dir.path().join("results.json"), results).unwrap();
    let (code, stdout, _) = told(&labtrust(dir.path(), &["run-summary", "--run", "."]));
    assert_eq!(code, 0);
    assert!(stdout.starts_with("episodes=1 steps=80 throughput=4.0000"), "{stdout}");
    let (_, stdout, _) = told(&labtrust(dir.path(), &["run-summary", "--run", ".", "--format", "json"]));
    for key in ["num_episodes", "total_steps", "violations_total", "throughput_mean", "task"] {
        assert!(stdout.contains(&format!("\"{key}\"")), "{stdout}");
    }
}

fn read(dir: &Path, name: &str) -> String {
    std::fs::read_to_string(dir.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn a_quick_evaluation_releases_results_in_every_task_and_leaves_a_whole_directory() {
    let dir = tempfile::tempdir().unwrap();
    let (code, stdout, stderr) = told(&labtrust(dir.path(), &["quick-eval", "--run-id", "a"]));
    assert_eq!(code, 0, "{stderr}");
    assert!(stderr.starts_with("Wrote labtrust_runs/quick_eval_a\n"), "{stderr}");
    let run = dir.path().join("labtrust_runs/quick_eval_a");
    assert_eq!(read(&run, "summary.md"), stdout);
    for task in ["throughput_sla", "adversarial_disruption", "multi_site_stat"] {
        let row = stdout.lines().find(|line| line.starts_with(&format!("| {task} |"))).unwrap();
        let throughput: u64 = row.split('|').nth(2).unwrap().trim().parse().unwrap();
        assert!(throughput > 0, "{row}");
        assert!(read(&run, &format!("{task}.json")).ends_with("}\n"));
        assert!(!read(&run, &format!("logs/{task}.jsonl")).is_empty());
    }
    assert_eq!(read(&run, "logs/episodes.jsonl").lines().count(), 3);
    assert!(read(&run, "run_manifest.json").contains("\"logs/episodes.jsonl\""));
    assert_eq!(std::fs::read_dir(dir.path().join("labtrust_runs")).unwrap().count(), 1, "nothing temporary is left");

    let (code, _, stderr) = told(&labtrust(dir.path(), &["quick-eval", "--run-id", "a"]));
    assert_eq!(code, 1);
    assert!(stderr.contains("exists already"), "{stderr}");
}

#[test]
fn a_benchmark_gives_the_same_bytes_for_any_number_of_threads() {
    let dir = tempfile::tempdir().unwrap();
    for (threads, sub) in [("1", "one"), ("3", "three")] {
        let (out, log) = (format!("{sub}/results.json"), format!("{sub}/log.jsonl"));
        let arguments = [
            "run-benchmark",
            "--task",
            "throughput_sla",
            "--episodes",
            "5",
            "--timing",
            "simulated",
            "--max-steps",
            "90",
            "--threads",
            threads,
            "--out",
            &out,
            "--log",
            &log,
            "-q",
        ];
        let (code, stdout, stderr) = told(&labtrust(dir.path(), &arguments));
        assert_eq!((code, stdout.as_str()), (0, ""), "{stderr}");
        assert!(stderr.starts_with(&format!("Wrote {out}\n")), "`-q` keeps the line that scripts wait for: {stderr}");
    }
    for name in ["results.json", "log.jsonl", "episodes.jsonl"] {
        assert_eq!(read(&dir.path().join("one"), name), read(&dir.path().join("three"), name), "{name}");
    }
    let results = read(&dir.path().join("one"), "results.json");
    assert!(results.contains("\"max_steps\":90") && results.contains("\"seeds\":[123,124,125,126,127]"), "{results}");
    assert!(results.contains("\"distinct_chains\":5"), "{results}");
}

#[test]
fn a_second_run_replaces_the_files_of_the_first() {
    let dir = tempfile::tempdir().unwrap();
    let arguments = ["run-benchmark", "--task", "throughput_sla", "--episodes", "2", "--log", "log.jsonl"];
    let once = told(&labtrust(dir.path(), &arguments));
    let first: Vec<_> = ["results.json", "log.jsonl", "episodes.jsonl"].map(|name| read(dir.path(), name)).into();
    let twice = told(&labtrust(dir.path(), &arguments));
    assert_eq!((once.0, twice.0), (0, 0));
    assert!(once.2.contains("Episodes: 2, mean throughput: "), "{}", once.2);
    let second: Vec<_> = ["results.json", "log.jsonl", "episodes.jsonl"].map(|name| read(dir.path(), name)).into();
    assert_eq!(first, second);
    assert_eq!(second[2].lines().count(), 2);
}

#[test]
fn a_partner_is_named_in_the_result_with_the_fingerprint_of_its_rules() {
    let dir = tempfile::tempdir().unwrap();
    let arguments = ["run-benchmark", "--task", "throughput_sla", "--episodes", "1", "--partner", "hsl_like"];
    assert_eq!(told(&labtrust(dir.path(), &arguments)).0, 0);
    let results = read(dir.path(), "results.json");
    assert!(results.contains("\"partner_id\":\"hsl_like\"") && !results.contains("\"policy_fingerprint\":null"));
    let (code, _, stderr) =
        told(&labtrust(dir.path(), &["run-benchmark", "--task", "throughput_sla", "--partner", "nobody"]));
    assert_eq!(code, 1);
    assert!(stderr.contains("nobody"), "{stderr}");
}

/// The names in the list of commands that the help shows.
fn commands() -> Vec<String> {
    let (_, help, _) = in_empty_dir(&["--help"]);
    let list = help.split("Commands:\n").nth(1).and_then(|rest| rest.split("\n\n").next()).unwrap();
    let names = list.lines().filter_map(|line| line.strip_prefix("  ")?.split_whitespace().next().map(str::to_owned));
    names.filter(|name| name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')).collect()
}

#[test]
fn there_is_a_manual_page_for_every_command() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(told(&labtrust(dir.path(), &["man", "pages"])).0, 0);
    let (_, first, _) = in_empty_dir(&["man"]);
    for name in commands().iter().filter(|name| *name != "help") {
        let page = std::fs::read_to_string(dir.path().join(format!("pages/labtrust-{name}.1"))).unwrap();
        assert!(page.contains(".TH") && page.contains(&name.replace('-', "\\-")), "{name}: {page}");
        assert!(first.contains(&name.replace('-', "\\-")), "{name}");
    }
    assert!(dir.path().join("pages/labtrust-controls-list.1").exists());
}

#[test]
fn lists_are_json_for_programs() {
    for (arguments, key) in
        [(&["controls", "list"][..], "controls"), (&["plugins", "list"], "plugins"), (&["schema"], "schemas")]
    {
        let arguments: Vec<_> = arguments.iter().copied().chain(["--format", "json"]).collect();
        let (code, stdout, _) = in_empty_dir(&arguments);
        let document: serde_json::Value = serde_json::from_str(&stdout).unwrap();
        let list = document[key].as_array().unwrap();
        assert!(code == 0 && list.len() > 5, "{arguments:?}");
    }
}

#[test]
fn a_run_without_a_control_says_so_and_an_unknown_control_is_wrong_usage() {
    let dir = tempfile::tempdir().unwrap();
    let run =
        ["run-benchmark", "--task", "insider_key_misuse", "--episodes", "1", "--ablate", "signatures", "--log", "l"];
    assert_eq!(told(&labtrust(dir.path(), &run)).0, 0);
    let results: serde_json::Value =
        serde_json::from_slice(&std::fs::read(dir.path().join("results.json")).unwrap()).unwrap();
    assert_eq!(results["config"]["ablate"], serde_json::json!(["signatures"]));
    let log = std::fs::read_to_string(dir.path().join("l")).unwrap();
    assert!(log.starts_with("{\"action_type\":\"ABLATE_CONTROLS\""), "{}", &log[..80]);
    assert_eq!(told(&labtrust(dir.path(), &["validate-results", "results.json"])).0, 0);
    let (code, _, stderr) = in_empty_dir(&["run-benchmark", "--task", "qc_cascade", "--ablate", "luck"]);
    assert!(code == 2 && stderr.contains("unknown control: luck. Known: [log_freeze, "), "{stderr}");
}
