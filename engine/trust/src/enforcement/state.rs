//! What enforcement has done in this episode, and how it is undone.

use super::policy::{Action, EnforcementMap};
use super::{Enforcement, EnforcementKind, ViolationFacts};
use crate::SymbolSet;
use crate::reason::codes;
use labtrust_kernel::{SimDuration, SimTime, Symbol, SymbolMap, remembered};
use smallvec::SmallVec;
use std::sync::Arc;

/// What to lift.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LiftKind {
    /// A throttled agent.
    Throttle,
    /// A killed agent.
    Agent,
    /// A killed device.
    Device,
    /// A frozen zone.
    Zone,
}

impl LiftKind {
    /// The kind by its name in events: `throttle`, `agent`, `device`, `zone`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "throttle" => Self::Throttle,
            "agent" => Self::Agent,
            "device" => Self::Device,
            "zone" => Self::Zone,
            _ => return None,
        })
    }
}

/// There is nothing of that kind to lift from that target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiftRefusal {
    /// The reason code.
    pub code: &'static str,
}

/// Enforcement in one episode.
#[derive(Clone, Debug, Default)]
pub struct Enforcer {
    map: Arc<EnforcementMap>,
    /// Violations of each agent, by rule [count].
    counts: Vec<SymbolMap<u64>>,
    throttled_until: SymbolMap<SimTime>,
    killed_agents: SymbolSet,
    killed_devices: SymbolSet,
    frozen_zones: SymbolSet,
}

remembered!(Enforcer { counts, throttled_until, killed_agents, killed_devices, frozen_zones } forgotten { map: "policy" });

impl Enforcer {
    /// Nothing enforced yet, under these rules.
    #[must_use]
    pub fn new(map: Arc<EnforcementMap>) -> Self {
        Self { counts: vec![SymbolMap::default(); map.len()], map, ..Self::default() }
    }

    /// What the rules ask for after `violations` of `agent`: rules in order, violations in order. Counts them; does
    /// nothing else ([`Enforcer::apply`] does).
    pub fn evaluate(&mut self, agent: Symbol, violations: &[ViolationFacts]) -> SmallVec<[Enforcement; 2]> {
        let mut asked = SmallVec::new();
        for (rule, counts) in self.map.rules.iter().zip(&mut self.counts) {
            for violation in violations {
                let matches = |wanted: Option<Symbol>, is: Option<Symbol>| wanted.is_none() || wanted == is;
                if !(matches(rule.invariant, Some(violation.invariant))
                    && matches(rule.severity, violation.severity)
                    && matches(rule.scope, violation.scope))
                {
                    continue;
                }
                let count = counts.get(agent).copied().unwrap_or(0) + 1;
                let Some(kind) = rule.action_at(count).map(|action| target(action, agent, violation)) else {
                    counts.insert(agent, count);
                    continue;
                };
                // A rule that cannot act on this violation has not been triggered by it.
                let Some(kind) = kind else { continue };
                counts.insert(agent, count);
                asked.push(Enforcement { rule_id: rule.id, kind, reason: violation.reason });
            }
        }
        asked
    }

    /// Does what an enforcement says, at `now`. A forensic freeze is the chain's to do.
    pub fn apply(&mut self, enforcement: &Enforcement, now: SimTime) {
        match enforcement.kind {
            EnforcementKind::ThrottleAgent { agent, duration } => self.throttle(agent, duration, now),
            EnforcementKind::KillAgent { agent } => self.kill_agent(agent),
            EnforcementKind::KillDevice { device } => self.kill_device(device),
            EnforcementKind::FreezeZone { zone } => self.freeze_zone(zone),
            EnforcementKind::ForensicFreeze => {}
        }
    }

