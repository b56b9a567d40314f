//! `eval-agent`: agents in processes of their own, well-behaved and not.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

fn labtrust(dir: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_labtrust")).args(arguments).current_dir(dir).output().unwrap()
}

fn evaluate(dir: &Path, agent: &str, more: &[&str]) -> Output {
    let mut arguments = vec!["eval-agent", "--task", "throughput_sla", "--agent", agent, "--episodes", "2"];
    arguments.extend(more);
    labtrust(dir, &arguments)
}

fn results(dir: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(dir.join("results.json")).unwrap()).unwrap()
}

fn released(results: &Value) -> u64 {
    let episodes = results["episodes"].as_array().unwrap();
    episodes.iter().map(|episode| episode["metrics"]["throughput"].as_u64().unwrap()).sum()
}

/// A program that answers every line of JSON with what `body` makes of `message`.
fn python(dir: &Path, body: &str) -> Option<String> {
    if Command::new("python3").arg("--version").output().is_err() {
        eprintln!("skipped: python3 is not installed");
        return None;
    }
    let program = dir.join("agent.py");
    let head = "import json, sys, time\nfor line in sys.stdin:\n    message = json.loads(line)\n    answer = {'id': message['id']}\n";
    let tail = "    print(json.dumps(answer), flush=True)\n";
    let body: String = body.lines().map(|line| format!("    {line}\n")).collect();
    std::fs::write(&program, format!("{head}{body}{tail}")).unwrap();
    Some(format!("exec:python3 {}", program.display()))
}

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/examples/agent.py")
}

