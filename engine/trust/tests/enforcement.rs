//! Promises of enforcement, through its public interface.

use labtrust_kernel::{SimDuration, SimTime, Symbol, Symbols};
use labtrust_trust::TrustError;
use labtrust_trust::enforcement::{
    EnforcementKind, EnforcementMap, EnforcementPolicy, Enforcer, LiftKind, ViolationFacts,
};
use serde_json::{Value, json};
use std::sync::Arc;

struct Bench {
    enforcer: Enforcer,
    symbols: Symbols,
}

fn compile(rules: Value) -> Result<Bench, TrustError> {
    let policy: EnforcementPolicy = serde_json::from_value(json!({"rules": rules})).unwrap();
    let mut symbols = Symbols::default();
    let map = EnforcementMap::compile(&policy, &mut symbols)?;
    Ok(Bench { enforcer: Enforcer::new(Arc::new(map)), symbols })
}

/// The shape of the shipped map.
fn bench() -> Bench {
    compile(json!([
        {"rule_id": "ZONE", "match": {"invariant_id": "INV-ZONE-005", "severity": "high", "scope": "zone"},
         "action": {"type": "throttle_agent", "duration_s": 60},
         "escalation": [
            {"violation_count_min": 1, "action": {"type": "throttle_agent", "duration_s": 60}},
            {"violation_count_min": 2, "action": {"type": "freeze_zone", "zone_id": "Z_BIO"}}]},
        {"rule_id": "TOK", "match": {"severity": "critical", "scope": "system"},
         "action": {"type": "throttle_agent", "duration_s": 120},
         "escalation": [{"violation_count_min": 3, "action": {"type": "kill_switch", "target_type": "agent_id"}}]},
        {"rule_id": "AUDIT", "match": {"scope": "system"}, "action": {"type": "forensic_freeze"}},
    ]))
    .unwrap()
}

impl Bench {
    fn id(&mut self, text: &str) -> Symbol {
        self.symbols.intern(text)
    }

    fn violation(&mut self, invariant: &str, severity: &str, scope: &str) -> ViolationFacts {
        let (severity, scope) = (self.id(severity), self.id(scope));
        ViolationFacts { severity: Some(severity), scope: Some(scope), ..ViolationFacts::new(self.id(invariant)) }
    }

    /// Rules and emits of what is asked for, applied at `now`.
    fn enforce(&mut self, agent: &str, violation: ViolationFacts, now: SimTime) -> Vec<(String, &'static str)> {
        let agent = self.id(agent);
        let asked = self.enforcer.evaluate(agent, &[violation]);
        for enforcement in &asked {
            self.enforcer.apply(enforcement, now);
        }
        asked.iter().map(|e| (self.symbols.text(e.rule_id).to_owned(), e.emit())).collect()
    }
}

fn at(secs: u64) -> SimTime {
    SimTime::from_secs(secs)
}

#[test]
fn a_rule_matches_on_severity_and_scope_and_a_violation_without_them_does_not_match() {
    let mut b = bench();
    let breach = b.violation("INV-ZONE-005", "high", "zone");
    assert_eq!(b.enforce("A", breach, at(0)), [("ZONE".to_owned(), "THROTTLE_AGENT")]);
    let token = b.violation("INV-TOK-002", "critical", "system");
    assert_eq!(b.enforce("B", token, at(0)), [("TOK".to_owned(), "THROTTLE_AGENT")]);
    let bare = ViolationFacts::new(b.id("INV-ZONE-005"));
    assert!(b.enforce("A", bare, at(0)).is_empty());
    let mild = b.violation("INV-ZONE-005", "low", "zone");
    assert!(b.enforce("A", mild, at(0)).is_empty());
}

#[test]
fn a_repeated_violation_escalates_for_that_agent_only() {
    let mut b = bench();
    let (breach, zone) = (b.violation("INV-ZONE-005", "high", "zone"), b.id("Z_BIO"));
    b.enforce("A", breach, at(0));
    assert_eq!(b.enforce("B", breach, at(0)), [("ZONE".to_owned(), "THROTTLE_AGENT")]);
    assert!(!b.enforcer.is_zone_frozen(zone));
    assert_eq!(b.enforce("A", breach, at(0)), [("ZONE".to_owned(), "KILL_SWITCH_ZONE")]);
    assert!(b.enforcer.is_zone_frozen(zone));
}

#[test]
fn a_throttled_agent_is_blocked_until_the_throttle_has_passed() {
    let mut b = bench();
    let (breach, a, other) = (b.violation("INV-ZONE-005", "high", "zone"), b.id("A"), b.id("B"));
    b.enforce("A", breach, at(10));
    assert_eq!(b.enforcer.agent_block(a, at(69)), Some("RC_AGENT_THROTTLED"));
    assert_eq!(b.enforcer.throttled_until(a, at(69)), Some(at(70)));
    assert_eq!(b.enforcer.agent_block(a, at(70)), None);
    assert_eq!(b.enforcer.agent_block(other, at(20)), None);
}

