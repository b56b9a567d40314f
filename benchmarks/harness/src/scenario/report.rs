//! What came of scenarios, for people, for programs and for CI.
//!
//! The JSON form keeps the runner output contract v0.1; beyond it, steps have their event and failures say what was
//! expected, what was there, and what the state around it was.

mod junit;
mod text;

use super::{ScriptStep, Semantics};
use labtrust_contract::{HashChain, StepResult, StepStatus, Violation};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::fmt::Write as _;

pub use junit::junit;
pub use text::text;

/// What came of one scenario.
#[derive(Debug, Clone, Serialize)]
pub struct ScenarioReport {
    /// The scenario's id.
    pub scenario_id: String,
    /// Its title.
    pub title: String,
    /// Whether everything was as expected.
    pub passed: bool,
    /// What was not.
    pub failures: Vec<Failure>,
    /// The steps that were played.
    pub step_reports: Vec<StepReport>,
    /// What the episode began with; absent while the state is not known. It goes into the trace, not into the report.
    #[serde(skip)]
    pub beginning: Option<Beginning>,
}

/// What somebody needs to play the same episode again.
#[derive(Debug, Clone, Serialize)]
pub struct Beginning {
    /// The state, as the engine got it: with faults, and with the keys that sign in the scenario.
    pub initial_state: Map<String, Value>,
    /// The seed.
    pub seed: u64,
    /// Whose rules.
    pub semantics: Semantics,
}

/// One thing that was not as expected.
#[derive(Debug, Clone, Serialize)]
pub struct Failure {
    /// The event, or `__RESET__` before the script and `__POST_RUN__` after it.
    pub event_id: String,
    /// In words.
    pub message: String,
    /// In values.
    pub details: FailureDetails,
}

/// What a failure is about.
#[derive(Debug, Clone, Serialize)]
pub struct FailureDetails {
    /// What kind of thing is wrong.
    pub kind: FailureKind,
    /// The step, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<usize>,
    /// The event as it was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<Map<String, Value>>,
    /// What should have been.
    pub expected: Value,
    /// What was.
    pub actual: Value,
    /// What queries about the ids of the event answered after the step.
    pub queries: Map<String, Value>,
}

/// What kind of thing is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FailureKind {
    /// The initial state cannot be used.
    Reset,
    /// A reported word is none of the policy's.
    Vocabulary,
    /// A code is not registered.
    ReasonCode,
    /// Accepted instead of blocked, or the other way round.
    Status,
    /// Blocked for another reason.
    BlockedReasonCode,
    /// A word is missing.
    Emits,
    /// An invariant's outcome is missing.
    Violations,
    /// A token was not used up.
    TokenConsumed,
    /// A statement about the state does not hold.
    StateAssertion,
    /// A value of the state is another.
    State,
    /// The chain grew by another number of records.
    ChainLength,
    /// The policy can be loaded although it should not, or the other way round.
    Load,
    /// The chain moved although it should not, or the other way round.
    Chain,
    /// A part of the answer is not there.
    Answer,
    /// A refused step has changed the state.
    Touched,
    /// Something after the script is not there.
    PostRun,
    /// The runner cannot do what the scenario asks for.
    Unsupported,
}

impl Failure {
    pub(super) fn outside_the_script(place: &str, kind: FailureKind, message: String) -> Self {
        let (expected, actual, queries) = (Value::Null, Value::Null, Map::new());
        let details = FailureDetails { kind, step: None, event: None, expected, actual, queries };
        Self { event_id: place.to_owned(), message, details }
    }
}

/// What came of one step.
#[derive(Debug, Clone, Serialize)]
pub struct StepReport {
    /// The event's id.
    pub event_id: String,
    /// When [s].
    pub t_s: i64,
    /// Who acted.
    pub agent_id: String,
    /// What was done.
    pub action_type: String,
    /// Whether it happened.
    pub status: StepStatus,
    /// What was reported.
    pub emits: Vec<String>,
    /// Outcomes of invariants.
    pub violations: Vec<Violation>,
    /// Why it did not happen.
    pub blocked_reason_code: Option<String>,
    /// Tokens that were used up.
    pub token_consumed: Vec<String>,
    /// Statements about the state that were looked at.
    pub state_assertions_checked: Vec<String>,
    /// Chain values after the step.
    pub hashchain: HashChain,
    /// Everything that the engine answered.
    pub raw_engine_result: StepResult,
    /// The event as it was sent.
    pub raw_event: Map<String, Value>,
}

impl StepReport {
    pub(super) fn new(
        step: &ScriptStep,
        result: StepResult,
        state_assertions_checked: Vec<String>,
        raw_event: Map<String, Value>,
    ) -> Self {
        Self {
            event_id: step.event_id.clone(),
            t_s: step.t_s,
            agent_id: step.agent_id.clone(),
            action_type: step.action_type.clone(),
            status: result.status,
            emits: result.emits.clone(),
            violations: result.violations.clone(),
            blocked_reason_code: result.blocked_reason_code.clone(),
            token_consumed: result.token_consumed.clone(),
            state_assertions_checked,
            hashchain: result.hashchain.clone(),
            raw_engine_result: result,
            raw_event,
        }
    }
}

impl ScenarioReport {
    pub(super) fn new(scenario_id: &str, title: &str) -> Self {
        let (scenario_id, title) = (scenario_id.to_owned(), title.to_owned());
        Self { scenario_id, title, passed: false, failures: Vec::new(), step_reports: Vec::new(), beginning: None }
    }

    /// Whether it failed for nothing but what the runner cannot do.
    #[must_use]
    pub fn only_unsupported(&self) -> bool {
        let mut kinds = self.failures.iter().map(|failure| failure.details.kind);
        // What an unsupported export would have written is not there either.
        !self.passed
            && self.failures.iter().any(|failure| failure.details.kind == FailureKind::Unsupported)
            && kinds.all(|kind| matches!(kind, FailureKind::Unsupported | FailureKind::PostRun))
    }

    /// The episode as JSON lines: what it began with (scenario, state, seed, semantics), then what [`Self::steps`] gives.
    #[must_use]
    pub fn trace(&self) -> String {
        let mut lines = String::new();
        if let Some(Beginning { initial_state, seed, semantics }) = &self.beginning {
            let line = json!({
                "scenario_id": self.scenario_id, "initial_state": initial_state, "seed": seed, "semantics": semantics,
            });
            let _ = writeln!(lines, "{line}");
        }
        lines + &self.steps()
    }

    /// The played steps, a JSON line each: scenario, step, event, answer.
    #[must_use]
    pub fn steps(&self) -> String {
        let mut lines = String::new();
        for (index, step) in self.step_reports.iter().enumerate() {
            let line = json!({
                "scenario_id": self.scenario_id, "step": index + 1, "event": step.raw_event,
                "result": step.raw_engine_result,
            });
            let _ = writeln!(lines, "{line}");
        }
        lines
    }
}

/// Reports as one JSON document in the shape of the runner output contract v0.1.
#[must_use]
pub fn json(suite_version: &str, reports: &[ScenarioReport]) -> String {
    let document = json!({"suite_version": suite_version, "scenario_reports": reports});
    format!("{document:#}\n")
}
