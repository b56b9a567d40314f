//! The tool gate: which tools an agent may use, with which arguments, and what may come out of them.
//!
//! Everything that can be said before a tool runs ([`ToolGate::admit`], [`ToolGate::applies`],
//! [`ToolGate::check_args`]) is apart from running it ([`ToolGate::execute`]), so that the pipeline runs the tool last,
//! after every other gate. No adapter is a refusal like any other failure to run.

mod boundary;
mod policy;
mod schema;

pub use boundary::ToolBoundary;
pub use policy::{
    BoundaryLimits, BoundaryToolEntry, ClassificationRule, OutputClassification, StateCapabilities, StateToolPolicy,
    ToolBoundaryPolicy, ToolEntry, ToolRegistryPolicy,
};
pub use schema::{ArgSchema, SchemaFault};

use crate::SymbolSet;
use crate::canonical::fingerprint;
use crate::gates::Rbac;
use crate::reason::codes;
use labtrust_kernel::{Symbol, SymbolMap, Symbols, remembered};
use serde_json::{Map, Value};
use std::sync::Arc;

/// Runs tools. The implementation is the caller's: this crate does no I/O.
pub trait ToolAdapter {
    /// Runs `tool_id` with `args`, for at most `timeout_s` [s] of whatever time the adapter lives in.
    ///
    /// # Errors
    /// [`ToolFailure`] when the tool failed or took too long.
    fn call(&mut self, tool_id: &str, args: &Map<String, Value>, timeout_s: f64) -> Result<Value, ToolFailure>;
}

/// Why a tool gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ToolFailure {
    /// It failed.
    #[error("the tool failed: {0}")]
    Exception(String),
    /// It took too long.
    #[error("the tool took too long")]
    Timeout,
}

/// Why the tool gate refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolRefusal {
    /// The reason code.
    pub code: &'static str,
    /// What was wrong, for people.
    pub message: String,
}

impl ToolRefusal {
    fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

/// What a tool answered.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolOutput {
    /// The answer.
    pub value: Value,
    /// Its fingerprint, for the step's record.
    pub digest: String,
}

#[derive(Debug)]
struct Tool {
    capabilities: Vec<Symbol>,
    args: Option<ArgSchema>,
    output: Option<Result<ArgSchema, ()>>,
}

/// The compiled registry of tools.
#[derive(Debug, Default)]
pub struct ToolRegistry {
    by_id: SymbolMap<Tool>,
    len: usize,
    warnings: Vec<String>,
}

impl ToolRegistry {
    /// Compiles `policy`; `schema_of` reads the schema that a reference names. A schema that is missing or says more
    /// than this gate can check leaves the tool without usable arguments, and is in [`ToolRegistry::warnings`].
    pub fn compile(
        policy: &ToolRegistryPolicy,
        schema_of: &mut dyn FnMut(&str) -> Option<Value>,
        symbols: &mut Symbols,
    ) -> Self {
        let mut registry = Self::default();
        for entry in &policy.tools {
            let mut schema = |reference: &str| {
                let fault = match schema_of(reference).as_ref().map(ArgSchema::compile) {
                    Some(Ok(schema)) => return Some(schema),
                    Some(Err(fault)) => fault,
                    None => "it is not there".to_owned(),
                };
                registry.warnings.push(format!("schema {reference} of tool {} cannot be used: {fault}", entry.tool_id));
                None
            };
            let tool = Tool {
                args: entry.arg_schema_ref.as_deref().and_then(&mut schema),
                output: entry.output_schema_ref.as_deref().map(|reference| schema(reference).ok_or(())),
                capabilities: entry.capabilities.iter().map(|capability| symbols.intern(capability)).collect(),
            };
            registry.len += usize::from(registry.by_id.insert(symbols.intern(&entry.tool_id), tool).is_none());
        }
        registry
    }

    /// Whether a tool is registered.
    #[must_use]
    pub fn contains(&self, tool: Symbol) -> bool {
        self.by_id.contains(tool)
    }

    /// What a tool can do.
    #[must_use]
    pub fn capabilities(&self, tool: Symbol) -> &[Symbol] {
        self.by_id.get(tool).map_or(&[], |tool| &tool.capabilities)
    }

    /// How many tools are registered [count].
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether no tool is registered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// What is wrong with schemas, one sentence each.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

/// The tool gate of an episode. A clone shares the policies.
#[derive(Clone, Debug, Default)]
pub struct ToolGate {
    registry: Arc<ToolRegistry>,
    boundary: Arc<ToolBoundary>,
    /// Capabilities that fit each state.
    states: Arc<SymbolMap<SymbolSet>>,
    default_state: Option<Symbol>,
    /// Tools of the episode; `None` leaves it to the roles.
    allowed_tools: Option<SymbolSet>,
    timeout_s: f64,
}

remembered!(ToolGate { default_state, allowed_tools, timeout_s } forgotten {
    registry: "policy",
    boundary: "policy",
    states: "policy",
});

impl ToolGate {
    /// A gate over these tools. Without `states` every tool fits every state.
    #[must_use]
    pub fn new(
        registry: Arc<ToolRegistry>,
        boundary: Arc<ToolBoundary>,
        states: Option<&StateToolPolicy>,
        symbols: &mut Symbols,
    ) -> Self {
        let mut by_label = SymbolMap::default();
        for (label, state) in states.iter().flat_map(|states| &states.state_labels) {
            let set = state.allowed_capabilities.iter().map(|capability| symbols.intern(capability)).collect();
            by_label.insert(symbols.intern(label), set);
        }
        let default_state = Some(symbols.intern("default"));
        Self { registry, boundary, states: Arc::new(by_label), default_state, allowed_tools: None, timeout_s: 30.0 }
    }

