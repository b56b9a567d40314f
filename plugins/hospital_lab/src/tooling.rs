//! Tools that agents may use with an action: set up per episode, admitted last of all gates.

use crate::{lab::Lab, refusal::Decided};
use labtrust_plugin::lab::{Action, Control, Gate, LabError, Symbol};
use labtrust_trust::{
    codes,
    tools::{StateToolPolicy, ToolBoundary, ToolBoundaryPolicy, ToolGate, ToolRegistry, ToolRegistryPolicy},
};
use serde_json::{Map, Value};
use std::sync::Arc;

/// Sets up the tools that the initial state brings. Without a registry every tool is refused.
pub(crate) fn set_up(lab: &mut Lab, state: &Map<String, Value>) -> Result<(), LabError> {
    fn read<T: serde::de::DeserializeOwned>(state: &Map<String, Value>, key: &str) -> Result<Option<T>, LabError> {
        let Some(value) = state.get(key).filter(|value| !value.is_null()) else { return Ok(None) };
        let inner = value.get(key).unwrap_or(value).clone();
        serde_json::from_value(inner).map(Some).map_err(|e| LabError::InitialState(format!("{key}: {e}")))
    }
    let Some(registry) = read::<ToolRegistryPolicy>(state, "tool_registry")? else { return Ok(()) };
    let boundary = read::<ToolBoundaryPolicy>(state, "tool_boundary_policy")?;
    let states = read::<StateToolPolicy>(state, "state_tool_capability_map")?;
    // Schemas of arguments come with the state, keyed by the reference that the registry uses.
    let schemas = state.get("tool_arg_schemas").and_then(Value::as_object).cloned().unwrap_or_default();
    let registry = ToolRegistry::compile(&registry, &mut |name| schemas.get(name).cloned(), &mut lab.symbols);
    let boundary = boundary.map(|policy| ToolBoundary::compile(&policy, &mut lab.symbols)).unwrap_or_default();
    let mut gate = ToolGate::new(Arc::new(registry), Arc::new(boundary), states.as_ref(), &mut lab.symbols);
    if let Some(allowed) = state.get("allowed_tools").and_then(Value::as_array) {
        let allowed: Vec<_> = allowed.iter().filter_map(Value::as_str).map(|tool| lab.symbols.intern(tool)).collect();
        gate.restrict_to(allowed);
    }
    if let Some(timeout) = state.get("tool_timeout_s").and_then(Value::as_f64) {
        gate.set_timeout_s(timeout);
    }
    lab.state_label = state.get("state_label").and_then(Value::as_str).map(|label| lab.symbols.intern(label));
    lab.tools = gate;
    Ok(())
}

impl Lab {
    /// The point of no return of a handler: every check of the action has passed. Admits and runs the tool, if the
    /// event names one; after it the handler only changes state.
    pub(crate) fn commit(&mut self, action: &Action) -> Decided {
        assert!(!self.committed, "an action is committed once");
        if let Some(tool) = action.decision.tool_id.filter(|_| self.holds(Control::ToolAdmission)) {
            self.at_gate(Gate::Tool);
            self.run_tool(action, tool)?;
        }
        self.committed = true;
        Ok(())
    }

    fn run_tool(&mut self, action: &Action, tool: Symbol) -> Decided {
        let role = self.rbac.role_of(action.agent);
        self.tools.admit(tool, role, &self.rbac)?;
        self.outcome.tool_call = true;
        if !self.tools.applies(tool, self.state_label) {
            self.outcome.tool_selection_error = true;
            let invariant = self.symbols.intern(codes::TOOL_SELECTION_ERROR);
            self.finding(invariant, Some(codes::TOOL_SELECTION_ERROR));
        }
        let args = action.decision.args.rare().tool_args.clone().unwrap_or_default();
        self.tools.check_args(tool, &Value::Object(args.clone())).map_err(|refusal| refusal.code)?;
        self.tools.execute(tool, &args, None, &self.symbols).map_err(|refusal| refusal.code)?;
        Ok(())
    }
}
