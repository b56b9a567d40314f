//! The last fence before an action: who may do it, with which tool, how often. It denies by default.
//!
//! Here an agent that nobody knows, a role that nobody defined, a list that is empty and a list that is not there all
//! allow nothing. The engine judges every action again by its own gates; what this shield refuses never gets there.

use labtrust_trust::codes;
use labtrust_trust::gates::{CapabilityPolicy, RbacPolicy};
use labtrust_trust::tools::{ArgSchema, ToolRegistryPolicy};
use serde_json::Value;
use std::collections::{BTreeMap, VecDeque};

/// Who may do what. The implementation may be a table or the engine's own gate.
pub trait Roles {
    /// The role of an agent now; `None` for nobody.
    fn role_of(&self, agent: &str) -> Option<&str>;

    /// Whether somebody of `role` may do `action`, in `zone`, naming `device`.
    ///
    /// # Errors
    /// The reason code.
    fn permits(
        &self,
        role: Option<&str>,
        action: &str,
        zone: Option<&str>,
        device: Option<&str>,
    ) -> Result<(), &'static str>;

    /// Whether somebody of `role` may use a tool that can do all of `capabilities`.
    fn permits_tool(&self, role: Option<&str>, tool: &str, capabilities: &[String]) -> bool;
}

/// Roles from a policy file.
#[derive(Clone, Debug, Default)]
pub struct RoleTable(RbacPolicy);

impl RoleTable {
    /// The roles of a policy. An empty one denies everything to everybody.
    #[must_use]
    pub const fn new(policy: RbacPolicy) -> Self {
        Self(policy)
    }

    /// What a role allows at all, in the order of the policy; nothing for a role that is not defined.
    #[must_use]
    pub fn actions_of(&self, role: &str) -> &[String] {
        self.0.roles.get(role).and_then(|role| role.allowed_actions.as_deref()).unwrap_or_default()
    }
}

impl Roles for RoleTable {
    fn role_of(&self, agent: &str) -> Option<&str> {
        self.0.agents.get(agent).or(self.0.default_role.as_ref()).map(String::as_str)
    }

    fn permits(
        &self,
        role: Option<&str>,
        action: &str,
        zone: Option<&str>,
        device: Option<&str>,
    ) -> Result<(), &'static str> {
        let Some(id) = role else { return Err(codes::RBAC_ACTION_DENY) };
        let Some(role) = self.0.roles.get(id) else { return Err(codes::RBAC_ACTION_DENY) };
        let only = self.0.action_constraints.get(action).and_then(Option::as_deref).filter(|only| !only.is_empty());
        if !self.actions_of(id).iter().any(|one| one == action) || only.is_some_and(|only| only != id) {
            return Err(codes::RBAC_ACTION_DENY);
        }
        let outside = |list: &Option<Vec<String>>, place: Option<&str>| {
            list.as_ref().zip(place).is_some_and(|(list, place)| !list.iter().any(|one| one == place))
        };
        if outside(&role.allowed_zones, zone) {
            return Err(codes::RBAC_ZONE_DENY);
        }
        if outside(&role.allowed_devices, device) { Err(codes::RBAC_DEVICE_DENY) } else { Ok(()) }
    }

    fn permits_tool(&self, role: Option<&str>, tool: &str, capabilities: &[String]) -> bool {
        let Some(role) = role.and_then(|role| self.0.roles.get(role)) else { return false };
        // All of what it can do, not any: a tool that reads and writes is no tool of a reader.
        role.allowed_tool_ids.iter().any(|one| one == tool)
            || !capabilities.is_empty() && capabilities.iter().all(|one| role.allowed_capabilities.contains(one))
    }
}

#[derive(Debug)]
struct Tool {
    capabilities: Vec<String>,
    args: Option<ArgSchema>,
}

/// The tools that there are.
#[derive(Debug, Default)]
pub struct ToolTable {
    tools: BTreeMap<String, Tool>,
}

impl ToolTable {
    /// The tools of a registry; `schema_of` reads the schema that a reference names. A tool without a usable schema takes
    /// no arguments.
    pub fn new(policy: &ToolRegistryPolicy, schema_of: &mut dyn FnMut(&str) -> Option<Value>) -> Self {
        let mut tools = BTreeMap::new();
        for entry in &policy.tools {
            let args = entry
                .arg_schema_ref
                .as_deref()
                .and_then(&mut *schema_of)
                .and_then(|schema| ArgSchema::compile(&schema).ok());
            tools.insert(entry.tool_id.clone(), Tool { capabilities: entry.capabilities.clone(), args });
        }
        Self { tools }
    }

