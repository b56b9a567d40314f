//! The enforcement map: rules, compiled.

use crate::TrustError;
use labtrust_kernel::{SimDuration, Symbol, Symbols};
use serde::{Deserialize, Serialize};

/// What a rule matches; absent fields match anything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EnforcementMatch {
    /// This invariant.
    pub invariant_id: Option<String>,
    /// Invariants of this severity.
    pub severity: Option<String>,
    /// Invariants of this scope.
    pub scope: Option<String>,
}

/// What a rule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EnforcementActionKind {
    /// Make the agent wait.
    ThrottleAgent,
    /// Put an agent or a device out.
    KillSwitch,
    /// Freeze a zone.
    FreezeZone,
    /// Freeze the log.
    ForensicFreeze,
}

/// What a rule does, with its figures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnforcementActionPolicy {
    /// What.
    #[serde(rename = "type")]
    pub kind: EnforcementActionKind,
    /// How long a throttle lasts [s]; absent means 60.
    #[serde(default)]
    pub duration_s: Option<u64>,
    /// What a kill switch acts on: `agent_id` (also when absent), `device_id` or `zone_id`.
    #[serde(default)]
    pub target_type: Option<String>,
    /// The zone to freeze; absent means the zone of the violation.
    #[serde(default)]
    pub zone_id: Option<String>,
}

/// What a rule does from the n-th violation on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnforcementTier {
    /// From this violation of the agent under the rule on [count].
    pub violation_count_min: u64,
    /// What is done then.
    #[serde(default)]
    pub action: Option<EnforcementActionPolicy>,
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnforcementRule {
    /// Names the rule.
    pub rule_id: String,
    /// What it matches.
    #[serde(rename = "match", default)]
    pub matches: EnforcementMatch,
    /// What it does.
    #[serde(default)]
    pub action: Option<EnforcementActionPolicy>,
    /// What it does to repeaters.
    #[serde(default)]
    pub escalation: Vec<EnforcementTier>,
}

/// `policy/enforcement/enforcement_map.v0.1.yaml`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnforcementPolicy {
    /// Version of the map.
    #[serde(default)]
    pub version: String,
    /// Names the map.
    #[serde(default)]
    pub enforcement_map_id: String,
    /// The rules, in order.
    #[serde(default)]
    pub rules: Vec<EnforcementRule>,
}

/// A compiled action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Throttle(SimDuration),
    KillAgent,
    KillDevice,
    Freeze(Option<Symbol>),
    ForensicFreeze,
}

#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) id: Symbol,
    pub(super) invariant: Option<Symbol>,
    pub(super) severity: Option<Symbol>,
    pub(super) scope: Option<Symbol>,
    action: Option<Action>,
    tiers: Vec<(u64, Option<Action>)>,
}

impl Rule {
    /// What is done at the `count`-th violation: the highest tier reached, the later one of equal tiers, or else the
    /// rule's own action.
    pub(super) fn action_at(&self, count: u64) -> Option<Action> {
        let reached = self.tiers.iter().filter(|(from, _)| *from <= count);
        reached.max_by_key(|(from, _)| *from).map_or(self.action, |(_, action)| *action)
    }
}

/// The compiled rules.
#[derive(Clone, Debug, Default)]
pub struct EnforcementMap {
    pub(super) rules: Vec<Rule>,
}

impl EnforcementMap {
    /// Compiles `policy`.
    ///
    /// # Errors
    /// A rule id used twice; a kill switch on a kind of target that there is none of.
    pub fn compile(policy: &EnforcementPolicy, symbols: &mut Symbols) -> Result<Self, TrustError> {
        let mut rules: Vec<Rule> = Vec::with_capacity(policy.rules.len());
        for rule in &policy.rules {
            let id = symbols.intern(&rule.rule_id);
            if rules.iter().any(|earlier| earlier.id == id) {
                return Err(TrustError::Duplicate {
                    what: "enforcement rule",
                    name: rule.rule_id.clone(),
                    place: "the enforcement map".to_owned(),
                    hint: "give every rule an id of its own".to_owned(),
                });
            }
            let mut compile = |action: &Option<EnforcementActionPolicy>| {
                action.as_ref().map(|action| compile_action(action, &rule.rule_id, symbols)).transpose()
            };
            let action = compile(&rule.action)?;
            let tiers = rule
                .escalation
                .iter()
                .map(|tier| Ok((tier.violation_count_min, compile(&tier.action)?)))
                .collect::<Result<_, TrustError>>()?;
            let mut intern = |text: &Option<String>| text.as_deref().map(|text| symbols.intern(text));
            rules.push(Rule {
                id,
                invariant: intern(&rule.matches.invariant_id),
                severity: intern(&rule.matches.severity),
                scope: intern(&rule.matches.scope),
                action,
                tiers,
            });
        }
        Ok(Self { rules })
    }

    /// How many rules there are [count].
    #[must_use]
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether there are no rules.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }
}

fn compile_action(
    action: &EnforcementActionPolicy,
    rule_id: &str,
    symbols: &mut Symbols,
) -> Result<Action, TrustError> {
    let zone = action.zone_id.as_deref().filter(|zone| !zone.is_empty()).map(|zone| symbols.intern(zone));
    Ok(match (action.kind, action.target_type.as_deref()) {
        (EnforcementActionKind::ThrottleAgent, _) => {
            Action::Throttle(SimDuration::from_secs(action.duration_s.unwrap_or(60)))
        }
        (EnforcementActionKind::KillSwitch, None | Some("agent_id")) => Action::KillAgent,
        (EnforcementActionKind::KillSwitch, Some("device_id")) => Action::KillDevice,
        (EnforcementActionKind::KillSwitch, Some("zone_id")) | (EnforcementActionKind::FreezeZone, _) => {
            Action::Freeze(zone)
        }
        (EnforcementActionKind::ForensicFreeze, _) => Action::ForensicFreeze,
        (EnforcementActionKind::KillSwitch, Some(other)) => {
            return Err(TrustError::Value {
                value: other.to_owned(),
                expected: "what a kill switch can act on (agent_id, device_id or zone_id)",
                place: format!("target_type of {rule_id}"),
                hint: "leave it out for the acting agent".to_owned(),
            });
        }
    })
}
