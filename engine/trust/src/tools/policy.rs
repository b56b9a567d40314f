//! The tool policies as written: registry, boundary, and what fits which state.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// One tool.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ToolEntry {
    /// Its id.
    pub tool_id: String,
    /// What it can do.
    #[serde(default)]
    pub capabilities: Vec<String>,
    /// File with the schema of its arguments, under `policy/`.
    #[serde(default)]
    pub arg_schema_ref: Option<String>,
    /// File with the schema of its answer, under `policy/`.
    #[serde(default)]
    pub output_schema_ref: Option<String>,
    /// Publisher, version, hashes and the like, for those that check the supply chain.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// The body of `tool_registry` in `policy/tool_registry.v0.1.yaml`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToolRegistryPolicy {
    /// Version of the registry.
    #[serde(default)]
    pub version: String,
    /// The tools.
    #[serde(default)]
    pub tools: Vec<ToolEntry>,
}

fn default_max_bytes() -> u64 {
    4096
}

fn default_max_records() -> u64 {
    100
}

/// Which classes of data may come out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutputClassification {
    /// The classes.
    #[serde(default)]
    pub allowed_classes: Vec<String>,
}

/// Limits of what a tool answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoundaryLimits {
    /// Longest answer, as canonical JSON [bytes].
    #[serde(default = "default_max_bytes")]
    pub max_bytes_out: u64,
    /// Most records [count].
    #[serde(default = "default_max_records")]
    pub max_records_out: u64,
    /// Where it may send data.
    #[serde(default)]
    pub allowed_egress_endpoints: Vec<String>,
    /// Classes of data it may answer.
    #[serde(default)]
    pub output_classification: OutputClassification,
}

impl Default for BoundaryLimits {
    fn default() -> Self {
        Self {
            max_bytes_out: default_max_bytes(),
            max_records_out: default_max_records(),
            allowed_egress_endpoints: Vec::new(),
            output_classification: OutputClassification::default(),
        }
    }
}

/// Limits of one tool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoundaryToolEntry {
    /// The tool.
    pub tool_id: String,
    /// Its limits.
    #[serde(flatten)]
    pub limits: BoundaryLimits,
}

/// The class of a field of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassificationRule {
    /// The field: its path, the end of it, or `*.key`.
    pub path: String,
    /// The class.
    pub class: String,
}

/// The body of `tool_boundary_policy` in `policy/tool_boundary_policy.v0.1.yaml`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToolBoundaryPolicy {
    /// Version of the policy.
    #[serde(default)]
    pub version: String,
    /// Limits of tools that have none of their own.
    #[serde(default)]
    pub default: BoundaryLimits,
    /// Limits by tool.
    #[serde(default)]
    pub tools: Vec<BoundaryToolEntry>,
    /// Classes of fields.
    #[serde(default)]
    pub classification_rules: Vec<ClassificationRule>,
    /// Top-level keys that say where data goes.
    #[serde(default)]
    pub egress_indicator_keys: Vec<String>,
}

/// Capabilities that fit a state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateCapabilities {
    /// The capabilities.
    #[serde(default)]
    pub allowed_capabilities: Vec<String>,
}

/// The body of `state_tool_capability_map` in `policy/state_tool_capability_map.v0.1.yaml`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StateToolPolicy {
    /// Version of the map.
    #[serde(default)]
    pub version: String,
    /// Capabilities by state.
    #[serde(default)]
    pub state_labels: BTreeMap<String, StateCapabilities>,
}
