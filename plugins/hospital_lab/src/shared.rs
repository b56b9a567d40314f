//! Everything that all episodes of a run share: the policy read, checked and compiled once.

use crate::{
    invariants::{self, LabInvariants},
    names::Names,
    policy::{Contradiction, LabPolicy, PolicyData},
};
use labtrust_kernel::Symbols;
use labtrust_plugin::lab::{ActionKind, LabError};
use labtrust_policy::{PolicyError, PolicyStore};
use labtrust_trust::{
    TrustError,
    enforcement::{EnforcementMap, EnforcementPolicy},
    gates::{Capabilities, CapabilityPolicy, Rbac, RbacPolicy},
    invariants::{InvariantPolicy, InvariantRegistry},
    keys::{KeyEntry, KeyPolicy, KeyRegistry},
    reason::{ReasonCodeHandlers, ReasonCodePolicy, ReasonCodeRegistry},
    tokens::{DualApprovalPolicy, TokenPolicy, TokenTypes},
};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::sync::Arc;

const RBAC: &str = "rbac/rbac_policy.v0.1.yaml";
const CAPABILITIES: &str = "security/agent_capabilities.v0.1.yaml";
const KEYS: &str = "keys/key_registry.v0.1.yaml";
const TOKENS: &str = "tokens/token_registry.v0.1.yaml";
const DUAL: &str = "tokens/dual_approval_policy.v0.1.yaml";
const INVARIANTS: &str = "invariants/invariant_registry.v1.0.yaml";
const ENFORCEMENT: &str = "enforcement/enforcement_map.v0.1.yaml";
const REASONS: &str = "reason_codes/reason_code_registry.v0.1.yaml";

/// Who may do what, whose keys are good, and what happens to who breaks rules. A clone shares it.
#[derive(Clone)]
pub(crate) struct Trust {
    /// What `rbac` was compiled from, as the base of a roster.
    rbac_policy: Arc<RbacPolicy>,
    pub rbac: Rbac,
    pub capabilities: Capabilities,
    pub keys: KeyRegistry,
    pub enforcement: Arc<EnforcementMap>,
}

impl Trust {
    /// The same with what an initial state lays over it: sections of its effective policy, a roster, keys.
    pub(crate) fn under(&self, state: &Map<String, Value>, symbols: &mut Symbols) -> Result<Self, LabError> {
        let mut trust = self.clone();
        let wrong = |message: String| LabError::Roster { message };
        let section = |key: &str| {
            let value = state.get("effective_policy")?.get(key).filter(|value| !value.is_null())?;
            Some(value.get(key).unwrap_or(value).clone())
        };
        if let Some(value) = section("key_registry") {
            let policy: KeyPolicy = serde_json::from_value(value).map_err(|e| wrong(format!("key_registry: {e}")))?;
            trust.keys = KeyRegistry::compile(&policy, symbols);
        }
        let table = ActionKind::table();
        if let Some(value) = section("agent_capabilities") {
            let policy: CapabilityPolicy =
                serde_json::from_value(value).map_err(|e| wrong(format!("agent_capabilities: {e}")))?;
            trust.capabilities = Capabilities::compile(&policy, &table, symbols).map_err(|e| wrong(e.to_string()))?;
        }
        if let Some(value) = section("enforcement_map") {
            let policy: EnforcementPolicy =
                serde_json::from_value(value).map_err(|e| wrong(format!("enforcement_map: {e}")))?;
            let map = EnforcementMap::compile(&policy, symbols).map_err(|e| wrong(e.to_string()))?;
            trust.enforcement = Arc::new(map);
        }
        let rbac = section("rbac_policy");
        let roster = state.get("roster").filter(|roster| !roster.is_null());
        if rbac.is_some() || roster.is_some() {
            let mut policy = match rbac {
                Some(rbac) => serde_json::from_value(rbac).map_err(|e| wrong(format!("rbac_policy: {e}")))?,
                None => RbacPolicy::clone(&trust.rbac_policy),
            };
            if let Some(roster) = roster {
                let over = RbacPolicy::deserialize(roster).map_err(|e| wrong(format!("roster: {e}")))?;
                policy.overlay(&over);
            }
            trust.rbac = Rbac::compile(&policy, &table, symbols).map_err(|e| wrong(e.to_string()))?;
            trust.rbac_policy = Arc::new(policy);
        }
        if let Some(keys) = state.get("keys").filter(|keys| !keys.is_null()) {
            let entries = Vec::<KeyEntry>::deserialize(keys).map_err(|e| wrong(format!("keys: {e}")))?;
            trust.keys.overlay(&entries, symbols);
        }
        Ok(trust)
    }
}

/// What no initial state can change.
pub(crate) struct Fixed {
    pub token_types: TokenTypes,
    pub invariants: Arc<InvariantRegistry<LabInvariants>>,
    pub reasons: ReasonCodeRegistry,
    pub handlers: ReasonCodeHandlers,
}

