//! Dispatch policies that are files of their own, from the command line: at work in a mine's study, and failing there.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

use labtrust_plugin::wire::{Handshake, Manifest, encode};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

const ID: &str = "org.example.around";

/// A policy that goes round two loaders: it counts its calls. `first` runs before each of them.
fn module(kind: &str, first: &str) -> Vec<u8> {
    let text = |text: &str| text.to_owned();
    let manifest = encode(&Manifest {
        handshake: Handshake::ours(),
        kind: text(kind),
        id: text(ID),
        version: text("1.2.3"),
        summary: text("one loader after the other"),
        params_schema: text("{\"type\":\"object\",\"properties\":{},\"additionalProperties\":false}"),
    });
    let data: String = manifest.iter().map(|byte| format!("\\{byte:02x}")).collect();
    let module = format!(
        "(module (memory (export \"memory\") 2 16)
        (global $calls (mut i32) (i32.const 0))
        (data (i32.const 0) \"{data}\") (data (i32.const 0x1000) \"\\00\") (data (i32.const 0x2000) \"\\00\\00\")
        (func (export \"labtrust_contract\") (result i64) (i64.const {}))
        (func (export \"labtrust_alloc\") (param i32) (result i32) (i32.const 0x4000))
        (func (export \"labtrust_free\") (param i32 i32))
        (func (export \"labtrust_create\") (param i32 i32) (result i64) (i64.const 0x0000100000000001))
        (func (export \"labtrust_decide\") (param i32 i32) (result i64)
            {first}
            (i32.store8 (i32.const 0x2001) (i32.and (global.get $calls) (i32.const 1)))
            (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
            (i64.const 0x0000200000000002)))",
        manifest.len()
    );
    wat::parse_str(module).unwrap()
}

/// Stops when it is asked for the 20th time.
const TIRED: &str = "(if (i32.ge_u (global.get $calls) (i32.const 19)) (then unreachable))";

struct Mine(tempfile::TempDir);

impl Mine {
    fn new(module: &[u8]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("around.wasm"), module).unwrap();
        Self(dir)
    }

    /// Exit code, and what was said on standard output and standard error.
    fn run(&self, arguments: &[&str], threads: &str) -> (i32, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_labtrust"));
        command.args(arguments).args(["--plugin", "around.wasm"]).current_dir(self.0.path());
        let output = command.env("RAYON_NUM_THREADS", threads).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    fn study(&self, out: &str, threads: &str, more: &[&str]) -> (i32, String) {
        let study = ["run-mine", "--scenario", "baseline", "trucks_4", "--replications", "3", "--dispatch", ID];
        let (code, _, stderr) = self.run(&[&study[..], &["--out", out], more].concat(), threads);
        (code, stderr)
    }

    fn files(&self, study: &str) -> BTreeMap<String, Vec<u8>> {
        let entries = fs::read_dir(self.0.path().join(study)).unwrap().map(|entry| entry.unwrap());
        entries.map(|it| (it.file_name().into_string().unwrap(), fs::read(it.path()).unwrap())).collect()
    }

    fn plugin(&self, study: &str, scenario: &str) -> Value {
        let summary: Value = serde_json::from_slice(&self.files(study)["summary.json"]).unwrap();
        summary["scenarios"][scenario]["dispatch_plugin"].clone()
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(self.0.path()).unwrap().map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
        names.sort_unstable();
        names
    }
}

#[test]
fn a_loaded_policy_sends_trucks_and_a_study_says_which_file_it_was() {
    let mine = Mine::new(&module("mine-dispatch", ""));
    assert_eq!(mine.study("one", "1", &[]).0, 0);
    assert_eq!(mine.study("four", "4", &[]).0, 0);
    let (one, four) = (mine.files("one"), mine.files("four"));
    assert_eq!(one.keys().collect::<Vec<_>>(), four.keys().collect::<Vec<_>>());
    // It counts its calls: an instance that had seen another replication would send trucks elsewhere.
    for (name, bytes) in &one {
        assert!(*bytes == four[name], "{name} depends on the number of threads");
    }
    let (plugin, dispatches) = (mine.plugin("one", "baseline"), {
        let log = String::from_utf8(one["event_log.csv"].clone()).unwrap();
        log.lines().filter(|row| row.contains(",baseline,") && row.contains(",dispatched,")).count()
    });
    assert_eq!((plugin["carrier"].as_str(), plugin["version"].as_str()), (Some("wasm"), Some("1.2.3")));
    assert_eq!((plugin["sha256"].as_str().unwrap().len(), plugin["contract"].as_str()), (64, Some("1.0")));
    assert_eq!((plugin["failures"].as_u64(), &plugin["first_failure"]), (Some(0), &Value::Null));
    assert!(dispatches > 50, "{dispatches}");
    assert_eq!(plugin["decisions"].as_u64(), Some(dispatches as u64));
    assert!(plugin["fuel"].as_u64() >= Some(dispatches as u64) && plugin["engine"].is_string(), "{plugin}");
}

#[test]
fn a_policy_that_fails_leaves_no_study() {
    let mine = Mine::new(&module("mine-dispatch", TIRED));
    let (code, told) = mine.study("one", "1", &[]);
    assert_eq!(code, 1, "{told}");
    let message = format!("replication 0: dispatch policy {ID} fails in scenario baseline with seed ");
    assert!(told.contains(&message) && told.contains(" s: it stopped with a trap: "), "{told}");
    assert_eq!(mine.study("four", "4", &[]), (1, told), "the same on any number of threads");
    assert_eq!(mine.names(), ["around.wasm"], "nothing is left");
}

#[test]
fn another_policy_decides_from_a_failure_on_and_the_failure_is_counted() {
    let mine = Mine::new(&module("mine-dispatch", TIRED));
    let fallback = ["--on-trap", "fallback:shortest_queue"];
    assert_eq!(mine.study("one", "1", &fallback).0, 0);
    assert_eq!(mine.study("four", "4", &fallback).0, 0);
    assert_eq!(mine.files("one"), mine.files("four"));
    let plugin = mine.plugin("one", "baseline");
    assert_eq!(plugin["failures"], 3, "once in every replication");
    assert!(plugin["first_failure"].as_str().unwrap().starts_with("it stopped with a trap: "), "{plugin}");
    let (code, told) = mine.study("other", "1", &["--on-trap", "fallback:shortest_kew"]);
    assert!(code == 1 && told.contains("shortest_queue"), "{told}");
    let (code, told) = mine.study("other", "1", &["--on-trap", "noop"]);
    assert!(code == 1 && told.contains("a truck has to go somewhere"), "{told}");
}

#[test]
fn it_is_listed_shown_and_checked() {
    let mine = Mine::new(&module("mine-dispatch", ""));
    let (code, list, _) = mine.run(&["plugins", "list", "--kind", "mine-dispatch"], "1");
    let row = list.lines().find(|row| row.contains(ID)).unwrap();
    assert!(code == 0 && row.contains("wasm") && row.contains("around.wasm"), "{row}");
    let (code, shown, _) = mine.run(&["plugins", "show", ID], "1");
    assert!(code == 0 && shown.contains("one loader after the other") && shown.contains("sha-256"), "{shown}");
    // The smallest of the made-up mines has one loader.
    let (code, checks, _) = mine.run(&["plugins", "check", "around.wasm"], "1");
    assert!(code == 1 && checks.contains("it chose loader 1, and truck 0 can be sent to one of [0]"), "{checks}");
}

#[test]
fn what_cannot_be_a_file_is_refused_with_what_can() {
    let mine = Mine::new(&module("metric", ""));
    let (code, told) = mine.study("one", "1", &[]);
    let kinds = "a file of its own can be: coordination-method, agent-policy, mine-dispatch";
    assert!(code == 1 && told.contains("of the kind metric") && told.contains(kinds), "{told}");
    let (code, checks, _) = mine.run(&["plugins", "check", "around.wasm"], "1");
    assert!(code == 1, "{checks}");
}
