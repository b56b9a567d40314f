//! Every command with its good and with its bad examples, from outside, in an empty directory.
//!
//! An example waits until the files that it needs are there: another one leaves them, or they are copied from the
//! fixtures or from the project.

use super::{labtrust, list, table, text, texts};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A call of the program, and what has to come of it.
struct Call {
    /// The command's name.
    name: String,
    /// As one would type it.
    shown: String,
    arguments: Vec<String>,
    needs: Vec<String>,
    wanted: Wanted,
}

enum Wanted {
    /// Exit 0 and these files.
    Done(Vec<String>),
    /// This exit code, this part of what is said, and no file more or less.
    Refused(i64, String),
}

fn calls(command: &Value) -> Vec<Call> {
    let name = text(command, "name");
    let call = |row: &Value, wanted| {
        let arguments = name.split(' ').chain(texts(row, "arguments")).map(str::to_owned).collect();
        let needs = texts(row, "needs").into_iter().map(str::to_owned).collect();
        Call { name: name.to_owned(), shown: format!("{name} {}", text(row, "line")), arguments, needs, wanted }
    };
    let examples = list(command, "examples").iter().filter(|row| row["tried"] == true);
    let done = |row: &Value| Wanted::Done(texts(row, "leaves").into_iter().map(str::to_owned).collect());
    let refused = |row: &Value| Wanted::Refused(row["code"].as_i64().unwrap(), text(row, "says").to_owned());
    let refusals = list(command, "refusals").iter().map(|row| call(row, refused(row)));
    examples.map(|row| call(row, done(row))).chain(refusals).collect()
}

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        for entry in std::fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            copy(&entry.path(), &to.join(entry.file_name()));
        }
    } else {
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(from, to).unwrap();
    }
}

/// Copies what no example leaves and the project has.
fn prepare(dir: &Path, calls: &[Call]) {
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures"), dir);
    for need in calls.iter().flat_map(|call| &call.needs) {
        if !dir.join(need).exists() && project().join(need).exists() {
            copy(&project().join(need), &dir.join(need));
        }
    }
}

/// The files below a directory with their lengths.
fn files(dir: &Path) -> BTreeMap<PathBuf, u64> {
    let mut found = BTreeMap::new();
    let mut open = vec![dir.to_path_buf()];
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(dir).unwrap().map(Result::unwrap) {
            match entry.metadata().unwrap() {
                data if data.is_dir() => open.push(entry.path()),
                data => drop(found.insert(entry.path(), data.len())),
            }
        }
    }
    found
}

fn run(dir: &Path, call: &Call) {
    let shown = &call.shown;
    let before = files(dir);
    let (code, out, said) = labtrust(dir, &call.arguments);
    assert!(!said.contains("panicked") && !said.contains("bug in labtrust"), "{shown}: {said}");
    match &call.wanted {
        Wanted::Done(leaves) => {
            assert_eq!(code, 0, "{shown}: {said}{out}");
            for file in leaves {
                let whole = dir.join(file).metadata().is_ok_and(|data| data.is_dir() || data.len() > 0);
                assert!(whole, "{shown} left no {file}: {said}");
            }
        }
        Wanted::Refused(wanted, says) => {
            assert_eq!(i64::from(code), *wanted, "{shown}: {said}{out}");
            assert!(format!("{said}{out}").contains(says), "{shown} does not say {says:?}: {said}{out}");
            assert_eq!(files(dir), before, "{shown} was refused and changed files");
        }
    }
}

/// Runs calls, each of them as soon as the files that it needs are there.
fn run_all(dir: &Path, mut waiting: Vec<Call>, mut run: impl FnMut(&Call)) {
    prepare(dir, &waiting);
    while !waiting.is_empty() {
        let is_ready = |call: &Call| call.needs.iter().all(|need| dir.join(need).exists());
        let Some(next) = waiting.iter().position(is_ready) else {
            let stuck: Vec<_> = waiting.iter().map(|call| (&call.shown, &call.needs)).collect();
            panic!("nothing leaves what these need: {stuck:?}");
        };
        run(&waiting.remove(next));
    }
}

#[test]
fn every_command_does_its_work_and_refuses_what_is_wrong_in_a_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let all = list(&table(), "commands").iter().flat_map(calls).collect();
    run_all(dir, all, |call| run(dir, call));
}

/// Holds a document to what the table says of it.
fn is_as_described(shown: &str, command: &Value, document: &Value) {
    let json = &command["json"];
    let mut keys: BTreeSet<&str> = document.as_object().unwrap().keys().map(String::as_str).collect();
    let form = text(json, "form");
    if form != "foreign" {
        for (key, wanted) in [("kind", &json["kind"]), ("version", &json["version"]), ("command", &command["name"])] {
            assert_eq!(document[key], *wanted, "{shown}");
            keys.remove(key);
        }
    }
    if form == "product" {
        assert_eq!(keys, BTreeSet::from(["ok", "written", "summary"]), "{shown}");
        keys = document["summary"].as_object().unwrap().keys().map(String::as_str).collect();
    }
    for row in list(json, "keys") {
        let key = text(row, "key");
        let is_there = keys.remove(key.trim_end_matches('?'));
        assert!(is_there || key.ends_with('?'), "{shown} has no {key}: {document}");
    }
    assert!(keys.is_empty(), "{shown}: {keys:?} are not described");
}

