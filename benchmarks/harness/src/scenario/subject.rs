//! The engine under test.

use labtrust_contract::StepResult;
use labtrust_plugin::lab::{Action, LabEngine, LabError, LoadedLab, QueryError};
use labtrust_trust::canonical;
use labtrust_trust::payload::{PayloadFields, write_payload_v2};
use serde_json::{Map, Value};
use std::sync::Arc;

/// Whose rules a scenario is judged by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Semantics {
    /// The laboratory's own: everything that a scenario expects is looked at, and codes have to be registered.
    Sound,
    /// The reference's: `state` and `hashchain_len_delta` are not looked at, nor are codes.
    Reference,
}

/// An engine that scenarios are run through.
pub trait Subject {
    /// Starts an episode.
    ///
    /// # Errors
    /// [`LabError`] when the initial state cannot be used.
    fn reset(&mut self, initial_state: &Map<String, Value>, seed: u64) -> Result<(), LabError>;

    /// Applies one event.
    fn step(&mut self, event: &Map<String, Value>) -> StepResult;

    /// Answers a query.
    ///
    /// # Errors
    /// [`QueryError`] when the expression is none that is known.
    fn query(&mut self, expression: &str) -> Result<Value, QueryError>;

    /// The bytes that a signature of `event` covers if it is the next one; `None` when it is no event at all.
    fn signing_payload(&mut self, event: &Map<String, Value>) -> Option<Vec<u8>>;
}

/// The laboratory that everything else runs in.
pub struct Sound {
    lab: Arc<dyn LoadedLab>,
    engine: Box<dyn LabEngine>,
    /// Signatures cover these two keys of the initial state.
    partner_id: Option<String>,
    policy_fingerprint: Option<String>,
}

impl Sound {
    /// A laboratory under its policy.
    #[must_use]
    pub fn new(lab: Arc<dyn LoadedLab>) -> Self {
        Self { engine: lab.engine(), lab, partner_id: None, policy_fingerprint: None }
    }
}

impl std::fmt::Debug for Sound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sound").finish_non_exhaustive()
    }
}

impl Subject for Sound {
    fn reset(&mut self, initial_state: &Map<String, Value>, seed: u64) -> Result<(), LabError> {
        // A reset that failed leaves an engine that is good for nothing.
        self.engine = self.lab.engine();
        let text = |key: &str| initial_state.get(key).and_then(Value::as_str).map(str::to_owned);
        self.partner_id = text("partner_id");
        self.policy_fingerprint = text("policy_fingerprint");
        self.engine.reset(initial_state, seed)
    }

    fn step(&mut self, event: &Map<String, Value>) -> StepResult {
        self.engine.begin_batch();
        self.engine.step_raw(event, &mut ())
    }

    fn query(&mut self, expression: &str) -> Result<Value, QueryError> {
        self.engine.query(expression)
    }

    fn signing_payload(&mut self, event: &Map<String, Value>) -> Option<Vec<u8>> {
        self.engine.begin_batch();
        let action = Action::from_raw(event, self.engine.symbols_mut()).ok()?;
        // The arguments of a raw event are signed as they are written, not as the typed action would write them.
        let mut params = Vec::new();
        let empty = Map::new();
        let args = event.get("args").and_then(Value::as_object).unwrap_or(&empty);
        canonical::write_map(&mut params, args).ok()?;
        let text = |key: &str| event.get(key).and_then(Value::as_str);
        let refs = event.get("token_refs").and_then(Value::as_array);
        let token_refs: Vec<&str> = refs.into_iter().flatten().filter_map(Value::as_str).collect();
        let mut payload = Vec::new();
        let fields = PayloadFields {
            action_params: &params,
            action_type: action.decision.kind.name(),
            agent_id: text("agent_id").unwrap_or_default(),
            event_id: text("event_id").unwrap_or_default(),
            partner_id: self.partner_id.as_deref(),
            policy_fingerprint: self.policy_fingerprint.as_deref(),
            prev_hash: self.engine.batch_head(),
            rationale: action.decision.rationale.as_deref(),
            reason_code: text("reason_code").filter(|code| !code.trim().is_empty()),
            t_s: action.t_s,
            token_refs: &token_refs,
            tool_id: text("tool_id").map(str::trim).filter(|tool| !tool.is_empty()),
        };
        write_payload_v2(&mut payload, &fields);
        Some(payload)
    }
}