#[test]
fn the_example_of_the_documentation_releases_everything_alone_and_beside_the_crew() {
    let dir = TempDir::new().unwrap();
    if python(dir.path(), "").is_none() {
        return;
    }
    let agent = format!("exec:python3 {}", example().display());
    for seat in ["ops_0", "all"] {
        let output = evaluate(dir.path(), &agent, &["--seat", seat]);
        assert!(output.status.success(), "{output:?}");
        let results = results(dir.path());
        let total: u64 = results["episodes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|episode| episode["metrics"]["specimens_total"].as_u64().unwrap())
            .sum();
        assert_eq!(released(&results), total, "{seat}");
        assert_eq!(results["non_deterministic"], false);
    }
    let first = std::fs::read(dir.path().join("results.json")).unwrap();
    evaluate(dir.path(), &agent, &["--seat", "all"]);
    assert!(first == std::fs::read(dir.path().join("results.json")).unwrap(), "a second run gives the same bytes");
}

#[test]
fn a_seat_is_played_by_the_agent_and_not_by_the_crew() {
    let dir = TempDir::new().unwrap();
    let Some(idle) = python(dir.path(), "pass") else { return };
    assert!(evaluate(dir.path(), &idle, &["--seat", "supervisor_0"]).status.success());
    let results = results(dir.path());
    assert_eq!(released(&results), 0, "nobody releases when the supervisor waits");
    assert_eq!(results["episodes"][0]["metrics"]["actions_by_agent"]["supervisor_0"], 0);
}

#[test]
fn an_agent_that_is_late_waits_and_the_result_says_so() {
    let dir = TempDir::new().unwrap();
    let body = "if message['type'] == 'act' and message['observation']['t_s'] == 30:\n    time.sleep(1.5)";
    let Some(late) = python(dir.path(), body) else { return };
    let output = evaluate(dir.path(), &late, &["--timeout", "1"]);
    assert!(output.status.success(), "{output:?}");
    let results = results(dir.path());
    assert_eq!(results["non_deterministic"], true);
    assert!(results["warnings"][0].as_str().unwrap().contains("in 2 steps"), "{}", results["warnings"]);
}

#[test]
fn what_breaks_the_protocol_ends_the_run_with_one_sentence_and_no_result() {
    let dir = TempDir::new().unwrap();
    let act = |answer: &str| format!("if message['type'] == 'act':\n    {answer}");
    let cases = [
        (act("answer['action'] = 'left'"), "should be a whole number"),
        (act("answer['info'] = 3"), "should be a map"),
        (act("answer['info'] = {'action_type': 'FLY'}"), "FLY"),
        (act("answer = [1]"), "should be an object"),
        (act("answer['id'] = 1000000"), "should be that of the question"),
        (act("print('hello', flush=True)"), "not a line of JSON"),
        (act("sys.exit('I give up')"), "I give up"),
        ("answer['agent_contract_version'] = '9'".to_owned(), "agent contract \"9\""),
        ("answer['action_space'] = '7'".to_owned(), "action space \"7\""),
    ];
    for (body, expected) in cases {
        let Some(agent) = python(dir.path(), &body) else { return };
        let output = evaluate(dir.path(), &agent, &[]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{body}: {said}");
        assert!(said.contains(expected), "{body}: {said}");
        assert!(!dir.path().join("results.json").exists(), "{body}");
    }
}

#[test]
fn a_command_is_split_as_a_shell_splits_it() {
    let dir = TempDir::new().unwrap();
    let dir = dir.path().join("two words");
    std::fs::create_dir(&dir).unwrap();
    let body = "if message['type'] == 'hello':\n    assert sys.argv[1:] == ['a b', \"it's\"], sys.argv";
    if python(&dir, body).is_none() {
        return;
    }
    for program in [format!("'{}/agent.py'", dir.display()), "agent.py".to_owned()] {
        let output = evaluate(&dir, &format!("exec:python3 {program} 'a b' it\\'s"), &[]);
        assert!(output.status.success(), "{output:?}");
        assert!(released(&results(&dir)) > 0);
    }
}

#[test]
fn an_agent_or_a_seat_that_does_not_exist_is_named() {
    let dir = TempDir::new().unwrap();
    for (agent, more, expected) in [
        ("exec:no_such_program_anywhere", &[][..], "no_such_program_anywhere"),
        ("exec:", &[][..], "names no command"),
        ("exec:'python3 agent.py", &[][..], "a quotation mark is not closed"),
        ("nobody", &[][..], "random_legal"),
        ("random_legal", &["--seat", "x"][..], "supervisor_0"),
    ] {
        let output = evaluate(dir.path(), agent, more);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{agent}: {said}");
        assert!(said.contains(expected), "{agent}: {said}");
    }
    let output = evaluate(dir.path(), "random_legal", &["--timeout", "-1"]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn an_evaluation_without_a_control_says_so_in_its_result() {
    let dir = TempDir::new().unwrap();
    let output = evaluate(dir.path(), "random_legal", &["--ablate", "rbac"]);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(results(dir.path())["config"]["ablate"], serde_json::json!(["rbac"]));
    assert_eq!(evaluate(dir.path(), "random_legal", &["--ablate", "rback"]).status.code(), Some(2));
}

#[cfg(unix)]
#[test]
fn an_agent_in_python_is_started_by_the_host_of_the_package() {
    use std::os::unix::fs::PermissionsExt;
    let dir = TempDir::new().unwrap();
    if python(dir.path(), "").is_none() {
        return;
    }
    // In place of an interpreter that has the package: the example agent, and what it was started with.
    let interpreter = dir.path().join("interpreter");
    let script = format!("#!/bin/sh\necho \"$@\" >\"$0.arguments\"\nexec python3 {}\n", example().display());
    std::fs::write(&interpreter, script).unwrap();
    std::fs::set_permissions(&interpreter, std::fs::Permissions::from_mode(0o755)).unwrap();
    let play = |agent: &str| {
        let arguments = ["eval-agent", "--task", "throughput_sla", "--agent", agent, "--episodes", "1"];
        let mut command = Command::new(env!("CARGO_BIN_EXE_labtrust"));
        command.args(arguments).env("LABTRUST_PYTHON", &interpreter).current_dir(dir.path()).output().unwrap()
    };
    // By module and name, or by a name that is nobody's in the program: what packages of Python offer, the host knows.
    for (agent, baseline_id) in [("my_agents.careful:Careful", "my_agents_careful_Careful"), ("careful", "careful")] {
        let output = play(agent);
        assert!(output.status.success(), "{output:?}");
        let started = std::fs::read_to_string(dir.path().join("interpreter.arguments")).unwrap();
        assert_eq!(started, format!("-m labtrust.agent_host {agent}\n"));
        assert_eq!(results(dir.path())["agent_baseline_id"], baseline_id);
    }
    std::fs::write(&interpreter, "#!/bin/sh\necho \"no agent $3\" >&2\nexit 1\n").unwrap();
    let output = play("careless");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("random_legal") && told.contains("no agent careless"), "{output:?}");
    // What is no module and name is looked for among the program's own.
    let output = evaluate(dir.path(), "my-agents:Careful", &[]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("random_legal"), "{output:?}");
}
