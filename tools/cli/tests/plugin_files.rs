//! Plugins that are files of their own, from the command line: loaded, shown, checked, and at work in episodes.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

use labtrust_plugin::wire::{Handshake, Manifest, encode};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A coordination method of a few lines: agent 0 looks at the doors in every step.
const FIRST_LOOK: &str = include_str!("fixtures/first_look.wat");
const ID: &str = "org.example.doorkeeper";

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A plugin file whose text has `from` replaced.
    fn plugin(&self, name: &str, from: &str, to: &str) -> PathBuf {
        assert!(from.is_empty() || FIRST_LOOK.contains(from), "{from}");
        let text = if from.is_empty() { FIRST_LOOK.to_owned() } else { FIRST_LOOK.replace(from, to) };
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, wat::parse_str(text).unwrap()).unwrap();
        path
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.run_with(arguments, &[])
    }

    fn run_with(&self, arguments: &[&str], variables: &[(&str, &Path)]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_labtrust"));
        command.args(arguments).current_dir(self.0.path());
        for (name, value) in variables {
            command.env(name, value);
        }
        command.output().unwrap()
    }

    fn done(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Exit code and complaint.
    fn refused(&self, arguments: &[&str]) -> (i32, String) {
        let output = self.run(arguments);
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    }

    fn json(&self, name: &str) -> Value {
        serde_json::from_slice(&fs::read(self.path(name)).unwrap()).unwrap()
    }
}

const RUN: [&str; 6] = ["run-benchmark", "--task", "throughput_sla", "--episodes", "4", "--coord-method"];

fn run_with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&RUN[..], more].concat()
}

#[test]
fn the_fixture_is_the_translation_of_its_text() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/first_look.wasm");
    let translated = wat::parse_str(FIRST_LOOK).unwrap();
    if std::env::var_os("LABTRUST_REGENERATE").is_some() {
        fs::write(&path, &translated).unwrap();
    }
    assert!(translated == fs::read(&path).unwrap(), "LABTRUST_REGENERATE=1 translates it anew");
}

#[test]
fn a_method_from_a_file_directs_the_episodes_and_is_named_in_the_results() {
    let place = Place::new();
    let plugin = place.plugin("look.wasm", "", "");
    let plugin = plugin.to_str().unwrap();
    place.done(&run_with(&[ID, "--plugin", plugin, "--log", "log.jsonl"]));
    let results = place.json("results.json");
    assert_eq!(results["agent_baseline_id"], "org_example_doorkeeper");
    assert_eq!(results["config"]["coord_method"], ID);
    let facts = &results["config"]["coord_plugin"];
    assert_eq!(
        (&facts["carrier"], &facts["version"], &facts["contract"]),
        (&"wasm".into(), &"1.0.0".into(), &"1.0".into())
    );
    assert_eq!((facts["sha256"].as_str().unwrap().len(), &facts["on_trap"]), (64, &"end_episode".into()));
    assert!(facts["limits"]["fuel_per_decision"].as_u64().unwrap() > 0 && facts["engine"].is_string());
    for episode in results["episodes"].as_array().unwrap() {
        let metrics = &episode["metrics"];
        let method = &metrics["coordination"]["method"];
        assert_eq!(method["decisions"], method["choices"], "one choice a step");
        assert_eq!((&method["failures"], &method["ended_step"]), (&0.into(), &Value::Null));
        assert!(method["fuel"].as_u64().unwrap() > 0);
        assert_eq!(metrics["throughput"], 0, "whoever looks at doors only releases nothing");
    }
    let log = fs::read_to_string(place.path("log.jsonl")).unwrap();
    let acting = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        (line["action_type"] == "TICK").then(|| line["agent_id"].as_str().unwrap().to_owned())
    };
    let acting: BTreeSet<_> = log.lines().filter_map(acting).collect();
    assert_eq!(acting.len(), 1, "one agent acts, and nobody else: {acting:?}");
    assert!(!log.contains("\"QUEUE_RUN\""), "the task's own crew does nothing");
}

