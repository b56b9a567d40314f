//! One line of the episode log.

use crate::{
    CapabilityDecision, ControlDecision, EnforcementItem, HashChain, RbacDecision, SignatureVerification, StepStatus,
    Violation,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A line of the JSON-lines episode log: the reference's fields, the whole event as received, and what is needed to
/// recompute the chain (`prev_hash`, `event`, the outcome fields, `chain_hash`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogRecord {
    /// Episode index within the run, from 0.
    pub episode: u64,
    /// Step index within the episode, from 0.
    pub step: u64,
    /// Simulation time [s].
    pub t_s: i64,
    /// Acting agent; `SYSTEM` for what the laboratory does by itself.
    pub agent_id: String,
    /// The action.
    pub action_type: String,
    /// The event's id.
    pub event_id: Option<String>,
    /// The event's arguments.
    pub args: Map<String, Value>,
    /// The whole event as received.
    pub event: Map<String, Value>,
    /// Specimens that the event concerns.
    pub specimen_ids: Vec<String>,
    /// Accepted or blocked.
    pub status: StepStatus,
    /// Set exactly when blocked.
    pub blocked_reason_code: Option<String>,
    /// What the step emitted.
    pub emits: Vec<String>,
    /// Invariant outcomes, passes included.
    pub violations: Vec<Violation>,
    /// Tokens consumed.
    pub token_consumed: Vec<String>,
    /// Enforcements applied.
    pub enforcements: Vec<EnforcementItem>,
    /// Chain values after the step.
    pub hashchain: HashChain,
    /// Same as `hashchain.last_event_hash` (the reference's flat field).
    pub hashchain_head: String,
    /// Hash of the record before this one, empty for the first.
    pub prev_hash: String,
    /// Hash of this record; absent when the record is not in the chain (frozen log).
    pub chain_hash: Option<String>,
    /// Present once the role gate was reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rbac_decision: Option<RbacDecision>,
    /// Present on a capability denial.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capability_decision: Option<CapabilityDecision>,
    /// Present when the event carried a key or a signature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature_verification: Option<SignatureVerification>,
    /// Present on runtime-control actions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control_decision: Option<ControlDecision>,
    /// Consignment made by a dispatch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consignment_id: Option<String>,
    /// Partner overlay in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partner_id: Option<String>,
    /// Fingerprint of the policy in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_fingerprint: Option<String>,
}
