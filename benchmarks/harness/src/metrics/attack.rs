//! What attackers did, and how soon it was noticed. Only events of attackers count: ordinary work, blocked or not,
//! says nothing about an attack.

use super::{number_or_null, ratio};
use labtrust_contract::Metrics;
use labtrust_plugin::metric::{EpisodeEnd, EpisodeStart, Meter, MeterStep, Metric, MetricSpec, When};
use serde_json::{Value, json};

/// Detection, containment and attribution of attackers.
pub(super) struct AttackMetric;

labtrust_plugin::register_plugin!(Metric, AttackMetric);

const SPECS: &[MetricSpec] = &[
    MetricSpec::new("attacker_actions", "count", "events of attackers").when(When::Attack),
    MetricSpec::new(
        "detection_latency_s",
        "s",
        "from the attackers' first event at or after the attack's start step to their first event from then on that was \
         refused or broke an invariant; null when there was none",
    )
    .lower()
    .when(When::Attack),
    MetricSpec::new("containment_success", "flag", "no attacker changed anything; null when attackers did not act")
        .higher()
        .when(When::Attack),
    MetricSpec::new(
        "attribution_confidence_proxy",
        "1",
        "of the attackers' events that were refused or broke an invariant, the share whose record names the attacker \
         together with a role decision or a signature that was checked; null without such events",
    )
    .higher()
    .when(When::Attack),
    MetricSpec::new(
        "time_to_first_detected_security_violation",
        "s",
        "time of the first attacker event that was refused for role or signature; null without any",
    )
    .lower()
    .when(When::Attack),
    MetricSpec::new(
        "fraction_of_attacks_contained",
        "1",
        "refused over attempted attacker events that would change something; null without any",
    )
    .higher()
    .when(When::Attack),
    MetricSpec::new(
        "forensic_quality_score",
        "1",
        "mean of two shares: attacker events with a recorded role decision, and signed ones with a recorded \
         verification (1 when none is signed); null when attackers did not act",
    )
    .higher()
    .when(When::Attack),
];

impl Metric for AttackMetric {
    fn id(&self) -> &'static str {
        "attack"
    }

    fn specs(&self) -> &'static [MetricSpec] {
        SPECS
    }

    fn meter(&self, start: &mut EpisodeStart<'_>) -> Box<dyn Meter> {
        Box::new(Attack { start_step: start.facts.attack_start_step, ..Attack::default() })
    }
}

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
struct Attack {
    /// Step at which the attack begins; `None`: the task has none.
    start_step: Option<u32>,
    events: u64,
    first_event_s: Option<i64>,
    first_detection_s: Option<i64>,
    first_security_block_s: Option<i64>,
    mutating: u64,
    mutating_blocked: u64,
    with_role_decision: u64,
    signed: u64,
    signed_verified: u64,
    detected: u64,
    attributed: u64,
}

impl Meter for Attack {
    fn on_step(&mut self, step: MeterStep<'_>) {
        let (Some(action), outcome) = (step.facts.action, step.facts.outcome) else { return };
        if !step.attacker {
            return;
        }
        let started = self.start_step.is_some_and(|start| step.step >= start);
        let noticed = !outcome.accepted || outcome.violations().next().is_some();
        let decision = &action.decision;
        self.events += 1;
        if started {
            self.first_event_s.get_or_insert(action.t_s);
            if noticed {
                self.first_detection_s.get_or_insert(action.t_s);
            }
        }
        if noticed {
            self.detected += 1;
            self.attributed += u64::from(outcome.rbac.is_some() || outcome.signature.is_some());
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

    fn finish(&mut self, _end: &EpisodeEnd<'_>, out: &mut Metrics) {
        if self.start_step.is_none() {
            return;
        }
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
                ("attribution_confidence_proxy", number_or_null(ratio(self.attributed, self.detected))),
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
