//! Playing a trace again, and comparing what was recorded with what comes out.

use super::{Beginning, Entry, details};
use labtrust_contract::{HashChain, StepResult, Violation};
use labtrust_plugin::lab::{Engine, LabEngine, Observer, StepFacts};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, VecDeque};

/// An engine that plays a trace again.
pub enum Player {
    /// The laboratory, watched, so that what it does by itself is compared as well.
    Laboratory(Box<dyn LabEngine>),
    /// Any engine; of what it does by itself only the chain is compared.
    Events(Box<dyn Engine>),
}

/// A trace's episode, about to be played again.
pub struct Replay {
    player: Player,
}

/// One record of the laboratory.
struct Record {
    event: Map<String, Value>,
    result: StepResult,
}

/// What came of an entry when it was played again.
pub(super) struct Outcome {
    /// `None` when nothing was to be compared, or the laboratory did nothing.
    record: Option<Record>,
    /// What the laboratory did by itself here, and the trace does not say: actions.
    untold: Vec<String>,
    compared: bool,
}

/// Everything that the laboratory records, in order.
#[derive(Default)]
struct Tape(VecDeque<Record>);

impl Observer for Tape {
    fn on_step(&mut self, facts: &StepFacts<'_>) {
        let chain = facts.chain;
        let hashchain = HashChain {
            head_hash: chain.head_hash.to_owned(),
            last_event_hash: chain.last_hash.to_owned(),
            length: chain.length,
        };
        let event = serde_json::from_slice(facts.event).unwrap_or_default();
        self.0.push_back(Record { event, result: facts.outcome.to_result(facts.symbols, hashchain) });
    }
}

impl Replay {
    /// Starts the episode again.
    ///
    /// # Errors
    /// In words, when the state is refused.
    pub fn new(mut player: Player, beginning: &Beginning) -> Result<Self, String> {
        let engine: &mut dyn Engine = match &mut player {
            Player::Laboratory(engine) => engine.as_mut(),
            Player::Events(engine) => engine.as_mut(),
        };
        engine.reset(&beginning.initial_state, beginning.seed).map_err(|error| error.to_string())?;
        Ok(Self { player })
    }

    /// Plays all entries.
    pub(super) fn run(mut self, entries: &[Entry]) -> Result<Vec<Outcome>, String> {
        if let Some(index) = entries.iter().position(|entry| !entry.whole) {
            return Err(format!("step {index} of the trace does not have its event, only some fields of it"));
        }
        let mut tape = Tape::default();
        let mut batch = None;
        Ok(entries
            .iter()
            .map(|entry| {
                let new_batch = entry.moment.is_none() || entry.moment != batch;
                if !entry.own() {
                    batch = entry.moment;
                }
                match &mut self.player {
                    Player::Laboratory(engine) => in_laboratory(engine.as_mut(), &mut tape, entry, new_batch),
                    Player::Events(engine) => among_events(engine.as_mut(), entry, new_batch),
                }
            })
            .collect())
    }
}

fn in_laboratory(engine: &mut dyn LabEngine, tape: &mut Tape, entry: &Entry, new_batch: bool) -> Outcome {
    if entry.own() {
        if tape.0.is_empty() {
            engine.advance_to(entry.t_s(), tape);
        }
        return Outcome { record: tape.0.pop_front(), untold: Vec::new(), compared: true };
    }
    // In a log, what is due comes before the step's first event and is told; in other traces it is nobody's entry.
    let told = entry.moment.is_some();
    if told {
        engine.advance_to(entry.t_s(), tape);
    }
    let action = |record: Record| record.event.get("action_type").and_then(Value::as_str).unwrap_or("?").to_owned();
    let untold = if told { tape.0.drain(..).map(action).collect() } else { Vec::new() };
    tape.0.clear();
    if new_batch {
        engine.begin_batch();
    }
    let result = engine.step_raw(&entry.event, tape);
    if told {
        // Its own record first; what follows from it comes after it, and is told there.
        tape.0.pop_front();
    } else {
        tape.0.clear();
    }
    Outcome { record: Some(Record { event: entry.event.clone(), result }), untold, compared: true }
}

fn among_events(engine: &mut dyn Engine, entry: &Entry, new_batch: bool) -> Outcome {
    if entry.own() {
        return Outcome { record: None, untold: Vec::new(), compared: false };
    }
    if new_batch {
        engine.begin_batch();
    }
    let result = engine.play(&entry.event);
    Outcome { record: Some(Record { event: entry.event.clone(), result }), untold: Vec::new(), compared: true }
}

