//! The role gate: who may do what, where, on which device.
//!
//! Deny by default: an agent without a role is refused, unless the policy names a `default_role`. No token opens this
//! gate. Roles are compiled to bitsets, so a check is a few shifts.

use crate::action::{ActionId, ActionSet, ActionTable};
use crate::error::nearest_hint;
use crate::reason::codes;
use crate::{SymbolSet, TrustError};
use labtrust_kernel::{Symbol, SymbolMap, Symbols, remembered};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What one role may do. A list that is absent does not restrict; a list that is empty allows nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RolePolicy {
    /// Actions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_actions: Option<Vec<String>>,
    /// Zones the agent may be in when it acts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_zones: Option<Vec<String>>,
    /// Devices it may name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_devices: Option<Vec<String>>,
    /// Tools it may use, by id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowed_tool_ids: Vec<String>,
    /// Tools it may use, by what they can do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowed_capabilities: Vec<String>,
    /// Narrower scopes for domains that know them.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub resource_scopes: Map<String, Value>,
    /// A remark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// The body of `rbac_policy` in `policy/rbac/rbac_policy.v0.1.yaml`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RbacPolicy {
    /// Version of the policy.
    #[serde(default)]
    pub version: String,
    /// Roles by id.
    #[serde(default)]
    pub roles: BTreeMap<String, RolePolicy>,
    /// Role of each agent.
    #[serde(default)]
    pub agents: BTreeMap<String, String>,
    /// Actions that one role alone may do.
    #[serde(default)]
    pub action_constraints: BTreeMap<String, Option<String>>,
    /// Role of agents that have none; absent means that they are refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_role: Option<String>,
}

impl RbacPolicy {
    /// Lays `over` on this policy: its roles, agents and constraints replace those of the same id.
    pub fn overlay(&mut self, over: &Self) {
        let Self { version: _, roles, agents, action_constraints, default_role } = over.clone();
        self.roles.extend(roles);
        self.agents.extend(agents);
        self.action_constraints.extend(action_constraints);
        self.default_role = default_role.or(self.default_role.take());
    }
}

#[derive(Clone, Debug, Default)]
struct Role {
    actions: ActionSet,
    zones: Option<SymbolSet>,
    devices: Option<SymbolSet>,
    tools: SymbolSet,
    capabilities: SymbolSet,
    restricts_tools: bool,
}

#[derive(Clone, Debug, Default)]
struct Roles {
    by_id: SymbolMap<Role>,
    default_role: Option<Symbol>,
    /// Role that alone may do an action, by action.
    constraints: Vec<Option<Symbol>>,
    unknown_actions: Vec<(String, String)>,
}

/// What the role gate says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RbacVerdict {
    /// Why the action is refused; `None` lets it pass.
    pub refusal: Option<&'static str>,
    /// The agent's role.
    pub role: Option<Symbol>,
}

/// The compiled role policy and the live roster. A clone shares the roles, and the roster until it is changed.
#[derive(Clone, Debug, Default)]
pub struct Rbac {
    roles: Arc<Roles>,
    agents: Arc<SymbolMap<Symbol>>,
}

remembered!(Rbac { agents } forgotten { roles: "policy" });

impl Rbac {
    /// Compiles `policy`.
    ///
    /// # Errors
    /// An agent, a constraint or the default naming a role that is not defined; a constraint on an unknown action.
    pub fn compile(policy: &RbacPolicy, actions: &ActionTable, symbols: &mut Symbols) -> Result<Self, TrustError> {
        let mut roles = Roles { constraints: vec![None; actions.len()], ..Roles::default() };
        for (id, role) in &policy.roles {
            let compiled = compile_role(id, role, actions, symbols, &mut roles.unknown_actions);
            roles.by_id.insert(symbols.intern(id), compiled);
        }
        let role_named = |name: &str, place: String, symbols: &mut Symbols| {
            if policy.roles.contains_key(name) {
                return Ok(symbols.intern(name));
            }
            let hint = nearest_hint(name, policy.roles.keys().map(String::as_str));
            Err(TrustError::Undefined { what: "role", name: name.to_owned(), place, hint })
        };
        for (action, role) in &policy.action_constraints {
            let Some(role) = role.as_deref().filter(|role| !role.is_empty()) else { continue };
            let Some(id) = actions.id(action) else {
                return Err(TrustError::Undefined {
                    what: "action",
                    name: action.clone(),
                    place: "action_constraints".to_owned(),
                    hint: nearest_hint(action, actions.names()),
                });
            };
            roles.constraints[id.index()] = Some(role_named(role, format!("the constraint on {action}"), symbols)?);
        }
        if let Some(role) = &policy.default_role {
            roles.default_role = Some(role_named(role, "default_role".to_owned(), symbols)?);
        }
        let mut agents = SymbolMap::default();
        for (agent, role) in &policy.agents {
            let role = role_named(role, format!("agent {agent}"), symbols)?;
            agents.insert(symbols.intern(agent), role);
        }
        Ok(Self { roles: Arc::new(roles), agents: Arc::new(agents) })
    }

