//! `run-vectors`: scripts of events through an engine, one line a script, and what came of them.
//!
//! A line of the input is `{"id", "initial_state", "script": [event], "expect": [step], "final": {query: value}}`. A
//! line of the output is `{"id", "results": [step], "final": {query: value}}` with the same queries. `expect` is read
//! by `--check` only, which compares every step and every query; a key that an expected step leaves out is not compared.

use crate::Global;
use crate::answer::{Answer, FormatOption};
use crate::command::{CliCommand, Example, Json, Refusal, Spec, output};
use crate::error::CliError;
use crate::session::{EngineChoice, Session};
use crate::talk::Talk;
use labtrust_bench::files::{AtomicFile, refuse_same_file};
use labtrust_contract::StepResult;
use labtrust_plugin::lab::Engine;
use serde_json::{Map, Value, json};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Seed of every script; scripts state everything that matters themselves.
const SEED: u64 = 12_345;

/// Run scripts of events through an engine and write what came of each
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Scripts, a JSON line each: id, initial_state, script, and for --check expect and final
    #[arg(long = "in", value_name = "FILE")]
    input: PathBuf,
    /// Answers, a JSON line for every script
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Engine to use: the frozen reference, or the laboratory itself
    #[arg(long, value_name = "ENGINE", default_value = "reference")]
    semantics: EngineChoice,
    /// Compare every step and every query with what the input expects; exit 1 if anything differs
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    format: FormatOption,
}

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "run-vectors",
        notes: "Scripts of events, a JSON line each, through the frozen reference or the laboratory.",
        writes: &[output("--out", "a line for every script")],
        fails: "with --check a script that differs from what it expects, which is told on stderr",
        json: Json::product(&[
            ("scripts", "[count]"),
            ("steps", "of all scripts [count]"),
            ("differing", "scripts that differ from what they expect [count]; null without --check"),
        ]),
        examples: &[Example::new("--in vectors.jsonl --out answers.jsonl --check")
            .needs(&["vectors.jsonl"])
            .leaves(&["answers.jsonl"])],
        refusals: &[Refusal::new("--in results.json --out wrong.jsonl", 1, "line 1").needs(&["results.json"])],
        ..Spec::NEW
    };

    fn run(&self, global: &Global, talk: Talk) -> Result<(), CliError> {
        run(self, global, talk)
    }
}

/// Why scripts could not be run, or that they did not give what was expected.
#[derive(Debug, thiserror::Error)]
pub(crate) enum VectorError {
    #[error("cannot read {}: {source}", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{} line {line}: {problem}", path.display())]
    Line { path: PathBuf, line: usize, problem: String },
    #[error("{differing} of {scripts} scripts differ from what was expected")]
    Differ { differing: usize, scripts: usize },
}

/// One line of the input.
struct Script<'a> {
    id: &'a str,
    initial_state: &'a Map<String, Value>,
    events: Vec<&'a Map<String, Value>>,
    expect: Option<&'a Vec<Value>>,
    queries: Option<&'a Map<String, Value>>,
}

impl<'a> Script<'a> {
    fn read(line: &'a Value, check: bool) -> Result<Self, String> {
        let map = line.as_object().ok_or("a script should be a map")?;
        let key = |key: &str| map.get(key).filter(|value| !value.is_null());
        let needed = |name: &str| key(name).ok_or_else(|| format!("the key {name:?} is missing"));
        let map_at = |name: &str| {
            key(name).map(|value| value.as_object().ok_or_else(|| format!("{name:?} should be a map"))).transpose()
        };
        let list_at = |name: &str| {
            key(name).map(|value| value.as_array().ok_or_else(|| format!("{name:?} should be a list"))).transpose()
        };
        let id = needed("id")?.as_str().ok_or("\"id\" should be a text")?;
        needed("initial_state")?;
        needed("script")?;
        let script = list_at("script")?.into_iter().flatten().enumerate();
        let event = |(index, event): (usize, &'a Value)| {
            event.as_object().ok_or_else(|| format!("event {} of {id:?} should be a map", index + 1))
        };
        let events = script.map(event).collect::<Result<Vec<_>, _>>()?;
        let (expect, queries) = (list_at("expect")?, map_at("final")?);
        if check && expect.is_none() && queries.is_none() {
            return Err(format!("{id:?} has neither \"expect\" nor \"final\", so there is nothing to check"));
        }
        if let Some(expect) = expect.filter(|expect| check && expect.len() != events.len()) {
            return Err(format!("{id:?} has {} events, but expects {} answers", events.len(), expect.len()));
        }
        let initial_state = map_at("initial_state")?.ok_or("the key \"initial_state\" is missing")?;
        Ok(Self { id, initial_state, events, expect, queries })
    }
}

/// What came of a script.
struct Played {
    results: Vec<Value>,
    finals: Map<String, Value>,
}