    /// Makes `agent` wait until `duration` after `now`, or longer if it has to anyway.
    pub fn throttle(&mut self, agent: Symbol, duration: SimDuration, now: SimTime) {
        let until = now.saturating_add(duration);
        let earlier = self.throttled_until.get(agent).copied().unwrap_or(SimTime::ZERO);
        self.throttled_until.insert(agent, until.max(earlier));
    }

    /// Puts `agent` out.
    pub fn kill_agent(&mut self, agent: Symbol) {
        self.killed_agents.insert(agent);
    }

    /// Puts `device` out.
    pub fn kill_device(&mut self, device: Symbol) {
        self.killed_devices.insert(device);
    }

    /// Freezes `zone`.
    pub fn freeze_zone(&mut self, zone: Symbol) {
        self.frozen_zones.insert(zone);
    }

    /// Why `agent` may do nothing mutating at `now`; `None` when it may. A throttle ends at its last moment.
    #[must_use]
    pub fn agent_block(&self, agent: Symbol, now: SimTime) -> Option<&'static str> {
        if self.killed_agents.contains(agent) {
            return Some(codes::RC_AGENT_KILLED);
        }
        self.throttled_until.get(agent).filter(|until| now < **until).map(|_| codes::RC_AGENT_THROTTLED)
    }

    /// When a throttle of `agent` ends; `None` when it has none at `now`.
    #[must_use]
    pub fn throttled_until(&self, agent: Symbol, now: SimTime) -> Option<SimTime> {
        self.throttled_until.get(agent).copied().filter(|until| now < *until)
    }

    /// Whether `agent` is out.
    #[must_use]
    pub fn is_agent_killed(&self, agent: Symbol) -> bool {
        self.killed_agents.contains(agent)
    }

    /// Whether `device` is out.
    #[must_use]
    pub fn is_device_killed(&self, device: Symbol) -> bool {
        self.killed_devices.contains(device)
    }

    /// Whether `zone` is frozen.
    #[must_use]
    pub fn is_zone_frozen(&self, zone: Symbol) -> bool {
        self.frozen_zones.contains(zone)
    }

    /// Whether there is something of that kind to lift from that target.
    #[must_use]
    pub fn can_lift(&self, kind: LiftKind, target: Symbol) -> bool {
        match kind {
            LiftKind::Throttle => self.throttled_until.contains(target),
            LiftKind::Agent => self.killed_agents.contains(target),
            LiftKind::Device => self.killed_devices.contains(target),
            LiftKind::Zone => self.frozen_zones.contains(target),
        }
    }

    /// Takes an enforcement back. Counts stay: the next violation goes on where the last one was.
    ///
    /// # Errors
    /// `ENF_TARGET_UNKNOWN` when there is nothing of that kind to lift. Nothing changes.
    pub fn lift(&mut self, kind: LiftKind, target: Symbol) -> Result<(), LiftRefusal> {
        let was = match kind {
            LiftKind::Throttle => self.throttled_until.remove(target).is_some(),
            LiftKind::Agent => self.killed_agents.remove(target),
            LiftKind::Device => self.killed_devices.remove(target),
            LiftKind::Zone => self.frozen_zones.remove(target),
        };
        if was { Ok(()) } else { Err(LiftRefusal { code: codes::ENF_TARGET_UNKNOWN }) }
    }
}

/// What `action` means for this violation; `None` when it has nothing to act on.
fn target(action: Action, agent: Symbol, violation: &ViolationFacts) -> Option<EnforcementKind> {
    match action {
        Action::Throttle(duration) => Some(EnforcementKind::ThrottleAgent { agent, duration }),
        Action::KillAgent => Some(EnforcementKind::KillAgent { agent }),
        Action::KillDevice => violation.device.map(|device| EnforcementKind::KillDevice { device }),
        Action::Freeze(zone) => zone.or(violation.zone).map(|zone| EnforcementKind::FreezeZone { zone }),
        Action::ForensicFreeze => violation.is_chain_failure().then_some(EnforcementKind::ForensicFreeze),
    }
}
