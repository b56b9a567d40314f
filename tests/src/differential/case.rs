//! One difference of one step, and everything a rule may look at to explain it.

use super::Ledger;
use labtrust_contract::{InvariantStatus, StepResult, StepStatus, Violation};
use serde_json::{Map, Value};
use std::fmt;

/// A part of a step in which two engines can differ.
#[derive(Clone, Debug, PartialEq)]
pub enum Facet {
    /// One did it, the other refused it. What else differs follows from that.
    Decision,
    /// Both refused it, for different reasons.
    Code,
    /// What came out.
    Emits,
    /// Which tokens were used up.
    Tokens,
    /// What was said of an invariant.
    Finding(String),
    /// What enforcement did.
    Enforcements,
    /// By how many records the chain grew: there, here.
    Growth(u64, u64),
    /// A question, and what both answer now.
    Answer {
        /// The question.
        question: String,
        /// What the reference answers.
        there: Value,
        /// What the laboratory answers.
        here: Value,
    },
}

/// What the laboratory answered before a step.
#[derive(Clone, Copy, Debug)]
pub struct Before<'a> {
    /// What was asked.
    pub questions: &'a [String],
    /// The answers, in the same order.
    pub answers: &'a [Value],
}

impl<'a> Before<'a> {
    /// The answer to a query about an id, or to one about nothing in particular where the id is empty; `null` to what
    /// was not asked.
    #[must_use]
    pub fn get(&self, query: &str, id: &str) -> &'a Value {
        let is_it = |question: &String| match question.strip_prefix(query) {
            Some(rest) if id.is_empty() => rest.is_empty(),
            Some(rest) => rest.strip_prefix("('").and_then(|rest| rest.strip_suffix("')")) == Some(id),
            None => false,
        };
        let found = self.questions.iter().position(is_it).and_then(|index| self.answers.get(index));
        found.unwrap_or(&Value::Null)
    }
}

/// A difference, with the step it occurred in.
#[derive(Debug)]
pub struct Case<'a> {
    /// What differs.
    pub facet: &'a Facet,
    /// The event.
    pub event: &'a Map<String, Value>,
    /// What the reference made of it.
    pub there: &'a StepResult,
    /// What the laboratory made of it.
    pub here: &'a StepResult,
    /// What the laboratory answered before the step (the reference alike, but for what was carried along).
    pub before: Before<'a>,
    /// The initial state.
    pub state: &'a Map<String, Value>,
    /// What happened so far.
    pub ledger: &'a Ledger,
}