    /// Whether `agent` may do `action` while in `zone`, naming `device`.
    #[must_use]
    pub fn check(&self, agent: Symbol, action: ActionId, zone: Option<Symbol>, device: Option<Symbol>) -> RbacVerdict {
        let role_id = self.role_of(agent);
        let Some(role) = role_id.and_then(|role| self.roles.by_id.get(role)) else {
            return RbacVerdict { refusal: Some(codes::RBAC_ACTION_DENY), role: role_id };
        };
        let constraint = self.roles.constraints.get(action.index()).copied().flatten();
        let outside = |allowed: &Option<SymbolSet>, place: Option<Symbol>| {
            allowed.as_ref().zip(place).is_some_and(|(allowed, place)| !allowed.contains(place))
        };
        let refusal = if !role.actions.contains(action) || constraint.is_some_and(|only| Some(only) != role_id) {
            Some(codes::RBAC_ACTION_DENY)
        } else if outside(&role.zones, zone) {
            Some(codes::RBAC_ZONE_DENY)
        } else if outside(&role.devices, device) {
            Some(codes::RBAC_DEVICE_DENY)
        } else {
            None
        };
        RbacVerdict { refusal, role: role_id }
    }

    /// What `agent` may do at all: its role's actions without those that another role has alone.
    #[must_use]
    pub fn actions_of(&self, agent: Symbol) -> ActionSet {
        let role_id = self.role_of(agent);
        let Some(role) = role_id.and_then(|role| self.roles.by_id.get(role)) else { return ActionSet::EMPTY };
        let mut actions = role.actions;
        for (index, only) in (0..).zip(&self.roles.constraints) {
            if only.is_some() && *only != role_id {
                actions.remove(ActionId(index));
            }
        }
        actions
    }

    /// The role of `agent` now: its own, or else the default.
    #[must_use]
    pub fn role_of(&self, agent: Symbol) -> Option<Symbol> {
        self.agents.get(agent).copied().or(self.roles.default_role)
    }

    /// Whether `agent` is on the roster.
    #[must_use]
    pub fn is_known(&self, agent: Symbol) -> bool {
        self.agents.contains(agent)
    }

    /// Whether `role` is defined.
    #[must_use]
    pub fn is_role(&self, role: Symbol) -> bool {
        self.roles.by_id.contains(role)
    }

    /// Whether some role may do `action`: what an action mask starts from.
    #[must_use]
    pub fn role_allows(&self, role: Symbol, action: ActionId) -> bool {
        self.roles.by_id.get(role).is_some_and(|role| role.actions.contains(action))
    }

    /// Gives `agent` the role `role`, now.
    ///
    /// # Errors
    /// [`TrustError::Undefined`] when no such role is defined; the roster is unchanged.
    pub fn assign(&mut self, agent: Symbol, role: Symbol, symbols: &Symbols) -> Result<(), TrustError> {
        self.overlay_roster([(agent, role)], symbols)
    }

    /// Lays a roster over the live one: all of it, or nothing.
    ///
    /// # Errors
    /// [`TrustError::Undefined`] when a role is not defined; the roster is unchanged.
    pub fn overlay_roster(
        &mut self,
        roster: impl IntoIterator<Item = (Symbol, Symbol), IntoIter: Clone>,
        symbols: &Symbols,
    ) -> Result<(), TrustError> {
        let roster = roster.into_iter();
        if let Some((agent, role)) = roster.clone().find(|(_, role)| !self.is_role(*role)) {
            return Err(TrustError::Undefined {
                what: "role",
                name: symbols.text(role).to_owned(),
                place: format!("agent {}", symbols.text(agent)),
                hint: "assign one of the roles of the policy".to_owned(),
            });
        }
        let agents = Arc::make_mut(&mut self.agents);
        for (agent, role) in roster {
            agents.insert(agent, role);
        }
        Ok(())
    }