    /// The ids of the tools.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.tools.keys().map(String::as_str)
    }

    /// Whether somebody of `role` may call a tool with these arguments.
    ///
    /// # Errors
    /// `TOOL_NOT_IN_REGISTRY`, `TOOL_NOT_ALLOWED_FOR_ROLE`, `TOOL_ARG_SCHEMA_FAIL`, `TOOL_ARG_RANGE_FAIL`.
    pub fn admit(&self, roles: &dyn Roles, role: Option<&str>, tool: &str, args: &Value) -> Result<(), &'static str> {
        let Some(entry) = self.tools.get(tool) else { return Err(codes::TOOL_NOT_IN_REGISTRY) };
        if !roles.permits_tool(role, tool, &entry.capabilities) {
            return Err(codes::TOOL_NOT_ALLOWED_FOR_ROLE);
        }
        use labtrust_trust::tools::SchemaFault;
        match entry.args.as_ref().map(|schema| schema.check(args)) {
            Some(Ok(())) => Ok(()),
            Some(Err(SchemaFault::Range(_))) => Err(codes::TOOL_ARG_RANGE_FAIL),
            Some(Err(SchemaFault::Shape(_))) | None => Err(codes::TOOL_ARG_SCHEMA_FAIL),
        }
    }
}

/// What an agent has done so far in an episode.
#[derive(Clone, Debug, Default)]
pub struct Account {
    actions: u64,
    overrides: u64,
    recent: VecDeque<u64>,
}

impl Account {
    /// Counts an action that went through at `now_s`.
    pub fn book(&mut self, policy: &CapabilityPolicy, action: &str, now_s: u64) {
        self.actions += 1;
        self.overrides += u64::from(policy.override_action_types.iter().any(|one| one == action));
        self.recent.push_back(now_s);
    }

    /// Whether the profile of the agent, or else of its role, allows an action now. Without a profile there is no fence.
    ///
    /// # Errors
    /// `AGENT_CAPABILITY_DENY`, `AGENT_RATE_LIMIT`, `AGENT_OVERRIDE_BUDGET_EXCEEDED`.
    pub fn allows(
        &self,
        policy: &CapabilityPolicy,
        (agent, role): (&str, Option<&str>),
        action: &str,
        explained: bool,
        now_s: u64,
    ) -> Result<(), &'static str> {
        let of_role = || role.and_then(|role| policy.profiles.get(role));
        let Some(profile) = policy.profiles.get(agent).or_else(of_role) else { return Ok(()) };
        let named = |list: &[String]| list.iter().any(|one| one == action);
        if !profile.allowed_actions.is_empty() && !named(&profile.allowed_actions) {
            return Err(codes::AGENT_CAPABILITY_DENY);
        }
        let window = profile.max_actions_per_window.is_some_and(|window| {
            let lately = self.recent.iter().filter(|at| now_s.saturating_sub(**at) < window.window_s).count();
            lately >= window.count as usize
        });
        if profile.max_action_rate.is_some_and(|most| self.actions >= most) || window {
            return Err(codes::AGENT_RATE_LIMIT);
        }
        if named(&policy.override_action_types)
            && profile.max_override_tokens.is_some_and(|most| self.overrides >= most)
        {
            return Err(codes::AGENT_OVERRIDE_BUDGET_EXCEEDED);
        }
        if named(&profile.high_risk_actions) && !explained { Err(codes::AGENT_CAPABILITY_DENY) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use labtrust_policy::PolicyStore;
    use serde_json::json;

    fn roles() -> RoleTable {
        RoleTable::new(PolicyStore::builtin().section("rbac/rbac_policy.v0.1.yaml", Some("rbac_policy")).unwrap())
    }

    fn table(text: Value) -> RoleTable {
        RoleTable::new(serde_json::from_value(text).unwrap())
    }

    fn may(
        table: &RoleTable,
        agent: &str,
        action: &str,
        zone: Option<&str>,
        device: Option<&str>,
    ) -> Result<(), &'static str> {
        table.permits(table.role_of(agent), action, zone, device)
    }

    #[test]
    fn nobody_and_no_role_and_no_list_allow_nothing() {
        assert_eq!(may(&roles(), "A_RECEPTION", "MOVE", None, None), Ok(()));
        assert_eq!(may(&roles(), "A_RECEPTION", "MINT_TOKEN", None, None), Err("RBAC_ACTION_DENY"));
        for table in [
            table(json!({})),
            table(json!({"agents": {"A": "R"}})),
            table(json!({"agents": {"A": "R"}, "roles": {"R": {}}})),
            table(json!({"agents": {"A": "R"}, "roles": {"R": {"allowed_actions": []}}})),
            table(json!({"agents": {"B": "R"}, "roles": {"R": {"allowed_actions": ["MOVE"]}}})),
        ] {
            assert_eq!(may(&table, "A", "MOVE", None, None), Err("RBAC_ACTION_DENY"), "{table:?}");
            assert!(!table.permits_tool(table.role_of("A"), "read", &["x.read".to_owned()]));
        }
    }

