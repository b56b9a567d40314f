//! What one step answered.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Whether the action happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum StepStatus {
    /// The action happened and is in the chain.
    Accepted,
    /// The action did not happen; `blocked_reason_code` says why.
    Blocked,
}

/// Outcome of one invariant check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum InvariantStatus {
    /// The invariant held.
    Pass,
    /// The invariant was broken.
    Violation,
}

/// One invariant outcome of a step. Passes are reported too: count by `status`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Violation {
    /// Which invariant.
    pub invariant_id: String,
    /// Held or broken.
    pub status: InvariantStatus,
    /// Reason code of a violation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason_code: Option<String>,
    /// Severity of the registry entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    /// Scope of the registry entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// What was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Value>,
    /// A sentence for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// Chain values after the step.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HashChain {
    /// Hash of the episode's first record, empty before it (the reference's name for it).
    pub head_hash: String,
    /// Hash of the newest record.
    pub last_event_hash: String,
    /// Records in the chain [count].
    pub length: u64,
}

/// What the role gate decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RbacDecision {
    /// Whether the role may do this.
    pub allowed: bool,
    /// Denial code.
    pub reason_code: Option<String>,
    /// The agent's role.
    pub role_id: Option<String>,
}

/// What the capability gate decided; present only on a denial.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CapabilityDecision {
    /// Always `false` where present.
    pub allowed: bool,
    /// Denial code.
    pub reason_code: Option<String>,
    /// Accepted actions of the agent so far [count].
    pub action_count: u64,
    /// Accepted override actions of the agent so far [count].
    pub override_count: u64,
}

/// What signature verification found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignatureVerification {
    /// Whether the signature is good.
    pub passed: bool,
    /// What is wrong with it.
    pub reason_code: Option<String>,
    /// The key named by the event.
    pub key_id: Option<String>,
    /// Role the key speaks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_role_id: Option<String>,
}

/// What the runtime-control gate decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlDecision {
    /// Whether the control action is allowed.
    pub allowed: bool,
    /// Denial code.
    pub reason_code: Option<String>,
    /// Role of the controlling agent.
    pub role_id: Option<String>,
    /// Whether the signature was good.
    pub signature_passed: bool,
}

/// One enforcement that a violation triggered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnforcementItem {
    /// `throttle_agent`, `kill_switch`, `freeze_zone` or `forensic_freeze`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Reason code of the violation.
    pub reason_code: Option<String>,
    /// Rule of the enforcement map.
    pub rule_id: String,
    /// Agent, device or result that it acts on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// What kind of thing `target` is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_type: Option<String>,
    /// How long it lasts [s].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_s: Option<i64>,
    /// Frozen zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone_id: Option<String>,
}

/// The full answer to one event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepResult {
    /// Accepted or blocked.
    pub status: StepStatus,
    /// What the step emitted, in order.
    pub emits: Vec<String>,
    /// Invariant outcomes, passes included.
    pub violations: Vec<Violation>,
    /// Set exactly when blocked.
    pub blocked_reason_code: Option<String>,
    /// Tokens consumed by this step.
    pub token_consumed: Vec<String>,
    /// Chain values after the step.
    pub hashchain: HashChain,
    /// Enforcements applied by this step.
    pub enforcements: Vec<EnforcementItem>,
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
    /// The tool gate admitted a tool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_call: Option<bool>,
    /// The tool does not fit the current state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_selection_error: Option<bool>,
}
