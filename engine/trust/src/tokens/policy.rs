//! Token types: what each may be used for, for how long, and who must approve it.

use crate::TrustError;
use crate::action::{ActionSet, ActionTable};
use crate::error::nearest_hint;
use crate::{SymbolSet, gates::Rbac};
use labtrust_kernel::{Symbol, SymbolMap, Symbols};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use smallvec::SmallVec;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a type of token covers. Empty lists do not restrict.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TokenScope {
    /// Actions it can be presented with; an empty list covers none.
    pub allowed_actions: Vec<String>,
    /// Doors it opens.
    pub allowed_doors: Vec<String>,
    /// Zones it lets into.
    pub allowed_zones: Vec<String>,
    /// Reasons it can be used for.
    pub allowed_reason_codes: Vec<String>,
    /// Reasons it can never be used for.
    pub denylist_reason_codes: Vec<String>,
}

/// Which differences between approvers are required.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SeparationOfDuties {
    /// Different agents.
    pub distinct_agent_ids: bool,
    /// Different signing keys.
    pub distinct_signing_keys: bool,
}

impl Default for SeparationOfDuties {
    fn default() -> Self {
        Self { distinct_agent_ids: true, distinct_signing_keys: true }
    }
}

fn default_ttl_s() -> i64 {
    3600
}

fn default_approvals() -> u32 {
    1
}

fn default_true() -> bool {
    true
}

/// One token type of the registry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenTypePolicy {
    /// What it is for.
    #[serde(default)]
    pub purpose: String,
    /// Kinds of subject it can be issued for; empty means any.
    #[serde(default)]
    pub subject_type: Vec<String>,
    /// What it covers.
    #[serde(default)]
    pub scope: TokenScope,
    /// How long it lives [s].
    #[serde(default = "default_ttl_s")]
    pub ttl_s: i64,
    /// Approvals needed [count].
    #[serde(default = "default_approvals")]
    pub approvals_required: u32,
    /// Roles that may approve; empty means any role.
    #[serde(default)]
    pub approver_roles: Vec<String>,
    /// How approvers must differ, where more than one is needed.
    #[serde(default)]
    pub separation_of_duties: SeparationOfDuties,
    /// Only its subject may present it. Agent tokens always are.
    #[serde(default)]
    pub non_delegable: bool,
    /// Whether it can be taken back.
    #[serde(default = "default_true")]
    pub revocable: bool,
    /// Whether it needs a reason when it is minted.
    #[serde(default)]
    pub reason_code_required: bool,
    /// Further reasons it can be used for.
    #[serde(default)]
    pub reason_codes_allowed: Vec<String>,
    /// Whether minting needs a structured risk record.
    #[serde(default)]
    pub requires_structured_risk_record: bool,
    /// Whether its use is reviewed afterwards.
    #[serde(default)]
    pub requires_posthoc_review: bool,
    /// Constraints that the domain checks.
    #[serde(default)]
    pub constraints: Map<String, Value>,
}

impl Default for TokenTypePolicy {
    fn default() -> Self {
        serde_json::from_value(Value::Object(Map::new())).expect("every field has a default")
    }
}

/// The body of `token_registry` in `policy/tokens/token_registry.v0.1.yaml`. Its parts on file formats and
/// cryptography document the registry and are not read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TokenPolicy {
    /// Version of the registry.
    #[serde(default)]
    pub version: String,
    /// Types by name.
    #[serde(default)]
    pub token_types: BTreeMap<String, TokenTypePolicy>,
}

/// One rule of the dual-approval policy. Requirements in prose are documentation; the types named need two approvals.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DualApprovalRule {
    /// Names the rule.
    pub id: String,
    /// Token types that need two approvals.
    #[serde(default)]
    pub applies_to_token_types: Vec<String>,
}

/// The body of `dual_approval_policy` in `policy/tokens/dual_approval_policy.v0.1.yaml`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DualApprovalPolicy {
    /// The rules.
    #[serde(default)]
    pub rules: Vec<DualApprovalRule>,
}

/// A token type's place in its [`TokenTypes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenTypeId(pub u16);