#[test]
fn a_detector_watches_a_method_from_a_file_too() {
    let place = Place::new();
    let plugin = place.plugin("look.wasm", "", "");
    place.done(&run_with(&[ID, "--plugin", plugin.to_str().unwrap(), "--watch", "3"]));
    let results = place.json("results.json");
    let watch = &results["config"]["coord_plugin"]["watch"];
    assert_eq!((&watch["alarms_per_1000_steps"], &watch["contained_steps"]), (&3.into(), &50.into()));
    for episode in results["episodes"].as_array().unwrap() {
        let coordination = &episode["metrics"]["coordination"];
        assert_eq!(coordination["detector"]["alarm_count"], 0, "whoever looks at doors does what is asked");
        assert!(coordination["method"]["fuel"].as_u64().unwrap() > 0, "what the file used is told all the same");
    }
}

#[test]
fn results_with_a_plugin_are_the_same_bytes_for_any_number_of_threads() {
    let place = Place::new();
    let plugin = place.plugin("look.wasm", "", "");
    let plugin = plugin.to_str().unwrap();
    for threads in ["1", "3"] {
        let (out, log) = (format!("{threads}/results.json"), format!("{threads}/log.jsonl"));
        place.done(&run_with(&[ID, "--plugin", plugin, "--threads", threads, "--out", &out, "--log", &log]));
    }
    for name in ["results.json", "log.jsonl"] {
        let bytes = |threads: &str| fs::read(place.path(threads).join(name)).unwrap();
        assert!(bytes("1") == bytes("3"), "{name}");
    }
}

#[test]
fn a_plugin_is_found_by_the_variable_as_a_file_and_in_a_folder() {
    let place = Place::new();
    let file = place.plugin("folder/look.wasm", "", "");
    fs::write(place.path("folder/notes.txt"), "no plugin").unwrap();
    let folder = place.path("folder");
    for variable in [file.as_path(), folder.as_path()] {
        let output = place.run_with(&["plugins", "show", ID], &[("LABTRUST_PLUGIN_PATH", variable)]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let shown = String::from_utf8(output.stdout).unwrap();
        assert!(shown.contains("carrier  wasm") && shown.contains("look.wasm"), "{shown}");
    }
    let (twice, _) = (
        place.run_with(&["plugins", "list", "--plugin", "folder/look.wasm"], &[("LABTRUST_PLUGIN_PATH", &folder)]),
        (),
    );
    assert!(twice.status.success(), "one file named twice is loaded once");
}

#[test]
fn an_id_that_is_taken_is_refused_with_both_owners() {
    let place = Place::new();
    let (one, other) =
        (place.plugin("one.wasm", "", ""), place.plugin("other.wasm", "agent 0 looks", "agent 0 also looks"));
    fs::write(&other, [fs::read(&other).unwrap(), b"\0\x05\x04more".to_vec()].concat()).unwrap();
    let arguments = ["plugins", "list", "--plugin", one.to_str().unwrap(), "--plugin", other.to_str().unwrap()];
    let (code, said) = place.refused(&arguments);
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("registered twice") && said.contains("one.wasm") && said.contains("other.wasm"), "{said}");
}

#[test]
fn what_cannot_be_loaded_is_told_with_its_file_and_rule_and_nothing_is_written() {
    let place = Place::new();
    fs::write(place.path("text.wasm"), "no module").unwrap();
    let missing = place.plugin("less.wasm", "(export \"labtrust_free\")", "");
    for (file, rule) in
        [("nowhere.wasm", "cannot read"), ("text.wasm", "no plugin"), (missing.to_str().unwrap(), "labtrust_free")]
    {
        let (code, said) = place.refused(&run_with(&[ID, "--plugin", file]));
        let name = Path::new(file).file_name().unwrap().to_str().unwrap();
        assert!(code == 1 && said.contains(rule) && said.contains(name), "{file}: {code} {said}");
    }
    assert!(!place.path("results.json").exists());
}

