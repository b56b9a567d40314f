//! Every command once with good input and once with bad, from outside, in an empty directory.
//!
//! The matrix has a row for every command that the program has; a command without a row fails the test.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// A command, what it is called with, and what has to come of it.
struct Row {
    /// Its name, `plugins list` for one below another.
    name: &'static str,
    good: &'static [&'static str],
    /// Files that are there afterwards.
    files: &'static [&'static str],
    bad: &'static [&'static str],
    /// Exit code of `bad`.
    code: i32,
    /// Part of what it then says.
    says: &'static str,
}

const fn row(
    name: &'static str,
    good: &'static [&'static str],
    files: &'static [&'static str],
    (bad, code, says): (&'static [&'static str], i32, &'static str),
) -> Row {
    Row { name, good, files, bad, code, says }
}

/// In an order in which what one writes is there for the next.
const MATRIX: &[Row] = &[
    row(
        "run-benchmark",
        &["--task", "throughput_sla", "--episodes", "2", "--log", "log.jsonl"],
        &["results.json", "run_manifest.json", "log.jsonl", "episodes.jsonl"],
        (&["--task", "throughput_slo"], 1, "throughput_sla"),
    ),
    row(
        "quick-eval",
        &["--run-id", "a"],
        &["labtrust_runs/quick_eval_a/summary.md"],
        (&["--run-id", "../a"], 2, "run id"),
    ),
    row(
        "eval-agent",
        &["--task", "throughput_sla", "--agent", "random_legal", "--seat", "all", "--out", "agent.json"],
        &["agent.json"],
        (&["--task", "throughput_sla", "--agent", "nobody"], 1, "random_legal"),
    ),
    row("run-summary", &["--run", "."], &[], (&["--run", "nowhere"], 1, "nowhere")),
    row(
        "summarize-results",
        &["--in", "results.json", "--out", "tables"],
        &["tables/summary.csv", "tables/summary_v0.2.csv", "tables/summary_v0.3.csv", "tables/summary.md"],
        (&["--in", "nothing.json", "--out", "tables"], 1, "nothing.json"),
    ),
    row("validate-results", &["results.json"], &[], (&["log.jsonl"], 1, "log.jsonl")),
    row("diff", &["results.json", "results.json"], &[], (&["results.json", "agent.json"], 1, "")),
    row("bench-smoke", &[], &["bench_smoke_qc_cascade.json"], (&["--seed", "x"], 2, "--seed")),
    row(
        "throughput-compare",
        &["--episodes", "2"],
        &["throughput_compare_results.json"],
        (&["--episodes", "0"], 2, "--episodes"),
    ),
    row(
        "determinism-report",
        &["--task", "throughput_sla", "--episodes", "2", "--seed", "1", "--out", "twice"],
        &["twice/determinism_report.json", "twice/determinism_report.md"],
        (&["--task", "nothing", "--episodes", "2", "--seed", "1", "--out", "twice2"], 1, "nothing"),
    ),
    row(
        "generate-official-baselines",
        &["--out", "baselines", "--episodes", "1"],
        &["baselines/metadata.json", "baselines/summary.md"],
        (&["--out", "baselines", "--episodes", "1"], 1, "exists"),
    ),
    row(
        "run-scenario",
        &["scenario.ron", "--trace", "traces"],
        &["traces/S.jsonl"],
        (&["no_scenario.ron"], 1, "no_scenario.ron"),
    ),
    row("check-trace", &["traces/S.jsonl"], &[], (&["results.json"], 1, "results.json")),
    row(
        "run-vectors",
        &["--in", "vectors.jsonl", "--out", "answers.jsonl"],
        &["answers.jsonl"],
        (&["--in", "results.json", "--out", "answers.jsonl"], 1, "line 1"),
    ),
    row("validate-policy", &[], &[], (&["--policy-dir", "nowhere"], 1, "nowhere")),
    row("schema", &["rbac_policy.v0.1"], &[], (&["rbac_polcy.v0.1"], 1, "rbac_policy.v0.1")),
    row("explain", &["SIG_INVALID"], &[], (&["SIG_INVALD"], 1, "SIG_INVALID")),
    row("completions", &["bash"], &[], (&["basic"], 2, "basic")),
    row("man", &["pages"], &["pages/labtrust.1"], (&["--sections"], 2, "--sections")),
    row("controls list", &[], &[], (&["--format", "xml"], 2, "xml")),
    row("plugins list", &[], &[], (&["--format", "xml"], 2, "xml")),
    row("lab draw", &["--out", "lab.svg"], &["lab.svg"], (&["--out", "scenario.ron/lab.svg"], 1, "scenario.ron")),
];

const SCENARIO: &str = r#"(
    scenario_id: "S",
    title: "A tick",
    initial_state: { "workflow": "open", "agents": [{"agent_id": "A_RUNNER", "zone_id": "Z_SORTING_LANES"}] },
    script: [(event_id: "e1", t_s: 10, agent_id: "A_RUNNER", action_type: "TICK", expect: (status: "ACCEPTED"))],
)"#;

const VECTORS: &str = "{\"id\":\"a\",\"initial_state\":{},\"script\":[]}\n";

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

/// The commands that `--help` lists, with those below them.
fn commands(dir: &Path) -> BTreeSet<String> {
    let listed = |arguments: &[&str]| -> Vec<String> {
        let (_, help, _) = labtrust(dir, arguments);
        let list = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
        let names = list.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
        names.filter_map(|line| line.split_whitespace().next()).filter(|n| *n != "help").map(str::to_owned).collect()
    };
    let mut all = BTreeSet::new();
    for name in listed(&["--help"]) {
        let below = listed(&[&name, "--help"]);
        if below.is_empty() {
            all.insert(name);
        } else {
            all.extend(below.iter().map(|below| format!("{name} {below}")));
        }
    }
    all
}

#[test]
fn every_command_does_its_work_and_refuses_what_is_wrong_in_a_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    std::fs::write(dir.join("scenario.ron"), SCENARIO).unwrap();
    std::fs::write(dir.join("vectors.jsonl"), VECTORS).unwrap();
    let rows: BTreeSet<String> = MATRIX.iter().map(|row| row.name.to_owned()).collect();
    assert_eq!(rows, commands(dir), "the matrix has a row for every command");
    for Row { name, good, files, bad, code, says } in MATRIX {
        let with = |more: &[&'static str]| name.split(' ').chain(more.iter().copied()).collect::<Vec<_>>();
        let (ended, out, said) = labtrust(dir, &with(&["--help"]));
        assert!(ended == 0 && said.is_empty() && out.starts_with("Example"), "{name} --help: {said}{out}");
        let (ended, _, said) = labtrust(dir, &with(good));
        assert_eq!(ended, 0, "{name}: {said}");
        for file in *files {
            assert!(dir.join(file).metadata().is_ok_and(|file| file.len() > 0), "{name} wrote no {file}");
        }
        let (ended, out, said) = labtrust(dir, &with(bad));
        assert_eq!(ended, *code, "{name} {bad:?}: {said}{out}");
        assert!(format!("{said}{out}").contains(says), "{name} {bad:?}: {said}{out}");
        assert!(!said.contains("panicked") && !said.contains("bug in labtrust"), "{name}: {said}");
        let (ended, _, said) = labtrust(dir, &with(&["--no-such-option"]));
        assert!(ended == 2 && said.contains("--no-such-option"), "{name}: {said}");
    }
}
