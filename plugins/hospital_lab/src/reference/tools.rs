//! The tool gate. It stands first, before the role of the agent is known, as it does in the reference.
//!
//! Tools are functions of the calling program there. Nothing of a scenario can bring one, so a tool that is admitted
//! ends in `TOOL_EXEC_EXCEPTION` here, where the reference raises an error; the checks of its answer are unreachable.

use super::episode::Episode;
use super::event::{Blocked, Event, broken_because};
use super::gates::is_on;
use super::policy::Policy;
use super::value::{at, given, items, texts};
use labtrust_contract::{StepResult, Violation};
use labtrust_trust::tools::{ArgSchema, SchemaFault};
use serde_json::{Map, Value};

/// The tools of an episode.
#[derive(Debug)]
pub(super) struct Tools {
    registry: Vec<Value>,
    /// `None`: the roles say who may use what.
    allowed: Option<Vec<String>>,
    state_label: Option<String>,
    state_labels: Map<String, Value>,
    /// Schemas are read only where the state names a policy directory.
    has_policy_root: bool,
    policy: Policy,
}

impl Tools {
    pub(super) fn new(policy: &Policy, initial: &Map<String, Value>) -> Self {
        let registry = at(initial, "tool_registry");
        let registry = registry.get("tool_registry").unwrap_or(registry);
        let states = policy.for_episode(initial).state_tools();
        Self {
            registry: registry.get("tools").map(|tools| items(tools).to_vec()).unwrap_or_default(),
            allowed: at(initial, "allowed_tools").is_array().then(|| texts(at(initial, "allowed_tools"))),
            state_label: given(at(initial, "state_label")),
            state_labels: states.and_then(|map| at(map, "state_labels").as_object()).cloned().unwrap_or_default(),
            has_policy_root: is_on(initial, "policy_root"),
            policy: policy.clone(),
        }
    }

    fn tool(&self, id: &str) -> Option<&Value> {
        self.registry.iter().find(|tool| given(&tool["tool_id"]).as_deref() == Some(id))
    }

    /// Whether the capabilities of a tool fit the state.
    fn applies(&self, tool: &Value) -> bool {
        let label = |name: &str| self.state_labels.get(name);
        let entry = self.state_label.as_deref().and_then(label).or_else(|| label("default"));
        let Some(allowed) = entry.and_then(|entry| entry["allowed_capabilities"].as_array()) else { return true };
        items(&tool["capabilities"]).iter().all(|capability| allowed.contains(capability))
    }

    fn check_args(&self, tool: &Value, args: &Map<String, Value>) -> Result<(), &'static str> {
        let schema = given(&tool["arg_schema_ref"]).filter(|_| self.has_policy_root);
        let schema = schema.and_then(|reference| self.policy.schema(&reference));
        let schema = schema.and_then(|schema| ArgSchema::compile(&schema).ok()).ok_or("TOOL_ARG_SCHEMA_FAIL")?;
        schema.check(&Value::Object(args.clone())).map_err(|fault| match fault {
            SchemaFault::Range(_) => "TOOL_ARG_RANGE_FAIL",
            SchemaFault::Shape(_) => "TOOL_ARG_SCHEMA_FAIL",
        })
    }
}

impl Episode {
    /// The tool gate.
    pub(super) fn check_tool(&self, event: &Event<'_>, base: &mut StepResult) -> Result<(), Blocked> {
        let Some(id) = given(event.field("tool_id")).map(|id| id.trim().to_owned()).filter(|id| !id.is_empty()) else {
            return Ok(());
        };
        let tool = self.tools.tool(&id).ok_or_else(|| Blocked::unrecorded("TOOL_NOT_IN_REGISTRY"))?;
        if !self.may_use(&event.agent, &id, tool) {
            return Err(Blocked::unrecorded("TOOL_NOT_ALLOWED_FOR_ROLE"));
        }
        base.tool_call = Some(true);
        if !self.tools.applies(tool) {
            base.tool_selection_error = Some(true);
            base.emits.push("TOOL_SELECTION_ERROR".to_owned());
            base.violations.push(Violation {
                message: Some("Tool allowed by registry and RBAC but inapplicable for current state.".to_owned()),
                ..broken_because("TOOL_SELECTION_ERROR", "TOOL_SELECTION_ERROR")
            });
        }
        self.tools.check_args(tool, event.args).map_err(Blocked::unrecorded)?;
        let violation = Violation {
            message: Some("there is no tool adapter".to_owned()),
            ..broken_because("TOOL_EXEC_SAFETY", "TOOL_EXEC_EXCEPTION")
        };
        let emits = Some(vec!["TOOL_EXEC_EXCEPTION".to_owned()]);
        Err(Blocked { emits, ..Blocked::unrecorded("TOOL_EXEC_EXCEPTION") }.breaking(vec![violation]))
    }

    fn may_use(&self, agent: &str, id: &str, tool: &Value) -> bool {
        if let Some(allowed) = &self.tools.allowed {
            return allowed.is_empty() || allowed.iter().any(|allowed| allowed == id);
        }
        let Some(role) = self.rbac.role_of(agent).and_then(|role| self.rbac.role(role)) else { return true };
        let (ids, capabilities) = (items(at(role, "allowed_tool_ids")), items(at(role, "allowed_capabilities")));
        (ids.is_empty() && capabilities.is_empty())
            || ids.iter().any(|known| known.as_str() == Some(id))
            || items(&tool["capabilities"]).iter().any(|capability| capabilities.contains(capability))
    }
}