#[test]
fn a_method_that_fails_ends_its_episodes_and_the_run_says_so() {
    let place = Place::new();
    // From the fifth step on: the number of the step is the first byte of a request.
    let trap = "(if (i32.gt_u (i32.load8_u (local.get $at)) (i32.const 4)) (then unreachable))\n    ;; Past step";
    let plugin = place.plugin("fails.wasm", ";; Past step", trap);
    let plugin = plugin.to_str().unwrap();
    let (code, said) = place.refused(&run_with(&[ID, "--plugin", plugin]));
    assert!(code == 1 && said.contains("all 4 episodes"), "{code} {said}");
    let results = place.json("results.json");
    for episode in results["episodes"].as_array().unwrap() {
        let method = &episode["metrics"]["coordination"]["method"];
        assert_eq!((&method["ended_step"], &method["end_reason"]), (&5.into(), &"PLUGIN_FAILED".into()));
        assert!(method["first_failure"].as_str().unwrap().contains("trap"));
    }
    assert!(results["warnings"].to_string().contains("4 of 4 episodes ended early"), "{}", results["warnings"]);

    place.done(&run_with(&[ID, "--plugin", plugin, "--on-trap", "noop", "--out", "noop.json"]));
    let method = place.json("noop.json")["episodes"][0]["metrics"]["coordination"]["method"].clone();
    assert_eq!(method["ended_step"], Value::Null);
    assert_eq!(method["failures"].as_u64().unwrap(), method["decisions"].as_u64().unwrap() - 5);

    let other = place.plugin("other.wasm", "\\64\\6f\\6f\\72\\6b", "\\67\\61\\74\\65\\6b");
    let fallback = ["--on-trap", "fallback:org.example.gatekeeper", "--out", "fallback.json"];
    let (other, first) = (other.to_str().unwrap(), ["--plugin", plugin]);
    for (number, files) in
        [[&first[..], &["--plugin", other]].concat(), [&["--plugin", other][..], &first].concat()].iter().enumerate()
    {
        place.done(&run_with(&[&[ID][..], files, &fallback].concat()));
        let method = place.json("fallback.json")["episodes"][0]["metrics"]["coordination"]["method"].clone();
        assert_eq!((&method["failures"], &method["ended_step"]), (&1.into(), &Value::Null), "order {number}");
        assert_eq!(method["choices"], method["decisions"], "the other decides from the failure on");
    }
    let (code, said) = place.refused(&run_with(&[&[ID][..], &first, &fallback].concat()));
    assert!(code == 1 && said.contains("unknown coordination-method"), "{code} {said}");
}

#[test]
fn parameters_are_checked_by_name() {
    let place = Place::new();
    let plugin = place.plugin("look.wasm", "", "");
    let plugin = plugin.to_str().unwrap();
    let (code, said) = place.refused(&run_with(&[ID, "--plugin", plugin, "--coord-param", "speed=3"]));
    assert!(code == 1 && said.contains("speed"), "{code} {said}");
    let twice = run_with(&[ID, "--plugin", plugin, "--coord-param", "a=1", "--coord-param", "a=2"]);
    assert_eq!(place.refused(&twice).0, 2);
    assert_eq!(place.refused(&["run-benchmark", "--task", "throughput_sla", "--coord-param", "a=1"]).0, 2);
    let (code, said) = place.refused(&run_with(&["org.example.doorkeepr", "--plugin", plugin]));
    assert!(code == 1 && said.contains(ID), "{said}");
}

/// The same choices from an agent policy.
fn agent_policy(place: &Place) -> PathBuf {
    let manifest = |kind: &str, id: &str| {
        let schema = "{\"type\":\"object\",\"properties\":{},\"additionalProperties\":false}";
        encode(&Manifest {
            handshake: Handshake::ours(),
            kind: kind.to_owned(),
            id: id.to_owned(),
            version: "1.0.0".to_owned(),
            summary: "Somebody looks at the doors in every step.".to_owned(),
            params_schema: schema.to_owned(),
        })
    };
    let (before, after) = (manifest("coordination-method", ID), manifest("agent-policy", "org.example.looker"));
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("\\{byte:02x}")).collect::<String>();
    let text = FIRST_LOOK.replace(&hex(&before), &hex(&after));
    let length = |bytes: &[u8]| format!("(result i64) (i64.const {})", bytes.len());
    let text = text.replace(&length(&before), &length(&after));
    assert_ne!(text, FIRST_LOOK);
    let path = place.path("looker.wasm");
    fs::write(&path, wat::parse_str(text).unwrap()).unwrap();
    path
}

