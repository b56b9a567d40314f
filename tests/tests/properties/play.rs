//! One script, played step by step under all rules.

use crate::{enforcement::Enforced, flips, releases::Releases, tally::Tally, tokens::Tokens};
use labtrust_contract::StepResult;
use labtrust_hospital_lab::refusals::gates_of;
use labtrust_plugin::lab::{ActionKind, Gate, LabEngine, LoadedLab, Memory, Observer, StepFacts};
use labtrust_policy::PolicyStore;
use labtrust_tests::scripts::{Script, Step, Tamper};
use labtrust_trust::codes;
use proptest::test_runner::TestCaseError;
use serde_json::{Map, Value};
use std::{collections::BTreeSet, sync::Arc};

/// The answer of a rule.
pub(crate) type Held = Result<(), TestCaseError>;

/// Fails a rule.
pub(crate) fn broken(what: impl std::fmt::Display) -> TestCaseError {
    TestCaseError::fail(what.to_string())
}

/// The laboratory, and what the rules know of its policy.
pub(crate) struct Rules {
    lab: Arc<dyn LoadedLab>,
    /// The token registry.
    pub token_types: Value,
    codes: BTreeSet<String>,
    words: BTreeSet<String>,
}

/// What the laboratory did by itself.
#[derive(Debug, Clone)]
pub(crate) enum Own {
    RunEnded { run: String, specimens: Vec<String> },
    DoorBreached { door: String },
    DeviceFailed,
}

/// Notes what the laboratory does by itself.
#[derive(Default)]
struct Watch {
    own: Vec<Own>,
    /// Words and codes of the laboratory's own steps.
    emits: Vec<String>,
}

impl Observer for Watch {
    fn on_step(&mut self, facts: &StepFacts<'_>) {
        let Some(action) = facts.action.filter(|action| facts.symbols.text(action.agent) == "SYSTEM") else { return };
        let text = |symbol| facts.symbols.text(symbol).to_owned();
        let args = &action.decision.args;
        let by_itself = action.event_id.text(facts.symbols).is_some_and(|id| id.starts_with("sys_"));
        if !by_itself {
            return;
        }
        self.emits.extend(facts.outcome.emits.iter().map(|&emit| emit.to_owned()));
        match action.decision.kind {
            ActionKind::EndRun => self.own.push(Own::RunEnded {
                run: args.run.map(text).unwrap_or_default(),
                specimens: args.specimens.iter().map(|&id| text(id)).collect(),
            }),
            ActionKind::DeviceFault => self.own.push(Own::DeviceFailed),
            ActionKind::Alarm => self.own.push(Own::DoorBreached { door: args.door.map(text).unwrap_or_default() }),
            _ => {}
        }
    }
}

/// A step as the rules see it.
pub(crate) struct Seen<'a> {
    pub event: &'a Map<String, Value>,
    pub result: &'a StepResult,
    pub t_s: i64,
}

impl Seen<'_> {
    pub(crate) fn text(&self, key: &str) -> &str {
        self.event.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    pub(crate) fn action(&self) -> &str {
        self.text("action_type")
    }

    pub(crate) fn arg(&self, key: &str) -> &str {
        self.event.get("args").and_then(|args| args.get(key)).and_then(Value::as_str).unwrap_or_default()
    }

    pub(crate) fn args(&self, key: &str) -> Vec<&str> {
        let list = self.event.get("args").and_then(|args| args.get(key)).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str).collect()
    }

    pub(crate) fn token_refs(&self) -> Vec<&str> {
        let list = self.event.get("token_refs").and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str).collect()
    }

    pub(crate) fn accepted(&self) -> bool {
        self.result.blocked_reason_code.is_none()
    }

    pub(crate) fn emits(&self, word: &str) -> bool {
        self.result.emits.iter().any(|emit| emit == word)
    }
}

impl Rules {
    pub(crate) fn new() -> Self {
        let policy = PolicyStore::builtin();
        let read = |path: &str| -> Value { policy.value(path).expect("the built-in policy is there") };
        let registry = read("reason_codes/reason_code_registry.v0.1.yaml");
        let entries = registry["reason_code_registry"]["codes"].as_array().expect("codes are a list").clone();
        let registered = entries.iter().filter_map(|entry| entry["code"].as_str());
        let vocabulary = read("emits/emits_vocab.v0.1.yaml");
        let words = vocabulary["emits_vocab"]["categories"].as_object().expect("categories are a map").clone();
        Self {
            lab: labtrust_tests::laboratory(),
            token_types: read("tokens/token_registry.v0.1.yaml")["token_registry"]["token_types"].take(),
            codes: registered.chain(codes::ADDITIVE.iter().copied()).map(str::to_owned).collect(),
            words: words
                .values()
                .filter_map(Value::as_array)
                .flatten()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
        }
    }

    pub(crate) fn engine(&self) -> Box<dyn LabEngine> {
        self.lab.engine()
    }
}

/// Everything the rules remember of one script.
struct Game<'a> {
    rules: &'a Rules,
    engine: &'a mut dyn LabEngine,
    tally: &'a mut Tally,
    watch: Watch,
    tokens: Tokens<'a>,
    releases: Releases,
    enforced: Enforced,
    strict: bool,
    open: bool,
    /// A device has failed: from then on honest work may be refused.
    failed: bool,
}