    /// Whether `role` may use a tool: not restricted at all, or by its id, or by one of its capabilities.
    #[must_use]
    pub fn tool_allowed(&self, role: Option<Symbol>, tool: Symbol, capabilities: &[Symbol]) -> bool {
        let Some(role) = role.and_then(|role| self.roles.by_id.get(role)) else { return false };
        !role.restricts_tools
            || role.tools.contains(tool)
            || capabilities.iter().any(|capability| role.capabilities.contains(*capability))
    }

    /// Actions that roles allow and the domain does not have, as (role, action): worth a warning.
    #[must_use]
    pub fn unknown_actions(&self) -> &[(String, String)] {
        &self.roles.unknown_actions
    }
}

fn compile_role(
    id: &str,
    role: &RolePolicy,
    table: &ActionTable,
    symbols: &mut Symbols,
    unknown: &mut Vec<(String, String)>,
) -> Role {
    let mut actions = if role.allowed_actions.is_none() { ActionSet::ALL } else { ActionSet::EMPTY };
    for name in role.allowed_actions.iter().flatten() {
        match table.id(name) {
            Some(action) => actions.insert(action),
            None => unknown.push((id.to_owned(), name.clone())),
        }
    }
    let mut set = |names: &[String]| names.iter().map(|name| symbols.intern(name)).collect::<SymbolSet>();
    Role {
        actions,
        zones: role.allowed_zones.as_deref().map(&mut set),
        devices: role.allowed_devices.as_deref().map(&mut set),
        tools: set(&role.allowed_tool_ids),
        capabilities: set(&role.allowed_capabilities),
        restricts_tools: !(role.allowed_tool_ids.is_empty() && role.allowed_capabilities.is_empty()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::ActionSpec;

    const SPECS: &[ActionSpec] = &[
        ActionSpec { name: "MOVE", mutating: true, runtime_control: false },
        ActionSpec { name: "RELEASE_RESULT", mutating: true, runtime_control: false },
    ];

    struct Bench {
        rbac: Rbac,
        symbols: Symbols,
        actions: ActionTable,
    }

    fn compile(policy: Value) -> Result<Bench, TrustError> {
        let policy: RbacPolicy = serde_json::from_value(policy).unwrap();
        let (mut symbols, actions) = (Symbols::default(), ActionTable::new(SPECS));
        Ok(Bench { rbac: Rbac::compile(&policy, &actions, &mut symbols)?, symbols, actions })
    }

    fn bench() -> Bench {
        compile(serde_json::json!({
            "roles": {
                "ROLE_RECEPTION": {"allowed_actions": ["MOVE"], "allowed_zones": ["Z_A"], "allowed_devices": ["DEV_1"]},
                "ROLE_ANALYTICS": {"allowed_actions": ["MOVE", "RELEASE_RESULT", "DANCE"], "allowed_tool_ids": ["t1"],
                                   "allowed_capabilities": ["lims.read"]},
                "ROLE_OTHER": {"allowed_actions": ["RELEASE_RESULT"]},
            },
            "agents": {"A_REC": "ROLE_RECEPTION", "A_ANA": "ROLE_ANALYTICS", "A_OTH": "ROLE_OTHER"},
            "action_constraints": {"RELEASE_RESULT": "ROLE_ANALYTICS"},
        }))
        .unwrap()
    }

    impl Bench {
        fn refusal(&mut self, agent: &str, action: &str, zone: Option<&str>, device: Option<&str>) -> Option<&str> {
            let agent = self.symbols.intern(agent);
            let zone = zone.map(|zone| self.symbols.intern(zone));
            let device = device.map(|device| self.symbols.intern(device));
            self.rbac.check(agent, self.actions.id(action).unwrap(), zone, device).refusal
        }
    }

    #[test]
    fn a_role_is_refused_what_its_lists_do_not_name() {
        let mut b = bench();
        assert_eq!(b.refusal("A_REC", "MOVE", Some("Z_A"), Some("DEV_1")), None);
        assert_eq!(b.refusal("A_REC", "MOVE", None, None), None);
        assert_eq!(b.refusal("A_REC", "RELEASE_RESULT", None, None), Some("RBAC_ACTION_DENY"));
        assert_eq!(b.refusal("A_REC", "MOVE", Some("Z_B"), Some("DEV_2")), Some("RBAC_ZONE_DENY"));
        assert_eq!(b.refusal("A_REC", "MOVE", Some("Z_A"), Some("DEV_2")), Some("RBAC_DEVICE_DENY"));
        assert_eq!(b.refusal("A_ANA", "RELEASE_RESULT", Some("Z_Q"), Some("DEV_2")), None);
    }

    #[test]
    fn a_constrained_action_is_refused_to_every_other_role() {
        assert_eq!(bench().refusal("A_OTH", "RELEASE_RESULT", None, None), Some("RBAC_ACTION_DENY"));
    }

    #[test]
    fn an_agent_without_a_role_is_refused_everything_unless_there_is_a_default_role() {
        let mut b = bench();
        assert_eq!(b.refusal("NOBODY", "MOVE", None, None), Some("RBAC_ACTION_DENY"));
        assert_eq!(b.refusal("", "MOVE", None, None), Some("RBAC_ACTION_DENY"));
        let mut b =
            compile(serde_json::json!({"roles": {"R": {"allowed_actions": ["MOVE"]}}, "default_role": "R"})).unwrap();
        assert_eq!(b.refusal("NOBODY", "MOVE", None, None), None);
        assert_eq!(b.refusal("NOBODY", "RELEASE_RESULT", None, None), Some("RBAC_ACTION_DENY"));
    }

    #[test]
    fn an_undefined_role_is_an_error_that_names_it_and_the_nearest_one() {
        let policy = serde_json::json!({"roles": {"ROLE_QC": {}}, "agents": {"A": "ROLE_QQ"}});
        let error = compile(policy).err().unwrap();
        assert_eq!((error.token(), error.hint()), ("ROLE_QQ", "did you mean `ROLE_QC`?"));
        let policy = serde_json::json!({"roles": {"ROLE_QC": {}}, "action_constraints": {"MOVE": "ROLE_X"}});
        assert_eq!(compile(policy).err().unwrap().token(), "ROLE_X");
        let policy = serde_json::json!({"roles": {"R": {}}, "action_constraints": {"MVOE": "R"}});
        assert_eq!(compile(policy).err().unwrap().hint(), "did you mean `MOVE`?");
    }

    #[test]
    fn a_roster_with_an_undefined_role_is_refused_and_nothing_changes() {
        let mut b = bench();
        let (rec, ana) = (b.symbols.intern("A_REC"), b.symbols.intern("A_ANA"));
        let analytics = b.symbols.intern("ROLE_ANALYTICS");
        let wrong = b.symbols.intern("ROLE_NONE");
        let before = b.rbac.role_of(rec);
        assert!(b.rbac.overlay_roster([(rec, analytics), (ana, wrong)], &b.symbols).is_err());
        assert_eq!(b.rbac.role_of(rec), before);
    }

    #[test]
    fn an_assignment_holds_at_once_and_in_this_episode_only() {
        let mut b = bench();
        let next_episode = b.rbac.clone();
        let (rec, analytics) = (b.symbols.intern("A_REC"), b.symbols.intern("ROLE_ANALYTICS"));
        b.rbac.assign(rec, analytics, &b.symbols).unwrap();
        assert_eq!(b.refusal("A_REC", "RELEASE_RESULT", None, None), None);
        assert_ne!(next_episode.role_of(rec), Some(analytics));
    }

    #[test]
    fn a_tool_is_allowed_by_id_or_capability_and_to_roles_that_restrict_no_tools() {
        let mut b = bench();
        let mut s = |text: &str| b.symbols.intern(text);
        let (ana, rec, t1, t2, read) = (s("ROLE_ANALYTICS"), s("ROLE_RECEPTION"), s("t1"), s("t2"), s("lims.read"));
        assert!(b.rbac.tool_allowed(Some(ana), t1, &[]));
        assert!(b.rbac.tool_allowed(Some(ana), t2, &[read]));
        assert!(!b.rbac.tool_allowed(Some(ana), t2, &[]));
        assert!(b.rbac.tool_allowed(Some(rec), t2, &[]));
        assert!(!b.rbac.tool_allowed(None, t1, &[]));
    }

    #[test]
    fn actions_that_the_domain_lacks_are_reported() {
        assert_eq!(bench().rbac.unknown_actions(), [("ROLE_ANALYTICS".to_owned(), "DANCE".to_owned())]);
    }
}