/// The policy of a run.
pub(crate) struct Shared {
    /// Ids of the policy; every episode starts from them.
    pub symbols: Arc<Symbols>,
    pub names: Names,
    pub data: Arc<PolicyData>,
    pub policy: Arc<LabPolicy>,
    pub trust: Trust,
    pub fixed: Arc<Fixed>,
}

impl Shared {
    /// Reads and checks everything.
    pub(crate) fn load(store: &PolicyStore) -> Result<Self, PolicyError> {
        let mut symbols = Symbols::default();
        let names = Names::new(&mut symbols);
        let table = ActionKind::table();
        let wrong = |path: &'static str| {
            move |e: TrustError| PolicyError::rule(store, path, e.token(), e.to_string(), e.hint())
        };
        let data = PolicyData::read(store)?;
        let policy = LabPolicy::compile(&data, &mut symbols).map_err(|c| {
            let Contradiction { path, token, message, hint } = c;
            PolicyError::rule(store, path, &token, message, hint)
        })?;
        let rbac_policy: RbacPolicy = store.section(RBAC, Some("rbac_policy"))?;
        let rbac = Rbac::compile(&rbac_policy, &table, &mut symbols).map_err(wrong(RBAC))?;
        let capabilities: CapabilityPolicy = store.section_or_builtin(CAPABILITIES, Some("agent_capabilities"))?;
        let capabilities = Capabilities::compile(&capabilities, &table, &mut symbols).map_err(wrong(CAPABILITIES))?;
        let keys: KeyPolicy = store.section(KEYS, Some("key_registry"))?;
        let keys = KeyRegistry::compile(&keys, &mut symbols);
        let tokens: TokenPolicy = store.section(TOKENS, Some("token_registry"))?;
        let dual: DualApprovalPolicy = store.section_or_builtin(DUAL, Some("dual_approval_policy"))?;
        // Only an approval rule can be wrong here: one for a type that is not registered.
        let token_types = TokenTypes::compile(&tokens, Some(&dual), &table, &mut symbols).map_err(wrong(DUAL))?;
        let enforcement: EnforcementPolicy = store.section(ENFORCEMENT, None)?;
        let enforcement = EnforcementMap::compile(&enforcement, &mut symbols).map_err(wrong(ENFORCEMENT))?;
        let registry: InvariantPolicy = store.section(INVARIANTS, None)?;
        let registry = InvariantRegistry::compile(&registry, invariants::handlers(), &table, &mut symbols)
            .map_err(wrong(INVARIANTS))?;
        let reasons: ReasonCodePolicy = store.section_or_builtin(REASONS, Some("reason_code_registry"))?;
        let mut reasons = ReasonCodeRegistry::compile(&reasons).map_err(wrong(REASONS))?;
        reasons.merge_missing(&ReasonCodePolicy::builtin());
        let handlers = ReasonCodeHandlers::linked().map_err(wrong(REASONS))?;
        let invariants = Arc::new(registry);
        Ok(Self {
            symbols: Arc::new(symbols),
            names,
            data: Arc::new(data),
            policy: Arc::new(policy),
            trust: Trust {
                rbac_policy: Arc::new(rbac_policy),
                rbac,
                capabilities,
                keys,
                enforcement: Arc::new(enforcement),
            },
            fixed: Arc::new(Fixed { token_types, invariants, reasons, handlers }),
        })
    }

    /// The same with what an initial state says of floor, devices, roster and keys, compiled once for all episodes that
    /// share it.
    pub(crate) fn under(&self, state: &Map<String, Value>) -> Result<Self, LabError> {
        let mut symbols = Symbols::clone(&self.symbols);
        let policy = self.policy_under(state, &mut symbols)?;
        let data = self.data.with_overrides(state).map_err(LabError::InitialState)?;
        let trust = self.trust.under(state, &mut symbols)?;
        Ok(Self {
            symbols: Arc::new(symbols),
            names: self.names,
            data: data.map_or_else(|| Arc::clone(&self.data), Arc::new),
            policy,
            trust,
            fixed: Arc::clone(&self.fixed),
        })
    }

    /// The policy with the sections that an initial state brings itself.
    pub(crate) fn policy_under(
        &self,
        state: &Map<String, Value>,
        symbols: &mut Symbols,
    ) -> Result<Arc<LabPolicy>, LabError> {
        match self.data.with_overrides(state).map_err(LabError::InitialState)? {
            None => Ok(Arc::clone(&self.policy)),
            Some(data) => {
                let compiled = LabPolicy::compile(&data, symbols);
                Ok(Arc::new(compiled.map_err(|c| LabError::InitialState(format!("{}; {}", c.message, c.hint)))?))
            }
        }
    }
}
