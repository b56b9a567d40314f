//! The run protocol from outside: processes that have to end, submissions that are missing parts, hostile inputs.

use serde_json::Value;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

fn labtrust(dir: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_labtrust")).args(arguments).current_dir(dir).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn submission() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let from = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/submissions/2026-01-31__001_synthetic_mine_throughput__shell__by-hand");
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        std::fs::copy(entry.path(), dir.path().join(entry.file_name())).unwrap();
    }
    dir
}

#[cfg(unix)]
mod measuring {
    use super::*;

    fn measure(dir: &Path, more: &[&str]) -> (i32, Value, String) {
        let arguments = [&["measure-run", "--submission-dir", ".", "--metrics-out", "out/m.json"][..], more].concat();
        let (code, _, said) = labtrust(dir, &arguments);
        (code, json(&dir.join("out/m.json")), said)
    }

    /// Whether a process that wrote its id into `file` still runs.
    #[cfg(target_os = "linux")]
    fn runs(file: &Path) -> bool {
        let pid = std::fs::read_to_string(file).unwrap();
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim()));
        stat.is_ok_and(|stat| !stat.rsplit(')').next().unwrap_or_default().trim_start().starts_with('Z'))
    }

    #[test]
    fn a_run_is_measured_and_its_fields_are_the_protocols() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("run.py"), "# c\nx = 1\n").unwrap();
        let (code, metrics, said) = measure(dir.path(), &["--command", "sh -c 'echo out; echo err >&2; pwd'"]);
        assert_eq!(code, 0, "{said}");
        let keys: Vec<_> = metrics.as_object().unwrap().keys().map(String::as_str).collect();
        for key in [
            "command",
            "submission_dir",
            "started_at",
            "ended_at",
            "runtime_seconds",
            "timed_out",
            "return_code",
            "stdout_tail",
            "stderr_tail",
            "loc",
            "files",
        ] {
            assert!(keys.contains(&key), "{key}");
        }
        let here = dir.path().canonicalize().unwrap();
        assert_eq!(metrics["stdout_tail"], format!("out\n{}\n", here.display()));
        assert_eq!(metrics["stderr_tail"], "err\n");
        assert_eq!((&metrics["return_code"], &metrics["timed_out"]), (&0.into(), &false.into()));
        assert_eq!((&metrics["loc"]["code_lines"], &metrics["loc"]["comment_lines"]), (&1.into(), &1.into()));
        assert_eq!(metrics["files"]["file_count"], 1);
        assert!(metrics["runtime_seconds"].as_f64().unwrap() < 60.0);
    }

    #[test]
    fn a_failed_run_has_metrics_and_ends_with_1() {
        let dir = tempfile::tempdir().unwrap();
        let (code, metrics, said) = measure(dir.path(), &["--command", "sh -c 'echo broken >&2; exit 7'"]);
        assert_eq!((code, &metrics["return_code"]), (1, &7.into()));
        assert!(said.contains("exit code 7: broken"), "{said}");
        let (code, metrics, said) = measure(dir.path(), &["--command", "sh -c 'kill -9 $$'"]);
        assert_eq!((code, &metrics["return_code"]), (1, &(-9).into()));
        assert!(said.contains("signal 9"), "{said}");
    }

    #[test]
    fn words_are_split_as_a_shell_does_and_nothing_else_is_done_without_one() {
        let dir = tempfile::tempdir().unwrap();
        let (_, metrics, _) = measure(dir.path(), &["--command", "echo 'a  b' $HOME | cat"]);
        assert_eq!(metrics["stdout_tail"], "a  b $HOME | cat\n");
        let (_, metrics, _) = measure(dir.path(), &["--shell", "--command", "X=3; echo 'a  b' $X | cat"]);
        assert_eq!(metrics["stdout_tail"], "a  b 3\n");
    }

    #[test]
    fn the_last_4000_characters_are_kept_of_more_than_a_pipe_holds() {
        let dir = tempfile::tempdir().unwrap();
        let command = "i=0; while [ $i -lt 3000 ]; do echo $i-äöü€-äöü€-äöü€-äöü€-äöü€; echo $i-äöü€-äöü€-äöü€-äöü€-äöü€ >&2; i=$((i+1)); done";
        let (code, metrics, _) = measure(dir.path(), &["--shell", "--command", command]);
        assert_eq!(code, 0);
        for stream in ["stdout_tail", "stderr_tail"] {
            let tail = metrics[stream].as_str().unwrap();
            assert_eq!(tail.chars().count(), 4000);
            assert!(tail.ends_with("2999-äöü€-äöü€-äöü€-äöü€-äöü€\n") && !tail.contains('\u{fffd}'), "{tail}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn at_the_timeout_everything_that_the_command_started_is_ended() {
        let dir = tempfile::tempdir().unwrap();
        // A grandchild in the background, one that is an orphan by then, one in a session of its own, and one of these twice over.
        let command = "sh -c 'echo $$ > a; exec sleep 600' & \
            (sh -c 'echo $$ > b; exec sleep 600' &) ; \
            setsid sh -c 'echo $$ > c; exec sleep 600' & \
            (setsid sh -c 'setsid sh -c \"echo \\$\\$ > d; exec sleep 600\" & wait' &) ; \
            while [ ! -s a ] || [ ! -s b ] || [ ! -s c ] || [ ! -s d ]; do sleep 0.01; done; touch ready; sleep 600";
        let begun = Instant::now();
        let (code, metrics, said) = measure(dir.path(), &["--shell", "--timeout-seconds", "8", "--command", command]);
        assert!(dir.path().join("ready").exists(), "the processes were there: {said}");
        assert!(begun.elapsed() < Duration::from_secs(60));
        assert_eq!((code, &metrics["timed_out"], &metrics["return_code"]), (1, &true.into(), &Value::Null));
        assert!(said.contains("after 8 s"), "{said}");
        for file in ["a", "b", "c", "d"] {
            assert!(!runs(&dir.path().join(file)), "{file} still runs");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_a_command_leaves_in_the_background_is_ended_with_it_and_does_not_hold_it_up() {
        let dir = tempfile::tempdir().unwrap();
        let command = "setsid sh -c 'echo $$ > a; exec sleep 600' & while [ ! -s a ]; do sleep 0.01; done; echo done";
        let begun = Instant::now();
        let (code, metrics, _) = measure(dir.path(), &["--shell", "--command", command]);
        assert!(begun.elapsed() < Duration::from_secs(60));
        assert_eq!((code, metrics["stdout_tail"].as_str()), (0, Some("done\n")));
        assert!(!runs(&dir.path().join("a")));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn an_interrupted_measurement_ends_the_command_and_writes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_labtrust"))
            .args(["measure-run", "--submission-dir", ".", "--metrics-out", "m.json", "--shell"])
            .args(["--command", "echo $$ > a; sleep 600"])
            .current_dir(dir.path())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        let is_there = || std::fs::read_to_string(dir.path().join("a")).is_ok_and(|text| text.ends_with('\n'));
        while !is_there() && begun.elapsed() < Duration::from_secs(60) {
            std::thread::sleep(Duration::from_millis(5));
        }
        let pid = child.id().to_string();
        assert!(Command::new("sh").args(["-c", &format!("kill -TERM {pid}")]).status().unwrap().success());
        assert_eq!(child.wait().unwrap().code(), Some(1));
        assert!(!runs(&dir.path().join("a")));
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "only what the command wrote itself");
    }

    #[test]
    fn a_run_that_nobody_timed_has_a_file_that_says_why() {
        let dir = tempfile::tempdir().unwrap();
        let (code, metrics, _) = measure(dir.path(), &["--unknown", "a chat window"]);
        assert_eq!((code, &metrics["runtime_seconds"], &metrics["note"]), (0, &Value::Null, &"a chat window".into()));
    }
}

#[test]
fn the_projects_own_study_is_possible() {
    let dir = tempfile::tempdir().unwrap();
    let (code, _, said) = labtrust(dir.path(), &["run-mine", "--all", "--out", "study"]);
    assert_eq!(code, 0, "{said}");
    let (_, report, said) = evaluate(dir.path(), &["--strict", "--outputs-dir", "study"]);
    assert_eq!(
        (&report["automated_checks"]["passed"], &report["physical_checks"]["passed"]),
        (&53.into(), &21.into()),
        "{said}"
    );
}

/// A report of a submission, and the exit code.
fn evaluate(dir: &Path, more: &[&str]) -> (i32, Value, String) {
    let out = dir.join("report.json");
    let arguments =
        [&["evaluate-submission", "--submission-dir", ".", "--report-out", "report.json"][..], more].concat();
    let (code, _, said) = labtrust(dir, &arguments);
    let report = json(&out);
    std::fs::remove_file(out).unwrap();
    (code, report, said)
}

fn failed(report: &Value) -> Vec<&str> {
    let checks = report["automated_checks"]["checks"].as_array().unwrap();
    checks.iter().filter(|check| check["passed"] == false).map(|check| check["name"].as_str().unwrap()).collect()
}

#[test]
fn the_protocols_checks_are_53_by_name_and_in_order() {
    let dir = submission();
    let (code, report, said) = evaluate(dir.path(), &[]);
    assert_eq!(code, 0, "{said}");
    let checks = &report["automated_checks"];
    assert_eq!((&checks["passed"], &checks["total"], &checks["pass_rate"]), (&53.into(), &53.into(), &1.0.into()));
    let names: Vec<_> = checks["checks"].as_array().unwrap().iter().map(|c| c["name"].as_str().unwrap()).collect();
    insta::assert_snapshot!("checks", names.join("\n"));
    let keys: Vec<_> = report.as_object().unwrap().keys().map(String::as_str).collect();
    for key in [
        "benchmark_id",
        "submission_dir",
        "outputs_dir",
        "automated_checks",
        "scenario_total_tonnes_means",
        "quantitative_metrics",
        "notes",
    ] {
        assert!(keys.contains(&key), "{key}");
    }
    for key in ["loc", "files", "runtime_seconds", "return_code", "timed_out", "token_usage"] {
        assert!(report["quantitative_metrics"].get(key).is_some(), "{key}");
    }
    // It was written by hand, and it shows: loudly, and apart from the count.
    assert!(said.contains("NOT CHECKABLE moves_follow_open_edges"), "{said}");
    assert!(said.contains("PHYSICALLY IMPOSSIBLE OR INCONSISTENT replications_enough"), "{said}");
    let (code, _, said) = evaluate(dir.path(), &["--strict"]);
    assert!(code == 1 && said.contains("physical checks do not hold"), "{said}");
}

#[test]
fn a_seventh_scenario_adds_four_checks() {
    let dir = submission();
    let path = dir.path().join("summary.json");
    let mut summary = json(&path);
    summary["scenarios"]["night"] = summary["scenarios"]["baseline"].clone();
    std::fs::write(&path, summary.to_string()).unwrap();
    assert_eq!(evaluate(dir.path(), &[]).1["automated_checks"]["total"], 57);
}

#[test]
fn what_is_missing_is_a_check_that_does_not_hold() {
    let without = |file: &str| {
        let dir = submission();
        std::fs::remove_file(dir.path().join(file)).unwrap();
        let (code, report, _) = evaluate(dir.path(), &[]);
        assert_eq!(code, 1, "{file}");
        let total = report["automated_checks"]["total"].as_u64().unwrap();
        (total, failed(&report).into_iter().map(str::to_owned).collect::<Vec<_>>(), report)
    };
    assert_eq!(without("README.md").1, ["output_exists_README.md"]);
    let (total, names, report) = without("summary.json");
    assert_eq!(
        (total, names),
        (22, vec!["output_exists_summary.json".to_owned(), "summary_json_parseable".to_owned()])
    );
    assert_eq!(report["scenario_total_tonnes_means"]["baseline"], 12600.0, "the means are those of results.csv");
    assert_eq!(without("results.csv").1.len(), 6);
    assert_eq!(without("event_log.csv").1.len(), 6);
}

#[test]
fn implausible_behaviour_is_found_by_name() {
    let with = |id: &str, mean: f64| {
        let dir = submission();
        let path = dir.path().join("summary.json");
        let mut summary = json(&path);
        summary["scenarios"][id]["total_tonnes_mean"] = mean.into();
        std::fs::write(&path, summary.to_string()).unwrap();
        failed(&evaluate(dir.path(), &[]).1).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(with("trucks_4", 12_600.0), ["baseline_gt_trucks_4", "truck_count_saturation_plausible"]);
    assert_eq!(with("ramp_upgrade", 0.949 * 12_600.0), ["ramp_upgrade_ge_baseline"]);
    assert_eq!(with("crusher_slowdown", 12_600.0), ["crusher_slowdown_lt_baseline"]);
    assert_eq!(with("ramp_closed", 1.051 * 12_600.0), ["ramp_closed_le_baseline"]);
    assert_eq!(with("trucks_12", 18_500.0), ["truck_count_saturation_plausible"]);
    assert_eq!(with("trucks_12", 7_900.0), ["trucks_12_gt_trucks_4"]);
}

#[test]
fn files_that_are_none_do_no_harm() {
    for (file, bytes) in [
        ("summary.json", &b"[1, 2]"[..]),
        ("summary.json", b"{\"scenarios\": 3}"),
        ("summary.json", b"\xff\xfe"),
        ("summary.json", b"{\"scenarios\": {\"baseline\": 3}}"),
        ("results.csv", b""),
        ("results.csv", b"\"open"),
        ("results.csv", b"scenario_id,replication\n\xff,1e999,3,4\n"),
        ("event_log.csv", b""),
        ("event_log.csv", b"time_min,replication,scenario_id,truck_id,event_type\n\n\"\n"),
        ("event_log.csv", b"\x00\x01\x02"),
        ("run_metrics.json", b"3"),
        ("token_usage.json", b"{}"),
        ("submission.yaml", b":\n - {"),
    ] {
        let dir = submission();
        std::fs::write(dir.path().join(file), bytes).unwrap();
        let (code, _, said) = evaluate(dir.path(), &["--strict"]);
        assert!(code == 1 && !said.contains("bug in labtrust"), "{file} {bytes:?}: {said}");
    }
}

#[test]
fn the_way_from_task_to_leaderboard_can_be_walked() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let ok = |arguments: &[&str]| {
        let (code, out, said) = labtrust(dir, arguments);
        assert_eq!(code, 0, "{arguments:?}: {said}{out}");
        out
    };
    let name = ok(&[
        "new-task",
        "--benchmark",
        "001_synthetic_mine_throughput",
        "--out",
        "task",
        "--harness",
        "shell",
        "--model",
        "by-hand",
        "--date",
        "2026-01-31",
    ]);
    assert_eq!(name, "2026-01-31__001_synthetic_mine_throughput__shell__by-hand\n");
    let folder = format!("submissions/{}", name.trim());
    let made = submission();
    std::fs::create_dir_all(dir.join(&folder)).unwrap();
    for entry in std::fs::read_dir(made.path()).unwrap().flatten() {
        std::fs::copy(entry.path(), dir.join(&folder).join(entry.file_name())).unwrap();
    }
    std::fs::remove_file(dir.join(&folder).join("token_usage.json")).unwrap();
    let at = |file: &str| format!("{folder}/{file}");
    ok(&["measure-run", "--submission-dir", &folder, "--unknown", "by hand", "--metrics-out", &at("run_metrics.json")]);
    ok(&["normalize-tokens", &folder]);
    ok(&["evaluate-submission", "--submission-dir", &folder, "--report-out", &at("evaluation_report.json")]);
    ok(&[
        "record-score",
        "--db",
        "scores.sqlite",
        "--submission",
        name.trim(),
        "--reviewer",
        "ada",
        "--date",
        "2026-02-01",
        "--conceptual-modelling",
        "2",
        "--data-topology",
        "1",
        "--simulation-correctness",
        "0",
        "--experimental-design",
        "3",
        "--results-interpretation",
        "4",
        "--code-quality",
        "0",
        "--traceability",
        "0.5",
    ]);
    let table = ok(&["leaderboard", "--db", "scores.sqlite", "--submissions", "submissions", "--html", "html"]);
    insta::assert_snapshot!("leaderboard", table);
    let page = std::fs::read_to_string(dir.join("html/index.html")).unwrap();
    assert!(page.contains("by-hand") && page.contains("53/53") && page.contains("autonomous"));
}