#[test]
fn every_command_prints_the_json_that_it_describes_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let table = table();
    let commands: BTreeMap<&str, &Value> =
        list(&table, "commands").iter().map(|row| (text(row, "name"), row)).collect();
    let examples =
        list(&table, "commands").iter().flat_map(calls).filter(|call| matches!(call.wanted, Wanted::Done(_)));
    run_all(dir, examples.collect(), |call| {
        let mut arguments = call.arguments.clone();
        let format = arguments.iter().position(|argument| argument == "--format").map(|at| arguments[at + 1].clone());
        if format.is_none() {
            arguments.extend(["--format".to_owned(), "json".to_owned()]);
        }
        let (code, out, said) = labtrust(dir, &arguments);
        assert_eq!(code, 0, "{}: {said}", call.shown);
        if format.is_some_and(|format| format != "json") {
            return;
        }
        let document: Value =
            serde_json::from_str(&out).unwrap_or_else(|error| panic!("{}: {error}: {out}", call.shown));
        is_as_described(&call.shown, commands[call.name.as_str()], &document);
        for written in document["written"].as_array().into_iter().flatten() {
            assert!(dir.join(written.as_str().unwrap()).exists(), "{} did not write {written}", call.shown);
        }
    });
}

#[test]
fn every_command_has_help_with_an_example_its_outputs_and_its_exit_codes() {
    let dir = tempfile::tempdir().unwrap();
    for command in list(&table(), "commands") {
        let name = text(command, "name");
        let with = |more: &'static str| name.split(' ').chain([more]).map(str::to_owned).collect::<Vec<_>>();
        let (code, help, said) = labtrust(dir.path(), &with("--help"));
        assert!(code == 0 && said.is_empty(), "{name} --help: {said}");
        assert!(help.starts_with(&format!("Example:\n  labtrust {name}")), "{name}: {help}");
        let of_writes = list(command, "writes").iter().map(|row| text(row, "what"));
        let of_exits = list(command, "exits").iter().map(|row| text(row, "meaning"));
        let of_options = list(command, "arguments").iter().map(|row| text(row, "name"));
        for wanted in of_writes.chain(of_exits).chain(of_options).chain([text(command, "summary")]) {
            assert!(help.contains(wanted), "{name} --help does not say {wanted:?}: {help}");
        }
        let (code, _, said) = labtrust(dir.path(), &with("--no-such-option"));
        assert!(code == 2 && said.contains("--no-such-option"), "{name}: {said}");
    }
}

#[test]
fn every_command_has_a_manual_page_that_says_the_same() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(labtrust(dir.path(), &["man", "man1"]).0, 0);
    for command in list(&table(), "commands") {
        let name = text(command, "name");
        let page = dir.path().join(format!("man1/labtrust-{}.1", name.replace(' ', "-")));
        // In a manual page a hyphen that is to be typed has a backslash before it, and an apostrophe has a name.
        let page = std::fs::read_to_string(page).unwrap().replace("\\-", "-").replace("\\*(Aq", "'");
        let of_writes = list(command, "writes").iter().map(|row| text(row, "what"));
        let of_exits = list(command, "exits").iter().map(|row| text(row, "meaning"));
        let of_options = list(command, "arguments").iter().map(|row| text(row, "name"));
        let shown = list(command, "examples").iter().filter(|row| row["shown"] == true).map(|row| text(row, "line"));
        for wanted in of_writes.chain(of_exits).chain(of_options).chain(shown) {
            assert!(page.contains(wanted), "the page of {name} does not say {wanted:?}: {page}");
        }
    }
}

#[test]
fn completions_know_every_command_and_every_option() {
    let table = table();
    let commands = list(&table, "commands");
    let names = commands.iter().flat_map(|command| text(command, "name").split(' '));
    let options = commands.iter().flat_map(|command| list(command, "arguments")).chain(list(&table, "options"));
    let options = options.filter_map(|row| text(row, "name").strip_prefix("--"));
    let words: BTreeSet<&str> = names.chain(options).collect();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let (code, script, said) = labtrust(Path::new("."), &["completions", shell]);
        assert!(code == 0 && said.is_empty(), "{shell}: {said}");
        let missing: Vec<_> = words.iter().filter(|word| !script.contains(**word)).collect();
        assert!(missing.is_empty(), "{shell}: {missing:?}");
    }
}

#[test]
fn no_command_is_outside_of_the_list() {
    let listed = |arguments: &[&str]| -> Vec<String> {
        let (_, help, _) = labtrust(Path::new("."), arguments);
        let list = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
        let names = list.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
        names.filter_map(|line| line.split_whitespace().next()).filter(|n| *n != "help").map(str::to_owned).collect()
    };
    let mut in_help = Vec::new();
    for name in listed(&["--help"]) {
        let below = listed(&[&name, "--help"]);
        match below.is_empty() {
            true => in_help.push(name),
            false => in_help.extend(below.iter().map(|below| format!("{name} {below}"))),
        }
    }
    let table = table();
    let in_table: Vec<_> = list(&table, "commands").iter().map(|command| text(command, "name")).collect();
    assert_eq!(in_help, in_table);
}