#[test]
fn a_shorter_throttle_does_not_end_a_longer_one() {
    let mut b = bench();
    let a = b.id("A");
    b.enforcer.throttle(a, SimDuration::from_secs(100), at(0));
    b.enforcer.throttle(a, SimDuration::from_secs(1), at(10));
    assert_eq!(b.enforcer.agent_block(a, at(99)), Some("RC_AGENT_THROTTLED"));
}

#[test]
fn a_killed_agent_is_out_until_it_is_released_and_its_next_violation_counts_on() {
    let mut b = bench();
    let (token, a) = (b.violation("INV-TOK-002", "critical", "system"), b.id("A"));
    b.enforce("A", token, at(0));
    b.enforce("A", token, at(0));
    assert_eq!(b.enforce("A", token, at(0)), [("TOK".to_owned(), "KILL_SWITCH_AGENT")]);
    assert_eq!(b.enforcer.agent_block(a, SimTime::MAX), Some("RC_AGENT_KILLED"));
    b.enforcer.lift(LiftKind::Agent, a).unwrap();
    b.enforcer.lift(LiftKind::Throttle, a).unwrap();
    assert_eq!(b.enforcer.agent_block(a, at(0)), None);
    assert_eq!(b.enforce("A", token, at(0)), [("TOK".to_owned(), "KILL_SWITCH_AGENT")]);
}

#[test]
fn the_log_freezes_for_a_broken_chain_and_for_nothing_else() {
    let mut b = bench();
    let ordinary = b.violation("INV-X", "low", "system");
    assert!(b.enforce("A", ordinary, at(0)).is_empty());
    let broken = ViolationFacts { reason: Some("AUDIT_CHAIN_BROKEN"), ..ordinary };
    assert_eq!(b.enforce("A", broken, at(0)), [("AUDIT".to_owned(), "FORENSIC_FREEZE_LOG")]);
}

#[test]
fn lifting_what_is_not_enforced_is_refused_and_nothing_changes() {
    let mut b = bench();
    let (a, z) = (b.id("A"), b.id("Z"));
    b.enforcer.freeze_zone(z);
    for (kind, target) in [(LiftKind::Agent, a), (LiftKind::Throttle, a), (LiftKind::Device, z), (LiftKind::Zone, a)] {
        assert_eq!(b.enforcer.lift(kind, target).unwrap_err().code, "ENF_TARGET_UNKNOWN");
    }
    assert!(b.enforcer.is_zone_frozen(z));
    b.enforcer.lift(LiftKind::Zone, z).unwrap();
    assert!(!b.enforcer.is_zone_frozen(z));
}

#[test]
fn a_device_switch_acts_on_the_device_of_the_violation_and_is_not_triggered_without_one() {
    let mut b = compile(json!([
        {"rule_id": "DEV", "match": {}, "action": {"type": "kill_switch", "target_type": "device_id"}},
        {"rule_id": "ZON", "match": {}, "action": {"type": "freeze_zone"}},
    ]))
    .unwrap();
    let bare = ViolationFacts::new(b.id("INV"));
    assert!(b.enforce("A", bare, at(0)).is_empty());
    let (device, zone) = (b.id("DEV_1"), b.id("Z_1"));
    let at_device = ViolationFacts { device: Some(device), zone: Some(zone), ..bare };
    b.enforce("A", at_device, at(0));
    assert!(b.enforcer.is_device_killed(device) && b.enforcer.is_zone_frozen(zone));
    b.enforcer.lift(LiftKind::Device, device).unwrap();
    assert!(!b.enforcer.is_device_killed(device));
}

#[test]
fn a_report_has_the_published_fields() {
    let mut b = bench();
    let (breach, a) = (b.violation("INV-ZONE-005", "high", "zone"), b.id("A"));
    let breach = ViolationFacts { reason: Some("RC_DOOR_OPEN_TOO_LONG"), ..breach };
    let first = b.enforcer.evaluate(a, &[breach]);
    assert!(matches!(first[0].kind, EnforcementKind::ThrottleAgent { .. }));
    let second = b.enforcer.evaluate(a, &[breach]);
    let reports: Vec<Value> =
        first.iter().chain(&second).map(|e| serde_json::to_value(e.report(&b.symbols)).unwrap()).collect();
    assert_eq!(
        reports,
        [
            json!({"type": "throttle_agent", "reason_code": "RC_DOOR_OPEN_TOO_LONG", "rule_id": "ZONE",
                   "target": "A", "duration_s": 60}),
            json!({"type": "freeze_zone", "reason_code": "RC_DOOR_OPEN_TOO_LONG", "rule_id": "ZONE",
                   "zone_id": "Z_BIO"}),
        ]
    );
}

#[test]
fn a_rule_id_used_twice_and_an_unknown_target_are_errors_that_name_them() {
    let rule = json!({"rule_id": "R", "action": {"type": "kill_switch"}});
    assert_eq!(compile(json!([rule, rule])).err().unwrap().token(), "R");
    let wrong = json!([{"rule_id": "R", "action": {"type": "kill_switch", "target_type": "planet"}}]);
    assert_eq!(compile(wrong).err().unwrap().token(), "planet");
}
