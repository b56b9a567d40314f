//! The boundary: what may come out of a tool, how much of it, and where it says it sends things.

use super::ToolRefusal;
use super::policy::{BoundaryLimits, ClassificationRule, ToolBoundaryPolicy};
use crate::canonical;
use crate::reason::codes;
use labtrust_kernel::{Symbol, SymbolMap, Symbols};
use serde_json::{Map, Value};

/// Keys that say where data goes, for a policy that does not list them.
const EGRESS_KEYS: [&str; 3] = ["egress_to", "forward_to", "destination"];

/// The compiled boundary policy.
#[derive(Debug)]
pub struct ToolBoundary {
    default: BoundaryLimits,
    by_tool: SymbolMap<BoundaryLimits>,
    rules: Vec<ClassificationRule>,
    egress_keys: Vec<String>,
    active: bool,
}

impl Default for ToolBoundary {
    /// No policy: nothing is checked.
    fn default() -> Self {
        let policy = ToolBoundaryPolicy::default();
        Self { active: false, ..Self::compile(&policy, &mut Symbols::default()) }
    }
}

impl ToolBoundary {
    /// Compiles `policy`.
    pub fn compile(policy: &ToolBoundaryPolicy, symbols: &mut Symbols) -> Self {
        let mut by_tool = SymbolMap::default();
        for entry in &policy.tools {
            by_tool.insert(symbols.intern(&entry.tool_id), entry.limits.clone());
        }
        let egress_keys = match policy.egress_indicator_keys.as_slice() {
            [] => EGRESS_KEYS.map(str::to_owned).to_vec(),
            keys => keys.to_vec(),
        };
        let rules = policy.classification_rules.clone();
        Self { default: policy.default.clone(), by_tool, rules, egress_keys, active: true }
    }

    /// Whether `output` of `tool` may come out.
    ///
    /// # Errors
    /// `TOOL_EGRESS_LIMIT_EXCEEDED`, then `TOOL_EGRESS_DENIED`, then `TOOL_DATA_CLASS_VIOLATION`.
    pub fn check(&self, tool: Symbol, output: &Map<String, Value>) -> Result<(), ToolRefusal> {
        if !self.active {
            return Ok(());
        }
        let limits = self.by_tool.get(tool).unwrap_or(&self.default);
        let mut text = Vec::new();
        if let Err(error) = canonical::write_map(&mut text, output) {
            return Err(ToolRefusal::new(codes::TOOL_OUTPUT_MALFORMED, error.to_string()));
        }
        let records = output.values().find_map(Value::as_array).map_or(1, Vec::len);
        if text.len() as u64 > limits.max_bytes_out || records as u64 > limits.max_records_out {
            let message = format!("the answer has {} bytes and {records} records", text.len());
            return Err(ToolRefusal::new(codes::TOOL_EGRESS_LIMIT_EXCEEDED, message));
        }
        for key in &self.egress_keys {
            let Some(target) = output.get(key) else { continue };
            let named = target.as_str().map(|text| text.trim().to_lowercase());
            if !named.is_some_and(|named| limits.allowed_egress_endpoints.contains(&named)) {
                return Err(ToolRefusal::new(codes::TOOL_EGRESS_DENIED, format!("{key} names {target}")));
            }
        }
        let mut path = String::new();
        self.check_classes(output, &mut path, &limits.output_classification.allowed_classes)
    }

    fn check_classes(
        &self,
        map: &Map<String, Value>,
        path: &mut String,
        allowed: &[String],
    ) -> Result<(), ToolRefusal> {
        for (key, value) in map {
            let length = path.len();
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(key);
            if let Some(rule) = self.rules.iter().find(|rule| names(&rule.path, path) && !allowed.contains(&rule.class))
            {
                let message = format!("field {path} is of class {}", rule.class);
                return Err(ToolRefusal::new(codes::TOOL_DATA_CLASS_VIOLATION, message));
            }
            self.check_nested(value, path, allowed)?;
            path.truncate(length);
        }
        Ok(())
    }

    fn check_nested(&self, value: &Value, path: &mut String, allowed: &[String]) -> Result<(), ToolRefusal> {
        match value {
            Value::Object(map) => self.check_classes(map, path, allowed),
            Value::Array(items) => items.iter().try_for_each(|item| self.check_nested(item, path, allowed)),
            _ => Ok(()),
        }
    }
}

/// Whether a rule's path names a field: exactly, by its end, or as `*.key`.
fn names(rule: &str, path: &str) -> bool {
    let end = rule.strip_prefix("*.").unwrap_or(rule);
    path == end || path.strip_suffix(end).is_some_and(|before| before.ends_with('.'))
}