impl TokenTypeId {
    /// Position in tables indexed by token type.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A compiled token type.
#[derive(Clone, Debug)]
pub(super) struct TokenType {
    pub(super) name: Symbol,
    pub(super) is_override: bool,
    pub(super) actions: ActionSet,
    pub(super) doors: SymbolSet,
    pub(super) zones: SymbolSet,
    pub(super) reasons: SymbolSet,
    pub(super) denied_reasons: SymbolSet,
    pub(super) subject_types: SymbolSet,
    pub(super) ttl_s: i64,
    pub(super) approvals_required: usize,
    pub(super) approver_roles: SmallVec<[Symbol; 2]>,
    pub(super) separation: SeparationOfDuties,
    pub(super) revocable: bool,
    pub(super) reason_required: bool,
    pub(super) constraints: Map<String, Value>,
}

#[derive(Debug, Default)]
struct Tables {
    types: Vec<TokenType>,
    by_name: SymbolMap<TokenTypeId>,
    unknown_actions: Vec<(String, String)>,
}

/// All token types of a policy. A clone shares them.
#[derive(Clone, Debug, Default)]
pub struct TokenTypes(Arc<Tables>);

impl TokenTypes {
    /// Compiles the registry, with the types that `dual` names raised to two approvals.
    ///
    /// # Errors
    /// `dual` naming a type that is not registered; a type asking for more approvals than it can tell apart.
    pub fn compile(
        policy: &TokenPolicy,
        dual: Option<&DualApprovalPolicy>,
        actions: &ActionTable,
        symbols: &mut Symbols,
    ) -> Result<Self, TrustError> {
        let mut tables = Tables::default();
        for (id, (name, token_type)) in (0..).zip(&policy.token_types) {
            let compiled = compile_type(name, token_type, actions, symbols, &mut tables.unknown_actions);
            tables.by_name.insert(compiled.name, TokenTypeId(id));
            tables.types.push(compiled);
        }
        for rule in dual.iter().flat_map(|dual| &dual.rules) {
            for name in &rule.applies_to_token_types {
                let id = symbols.get(name).and_then(|name| tables.by_name.get(name).copied());
                let Some(id) = id else {
                    return Err(TrustError::Undefined {
                        what: "token type",
                        name: name.clone(),
                        place: format!("dual-approval rule {}", rule.id),
                        hint: nearest_hint(name, policy.token_types.keys().map(String::as_str)),
                    });
                };
                let required = &mut tables.types[id.index()].approvals_required;
                *required = (*required).max(2);
            }
        }
        Ok(Self(Arc::new(tables)))
    }

    /// The type called `name`.
    #[must_use]
    pub fn id(&self, name: Symbol) -> Option<TokenTypeId> {
        self.0.by_name.get(name).copied()
    }

    /// Name of a type.
    ///
    /// # Panics
    /// When `id` is of other types.
    #[must_use]
    pub fn name(&self, id: TokenTypeId) -> Symbol {
        self.get(id).name
    }

    /// How many types there are [count].
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.types.len()
    }

    /// Whether there are no types.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.types.is_empty()
    }

    /// A constraint that the domain checks, such as `deny_if_qc_fail_active`; `false` unless the type sets it.
    #[must_use]
    pub fn constraint(&self, id: TokenTypeId, name: &str) -> bool {
        self.get(id).constraints.get(name).and_then(Value::as_bool).unwrap_or(false)
    }

    /// How long a token of the type lives [s].
    #[must_use]
    pub fn ttl_s(&self, id: TokenTypeId) -> i64 {
        self.get(id).ttl_s
    }

    /// Whether some type restricts itself to this door: such a door needs a token.
    #[must_use]
    pub fn door_needs_token(&self, door: Symbol) -> bool {
        self.0.types.iter().any(|token_type| token_type.doors.contains(door))
    }

    /// Whether some type restricts itself to this zone: such a zone needs a token.
    #[must_use]
    pub fn zone_needs_token(&self, zone: Symbol) -> bool {
        self.0.types.iter().any(|token_type| token_type.zones.contains(zone))
    }

    /// Approver roles that `rbac` does not define, as (type, role) symbols: no token of the type can be approved by
    /// them, which is worth a warning.
    #[must_use]
    pub fn undefined_approver_roles(&self, rbac: &Rbac) -> Vec<(Symbol, Symbol)> {
        let all = self.0.types.iter().flat_map(|t| t.approver_roles.iter().map(|role| (t.name, *role)));
        all.filter(|(_, role)| !rbac.is_role(*role)).collect()
    }

    /// Actions in scopes that the domain does not have, as (type, action): worth a warning.
    #[must_use]
    pub fn unknown_actions(&self) -> &[(String, String)] {
        &self.0.unknown_actions
    }

    pub(super) fn get(&self, id: TokenTypeId) -> &TokenType {
        &self.0.types[id.index()]
    }
}

fn compile_type(
    name: &str,
    policy: &TokenTypePolicy,
    table: &ActionTable,
    symbols: &mut Symbols,
    unknown: &mut Vec<(String, String)>,
) -> TokenType {
    let mut actions = ActionSet::EMPTY;
    for action in &policy.scope.allowed_actions {
        match table.id(action) {
            Some(action) => actions.insert(action),
            None => unknown.push((name.to_owned(), action.clone())),
        }
    }
    let approver_roles = policy.approver_roles.iter().map(|role| symbols.intern(role)).collect();
    let mut set = |names: &[String]| names.iter().map(|name| symbols.intern(name)).collect::<SymbolSet>();
    let reasons = [&policy.scope.allowed_reason_codes[..], &policy.reason_codes_allowed[..]].concat();
    TokenType {
        doors: set(&policy.scope.allowed_doors),
        zones: set(&policy.scope.allowed_zones),
        reasons: set(&reasons),
        denied_reasons: set(&policy.scope.denylist_reason_codes),
        subject_types: set(&policy.subject_type),
        name: symbols.intern(name),
        is_override: name.contains("OVERRIDE"),
        actions,
        ttl_s: policy.ttl_s,
        approvals_required: policy.approvals_required as usize,
        approver_roles,
        separation: policy.separation_of_duties,
        revocable: policy.revocable,
        reason_required: policy.reason_code_required,
        constraints: policy.constraints.clone(),
    }
}
