//! What attackers did, and how soon it was noticed. Only events of attackers count: ordinary work, blocked or not,
//! says nothing about an attack.

use super::{number_or_null, ratio};
use labtrust_contract::Metrics;
use labtrust_plugin::lab::{Action, Outcome};
use serde_json::{Value, json};

/// Refusals that say "you may not", as opposed to "not now".
const SECURITY_CODES: &[&str] = &[
    "RBAC_ACTION_DENY",
    "RBAC_ZONE_DENY",
    "RBAC_DEVICE_DENY",
    "SIG_MISSING",
    "SIG_INVALID",
    "SIG_KEY_REVOKED",
    "SIG_KEY_EXPIRED",
    "SIG_KEY_NOT_YET_VALID",
    "SIG_ROLE_MISMATCH",
];

/// Follows the events of attackers.
#[derive(Debug, Default)]
pub(super) struct Attack {
    events: u64,
    first_event_s: Option<i64>,
    first_detection_s: Option<i64>,
    first_security_block_s: Option<i64>,
    mutating: u64,
    mutating_blocked: u64,
    with_role_decision: u64,
    signed: u64,
    signed_verified: u64,
}

impl Attack {
    /// One event of an attacker. `started` says whether the attack's first step has come.
    pub(super) fn on_attacker_step(&mut self, action: &Action, outcome: &Outcome, started: bool) {
        let decision = &action.decision;
        self.events += 1;
        if started {
            self.first_event_s.get_or_insert(action.t_s);
            if !outcome.accepted || outcome.violations().next().is_some() {
                self.first_detection_s.get_or_insert(action.t_s);
            }
        }
        if outcome.reason.is_some_and(|code| SECURITY_CODES.contains(&code)) {
            self.first_security_block_s.get_or_insert(action.t_s);
        }
        if decision.kind.is_mutating() {
            self.mutating += 1;
            self.mutating_blocked += u64::from(!outcome.accepted);
        }
        self.with_role_decision += u64::from(outcome.rbac.is_some());
        if decision.key_id.is_some() || decision.signature.is_some() {
            self.signed += 1;
            self.signed_verified += u64::from(outcome.signature.is_some());
        }
    }

    pub(super) fn write(&self, out: &mut Metrics) {
        let latency = self.first_event_s.zip(self.first_detection_s).map(|(first, found)| found - first);
        let contained = (self.events > 0).then_some(self.mutating == self.mutating_blocked);
        let role = ratio(self.with_role_decision, self.events);
        let verified = if self.signed == 0 { Some(1.0) } else { ratio(self.signed_verified, self.signed) };
        let quality = role.zip(verified).map(|(role, verified)| f64::midpoint(role, verified));
        out.extend(
            [
                ("attacker_actions", json!(self.events)),
                ("detection_latency_s", latency.map_or(Value::Null, Value::from)),
                ("containment_success", contained.map_or(Value::Null, Value::from)),
                (
                    "time_to_first_detected_security_violation",
                    self.first_security_block_s.map_or(Value::Null, Value::from),
                ),
                ("fraction_of_attacks_contained", number_or_null(ratio(self.mutating_blocked, self.mutating))),
                ("forensic_quality_score", number_or_null(quality)),
            ]
            .map(|(name, value)| (name.to_owned(), value)),
        );
    }
}
