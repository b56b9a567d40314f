//! Everything that all episodes of a run share: the policy read, checked and compiled once.

use crate::{
    invariants::{self, LabInvariants},
    names::Names,
    policy::{Contradiction, LabPolicy, PolicyData},
};
use labtrust_kernel::Symbols;
use labtrust_plugin::lab::ActionKind;
use labtrust_policy::{PolicyError, PolicyStore};
use labtrust_trust::{
    TrustError,
    enforcement::{EnforcementMap, EnforcementPolicy},
    gates::{Capabilities, CapabilityPolicy, Rbac, RbacPolicy},
    invariants::{InvariantPolicy, InvariantRegistry},
    keys::{KeyPolicy, KeyRegistry},
    reason::{ReasonCodeHandlers, ReasonCodePolicy, ReasonCodeRegistry},
    tokens::{DualApprovalPolicy, TokenPolicy, TokenTypes},
};
use std::sync::Arc;

const RBAC: &str = "rbac/rbac_policy.v0.1.yaml";
const CAPABILITIES: &str = "security/agent_capabilities.v0.1.yaml";
const KEYS: &str = "keys/key_registry.v0.1.yaml";
const TOKENS: &str = "tokens/token_registry.v0.1.yaml";
const DUAL: &str = "tokens/dual_approval_policy.v0.1.yaml";
const INVARIANTS: &str = "invariants/invariant_registry.v1.0.yaml";
const ENFORCEMENT: &str = "enforcement/enforcement_map.v0.1.yaml";
const REASONS: &str = "reason_codes/reason_code_registry.v0.1.yaml";

/// The policy of a run.
pub(crate) struct Shared {
    /// Ids of the policy; every episode starts from a copy.
    pub symbols: Symbols,
    pub names: Names,
    pub data: PolicyData,
    pub policy: Arc<LabPolicy>,
    pub rbac_policy: RbacPolicy,
    pub rbac: Rbac,
    pub capabilities: Capabilities,
    pub keys: KeyRegistry,
    pub token_types: TokenTypes,
    pub enforcement: Arc<EnforcementMap>,
    pub invariants: Arc<InvariantRegistry<LabInvariants>>,
    pub reasons: ReasonCodeRegistry,
    pub handlers: ReasonCodeHandlers,
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
        Ok(Self {
            symbols,
            names,
            data,
            policy: Arc::new(policy),
            rbac_policy,
            rbac,
            capabilities,
            keys,
            token_types,
            enforcement: Arc::new(enforcement),
            invariants: Arc::new(registry),
            reasons,
            handlers,
        })
    }
}
