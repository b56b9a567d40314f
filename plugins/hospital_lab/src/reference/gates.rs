//! The gates before any action: role, capability, signature, runtime control.

use super::episode::Episode;
use super::event::{Accepted, Blocked, Event, Reply};
use super::keys::{is_signed, known_code};
use super::value::{at, given, items, leaves_out, not_null, numeric, truthy};
use labtrust_contract::{CapabilityDecision, ControlDecision, RbacDecision, SignatureVerification, StepResult};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Actions that strict mode wants signed.
const MUTATING: [&str; 30] = [
    "TICK",
    "MOVE",
    "MINT_TOKEN",
    "REVOKE_TOKEN",
    "OPEN_DOOR",
    "CENTRIFUGE_START",
    "CENTRIFUGE_END",
    "QUEUE_RUN",
    "CREATE_ACCESSION",
    "CHECK_ACCEPTANCE_RULES",
    "ACCEPT_SPECIMEN",
    "HOLD_SPECIMEN",
    "REJECT_SPECIMEN",
    "ALIQUOT_CREATE",
    "START_RUN",
    "START_RUN_OVERRIDE",
    "QC_EVENT",
    "END_RUN",
    "GENERATE_RESULT",
    "RELEASE_RESULT",
    "HOLD_RESULT",
    "RERUN_REQUEST",
    "RELEASE_RESULT_OVERRIDE",
    "NOTIFY_CRITICAL_RESULT",
    "ACK_CRITICAL_RESULT",
    "ESCALATE_CRITICAL_RESULT",
    "DISPATCH_TRANSPORT",
    "TRANSPORT_TICK",
    "RECEIVE_TRANSPORT",
    "CHAIN_OF_CUSTODY_SIGN",
];

/// Roles and who has which.
#[derive(Debug)]
pub(super) struct Rbac {
    roles: Map<String, Value>,
    agents: BTreeMap<String, String>,
    constraints: Map<String, Value>,
}

impl Rbac {
    pub(super) fn new(policy: &Map<String, Value>) -> Self {
        let map = |key: &str| at(policy, key).as_object().cloned().unwrap_or_default();
        let agents = map("agents").into_iter().filter_map(|(agent, role)| Some((agent, given(&role)?)));
        Self { roles: map("roles"), agents: agents.collect(), constraints: map("action_constraints") }
    }

    pub(super) fn role_of(&self, agent: &str) -> Option<&str> {
        self.agents.get(agent).map(String::as_str)
    }

    pub(super) fn role(&self, role: &str) -> Option<&Map<String, Value>> {
        self.roles.get(role).and_then(Value::as_object)
    }

    /// Lays a roster over the live one.
    pub(super) fn update(&mut self, roster: &Map<String, Value>) {
        self.agents.extend(roster.iter().map(|(agent, role)| (agent.clone(), super::value::text(role))));
    }

    /// Whether the agent's role may do this there. An agent without a role may do everything.
    pub(super) fn check(&self, agent: &str, action: &str, zone: Option<&str>, device: Option<&str>) -> RbacDecision {
        let role_id = self.role_of(agent);
        let refusal = role_id.and_then(|id| self.refusal(id, self.role(id)?, action, zone, device));
        RbacDecision {
            allowed: refusal.is_none(),
            reason_code: refusal.map(str::to_owned),
            role_id: role_id.map(str::to_owned),
        }
    }

    fn refusal(
        &self,
        id: &str,
        role: &Map<String, Value>,
        action: &str,
        zone: Option<&str>,
        device: Option<&str>,
    ) -> Option<&'static str> {
        let constrained = given(at(&self.constraints, action)).is_some_and(|required| required != id);
        if leaves_out(at(role, "allowed_actions"), action) || constrained {
            Some("RBAC_ACTION_DENY")
        } else if zone.is_some_and(|zone| leaves_out(at(role, "allowed_zones"), zone)) {
            Some("RBAC_ZONE_DENY")
        } else if device.is_some_and(|device| leaves_out(at(role, "allowed_devices"), device)) {
            Some("RBAC_DEVICE_DENY")
        } else {
            None
        }
    }
}

/// The code of a role refusal as a constant.
fn rbac_code(decision: &RbacDecision) -> &'static str {
    match decision.reason_code.as_deref() {
        Some("RBAC_ZONE_DENY") => "RBAC_ZONE_DENY",
        Some("RBAC_DEVICE_DENY") => "RBAC_DEVICE_DENY",
        _ => "RBAC_ACTION_DENY",
    }
}

/// Capability profiles and what agents have used of them.
#[derive(Debug)]
pub(super) struct Capabilities {
    profiles: Map<String, Value>,
    override_actions: Vec<Value>,
    /// Accepted and finalised actions, and overrides among them, by agent [count].
    used: BTreeMap<String, (u64, u64)>,
}

impl Capabilities {
    pub(super) fn new(policy: &Map<String, Value>) -> Self {
        Self {
            profiles: at(policy, "profiles").as_object().cloned().unwrap_or_default(),
            override_actions: items(at(policy, "override_action_types")).to_vec(),
            used: BTreeMap::new(),
        }
    }

    fn is_override(&self, action: &str) -> bool {
        self.override_actions.iter().any(|known| known.as_str() == Some(action))
    }

    /// Counts an accepted and finalised action.
    pub(super) fn count(&mut self, agent: &str, action: &str) {
        let overrides = u64::from(self.is_override(action));
        let used = self.used.entry(agent.to_owned()).or_default();
        *used = (used.0 + 1, used.1 + overrides);
    }