    #[test]
    fn zones_devices_and_actions_of_one_role_alone_are_kept() {
        let table = table(json!({
            "agents": {"A": "R", "B": "S"}, "action_constraints": {"STOP": "S"},
            "roles": {"R": {"allowed_actions": ["MOVE", "STOP"], "allowed_zones": ["Z"], "allowed_devices": []}, "S": {"allowed_actions": ["STOP"]}},
        }));
        assert_eq!(may(&table, "A", "MOVE", Some("Z"), None), Ok(()));
        assert_eq!(may(&table, "A", "MOVE", Some("Y"), None), Err("RBAC_ZONE_DENY"));
        assert_eq!(may(&table, "A", "MOVE", Some("Z"), Some("D")), Err("RBAC_DEVICE_DENY"));
        assert_eq!(may(&table, "A", "STOP", Some("Z"), None), Err("RBAC_ACTION_DENY"));
        assert_eq!(may(&table, "B", "STOP", None, None), Ok(()));
    }

    #[test]
    fn a_tool_needs_a_registry_a_role_with_all_it_can_do_and_arguments_of_its_shape() {
        let store = PolicyStore::builtin();
        let registry = store.section("tool_registry.v0.1.yaml", Some("tool_registry")).unwrap();
        let tools = ToolTable::new(&registry, &mut |path| store.value(path).ok());
        let (roles, args) = (roles(), json!({"accession_id": "ACC-1"}));
        assert_eq!(tools.admit(&roles, roles.role_of("A_ANALYTICS"), "read_lims_v1", &args), Ok(()));
        assert_eq!(
            tools.admit(&roles, roles.role_of("A_ANALYTICS"), "read_lims_v2", &args),
            Err("TOOL_NOT_IN_REGISTRY")
        );
        assert_eq!(
            tools.admit(&roles, roles.role_of("A_RECEPTION"), "read_lims_v1", &args),
            Err("TOOL_NOT_ALLOWED_FOR_ROLE")
        );
        assert_eq!(
            tools.admit(&roles, roles.role_of("A_ANALYTICS"), "read_lims_v1", &json!({"x": 1})),
            Err("TOOL_ARG_SCHEMA_FAIL")
        );
        let many = json!({"accession_id": "ACC-1", "limit": 100_000});
        assert_eq!(
            tools.admit(&roles, roles.role_of("A_ANALYTICS"), "read_lims_v1", &many),
            Err("TOOL_ARG_RANGE_FAIL")
        );
        let half = table(json!({"agents": {"A": "R"}, "roles": {"R": {"allowed_capabilities": ["x.read"]}}}));
        assert!(half.permits_tool(half.role_of("A"), "t", &["x.read".to_owned()]));
        assert!(!half.permits_tool(half.role_of("A"), "t", &["x.read".to_owned(), "x.write".to_owned()]));
        let blind = ToolTable::new(&registry, &mut |_| None);
        assert_eq!(
            blind.admit(&roles, roles.role_of("A_ANALYTICS"), "read_lims_v1", &args),
            Err("TOOL_ARG_SCHEMA_FAIL")
        );
    }

    #[test]
    fn a_profile_limits_actions_rates_overrides_and_asks_for_reasons() {
        let policy: CapabilityPolicy = serde_json::from_value(json!({
            "override_action_types": ["FORCE"],
            "profiles": {"A": {"allowed_actions": ["MOVE", "FORCE"], "max_action_rate": 4, "max_override_tokens": 1, "high_risk_actions": ["FORCE"],
                "max_actions_per_window": {"count": 2, "window_s": 10}}, "R": {"max_action_rate": 0}},
        }))
        .unwrap();
        let mut account = Account::default();
        let who = ("A", Some("R"));
        assert_eq!(account.allows(&policy, who, "STOP", true, 0), Err("AGENT_CAPABILITY_DENY"));
        assert_eq!(account.allows(&policy, who, "FORCE", false, 0), Err("AGENT_CAPABILITY_DENY"));
        assert_eq!(account.allows(&policy, who, "FORCE", true, 0), Ok(()));
        account.book(&policy, "FORCE", 0);
        assert_eq!(account.allows(&policy, who, "FORCE", true, 0), Err("AGENT_OVERRIDE_BUDGET_EXCEEDED"));
        account.book(&policy, "MOVE", 5);
        assert_eq!(account.allows(&policy, who, "MOVE", true, 9), Err("AGENT_RATE_LIMIT"));
        assert_eq!(account.allows(&policy, who, "MOVE", true, 10), Ok(()));
        account.book(&policy, "MOVE", 30);
        account.book(&policy, "MOVE", 60);
        assert_eq!(account.allows(&policy, who, "MOVE", true, 99), Err("AGENT_RATE_LIMIT"));
        assert_eq!(account.allows(&policy, ("B", Some("R")), "MOVE", true, 99), Err("AGENT_RATE_LIMIT"));
        assert_eq!(account.allows(&policy, ("B", None), "MOVE", true, 99), Ok(()));
    }
}