#[test]
fn an_agent_policy_from_a_file_takes_a_seat_or_all_of_them() {
    let place = Place::new();
    let plugin = agent_policy(&place);
    let plugin = ["--plugin", plugin.to_str().unwrap()];
    let policy = "org.example.looker";
    let eval = ["eval-agent", "--task", "throughput_sla", "--episodes", "2", "--agent", policy];
    // It always speaks of agent 0, who is in this seat.
    place.done(&[&eval[..], &plugin, &["--seat", "reception_0"]].concat());
    let results = place.json("results.json");
    let config = &results["config"];
    assert_eq!((&config["agent_policy"], &config["agent_plugin"]["carrier"]), (&policy.into(), &"wasm".into()));
    assert_eq!((&results["agent_baseline_id"], &config["coord_method"]), (&"org_example_looker".into(), &Value::Null));
    let method = &results["episodes"][0]["metrics"]["coordination"]["method"];
    assert!(method["choices"].as_u64().unwrap() > 0 && method["choices"] == method["decisions"], "{method}");

    let (code, said) = place.refused(&[&eval[..], &plugin, &["--seat", "runner_0"]].concat());
    assert_eq!(code, 1, "a policy that speaks for somebody else has failed: {said}");
    let (code, said) = place.refused(&[&eval[..], &plugin, &["--seat", "nobody"]].concat());
    assert!(code == 1 && said.contains("no seat nobody"), "{said}");

    let team =
        ["run-benchmark", "--task", "throughput_sla", "--episodes", "2", "--agents", policy, "--on-trap", "noop"];
    place.done(&[&team[..], &plugin, &["--out", "team.json"]].concat());
    let results = place.json("team.json");
    assert_eq!(results["config"]["agent_set"], policy);
    assert!(results["episodes"][0]["metrics"]["coordination"]["method"]["failures"].as_u64().unwrap() > 0);
    for more in [&["--coord-method", policy][..], &["--agent-param", "a=1", "--agent-param", "a=2"]] {
        let code = place.refused(&[&team[..], &plugin, more].concat()).0;
        assert!(code != 0, "{more:?}");
    }
    let no_params = ["run-benchmark", "--task", "throughput_sla", "--agents", "null", "--agent-param", "a=1"];
    assert_eq!(place.refused(&no_params).0, 2);
}

#[test]
fn a_file_is_checked_without_an_episode() {
    let place = Place::new();
    let good = place.plugin("good.wasm", "", "");
    let table = place.done(&["plugins", "check", good.to_str().unwrap()]);
    for name in ["loads", "schema", "works", "repeatable", "acts", "parameters"] {
        assert!(table.contains(&format!("ok    {name}")), "{table}");
    }
    let idle =
        place.plugin("idle.wasm", "(then (i64.const 0x0000110000000008))", "(then (i64.const 0x0000120000000003))");
    let output = place.run(&["plugins", "check", idle.to_str().unwrap()]);
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.code() == Some(1) && table.contains("FAIL  acts"), "{table}");
    let lax = place.plugin("lax.wasm", "\\66\\61\\6c\\73\\65\\7d", "\\74\\72\\75\\65\\20\\7d");
    let output = place.run(&["plugins", "check", lax.to_str().unwrap(), "--format", "json"]);
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    let failed: Vec<_> = said["checks"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|check| check["passed"] == false)
        .map(|check| check["name"].as_str().unwrap())
        .collect();
    assert_eq!((output.status.code(), failed), (Some(1), vec!["parameters"]), "{said}");
}

#[test]
fn a_profile_brings_plugins_from_inside_of_the_policy_only() {
    let place = Place::new();
    let policy = place.path("policy");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policy");
    copy(&source, &policy);
    place.plugin("policy/plugins/look.wasm", "", "");
    place.plugin("outside.wasm", "", "");
    let profile = |entries: &str| {
        let text = format!("version: \"0.1\"\nprofile_id: own\nextension_packages: {entries}\n");
        fs::write(policy.join("lab_profiles/own.v0.1.yaml"), text).unwrap();
        place.refused(&["plugins", "show", ID, "--policy-dir", "policy", "--profile", "own"])
    };
    assert_eq!(profile("[plugins/look.wasm]").0, 0);
    for (entries, rule) in [
        ("[../outside.wasm]", "leaves the policy directory"),
        ("[plugins/nowhere.wasm]", "cannot read"),
        ("[example-plugin]", "Python"),
    ] {
        let (code, said) = profile(entries);
        let said = said.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
        assert!(code == 1 && said.contains(rule), "{entries}: {code} {said}");
    }
    let (code, said) = place.refused(&["plugins", "list", "--profile", "nobody"]);
    assert!(code == 1 && said.contains("nobody"), "{said}");
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
