//! Runs that are interrupted and gone on with, and what else a run can write beside its log, from outside.

use labtrust_evidence::frames;
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Files of a run that must have the same bytes whatever happened on the way.
const FILES: [&str; 4] = ["results.json", "log.jsonl", "episodes.jsonl", "steps.jsonl"];

fn command(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_labtrust"));
    command
        .args(arguments)
        .current_dir(dir)
        .env_remove("LABTRUST_POLICY_DIR")
        .env_remove("LABTRUST_PARTNER")
        .env_remove("LABTRUST_STRICT_SIGNATURES")
        .env("NO_COLOR", "1");
    command
}

/// Runs the program in `dir`; exit code and stderr.
fn labtrust(dir: &Path, arguments: &[&str]) -> (i32, String) {
    let output = command(dir, arguments).output().unwrap();
    assert!(output.stdout.is_empty());
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

fn bytes(dir: &Path, name: &str) -> Vec<u8> {
    std::fs::read(dir.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// A run of `throughput_sla` in `dir/run` with checkpoints.
const RUN: [&str; 11] = [
    "run-benchmark",
    "--task",
    "throughput_sla",
    "--out",
    "run/results.json",
    "--log",
    "run/log.jsonl",
    "--checkpoint-every",
    "3",
    "--log-step-interval",
    "5",
];

fn run(dir: &Path, more: &[&str]) -> (i32, String) {
    labtrust(dir, &[&RUN[..], more].concat())
}

/// When a process is killed.
#[derive(Debug, Clone, Copy)]
enum Kill {
    /// As soon as the log has so many bytes [bytes].
    AtLogLength(u64),
    /// So long after its start.
    After(Duration),
}

/// Starts a process and kills it; whether it was killed before it ended.
fn killed(mut command: Command, log: &Path, kill: Kill) -> bool {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let begun = Instant::now();
    loop {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        let due = match kill {
            Kill::AtLogLength(length) => std::fs::metadata(log).is_ok_and(|meta| meta.len() >= length),
            Kill::After(time) => begun.elapsed() >= time,
        };
        if due {
            // SIGKILL on Unix: the program is not asked.
            child.kill().unwrap();
            child.wait().unwrap();
            return true;
        }
        std::thread::yield_now();
    }
}

#[test]
fn a_run_that_is_killed_again_and_again_ends_with_the_bytes_of_one_that_was_not() {
    let dir = tempfile::tempdir().unwrap();
    let whole = dir.path().join("whole");
    std::fs::create_dir(&whole).unwrap();
    let episodes = ["--episodes", "60", "--seed", "7"];
    let (code, stderr) = run(&whole, &episodes);
    assert_eq!(code, 0, "{stderr}");
    let log_length = bytes(&whole, "run/log.jsonl").len() as u64;

    // Where the kills fall differs from run to run of this test anyway: the machine decides. The numbers only spread them.
    let mut number = 0x9e37_79b9_7f4a_7c15_u64 ^ u64::from(std::process::id());
    let mut below = |bound: u64| {
        number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (number >> 33) % bound
    };
    let mut kills = 0;
    for round in 0..3 {
        let broken = dir.path().join(format!("broken_{round}"));
        std::fs::create_dir(&broken).unwrap();
        for attempt in 0..8_u64 {
            let kill = match attempt % 3 {
                2 => Kill::After(Duration::from_micros(below(150_000))),
                _ => Kill::AtLogLength(log_length * (attempt + 1) / 9 + below(log_length / 9)),
            };
            let threads = if attempt % 2 == 0 { "1" } else { "2" };
            let mut arguments = [&RUN[..], &episodes, &["--threads", threads]].concat();
            if broken.join("run/checkpoint.json").exists() {
                arguments.extend(["--resume-from", "run"]);
            }
            let log = broken.join("run/.log.jsonl.continued.partial");
            if killed(command(&broken, &arguments), &log, kill) {
                kills += 1;
                assert!(!broken.join("run/run_manifest.json").exists() || broken.join("run/results.json").exists());
            }
        }
        let resumed: &[&str] =
            if broken.join("run/checkpoint.json").exists() { &["--resume-from", "run"] } else { &[] };
        let (code, stderr) = run(&broken, &[&episodes[..], resumed].concat());
        assert_eq!(code, 0, "{stderr}");
        for name in FILES {
            let name = format!("run/{name}");
            assert!(bytes(&whole, &name) == bytes(&broken, &name), "{name} differs in round {round}");
        }
        let names = std::fs::read_dir(broken.join("run")).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        let complete =
            ["checkpoint.json", "episodes.jsonl", "log.jsonl", "results.json", "run_manifest.json", "steps.jsonl"];
        assert_eq!(names, complete, "nothing temporary is left");
    }
    assert!(kills >= 6, "only {kills} processes were killed before they ended");
}

#[test]
fn every_task_goes_on_from_a_checkpoint_with_the_bytes_that_it_would_have_had() {
    let dir = tempfile::tempdir().unwrap();
    for task in ["qc_cascade", "insider_key_misuse", "coord_risk", "reagent_stockout"] {
        // With a method there are its decisions, too.
        let method: &[&str] = if task == "coord_risk" { &["--coord-method", "kernel_auction_edf"] } else { &[] };
        let also: &[&str] = if method.is_empty() { &[] } else { &labtrust_bench::log::COORDINATION_FILES };
        for timing in ["explicit", "simulated"] {
            let run = |resume: &[&str]| {
                let out = format!("{task}_{timing}/results.json");
                let log = format!("{task}_{timing}/log.jsonl");
                let arguments = ["run-benchmark", "--task", task, "--timing", timing, "--episodes", "2"];
                let files = ["--out", out.as_str(), "--log", &log, "--checkpoint-every-steps", "1"];
                let (code, stderr) = labtrust(dir.path(), &[&arguments[..], &files, method, resume].concat());
                assert_eq!(code, 0, "{task}: {stderr}");
            };
            let place = dir.path().join(format!("{task}_{timing}"));
            let names = [&["results.json", "log.jsonl", "episodes.jsonl"], also].concat();
            run(&[]);
            let before: Vec<_> = names.iter().map(|name| bytes(&place, name)).collect();
            // As if it had been killed after the first episode: everything behind its lines is cut off.
            let mut checkpoint: Value = serde_json::from_slice(&bytes(&place, "checkpoint.json")).unwrap();
            let short = [("log.jsonl", "log"), ("episodes.jsonl", "episodes")];
            for (name, short) in short.into_iter().chain(also.iter().map(|&name| (name, name))) {
                let text = String::from_utf8(bytes(&place, name)).unwrap();
                let of_first = |line: &&str| {
                    let line: Value = serde_json::from_str(line).unwrap();
                    line["episode"] == 0
                };
                let first: String = text.split_inclusive('\n').take_while(of_first).collect();
                let digest = labtrust_bench::results::sha256_hex(first.as_bytes());
                checkpoint["extra"]["files"][short] = serde_json::json!({ "length": first.len(), "sha256": digest });
            }
            checkpoint["episodes_done"] = 1.into();
            checkpoint["episode_index"] = 0.into();
            std::fs::write(place.join("checkpoint.json"), checkpoint.to_string()).unwrap();
            std::fs::remove_file(place.join("results.json")).unwrap();
            run(&["--resume-from", &format!("{task}_{timing}")]);
            for (name, before) in names.iter().zip(before) {
                assert!(bytes(&place, name) == before, "{task}, {timing}: {name} differs");
            }
        }
    }
}

#[test]
fn a_checkpoint_of_another_run_is_refused_with_what_differs() {
    let dir = tempfile::tempdir().unwrap();
    let asked = ["--episodes", "4", "--seed", "7"];
    let (code, stderr) = run(dir.path(), &asked);
    assert_eq!(code, 0, "{stderr}");
    let before = FILES.map(|name| bytes(&dir.path().join("run"), name));

    let resume = ["--resume-from", "run"];
    for (arguments, said) in [
        (&["--episodes", "4", "--seed", "8"][..], "base_seed is 7 there and 8 here"),
        (&["--episodes", "5", "--seed", "7"], "num_episodes is 4 there and 5 here"),
        (&["--episodes", "4", "--seed", "7", "--timing", "simulated"], "config.timing_mode is \"explicit\" there"),
        (&["--episodes", "4", "--seed", "7", "--max-steps", "9"], "config.max_steps is "),
        (&["--episodes", "4", "--seed", "7", "--agents", "random_legal"], "agent_baseline_id is "),
        (
            &["--episodes", "4", "--seed", "7", "--partner", "hsl_like"],
            "partner_id is null there and \"hsl_like\" here",
        ),
    ] {
        let (code, stderr) = run(dir.path(), &[arguments, &resume].concat());
        assert_eq!(code, 1, "{stderr}");
        assert!(stderr.contains("checkpoint.json is of another run: ") && stderr.contains(said), "{stderr}");
    }

    // A policy that differs in a comment is another policy.
    let policy = dir.path().join("policy");
    copy(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../policy")), &policy);
    let file = policy.join("reason_codes/reason_code_registry.v0.1.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{text}# another comment\n")).unwrap();
    let (code, stderr) = run(dir.path(), &[&asked[..], &resume, &["--policy-dir", "policy"]].concat());
    assert_eq!(code, 1, "{stderr}");
    assert!(stderr.contains("policy_sha256 is "), "{stderr}");

    for (name, before) in FILES.iter().zip(before) {
        assert!(bytes(&dir.path().join("run"), name) == before, "a refused run changed {name}");
    }
    // Asked for as it was: nothing is left to do, and what there is stays.
    let (code, stderr) = run(dir.path(), &[&asked[..], &resume].concat());
    assert_eq!(code, 0, "{stderr}");
    assert!(stderr.contains("Episodes: 4,"), "{stderr}");
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn what_cannot_be_gone_on_with_says_why() {
    let dir = tempfile::tempdir().unwrap();
    let (code, stderr) = run(dir.path(), &["--resume-from", "run"]);
    assert_eq!(code, 1);
    assert!(stderr.contains("there is no run/checkpoint.json to go on from"), "{stderr}");
    let (code, stderr) = labtrust(dir.path(), &["run-benchmark", "--task", "qc_cascade", "--checkpoint-every", "1"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("--log"), "{stderr}");

    assert_eq!(run(dir.path(), &["--episodes", "2"]).0, 0);
    let log = dir.path().join("run/log.jsonl");
    let text = std::fs::read_to_string(&log).unwrap();
    std::fs::write(&log, text.replacen("ACCEPTED", "ACCEPTeD", 1)).unwrap();
    let (code, stderr) = run(dir.path(), &["--episodes", "2", "--resume-from", "run"]);
    assert_eq!(code, 1);
    assert!(stderr.contains("log.jsonl does not begin with the "), "{stderr}");

    std::fs::write(dir.path().join("run/checkpoint.json"), "{").unwrap();
    let (code, stderr) = run(dir.path(), &["--episodes", "2", "--resume-from", "run"]);
    assert_eq!(code, 1);
    assert!(stderr.contains("run/checkpoint.json is no checkpoint of this program"), "{stderr}");
    let (code, stderr) = run(dir.path(), &["--episodes", "2", "--resume-from", "run", "--log", "elsewhere/log.jsonl"]);
    assert_ne!(code, 0, "{stderr}");
}

#[test]
fn steps_jsonl_counts_refusals_and_violations_but_not_what_held() {
    let dir = tempfile::tempdir().unwrap();
    let asked = ["run-benchmark", "--task", "adversarial_disruption", "--episodes", "2", "--log", "log.jsonl"];
    let count = |every: &str| -> Vec<(u64, u64, i64, u64)> {
        let (code, stderr) = labtrust(dir.path(), &[&asked[..], &["--log-step-interval", every]].concat());
        assert_eq!(code, 0, "{stderr}");
        let text = String::from_utf8(bytes(dir.path(), "steps.jsonl")).unwrap();
        let line = |line: &str| {
            let value: Value = serde_json::from_str(line).unwrap();
            let number = |name: &str| value[name].as_u64().unwrap();
            (number("episode"), number("step"), value["t_s"].as_i64().unwrap(), number("violations"))
        };
        text.lines().map(line).collect()
    };
    let every_step = count("1");
    let results: Value = serde_json::from_slice(&bytes(dir.path(), "results.json")).unwrap();
    let horizon = results["config"]["max_steps"].as_u64().unwrap();
    assert_eq!(every_step.len() as u64, 2 * horizon);
    let log = String::from_utf8(bytes(dir.path(), "log.jsonl")).unwrap();
    let violations = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        let broken = line["violations"].as_array().unwrap().iter().filter(|item| item["status"] == "VIOLATION").count();
        u64::from(line["status"] == "BLOCKED") + broken as u64
    };
    let total: u64 = every_step.iter().map(|step| step.3).sum();
    assert!(total > 0);
    assert_eq!(total, log.lines().map(violations).sum::<u64>());
    // Every tenth of them, in a file that begins anew.
    let every_tenth = count("10");
    let expected: Vec<_> = every_step.into_iter().filter(|step| (step.1 + 1) % 10 == 0).collect();
    assert_eq!(every_tenth, expected);
    assert!(every_tenth.iter().all(|step| step.2 == (step.1 as i64 + 1) * 10), "a step has 10 s");
}

#[test]
fn timed_steps_are_in_the_manifest_and_leave_the_results_as_they_are() {
    let dir = tempfile::tempdir().unwrap();
    let asked = ["run-benchmark", "--task", "throughput_sla", "--episodes", "3", "--out"];
    assert_eq!(labtrust(dir.path(), &[&asked[..], &["plain/results.json"]].concat()).0, 0);
    assert_eq!(labtrust(dir.path(), &[&asked[..], &["timed/results.json", "--always-step-timing"]].concat()).0, 0);
    assert!(bytes(dir.path(), "plain/results.json") == bytes(dir.path(), "timed/results.json"));
    let manifest =
        |run: &str| -> Value { serde_json::from_slice(&bytes(&dir.path().join(run), "run_manifest.json")).unwrap() };
    assert_eq!(manifest("plain").get("step_timing"), None);
    let timing = &manifest("timed")["step_timing"];
    let results: Value = serde_json::from_slice(&bytes(dir.path(), "timed/results.json")).unwrap();
    assert_eq!(timing["steps"].as_u64(), results["config"]["max_steps"].as_u64().map(|steps| 3 * steps));
    for name in ["step_ms_mean", "step_ms_p95", "obs_ms_mean", "obs_ms_p95"] {
        assert!(timing[name].as_f64().is_some_and(|value| value > 0.0 && value < 10_000.0), "{name}: {timing}");
    }
}

#[test]
fn a_log_in_columns_has_the_same_bytes_for_any_number_of_threads_and_differs_from_no_log_of_lines() {
    let dir = tempfile::tempdir().unwrap();
    let run = |name: &str, more: &[&str]| {
        let (out, log) = (format!("{name}/results.json"), format!("{name}/log"));
        let log = if more.contains(&"parquet") { log + ".parquet" } else { log + ".jsonl" };
        let arguments = ["run-benchmark", "--task", "adversarial_disruption", "--episodes", "9", "--out", &out];
        let (code, stderr) = labtrust(dir.path(), &[&arguments[..], &["--log", &log], more].concat());
        assert_eq!(code, 0, "{stderr}");
        std::fs::read(dir.path().join(log)).unwrap()
    };
    let lines = run("lines", &[]);
    let one = run("one", &["--log-format", "parquet", "--threads", "1", "--log-step-interval", "2"]);
    assert!(one == run("two", &["--log-format", "parquet", "--threads", "2"]), "threads made a difference");
    assert!(one.starts_with(b"PAR1") && one.len() < lines.len() / 3, "{} of {} bytes", one.len(), lines.len());
    let (code, stderr) = labtrust(dir.path(), &["diff", "lines/log.jsonl", "one/log.parquet"]);
    assert_eq!(code, 0, "{stderr}");
    for name in ["results.json", "episodes.jsonl"] {
        assert_eq!(bytes(dir.path(), &format!("lines/{name}")), bytes(dir.path(), &format!("one/{name}")), "{name}");
    }
    assert!(dir.path().join("one/steps.jsonl").exists());
    let manifest: Value = serde_json::from_slice(&bytes(dir.path(), "one/run_manifest.json")).unwrap();
    assert_eq!(manifest["outputs"]["log.parquet"], labtrust_bench::results::sha256_hex(&one));
}

#[test]
fn a_log_in_columns_has_no_checkpoints() {
    let dir = tempfile::tempdir().unwrap();
    let columns = ["run-benchmark", "--task", "qc_cascade", "--log", "log.parquet", "--log-format", "parquet"];
    for more in [["--checkpoint-every", "2"], ["--checkpoint-every-steps", "1"], ["--resume-from", "."]] {
        let (code, stderr) = labtrust(dir.path(), &[&columns[..], &more].concat());
        assert_eq!(code, 2, "{stderr}");
        assert!(stderr.contains("a Parquet log is not complete before its end"), "{stderr}");
    }
    let (code, stderr) = labtrust(dir.path(), &["run-benchmark", "--task", "qc_cascade", "--log-format", "parquet"]);
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("--log <FILE>"), "{stderr}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn a_framed_log_has_the_lines_of_the_other_form_and_is_gone_on_with_and_recovered() {
    let dir = tempfile::tempdir().unwrap();
    let run = |name: &str, more: &[&str]| {
        let out = format!("{name}/results.json");
        let arguments = ["run-benchmark", "--task", "qc_cascade", "--episodes", "2", "--out", &out];
        let (code, stderr) = labtrust(dir.path(), &[&arguments[..], more].concat());
        assert_eq!(code, 0, "{stderr}");
    };
    run("lines", &["--log", "lines/log.jsonl"]);
    let framed = ["--log", "framed/log.framed", "--log-format", "framed", "--checkpoint-every", "1"];
    run("framed", &framed);
    let (lines, whole) = (bytes(dir.path(), "lines/log.jsonl"), bytes(dir.path(), "framed/log.framed"));
    assert!(frames::lines(whole.clone()).unwrap() == lines);
    let refused = |arguments: &[&str], says: &str| {
        let (code, stderr) = labtrust(dir.path(), arguments);
        assert!(code == 1 && stderr.contains(says), "{code} {stderr}");
    };
    assert_eq!(labtrust(dir.path(), &["diff", "lines/log.jsonl", "framed/log.framed"]).0, 0);
    refused(&["recover-log", "--log", "framed/log.framed", "--out", "recovered.framed"], "sealed");

    // As if it had been killed after the first episode, in the middle of a frame.
    let of_first = |line: &&[u8]| line.windows(12).any(|part| part == b"\"episode\":0,");
    let first: Vec<u8> = lines.split_inclusive(|byte| *byte == b'\n').take_while(of_first).collect::<Vec<_>>().concat();
    let mut beginning = frames::MAGIC.to_vec();
    frames::Frames::default().append_lines(&mut beginning, &first);
    assert!(whole.starts_with(&beginning) && beginning.len() < whole.len());
    let place = dir.path().join("framed");
    std::fs::write(place.join(".log.framed.continued.partial"), &whole[..beginning.len() + 50]).unwrap();
    let recover = ["recover-log", "--log", "framed/.log.framed.continued.partial", "--out", "recovered.framed"];
    refused(&recover, "its checkpoint says that");
    let mut checkpoint: Value = serde_json::from_slice(&bytes(&place, "checkpoint.json")).unwrap();
    let index = bytes(&place, "episodes.jsonl");
    let index = index.split_inclusive(|byte| *byte == b'\n').next().unwrap();
    for (short, first) in [("log", &beginning[..]), ("episodes", index)] {
        let digest = labtrust_bench::results::sha256_hex(first);
        checkpoint["extra"]["files"][short] = serde_json::json!({ "length": first.len(), "sha256": digest });
    }
    (checkpoint["episodes_done"], checkpoint["episode_index"]) = (1.into(), 0.into());
    std::fs::write(place.join("checkpoint.json"), checkpoint.to_string()).unwrap();
    let told = command(dir.path(), &recover).output().unwrap();
    let torn = String::from_utf8_lossy(&told.stdout).contains("a torn end of 50 bytes");
    assert!(told.status.success() && torn, "{told:?}");
    assert!(bytes(dir.path(), "recovered.framed") == beginning, "what is recovered are the whole frames");
    std::fs::remove_file(place.join("log.framed")).unwrap();
    run("framed", &[&framed[..], &["--resume-from", "framed"]].concat());
    assert!(bytes(&place, "log.framed") == whole, "the log was gone on with");
}
