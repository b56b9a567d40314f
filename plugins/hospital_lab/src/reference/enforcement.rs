//! Enforcement as the reference has it: it is reported and recorded, and nobody is stopped by it.

use super::value::{given, integer, items};
use labtrust_contract::{EnforcementItem, InvariantStatus, Violation};
use serde_json::Value;
use std::collections::BTreeMap;

/// The rules and how often each agent ran into each.
#[derive(Debug)]
pub(super) struct Enforcement {
    rules: Vec<Value>,
    /// By agent and rule [count].
    counts: BTreeMap<(String, String), i64>,
}

impl Enforcement {
    pub(super) fn new(rules: Vec<Value>) -> Self {
        Self { rules, counts: BTreeMap::new() }
    }

    /// What the violations of a step of `agent` trigger: every rule, every violation. Severity and scope of a rule would
    /// be compared with those of the violation, which has none, so they never keep a rule from matching.
    pub(super) fn apply(&mut self, agent: &str, violations: &[Violation]) -> Vec<EnforcementItem> {
        let mut triggered = Vec::new();
        for rule in &self.rules {
            let rule_id = given(&rule["rule_id"]).unwrap_or_default();
            let wanted = given(&rule["match"]["invariant_id"]);
            for violation in violations.iter().filter(|found| found.status == InvariantStatus::Violation) {
                if wanted.as_ref().is_some_and(|wanted| *wanted != violation.invariant_id) {
                    continue;
                }
                let count = self.counts.entry((agent.to_owned(), rule_id.clone())).or_default();
                *count += 1;
                if let Some(action) = action_of(rule, *count) {
                    triggered.extend(item(action, agent, &rule_id, violation.reason_code.clone()));
                }
            }
        }
        triggered
    }
}

/// The highest tier that the count reaches, the later of equal ones, else the action of the rule.
fn action_of(rule: &Value, count: i64) -> Option<&Value> {
    let least = |tier: &&Value| integer(&tier["violation_count_min"]).unwrap_or(0);
    let reached = items(&rule["escalation"]).iter().filter(|tier| least(tier) <= count).max_by_key(least);
    let action = reached.map(|tier| &tier["action"]).filter(|action| action.is_object());
    action.or_else(|| Some(&rule["action"]).filter(|action| action.is_object()))
}

fn item(action: &Value, agent: &str, rule_id: &str, reason_code: Option<String>) -> Option<EnforcementItem> {
    let kind = given(&action["type"])?;
    let mut item = EnforcementItem {
        reason_code,
        rule_id: rule_id.to_owned(),
        target: None,
        target_type: None,
        duration_s: None,
        zone_id: None,
        kind,
    };
    match item.kind.as_str() {
        "throttle_agent" => {
            item.target = Some(agent.to_owned());
            item.duration_s = Some(integer(&action["duration_s"]).unwrap_or(60));
        }
        "kill_switch" => {
            item.target_type = Some(given(&action["target_type"]).unwrap_or_else(|| "agent_id".to_owned()));
            item.target = Some(agent.to_owned());
        }
        "freeze_zone" => item.zone_id = Some(given(&action["zone_id"]).unwrap_or_default()),
        _ => {}
    }
    Some(item)
}