    /// Takes a list of tools as the only admission, instead of the roles. An empty list admits every registered tool.
    pub fn restrict_to(&mut self, tools: impl IntoIterator<Item = Symbol>) {
        self.allowed_tools = Some(tools.into_iter().collect());
    }

    /// Sets how long a tool may take [s].
    pub fn set_timeout_s(&mut self, timeout_s: f64) {
        self.timeout_s = timeout_s;
    }

    /// Whether a tool may be used at all.
    ///
    /// # Errors
    /// `TOOL_NOT_IN_REGISTRY`, `TOOL_NOT_ALLOWED_FOR_ROLE`.
    pub fn admit(&self, tool: Symbol, role: Option<Symbol>, rbac: &Rbac) -> Result<(), &'static str> {
        if !self.registry.contains(tool) {
            return Err(codes::TOOL_NOT_IN_REGISTRY);
        }
        let allowed = match &self.allowed_tools {
            Some(listed) => listed.is_empty() || listed.contains(tool),
            None => rbac.tool_allowed(role, tool, self.registry.capabilities(tool)),
        };
        if allowed { Ok(()) } else { Err(codes::TOOL_NOT_ALLOWED_FOR_ROLE) }
    }

    /// Whether everything the tool can do fits the state: `label`, or else the state `default`, or else any.
    #[must_use]
    pub fn applies(&self, tool: Symbol, label: Option<Symbol>) -> bool {
        let of = |label: Option<Symbol>| label.and_then(|label| self.states.get(label));
        of(label).or_else(|| of(self.default_state)).is_none_or(|fitting| {
            self.registry.capabilities(tool).iter().all(|capability| fitting.contains(*capability))
        })
    }

    /// Whether the arguments have the declared shape and range. A tool without a usable schema takes none.
    ///
    /// # Errors
    /// `TOOL_ARG_SCHEMA_FAIL`, `TOOL_ARG_RANGE_FAIL`.
    pub fn check_args(&self, tool: Symbol, args: &Value) -> Result<(), ToolRefusal> {
        let schema = self.registry.by_id.get(tool).and_then(|tool| tool.args.as_ref());
        match schema.map(|schema| schema.check(args)) {
            Some(Ok(())) => Ok(()),
            Some(Err(SchemaFault::Range(message))) => Err(ToolRefusal::new(codes::TOOL_ARG_RANGE_FAIL, message)),
            Some(Err(SchemaFault::Shape(message))) => Err(ToolRefusal::new(codes::TOOL_ARG_SCHEMA_FAIL, message)),
            None => Err(ToolRefusal::new(codes::TOOL_ARG_SCHEMA_FAIL, "the tool declares no usable arguments")),
        }
    }

    /// Runs the tool and judges its answer. Call it last: after this the world outside has been touched.
    ///
    /// # Errors
    /// `TOOL_EXEC_EXCEPTION` (also without an adapter), `TOOL_TIMEOUT`, `TOOL_OUTPUT_MALFORMED`, and the boundary's
    /// `TOOL_EGRESS_LIMIT_EXCEEDED`, `TOOL_EGRESS_DENIED`, `TOOL_DATA_CLASS_VIOLATION`.
    pub fn execute(
        &self,
        tool: Symbol,
        args: &Map<String, Value>,
        adapter: Option<&mut dyn ToolAdapter>,
        symbols: &Symbols,
    ) -> Result<ToolOutput, ToolRefusal> {
        let Some(adapter) = adapter else {
            return Err(ToolRefusal::new(codes::TOOL_EXEC_EXCEPTION, "no adapter runs tools in this episode"));
        };
        let value = adapter.call(symbols.text(tool), args, self.timeout_s).map_err(|failure| match failure {
            ToolFailure::Exception(message) => ToolRefusal::new(codes::TOOL_EXEC_EXCEPTION, message),
            ToolFailure::Timeout => ToolRefusal::new(codes::TOOL_TIMEOUT, failure.to_string()),
        })?;
        let malformed = |message: String| ToolRefusal::new(codes::TOOL_OUTPUT_MALFORMED, message);
        let Value::Object(output) = &value else {
            return Err(malformed("the answer is not an object".to_owned()));
        };
        match self.registry.by_id.get(tool).and_then(|tool| tool.output.as_ref()) {
            None => {}
            Some(Err(())) => return Err(malformed("the declared shape of the answer cannot be checked".to_owned())),
            Some(Ok(schema)) => schema.check(&value).map_err(|fault| malformed(fault.message().to_owned()))?,
        }
        let digest = fingerprint(&value).map_err(|error| malformed(error.to_string()))?;
        self.boundary.check(tool, output)?;
        Ok(ToolOutput { value, digest })
    }
}

#[cfg(test)]
mod tests;