/// Tells everything that was recorded otherwise than it came out: the invariant if it is about one, the values, and a
/// sentence. The chain is told where it differs first; every later hash differs as well.
pub(super) fn differences(
    entry: &Entry,
    outcome: &Outcome,
    chain_holds: &mut bool,
    tell: &mut dyn FnMut(Option<&str>, Value, String),
) {
    if !outcome.compared {
        return;
    }
    for action in &outcome.untold {
        let what = format!("the laboratory's own {action} before this step is not in the trace");
        tell(None, details("event", Value::Null, json!(action)), what);
    }
    let Some(record) = &outcome.record else {
        let what = "the laboratory did not do this by itself".to_owned();
        return tell(None, details("event", Value::Object(entry.event.clone()), Value::Null), what);
    };
    if record.event != entry.event {
        let (recorded, replayed) = (Value::Object(entry.event.clone()), Value::Object(record.event.clone()));
        tell(None, details("event", recorded, replayed), "the event was another".to_owned());
    }
    let actual = serde_json::to_value(&record.result).unwrap_or_default();
    for field in ["status", "blocked_reason_code", "emits", "token_consumed", "enforcements", "hashchain"] {
        let replayed = actual.get(field).unwrap_or(&Value::Null);
        let Some(recorded) = entry.result.get(field) else { continue };
        if covers(recorded, replayed) || (field == "hashchain" && !*chain_holds) {
            continue;
        }
        *chain_holds &= field != "hashchain";
        let what = format!("{field} was recorded as {}, and is {}", short(recorded), short(replayed));
        tell(None, details(field, recorded.clone(), replayed.clone()), what);
    }
    if !entry.result.contains_key("status") {
        tell(None, details("status", Value::Null, json!(record.result.status)), "no status was recorded".to_owned());
    }
    verdicts(entry, &record.result.violations, tell);
}

/// Verdicts by invariant. A record without any is one that says nothing was broken.
fn verdicts(entry: &Entry, actual: &[Violation], tell: &mut dyn FnMut(Option<&str>, Value, String)) {
    let recorded_at_all = entry.result.get("violations").is_some_and(|list| !list.is_null());
    let mut by_id: BTreeMap<&str, [Vec<Value>; 2]> = BTreeMap::new();
    for verdict in entry.list("violations") {
        let id = verdict.get("invariant_id").and_then(Value::as_str).unwrap_or_default();
        let status = verdict.get("status").and_then(Value::as_str).map(str::to_ascii_uppercase);
        let mut one = json!({ "status": status });
        // What was not recorded is not compared.
        if let Some(code) = verdict.get("reason_code") {
            one["reason_code"] = code.clone();
        }
        by_id.entry(id).or_default()[0].push(one);
    }
    for verdict in actual {
        let one = json!({ "status": verdict.status, "reason_code": verdict.reason_code });
        if recorded_at_all || verdict.status == labtrust_contract::InvariantStatus::Violation {
            by_id.entry(&verdict.invariant_id).or_default()[1].push(one);
        }
    }
    for (id, [recorded, replayed]) in by_id {
        let (recorded, replayed) = (Value::Array(recorded), Value::Array(replayed));
        if !covers(&recorded, &replayed) {
            let what = format!("recorded as {}, and is {}", words(&recorded), words(&replayed));
            tell(Some(id), details("violations", recorded, replayed), what);
        }
    }
}

fn words(verdicts: &Value) -> String {
    let status = |verdict: &Value| verdict.get("status").and_then(Value::as_str).unwrap_or("nothing").to_owned();
    match verdicts.as_array().filter(|list| !list.is_empty()) {
        None => "not judged".to_owned(),
        Some(list) => list.iter().map(status).collect::<Vec<_>>().join(" and "),
    }
}

/// Whether everything that `recorded` says is so in `actual`. A key that was not recorded is not compared.
fn covers(recorded: &Value, actual: &Value) -> bool {
    match (recorded, actual) {
        (Value::Object(recorded), Value::Object(actual)) => {
            recorded.iter().all(|(key, recorded)| covers(recorded, actual.get(key).unwrap_or(&Value::Null)))
        }
        (Value::Array(recorded), Value::Array(actual)) => {
            recorded.len() == actual.len() && recorded.iter().zip(actual).all(|(one, other)| covers(one, other))
        }
        _ => recorded == actual,
    }
}

/// A value on one line, not longer than a line.
fn short(value: &Value) -> String {
    const MOST: usize = 100;
    let text = value.to_string();
    let mut cut: String = text.chars().take(MOST).collect();
    if cut.len() < text.len() {
        cut.push_str(" ...");
    }
    cut
}