/// Plays a script; says which rule it breaks.
pub(crate) fn play(rules: &Rules, engine: &mut dyn LabEngine, script: &Script, tally: &mut Tally) -> Held {
    engine.reset(&script.initial_state, script.seed).map_err(|error| broken(format!("a state is refused: {error}")))?;
    let flag = |key: &str| script.initial_state.get(key) == Some(&Value::Bool(true));
    let mut game = Game {
        rules,
        engine,
        tally,
        watch: Watch::default(),
        tokens: Tokens::new(&rules.token_types, &script.initial_state),
        releases: Releases::new(&script.initial_state),
        enforced: Enforced::default(),
        strict: flag("strict_signatures"),
        open: script.initial_state["workflow"] == "open",
        failed: false,
    };
    for (number, step) in script.steps.iter().enumerate() {
        game.step(step).map_err(|error| {
            let event = Value::Object(step.event.clone());
            broken(format!("step {number}: {error}\n  {event}"))
        })?;
    }
    game.tally.scripts += 1;
    game.tally.scripts_with_release += u64::from(game.releases.any());
    Ok(())
}

impl Game<'_> {
    fn step(&mut self, step: &Step) -> Held {
        let event = step.prepare(self.engine);
        if flips::worth_flipping(step, &event, self.strict) {
            for flipped in flips::flips(&event) {
                let code = self.submit(&flipped.event, false)?;
                flipped.judge(&code, self.enforced.log_frozen())?;
                self.tally.flips += 1;
            }
        }
        let code = self.submit(&event, step.honest)?;
        let own_key = step.tamper == Tamper::Nothing && step.key_id.is_some();
        if own_key && step.honest && [codes::SIG_INVALID, codes::SIG_MISSING].contains(&code.as_str()) {
            return Err(broken(format!("an honest signature is refused: {code}")));
        }
        Ok(())
    }

    /// Plays one event and looks at everything that must hold. Gives the code, `ACCEPTED` for none.
    fn submit(&mut self, event: &Map<String, Value>, honest: bool) -> Result<String, TestCaseError> {
        let t_s = self.let_time_pass(event);
        let before = self.memory(t_s)?;
        let result = self.engine.step_raw(event, &mut self.watch);
        let gate = self.engine.outcome().gate;
        let seen = Seen { event, result: &result, t_s };
        self.well_formed(&seen, gate)?;
        if seen.accepted() {
            self.tokens.accepted(&seen, &self.releases, !self.open)?;
            if !self.open {
                self.releases.accepted(&seen)?;
            } else {
                self.releases.noted(&seen);
            }
        } else {
            let after = self.memory(t_s)?;
            // A record that cannot be written freezes the log, whatever it is of; that is all it does.
            let frozen_by_it = seen.emits("FORENSIC_FREEZE_LOG");
            if let Some(field) = before.first_difference(&after)
                && !(frozen_by_it && field == "Lab.log_frozen")
            {
                let code = result.blocked_reason_code.as_deref().unwrap_or_default();
                return Err(broken(format!("a refusal ({code}) has changed {field}")));
            }
        }
        self.enforced.judge(&seen, !self.open)?;
        self.note_own()?;
        self.tally.count(&seen, gate, honest && !self.failed);
        Ok(result.blocked_reason_code.unwrap_or_else(|| "ACCEPTED".to_owned()))
    }

    /// Lets happen what is due before the event, and be noted. A frozen log stops time.
    fn let_time_pass(&mut self, event: &Map<String, Value>) -> i64 {
        let t_s = event.get("t_s").and_then(Value::as_i64).unwrap_or(0);
        if !self.enforced.log_frozen() {
            self.engine.advance_to(t_s, &mut self.watch);
        }
        self.note_own().ok();
        t_s
    }

    fn note_own(&mut self) -> Held {
        for own in std::mem::take(&mut self.watch.own) {
            match own {
                Own::RunEnded { run, specimens } => self.releases.run_ended(run, specimens),
                Own::DoorBreached { door } => self.enforced.door_breached(&door),
                Own::DeviceFailed => self.failed = true,
            }
        }
        match self.watch.emits.drain(..).find(|emit| !self.rules.words.contains(emit)) {
            Some(word) => Err(broken(format!("the word {word} is not in the vocabulary"))),
            None => Ok(()),
        }
    }

    fn memory(&mut self, t_s: i64) -> Result<Memory, TestCaseError> {
        self.engine.memory_at(t_s).ok_or_else(|| broken("the laboratory does not say what it remembers"))
    }

    /// Codes are registered, words are in the vocabulary, and the gate is one that raises the code.
    fn well_formed(&self, seen: &Seen<'_>, gate: Option<Gate>) -> Held {
        let result = seen.result;
        let findings = result.violations.iter().filter_map(|violation| violation.reason_code.as_ref());
        for code in result.blocked_reason_code.iter().chain(findings) {
            if !self.rules.codes.contains(code) {
                return Err(broken(format!("{code} is not a registered code")));
            }
        }
        if let Some(word) = result.emits.iter().find(|word| !self.rules.words.contains(*word)) {
            return Err(broken(format!("the word {word} is not in the vocabulary")));
        }
        match (&result.blocked_reason_code, gate) {
            (None, None) => Ok(()),
            (Some(code), Some(gate)) if gates_of(code).contains(&gate) => Ok(()),
            (code, gate) => Err(broken(format!("{code:?} was raised at {gate:?}, which is not where it is raised"))),
        }
    }
}
