//! What follows an action of the eight kinds that are finalised: counters, invariants, enforcement, the signature.

use super::episode::Episode;
use super::event::Event;
use labtrust_contract::{EnforcementItem, InvariantStatus, SignatureVerification, StepResult, StepStatus, Violation};
use serde_json::{Map, Value, json};

impl Episode {
    /// Completes an answer.
    pub(super) fn finalise(
        &mut self,
        event: &Event<'_>,
        mut result: StepResult,
        remembered: Option<&SignatureVerification>,
    ) -> StepResult {
        if std::mem::take(&mut self.scale_config_pending) {
            result.emits.push("COORD_SCALE_CONFIG".to_owned());
        }
        if result.status != StepStatus::Accepted {
            return result;
        }
        if !event.agent.is_empty() {
            self.capabilities.count(&event.agent, &event.action);
        }
        if let Some(registry) = self.invariants.clone() {
            result.violations = merge(result.violations, self.evaluate_invariants(event, &registry));
        }
        if let Some(enforcement) = &mut self.enforcement {
            result.enforcements = enforcement.apply(&event.agent, &result.violations);
        }
        // The answer keeps the chain values from before these records.
        for (index, item) in result.enforcements.iter().enumerate() {
            let record = enforcement_record(event, index, item);
            let id = record.get("event_id").and_then(Value::as_str).map(str::to_owned);
            self.chain.append(&record, id.as_deref());
        }
        if let Some(remembered) = remembered {
            result.signature_verification = Some(remembered.clone());
        }
        result
    }
}

/// One item an invariant: those of the handler, then those of the registry, whose pass never hides a violation.
fn merge(own: Vec<Violation>, registry: Vec<Violation>) -> Vec<Violation> {
    let mut merged: Vec<Violation> = Vec::new();
    for item in own {
        match merged.iter_mut().find(|known| known.invariant_id == item.invariant_id) {
            Some(known) => *known = item,
            None => merged.push(item),
        }
    }
    for item in registry {
        match merged.iter_mut().find(|known| known.invariant_id == item.invariant_id) {
            Some(known) if known.status == InvariantStatus::Violation && item.status == InvariantStatus::Pass => {}
            Some(known) => *known = item,
            None => merged.push(item),
        }
    }
    merged
}

fn enforcement_record(event: &Event<'_>, index: usize, item: &EnforcementItem) -> Map<String, Value> {
    let step = event.id.as_deref().filter(|id| !id.is_empty()).unwrap_or("step");
    Map::from_iter(
        [
            ("event_id", json!(format!("{step}_enf_{index}"))),
            ("event_type", json!("ENFORCEMENT")),
            ("rule_id", json!(item.rule_id)),
            ("action_type", json!(item.kind)),
            ("target", json!(item.target)),
            ("duration_s", json!(item.duration_s)),
            ("reason_code", json!(item.reason_code)),
            ("zone_id", json!(item.zone_id)),
        ]
        .map(|(key, value)| (key.to_owned(), value)),
    )
}
