//! Tokens: minted or given, used once, revoked.

use super::event::broken;
use super::value::{at, integer, items, text};
use labtrust_contract::Violation;
use labtrust_plugin::lab::LabError;
use serde_json::{Map, Value};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Active,
    Consumed,
    Revoked,
    /// Any other state of an initial token; it counts as usable.
    Other,
}

#[derive(Debug)]
struct Token {
    id: String,
    state: State,
    expires_at_ts_s: i64,
}

/// The tokens, in the order in which they came.
#[derive(Debug)]
pub(super) struct Tokens {
    tokens: Vec<Token>,
    types: Map<String, Value>,
}

const REQUIRED: [&str; 6] =
    ["token_id", "token_type", "subject_type", "subject_id", "issued_at_ts_s", "expires_at_ts_s"];

impl Tokens {
    /// # Errors
    /// [`LabError::InitialState`] when an initial token lacks a field.
    pub(super) fn new(initial: &Value, types: Map<String, Value>) -> Result<Self, LabError> {
        let mut store = Self { tokens: Vec::new(), types };
        for (index, entry) in items(initial).iter().enumerate() {
            let wrong = |what: &str| LabError::InitialState(format!("tokens[{index}] {what}"));
            let entry = entry.as_object().ok_or_else(|| wrong("is not a map"))?;
            if let Some(missing) = REQUIRED.iter().find(|key| !entry.contains_key(**key)) {
                return Err(wrong(&format!("has no {missing}")));
            }
            let state = match entry.get("state").map(text).as_deref() {
                None | Some("ACTIVE") => State::Active,
                Some("CONSUMED") => State::Consumed,
                Some("REVOKED") => State::Revoked,
                Some(_) => State::Other,
            };
            let expires_at_ts_s = integer(at(entry, "expires_at_ts_s"))
                .ok_or_else(|| wrong("has an expires_at_ts_s that is no whole number"))?;
            let token = Token { id: text(at(entry, "token_id")), state, expires_at_ts_s };
            match store.tokens.iter_mut().find(|known| known.id == token.id) {
                Some(known) => *known = token,
                None => store.tokens.push(token),
            }
        }
        Ok(store)
    }

    fn get(&self, id: &str) -> Option<&Token> {
        self.tokens.iter().find(|token| token.id == id)
    }

    /// What is wrong with a token at `t_s` [s]: the invariant that its use breaks.
    pub(super) fn problem(&self, id: &str, t_s: i64) -> Option<&'static str> {
        match self.get(id) {
            Some(token) if token.state == State::Revoked => Some("INV-TOK-006"),
            Some(token) if token.state != State::Consumed && t_s <= token.expires_at_ts_s => None,
            _ => Some("INV-TOK-002"),
        }
    }

    /// What is wrong with a list of tokens, in its order.
    pub(super) fn problems(&self, ids: &[String], t_s: i64) -> Vec<Violation> {
        ids.iter().filter_map(|id| self.problem(id, t_s)).map(broken).collect()
    }

    pub(super) fn is_revoked(&self, id: &str) -> bool {
        self.get(id).is_some_and(|token| token.state == State::Revoked)
    }

    /// Ids of active tokens, whether expired or not.
    pub(super) fn active(&self) -> Vec<&str> {
        let active = self.tokens.iter().filter(|token| token.state == State::Active);
        active.map(|token| token.id.as_str()).collect()
    }

    pub(super) fn consume(&mut self, ids: &[String]) {
        for id in ids {
            self.set(id, State::Consumed);
        }
    }

    pub(super) fn revoke(&mut self, id: &str) {
        self.set(id, State::Revoked);
    }

    fn set(&mut self, id: &str, state: State) {
        if let Some(token) = self.tokens.iter_mut().find(|token| token.id == id) {
            token.state = state;
        }
    }

    /// Mints a token; `false` when its id exists.
    pub(super) fn mint(&mut self, token_type: &str, subject_id: &str, t_s: i64) -> bool {
        let id = if token_type.contains("OVERRIDE") {
            format!("T_OVR_{subject_id}")
        } else {
            format!("T_{token_type}_{subject_id}")
        };
        if self.get(&id).is_some() {
            return false;
        }
        let ttl_s = self.types.get(token_type).and_then(|kind| integer(&kind["ttl_s"])).unwrap_or(3_600);
        self.tokens.push(Token { id, state: State::Active, expires_at_ts_s: t_s.saturating_add(ttl_s) });
        true
    }

    /// Types that need two approvals need two agents with two keys; nobody asks who they are.
    pub(super) fn approved(&self, token_type: &str, approvals: &[Value]) -> bool {
        let needs_two =
            self.types.get(token_type).and_then(|kind| integer(&kind["approvals_required"])).is_some_and(|n| n == 2);
        if !needs_two {
            return true;
        }
        let [first, second, ..] = approvals else { return false };
        first["approver_agent_id"] != second["approver_agent_id"]
            && first["approver_key_id"] != second["approver_key_id"]
    }
}

/// The code of a refusal because of these tokens.
pub(super) fn code_of(problems: &[Violation]) -> &'static str {
    let any = |id: &str| problems.iter().any(|problem| problem.invariant_id == id);
    if any("INV-TOK-006") {
        // A revoked token reads as a broken chain there.
        "AUDIT_CHAIN_BROKEN"
    } else if any("INV-TOK-002") {
        "INV-TOK-002"
    } else {
        "RBAC_RESTRICTED_ENTRY_DENY"
    }
}
