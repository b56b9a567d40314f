//! One event as the stages read it. The map itself is what is hashed.

use super::value::{at, first_given, given, integer, not_null, text, texts};
use labtrust_contract::{InvariantStatus, Violation};
use serde_json::{Map, Value};
use std::sync::LazyLock;

static NO_ARGS: LazyLock<Map<String, Value>> = LazyLock::new(Map::new);

/// One event, read.
pub(super) struct Event<'a> {
    pub raw: &'a Map<String, Value>,
    pub id: Option<String>,
    pub t_s: i64,
    pub agent: String,
    pub action: String,
    pub args: &'a Map<String, Value>,
    pub token_refs: Vec<String>,
}

impl<'a> Event<'a> {
    /// Reads an event; `None` when its time is not a whole number, which is an error in the reference.
    pub(super) fn read(raw: &'a Map<String, Value>) -> Option<Self> {
        let t_s = raw.get("t_s").map_or(Some(0), integer)?;
        let plain = |key| not_null(at(raw, key)).unwrap_or_default();
        Some(Self {
            raw,
            id: not_null(at(raw, "event_id")),
            t_s,
            agent: plain("agent_id"),
            action: plain("action_type"),
            args: at(raw, "args").as_object().unwrap_or(&NO_ARGS),
            token_refs: texts(at(raw, "token_refs")),
        })
    }

    /// A key of the event itself.
    pub(super) fn field(&self, key: &str) -> &'a Value {
        at(self.raw, key)
    }

    /// An argument.
    pub(super) fn arg(&self, key: &str) -> &'a Value {
        at(self.args, key)
    }

    /// An argument that is given, as text.
    pub(super) fn id_arg(&self, key: &str) -> Option<String> {
        given(self.arg(key))
    }

    /// An argument as text, empty where there is none.
    pub(super) fn text_arg(&self, key: &str) -> String {
        self.args.get(key).map(text).unwrap_or_default()
    }

    /// The device of the action.
    pub(super) fn device(&self) -> Option<String> {
        self.id_arg("device_id")
    }

    /// The reason of the event, else that among its arguments.
    pub(super) fn reason(&self) -> Option<String> {
        first_given(&[self.field("reason_code"), self.arg("reason_code")])
    }
}

/// Why a step is refused.
#[derive(Debug)]
pub(super) struct Blocked {
    pub code: &'static str,
    /// `None` keeps those that the stages before have found.
    pub violations: Option<Vec<Violation>>,
    /// `None` keeps those that the stages before have emitted.
    pub emits: Option<Vec<String>>,
    /// Whether the event enters the chain nevertheless.
    pub recorded: bool,
}

impl Blocked {
    /// A refusal that leaves no record.
    pub(super) fn unrecorded(code: &'static str) -> Self {
        Self { code, violations: None, emits: None, recorded: false }
    }

    /// A refusal whose event enters the chain.
    pub(super) fn recorded(code: &'static str) -> Self {
        Self { recorded: true, ..Self::unrecorded(code) }
    }

    /// The same with the invariants that are broken.
    pub(super) fn breaking(mut self, violations: Vec<Violation>) -> Self {
        self.violations = Some(violations);
        self
    }
}

/// What an accepted action did.
#[derive(Debug, Default)]
pub(super) struct Accepted {
    pub emits: Vec<String>,
    /// `None` keeps those that the stages before have found.
    pub violations: Option<Vec<Violation>>,
    pub token_consumed: Vec<String>,
    pub consignment_id: Option<String>,
    /// A broken chain does not freeze the log.
    pub never_freezes: bool,
}

impl Accepted {
    /// Accepted with these emits.
    pub(super) fn emitting<const N: usize>(emits: [&str; N]) -> Self {
        Self { emits: emits.map(str::to_owned).into(), ..Self::default() }
    }

    /// The same with its own list of invariants.
    pub(super) fn finding(mut self, violations: Vec<Violation>) -> Self {
        self.violations = Some(violations);
        self
    }

    /// The same with tokens used up.
    pub(super) fn consuming(mut self, tokens: &[String]) -> Self {
        self.token_consumed = tokens.to_vec();
        self
    }
}

/// What a handler answers.
pub(super) type Reply = Result<Accepted, Blocked>;

/// A broken invariant without a reason code, as handlers report it.
pub(super) fn broken(invariant: &str) -> Violation {
    finding(invariant, InvariantStatus::Violation)
}

/// A broken invariant with a reason code.
pub(super) fn broken_because(invariant: &str, reason: &str) -> Violation {
    Violation { reason_code: Some(reason.to_owned()), ..broken(invariant) }
}

/// An outcome without reason code and details.
pub(super) fn finding(invariant: &str, status: InvariantStatus) -> Violation {
    Violation {
        invariant_id: invariant.to_owned(),
        status,
        reason_code: None,
        severity: None,
        scope: None,
        details: None,
        message: None,
    }
}