impl<'a> Case<'a> {
    /// The event's action.
    #[must_use]
    pub fn action(&self) -> &'a str {
        self.event.get("action_type").and_then(Value::as_str).unwrap_or_default()
    }

    /// Whether the event's action is this one.
    #[must_use]
    pub fn is(&self, action: &str) -> bool {
        self.action() == action
    }

    /// The event's agent.
    #[must_use]
    pub fn agent(&self) -> &'a str {
        self.event.get("agent_id").and_then(Value::as_str).unwrap_or_default()
    }

    /// The event's time [s].
    #[must_use]
    pub fn t_s(&self) -> i64 {
        self.event.get("t_s").and_then(Value::as_i64).unwrap_or(0)
    }

    /// An argument; `null` where there is none.
    #[must_use]
    pub fn arg(&self, key: &str) -> &'a Value {
        self.event.get("args").and_then(|args| args.get(key)).unwrap_or(&Value::Null)
    }

    /// An argument as text, empty where there is none.
    #[must_use]
    pub fn text(&self, key: &str) -> &'a str {
        self.arg(key).as_str().unwrap_or_default()
    }

    /// A key of the initial state, or one within it; `null` where there is none.
    #[must_use]
    pub fn setting(&self, key: &str, inner: &str) -> &'a Value {
        let value = self.state.get(key).unwrap_or(&Value::Null);
        if inner.is_empty() { value } else { &value[inner] }
    }

    /// The texts of a list among the arguments.
    pub fn texts(&self, key: &str) -> impl Iterator<Item = &'a str> {
        self.arg(key).as_array().into_iter().flatten().filter_map(Value::as_str)
    }

    /// The tokens that the event presents.
    #[must_use]
    pub fn refs(&self) -> Vec<&'a str> {
        let refs = self.event.get("token_refs").and_then(Value::as_array);
        refs.into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// What a query answered before the step, as text.
    #[must_use]
    pub fn was(&self, query: &str, id: &str) -> &'a str {
        self.before.get(query, id).as_str().unwrap_or_default()
    }

    /// The reference did it, the laboratory refused it with this code.
    #[must_use]
    pub fn refused_here(&self, code: &str) -> bool {
        *self.facet == Facet::Decision && self.here.blocked_reason_code.as_deref() == Some(code)
    }

    /// The laboratory did it, the reference refused it with this code.
    #[must_use]
    pub fn refused_there(&self, code: &str) -> bool {
        *self.facet == Facet::Decision && self.there.blocked_reason_code.as_deref() == Some(code)
    }

    /// Both refused it, with these codes.
    #[must_use]
    pub fn codes(&self, there: &str, here: &str) -> bool {
        *self.facet == Facet::Code && self.code_there() == there && self.code_here() == here
    }

    /// The laboratory refused it with this code, whatever the reference did.
    #[must_use]
    pub fn code_is(&self, code: &str) -> bool {
        matches!(self.facet, Facet::Decision | Facet::Code) && self.code_here() == code
    }

    /// The reference refused it with this code, whatever the laboratory did.
    #[must_use]
    pub fn there_code_is(&self, code: &str) -> bool {
        matches!(self.facet, Facet::Decision | Facet::Code) && self.code_there() == code
    }

    /// The code of the laboratory's refusal, empty when there is none.
    #[must_use]
    pub fn code_here(&self) -> &'a str {
        self.here.blocked_reason_code.as_deref().unwrap_or_default()
    }

    /// The code of the reference's refusal, empty when there is none.
    #[must_use]
    pub fn code_there(&self) -> &'a str {
        self.there.blocked_reason_code.as_deref().unwrap_or_default()
    }

    /// Whether both did it.
    #[must_use]
    pub fn both_accepted(&self) -> bool {
        self.there.status == StepStatus::Accepted && self.here.status == StepStatus::Accepted
    }

    /// The facet is about this invariant: what the reference says of it, and the laboratory.
    #[must_use]
    pub fn finding(&self) -> Option<(&'a str, Option<&'a Violation>, Option<&'a Violation>)> {
        let Facet::Finding(id) = self.facet else { return None };
        let find = |result: &'a StepResult| result.violations.iter().rfind(|item| item.invariant_id == *id);
        Some((id, find(self.there), find(self.here)))
    }

    /// The facet is an answer to this query: the id asked for, and both answers.
    #[must_use]
    pub fn answer(&self, query: &str) -> Option<(&'a str, &'a Value, &'a Value)> {
        let Facet::Answer { question, there, here } = self.facet else { return None };
        let rest = question.strip_prefix(query)?;
        let id = match rest.strip_prefix("('").and_then(|rest| rest.strip_suffix("')")) {
            Some(id) => id,
            None if rest.is_empty() => "",
            None => return None,
        };
        Some((id, there, here))
    }
}

/// One line: `violation`, `violation(CODE)`, `pass` or `-`.
pub(super) fn said(item: Option<&Violation>) -> String {
    match item {
        None => "-".to_owned(),
        Some(item) => {
            let word = if item.status == InvariantStatus::Violation { "violation" } else { "pass" };
            item.reason_code.as_ref().map_or_else(|| word.to_owned(), |code| format!("{word}({code})"))
        }
    }
}

impl fmt::Display for Case<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decided = |result: &StepResult| result.blocked_reason_code.clone().unwrap_or_else(|| "ACCEPTED".to_owned());
        write!(f, "{} ", self.action())?;
        match self.facet {
            Facet::Decision | Facet::Code => {
                write!(f, "there {}, here {}", decided(self.there), decided(self.here))
            }
            Facet::Emits => write!(f, "emits there {:?}, here {:?}", self.there.emits, self.here.emits),
            Facet::Tokens => {
                write!(f, "tokens there {:?}, here {:?}", self.there.token_consumed, self.here.token_consumed)
            }
            Facet::Finding(id) => {
                let (_, there, here) = self.finding().unwrap_or((id, None, None));
                write!(f, "({}) {id} there {}, here {}", decided(self.here), said(there), said(here))
            }
            Facet::Enforcements => {
                write!(f, "enforcements there {:?}, here {:?}", self.there.enforcements, self.here.enforcements)
            }
            Facet::Growth(there, here) => {
                write!(f, "({}) records there {there}, here {here}", decided(self.here))
            }
            Facet::Answer { question, there, here } => {
                write!(f, "({}) {question} there {there}, here {here}", decided(self.here))
            }
        }
    }
}
