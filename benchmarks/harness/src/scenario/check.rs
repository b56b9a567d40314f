//! What a step has to answer, compared with what it answered.

use super::report::FailureKind;
use super::{Expect, Semantics};
use labtrust_contract::{HashChain, InvariantStatus, StepResult, StepStatus};
use labtrust_plugin::lab::{Engine, StateDigest};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// One thing that is not as it should be.
#[derive(Debug)]
pub(super) struct Finding {
    pub kind: FailureKind,
    pub message: String,
    pub expected: Value,
    pub actual: Value,
}

/// What steps are judged by.
#[derive(Debug)]
pub(super) struct Rules {
    pub semantics: Semantics,
    pub vocabulary: BTreeSet<String>,
    pub codes: BTreeSet<String>,
}

/// One step under judgement.
pub(super) struct Judgement<'a> {
    pub rules: &'a Rules,
    pub event: &'a Map<String, Value>,
    pub expect: &'a Expect,
    pub result: &'a StepResult,
    /// Chain values before the step.
    pub before: &'a HashChain,
    pub findings: Vec<Finding>,
    /// Statements about the state that were looked at.
    pub checked: Vec<String>,
}

impl Judgement<'_> {
    pub(super) fn judge(&mut self, engine: &mut dyn Engine) {
        self.vocabulary();
        self.status();
        let emits = self.result.emits.clone();
        self.all_there(FailureKind::Emits, "emits", &self.expect.emits.clone(), &emits);
        self.violations();
        let consumed = self.result.token_consumed.clone();
        self.all_there(FailureKind::TokenConsumed, "token_consumed", &self.expect.token_consumed.clone(), &consumed);
        for assertion in &self.expect.state_assertions {
            self.checked.push(assertion.clone());
            self.assertion(assertion, engine);
        }
        if self.rules.semantics == Semantics::Sound {
            self.reason_codes();
            for (name, wanted) in &self.expect.state {
                self.checked.push(format!("state.{name}"));
                self.state(name, wanted, engine);
            }
            self.chain_length();
            self.chain_moved(engine);
            self.answer();
        }
    }

    /// A refusal leaves everything but the record as it was.
    pub(super) fn untouched(&mut self, before: Option<StateDigest>, engine: &mut dyn Engine) {
        if self.rules.semantics != Semantics::Sound || self.result.status != StepStatus::Blocked {
            return;
        }
        // A record that cannot be written freezes the log, whatever it is of.
        if self.result.emits.iter().any(|word| word == "FORENSIC_FREEZE_LOG") {
            return;
        }
        let t_s = self.event.get("t_s").and_then(Value::as_i64).unwrap_or(0);
        if let (Some(before), Some(after)) = (before, engine.digest_at(t_s))
            && before != after
        {
            let message = "the refused step has changed the state".to_owned();
            let hex = |digest: StateDigest| digest.0.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
            self.find(FailureKind::Touched, message, json!(hex(before)), json!(hex(after)));
        }
    }

    fn find(&mut self, kind: FailureKind, message: String, expected: Value, actual: Value) {
        self.findings.push(Finding { kind, message, expected, actual });
    }

    /// Every reported word is one of the policy's.
    fn vocabulary(&mut self) {
        let unknown: Vec<&String> =
            self.result.emits.iter().filter(|word| !self.rules.vocabulary.contains(*word)).collect();
        if !unknown.is_empty() {
            let message = format!("emits words that the policy's vocabulary does not have: {unknown:?}");
            let actual = json!(self.result.emits);
            self.find(FailureKind::Vocabulary, message, json!("words of the vocabulary"), actual);
        }
    }

    /// Every code is registered.
    fn reason_codes(&mut self) {
        let stated = self.event.get("reason_code").and_then(Value::as_str);
        let codes = [("blocked_reason_code", self.result.blocked_reason_code.as_deref()), ("reason_code", stated)];
        for (key, code) in codes {
            if let Some(code) = code.filter(|code| !self.rules.codes.contains(*code)) {
                let message = format!("the {key} {code} is not registered");
                self.find(FailureKind::ReasonCode, message, json!("a registered code"), json!(code));
            }
        }
    }

    fn status(&mut self) {
        let blocked = self.result.status == StepStatus::Blocked;
        let status = if blocked { "BLOCKED" } else { "ACCEPTED" };
        let code = self.result.blocked_reason_code.as_deref();
        if let Some(wanted) = self.expect.status.as_deref().filter(|wanted| *wanted != status) {
            let why = code.map(|code| format!(" ({code})")).unwrap_or_default();
            let message = format!("status is {status}{why}, expected {wanted}");
            self.find(FailureKind::Status, message, json!(wanted), json!(status));
        }
        let wanted = self.expect.blocked_reason_code.as_deref().filter(|code| !code.is_empty());
        match wanted {
            // The reference does not look at the code of what was accepted.
            Some(wanted) if code != Some(wanted) && (blocked || self.rules.semantics == Semantics::Sound) => {
                let message = format!("blocked_reason_code is {}, expected {wanted}", code.unwrap_or("none"));
                self.find(FailureKind::BlockedReasonCode, message, json!(wanted), json!(code));
            }
            None if blocked && code.is_none() => {
                let message = "the step is blocked without a code".to_owned();
                self.find(FailureKind::BlockedReasonCode, message, json!("a code"), Value::Null);
            }
            _ => {}
        }
    }

    fn violations(&mut self) {
        let word = |status| if status == InvariantStatus::Pass { "PASS" } else { "VIOLATION" };
        let there: Vec<String> =
            self.result.violations.iter().map(|v| format!("{}:{}", v.invariant_id, word(v.status))).collect();
        let wanted = self.expect.violations.clone();
        for token in &wanted {
            if !token.ends_with(":PASS") && !token.ends_with(":VIOLATION") {
                let message = format!("{token:?} should be an invariant's id and :PASS or :VIOLATION");
                self.find(FailureKind::Violations, message, json!(token), json!(there));
                return;
            }
        }
        self.all_there(FailureKind::Violations, "violations", &wanted, &there);
    }

    /// What is listed is there; more may be there, unless the expectation is exact.
    fn all_there(&mut self, kind: FailureKind, what: &str, wanted: &[String], there: &[String]) {
        if self.expect.exact && wanted != there {
            return self.find(kind, format!("{what} are not exactly as listed"), json!(wanted), json!(there));
        }
        let missing: Vec<&String> = wanted.iter().filter(|item| !there.contains(item)).collect();
        if !missing.is_empty() {
            let message = format!("{what}: {missing:?} missing");
            self.find(kind, message, json!(wanted), json!(there));
        }
    }

    /// `QUERY contains VALUE` or `QUERY == VALUE`.
    fn assertion(&mut self, assertion: &str, engine: &mut dyn Engine) {
        let kind = FailureKind::StateAssertion;
        let (query, wanted, contains) = if let Some((query, wanted)) = assertion.split_once(" contains ") {
            (query.trim(), wanted, true)
        } else if let Some((query, wanted)) = assertion.split_once("==") {
            (query.trim(), wanted, false)
        } else {
            let message = format!("{assertion:?} should be QUERY == VALUE or QUERY contains VALUE");
            return self.find(kind, message, json!(assertion), Value::Null);
        };
        let wanted = unquoted(wanted);
        let actual = match engine.query(query) {
            Ok(actual) => actual,
            Err(error) => {
                let message = format!("{assertion}: {error}");
                return self.find(kind, message, json!(wanted), json!(error.to_string()));
            }
        };
        let holds = if contains {
            match &actual {
                Value::Null => false,
                Value::Array(items) => items.iter().any(|item| text_form(item) == wanted),
                single => text_form(single) == wanted,
            }
        } else {
            text_form(&actual).trim() == wanted
        };
        if !holds {
            self.find(kind, format!("{assertion} does not hold: it is {actual}"), json!(wanted), actual);
        }
    }

    /// One entry of `expect.state`: values by id, or for `token_active` the tokens.
    fn state(&mut self, name: &str, wanted: &Value, engine: &mut dyn Engine) {
        match (name, wanted) {
            ("token_active", Value::Array(tokens)) => {
                for token in tokens {
                    self.token(token, true, engine);
                }
            }
            ("token_active", Value::Object(tokens)) => {
                for (token, active) in tokens {
                    self.token(&json!(token), *active == json!(true), engine);
                }
            }
            (
                "specimen_status" | "last_reason_code" | "result_status" | "device_qc_state" | "separated_ts_set",
                Value::Object(values),
            ) => {
                let query = if name == "separated_ts_set" { "separated_ts" } else { name };
                for (id, wanted) in values {
                    self.value_of(name, &format!("{query}('{id}')"), wanted, engine);
                }
            }
            _ => {
                let message = format!("state.{name} is nothing that can be compared");
                self.find(FailureKind::State, message, wanted.clone(), Value::Null);
            }
        }
    }

    fn value_of(&mut self, name: &str, query: &str, wanted: &Value, engine: &mut dyn Engine) {
        let (holds, actual) = match (engine.query(query), wanted) {
            (Err(error), _) => (false, json!(error.to_string())),
            // Whether it was set at all.
            (Ok(actual), Value::Bool(set)) if name == "separated_ts_set" => (actual.is_null() != *set, actual),
            (Ok(actual), _) => (actual == *wanted, actual),
        };
        if !holds {
            self.find(FailureKind::State, format!("{query} is {actual}, expected {wanted}"), wanted.clone(), actual);
        }
    }

    fn token(&mut self, token: &Value, wanted: bool, engine: &mut dyn Engine) {
        let active = engine.query("token_active").unwrap_or(Value::Null);
        if active.as_array().is_some_and(|tokens| tokens.contains(token)) != wanted {
            let not = if wanted { "not " } else { "" };
            self.find(FailureKind::State, format!("the token {token} is {not}active"), json!(wanted), active);
        }
    }

    /// Whether the step is on record; what it reports is what the chain has.
    fn chain_moved(&mut self, engine: &mut dyn Engine) {
        let Some(wanted) = self.expect.chain_moved else { return };
        let newest = self.result.hashchain.last_event_hash.clone();
        let moved = newest != self.before.last_event_hash;
        if moved != wanted {
            let not = if moved { "" } else { "not " };
            self.find(FailureKind::Chain, format!("the chain has {not}moved"), json!(wanted), json!(moved));
        }
        match engine.query("last_event_hash") {
            Ok(actual) if actual == json!(newest) => {}
            Ok(actual) => {
                let message = "the step reports another hash than the chain has".to_owned();
                self.find(FailureKind::Chain, message, actual, json!(newest));
            }
            Err(error) => self.find(FailureKind::Chain, error.to_string(), json!(newest), Value::Null),
        }
    }

    /// Parts of the answer, as it is written for others.
    fn answer(&mut self) {
        if self.expect.result.is_empty() {
            return;
        }
        let wanted = Value::Object(self.expect.result.clone());
        let actual = json!(self.result);
        if let Some(path) = missing_part(&wanted, &actual, "result") {
            self.find(FailureKind::Answer, format!("{path} is not as expected"), wanted, actual);
        }
    }

    fn chain_length(&mut self) {
        let Some(wanted) = self.expect.hashchain_len_delta else { return };
        let length = |records: u64| i64::try_from(records).unwrap_or(i64::MAX);
        let actual = length(self.result.hashchain.length) - length(self.before.length);
        if actual != wanted {
            let message = format!("the chain grew by {actual}, expected {wanted}");
            self.find(FailureKind::ChainLength, message, json!(wanted), json!(actual));
        }
    }
}

/// The first part of `wanted` that `actual` does not have, by its path.
fn missing_part(wanted: &Value, actual: &Value, path: &str) -> Option<String> {
    match (wanted, actual) {
        (Value::Object(wanted), Value::Object(actual)) => wanted.iter().find_map(|(key, wanted)| {
            missing_part(wanted, actual.get(key).unwrap_or(&Value::Null), &format!("{path}.{key}"))
        }),
        (Value::Array(wanted), Value::Array(actual)) if wanted.is_empty() => {
            (!actual.is_empty()).then(|| path.to_owned())
        }
        (Value::Array(wanted), Value::Array(actual)) => {
            let is_there = |wanted: &Value| actual.iter().any(|actual| missing_part(wanted, actual, path).is_none());
            wanted.iter().position(|wanted| !is_there(wanted)).map(|index| format!("{path}[{index}]"))
        }
        _ => (wanted != actual).then(|| path.to_owned()),
    }
}

/// A value as assertions write it.
fn text_form(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn unquoted(text: &str) -> &str {
    let text = text.trim();
    let inner = |quote: char| text.strip_prefix(quote)?.strip_suffix(quote);
    inner('\'').or_else(|| inner('"')).unwrap_or(text)
}
