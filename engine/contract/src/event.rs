//! One event as a scenario, a log or an agent states it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// An event in its written form. What is hashed is the whole map as it was received, unknown keys included; this
/// struct is the convenient view of it, and [`Event::extra`] keeps the keys it has no name for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Identifies the event within its episode; enters the chain and the signing payload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_id: Option<String>,
    /// Simulation time [s] since the episode began.
    #[serde(default)]
    pub t_s: i64,
    /// The acting agent.
    #[serde(default)]
    pub agent_id: String,
    /// The action, compared exactly.
    #[serde(default)]
    pub action_type: String,
    /// Arguments of the action; `null` counts as empty.
    #[serde(default)]
    pub args: Map<String, Value>,
    /// Why the agent acts, where the action wants a reason.
    #[serde(default)]
    pub reason_code: Option<String>,
    /// Tokens presented with the action.
    #[serde(default)]
    pub token_refs: Vec<String>,
    /// Key that made `signature`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
    /// Ed25519 signature, standard base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
    /// Tool the agent wants to use with this action.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_id: Option<String>,
    /// Free text; high-risk actions need one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rationale: Option<String>,
    /// Keys this struct has no name for, kept because they are hashed.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}