    fn refusal(&self, event: &Event<'_>, rbac: &Rbac) -> Option<&'static str> {
        let role = rbac.role_of(&event.agent);
        let by_role = || self.profiles.get(role?);
        let profile = self.profiles.get(&event.agent).or_else(by_role)?.as_object()?;
        let (actions, overrides) = self.used.get(&event.agent).copied().unwrap_or_default();
        let own = at(profile, "allowed_actions");
        let of_role = role.and_then(|role| rbac.role(role)).map_or(&Value::Null, |role| at(role, "allowed_actions"));
        let list = if items(own).is_empty() { of_role } else { own };
        #[expect(clippy::cast_precision_loss, reason = "actions of an episode are far below 2^53")]
        let reaches = |used: u64, key: &str| numeric(at(profile, key)).is_some_and(|limit| used as f64 >= limit);
        if !items(list).is_empty() && leaves_out(list, &event.action) {
            return Some("AGENT_CAPABILITY_DENY");
        }
        if reaches(actions, "max_action_rate") {
            return Some("AGENT_RATE_LIMIT");
        }
        if self.is_override(&event.action) && reaches(overrides, "max_override_tokens") {
            return Some("AGENT_OVERRIDE_BUDGET_EXCEEDED");
        }
        let high_risk = items(at(profile, "high_risk_actions")).iter().any(|a| a.as_str() == Some(&event.action));
        let blank = |key: &str| given(event.field(key)).is_none_or(|text| text.trim().is_empty());
        (high_risk && (blank("reason_code") || blank("rationale"))).then_some("AGENT_CAPABILITY_DENY")
    }
}

impl Episode {
    /// The role gate.
    pub(super) fn check_role(&self, event: &Event<'_>, base: &mut StepResult) -> Result<(), Blocked> {
        let device = not_null(event.arg("device_id"));
        let zone = self.zones.agent_zone(&event.agent);
        let decision = self.rbac.check(&event.agent, &event.action, zone, device.as_deref());
        let code = rbac_code(&decision);
        let allowed = decision.allowed;
        base.rbac_decision = Some(decision);
        if allowed { Ok(()) } else { Err(Blocked::unrecorded(code)) }
    }

    /// The capability gate.
    pub(super) fn check_capability(&self, event: &Event<'_>, base: &mut StepResult) -> Result<(), Blocked> {
        let Some(code) = self.capabilities.refusal(event, &self.rbac) else { return Ok(()) };
        let (action_count, override_count) = self.capabilities.used.get(&event.agent).copied().unwrap_or_default();
        let reason_code = Some(code.to_owned());
        base.capability_decision =
            Some(CapabilityDecision { allowed: false, reason_code, action_count, override_count });
        Err(Blocked { emits: Some(vec!["AGENT_SCOPE_VIOLATION".to_owned()]), ..Blocked::unrecorded(code) })
    }

    /// The signature gate. What was found is remembered for the report of this step, or of a later one.
    pub(super) fn check_signature(
        &self,
        event: &Event<'_>,
        base: &mut StepResult,
        remembered: &mut Option<SignatureVerification>,
    ) -> Result<(), Blocked> {
        let found = is_signed(event).then(|| self.keys.verify(event, &self.chain.values().last_event_hash));
        remembered.clone_from(&found);
        if !self.strict || !MUTATING.contains(&event.action.as_str()) {
            return Ok(());
        }
        let found = found.unwrap_or_else(|| SignatureVerification {
            passed: false,
            reason_code: Some("SIG_MISSING".to_owned()),
            key_id: None,
            key_role_id: None,
        });
        let role = self.rbac.role_of(&event.agent);
        let code = match (&found.reason_code, role, &found.key_role_id) {
            (Some(code), _, _) => known_code(code),
            (None, Some(role), Some(key_role)) if role != key_role => "SIG_ROLE_MISMATCH",
            _ => return Ok(()),
        };
        base.signature_verification = Some(found);
        Err(Blocked::unrecorded(code))
    }

    /// Runtime control: the whole way of `UPDATE_ROSTER` and `INJECT_SPECIMEN`.
    pub(super) fn control(&mut self, event: &Event<'_>, base: &mut StepResult) -> Reply {
        let mut decision =
            ControlDecision { allowed: false, reason_code: None, role_id: None, signature_passed: false };
        let refusal = self.judge_control(event, base, &mut decision);
        decision.allowed = refusal.is_none();
        decision.reason_code = refusal.map(str::to_owned);
        base.control_decision = Some(decision);
        if let Some(code) = refusal {
            return Err(Blocked::unrecorded(code));
        }
        match event.arg("roster").as_object() {
            Some(roster) if event.action == "UPDATE_ROSTER" => self.rbac.update(roster),
            _ => {}
        }
        if event.action == "INJECT_SPECIMEN" && !self.specimens.inject(event.args) {
            return Err(Blocked::unrecorded("RC_INJECT_SPECIMEN_DUPLICATE"));
        }
        Ok(Accepted { never_freezes: true, ..Accepted::emitting([&event.action]) })
    }

    fn judge_control(
        &self,
        event: &Event<'_>,
        base: &mut StepResult,
        decision: &mut ControlDecision,
    ) -> Option<&'static str> {
        if event.agent != "SYSTEM" {
            return Some("RBAC_ACTION_DENY");
        }
        let role = self.rbac.check(&event.agent, &event.action, None, None);
        decision.role_id.clone_from(&role.role_id);
        if !role.allowed {
            return Some(rbac_code(&role));
        }
        let (found, refusal) = self.keys.verify_control(event, &self.chain.values().last_event_hash);
        decision.signature_passed = found.passed;
        if refusal.is_some() {
            base.signature_verification = Some(found);
        }
        refusal
    }
}

/// Whether a value that switches something on does so.
pub(super) fn is_on(initial: &Map<String, Value>, key: &str) -> bool {
    truthy(at(initial, key))
}