impl Played {
    fn of(engine: &mut dyn Engine, script: &Script<'_>) -> Result<Self, String> {
        engine.reset(script.initial_state, SEED).map_err(|error| format!("{:?}: {error}", script.id))?;
        let mut step = |event: &&Map<String, Value>| {
            engine.begin_batch();
            step_value(&engine.play(event))
        };
        let results = script.events.iter().map(&mut step).collect();
        let mut finals = Map::new();
        for query in script.queries.into_iter().flat_map(Map::keys) {
            let value = engine.query(query).map_err(|error| format!("{:?}: {error}", script.id))?;
            finals.insert(query.clone(), value);
        }
        Ok(Self { results, finals })
    }

    /// The first thing that is not as expected, in words.
    fn difference(&self, script: &Script<'_>) -> Option<String> {
        let steps = script.expect.into_iter().flatten().zip(&self.results).enumerate();
        for (index, (expected, actual)) in steps {
            if let Some((key, expected, actual)) = first_difference(expected, actual) {
                let event = Value::Object(script.events[index].clone());
                let place = format!("{} step {}", script.id, index + 1);
                return Some(format!("{place}: {key}\n  event    {event}\n  expected {expected}\n  actual   {actual}"));
            }
        }
        let expected = Value::Object(script.queries?.clone());
        let actual = Value::Object(self.finals.clone());
        let (query, expected, actual) = first_difference(&expected, &actual)?;
        Some(format!("{} at the end: {query}\n  expected {expected}\n  actual   {actual}", script.id))
    }
}

fn first_difference<'a>(expected: &'a Value, actual: &'a Value) -> Option<(&'a str, &'a Value, &'a Value)> {
    let Some(expected_keys) = expected.as_object() else { return Some(("the step", expected, actual)) };
    expected_keys
        .iter()
        .find(|(key, expected)| actual.get(key.as_str()).unwrap_or(&Value::Null) != *expected)
        .map(|(key, expected)| (key.as_str(), expected, actual.get(key.as_str()).unwrap_or(&Value::Null)))
}

/// A step as the output has it: every key is always there.
fn step_value(result: &StepResult) -> Value {
    let violations: Vec<Value> = result
        .violations
        .iter()
        .map(|v| json!({"invariant_id": v.invariant_id, "status": v.status, "reason_code": v.reason_code}))
        .collect();
    let enforcements: Vec<Value> = result
        .enforcements
        .iter()
        .map(|e| {
            json!({
                "rule_id": e.rule_id, "type": e.kind, "target": e.target, "duration_s": e.duration_s,
                "reason_code": e.reason_code, "zone_id": e.zone_id,
            })
        })
        .collect();
    json!({
        "status": result.status, "emits": result.emits, "blocked_reason_code": result.blocked_reason_code,
        "token_consumed": result.token_consumed, "hashchain": result.hashchain, "violations": violations,
        "enforcements": enforcements,
    })
}

/// Runs the command.
fn run(options: &Options, global: &Global, talk: Talk) -> Result<(), CliError> {
    if options.out.as_os_str().is_empty() {
        return Err(CliError::Empty { option: "--out" });
    }
    refuse_same_file(&[("the scripts", options.input.as_path()), ("the answers", options.out.as_path())])?;
    let text = read(&options.input)?;
    let session = Session::open(global, None)?;
    let mut engine = session.engine(options.semantics)?;
    let mut out = AtomicFile::create(&options.out)?;
    let (mut scripts, mut steps, mut differing) = (0, 0, 0);
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let wrong = |problem| VectorError::Line { path: options.input.clone(), line: index + 1, problem };
        let line: Value = serde_json::from_str(line).map_err(|error| wrong(format!("not JSON: {error}")))?;
        let script = Script::read(&line, options.check).map_err(wrong)?;
        let answer = Played::of(engine.as_mut(), &script).map_err(wrong)?;
        scripts += 1;
        steps += answer.results.len();
        if let Some(difference) = options.check.then(|| answer.difference(&script)).flatten() {
            differing += 1;
            // What went wrong is said whether `-q` was given or not; a closed stderr leaves the exit code to tell.
            let _ = writeln!(std::io::stderr(), "{difference}");
        }
        let answer = json!({"id": script.id, "results": answer.results, "final": answer.finals});
        out.write(format!("{answer}\n").as_bytes())?;
    }
    out.persist()?;
    let mut answer = Answer::new(options.format, talk);
    answer.wrote(&options.out);
    talk.say(&format!("Scripts: {scripts}, steps: {steps}"));
    answer.figure("scripts", scripts);
    answer.figure("steps", steps);
    answer.figure("differing", options.check.then_some(differing));
    answer.finish::<Options>(differing == 0, "")?;
    match (options.check, differing) {
        (false, _) => {}
        (true, 0) => talk.say("Equal in every step and every query"),
        (true, differing) => return Err(VectorError::Differ { differing, scripts }.into()),
    }
    Ok(())
}

fn read(path: &Path) -> Result<String, VectorError> {
    std::fs::read_to_string(path).map_err(|source| VectorError::Read { path: path.to_path_buf(), source })
}
