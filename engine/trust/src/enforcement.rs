//! Enforcement: what happens to an agent, device or zone when an invariant was broken.
//!
//! Rules match on the invariant and on the severity and scope of its registry entry; a violation without the field
//! that a rule asks for does not match. What a rule asks for is done: a throttled agent waits, a killed one is out
//! until it is released, a frozen zone is frozen. Each has a way back ([`Enforcer::lift`]), which runtime control uses
//! under signature.

mod policy;
mod state;

pub use policy::{
    EnforcementActionKind, EnforcementActionPolicy, EnforcementMap, EnforcementMatch, EnforcementPolicy,
    EnforcementRule, EnforcementTier,
};
pub use state::{Enforcer, LiftKind, LiftRefusal};

use crate::reason::codes;
use labtrust_kernel::{SimDuration, Symbol, Symbols};

/// A broken invariant, as far as enforcement looks at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ViolationFacts {
    /// Which invariant.
    pub invariant: Symbol,
    /// Severity of its registry entry.
    pub severity: Option<Symbol>,
    /// Scope of its registry entry.
    pub scope: Option<Symbol>,
    /// Reason code of the violation.
    pub reason: Option<&'static str>,
    /// The device concerned: what a kill switch on devices acts on.
    pub device: Option<Symbol>,
    /// The zone concerned: what a zone freeze without a zone of its own acts on.
    pub zone: Option<Symbol>,
}

impl ViolationFacts {
    /// A violation of `invariant` of which nothing else is known.
    #[must_use]
    pub const fn new(invariant: Symbol) -> Self {
        Self { invariant, severity: None, scope: None, reason: None, device: None, zone: None }
    }

    /// Whether the audit chain itself is what broke.
    #[must_use]
    pub fn is_chain_failure(&self) -> bool {
        self.reason == Some(codes::AUDIT_CHAIN_BROKEN)
    }
}

/// What an enforcement does, and to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnforcementKind {
    /// The agent's mutating actions are refused for a while.
    ThrottleAgent {
        /// Whom.
        agent: Symbol,
        /// How long.
        duration: SimDuration,
    },
    /// The agent is out until it is released.
    KillAgent {
        /// Whom.
        agent: Symbol,
    },
    /// The device is out until it is released.
    KillDevice {
        /// Which.
        device: Symbol,
    },
    /// Nobody acts in the zone until it is released.
    FreezeZone {
        /// Which.
        zone: Symbol,
    },
    /// The log takes no step until the chain is released.
    ForensicFreeze,
}

/// One enforcement that a violation triggered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Enforcement {
    /// The rule that asked for it.
    pub rule_id: Symbol,
    /// What is done.
    pub kind: EnforcementKind,
    /// Reason code of the violation.
    pub reason: Option<&'static str>,
}

impl Enforcement {
    /// What the step emits.
    #[must_use]
    pub const fn emit(&self) -> &'static str {
        match self.kind {
            EnforcementKind::ThrottleAgent { .. } => "THROTTLE_AGENT",
            EnforcementKind::KillAgent { .. } => "KILL_SWITCH_AGENT",
            EnforcementKind::KillDevice { .. } => "KILL_SWITCH_DEVICE",
            EnforcementKind::FreezeZone { .. } => "KILL_SWITCH_ZONE",
            EnforcementKind::ForensicFreeze => "FORENSIC_FREEZE_LOG",
        }
    }

    /// The step's report.
    #[must_use]
    pub fn report(&self, symbols: &Symbols) -> labtrust_contract::EnforcementItem {
        let (kind, target, target_type) = match self.kind {
            EnforcementKind::ThrottleAgent { agent, .. } => ("throttle_agent", Some(agent), None),
            EnforcementKind::KillAgent { agent } => ("kill_switch", Some(agent), Some("agent_id")),
            EnforcementKind::KillDevice { device } => ("kill_switch", Some(device), Some("device_id")),
            EnforcementKind::FreezeZone { .. } => ("freeze_zone", None, None),
            EnforcementKind::ForensicFreeze => ("forensic_freeze", None, None),
        };
        let text = |symbol: Symbol| symbols.text(symbol).to_owned();
        labtrust_contract::EnforcementItem {
            kind: kind.to_owned(),
            reason_code: self.reason.map(str::to_owned),
            rule_id: text(self.rule_id),
            target: target.map(text),
            target_type: target_type.map(str::to_owned),
            duration_s: match self.kind {
                EnforcementKind::ThrottleAgent { duration, .. } => i64::try_from(duration.as_secs_ceil()).ok(),
                _ => None,
            },
            zone_id: match self.kind {
                EnforcementKind::FreezeZone { zone } => Some(text(zone)),
                _ => None,
            },
        }
    }
}
