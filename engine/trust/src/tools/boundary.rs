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
        let records = records(&mut output.values()).max(1);
        if text.len() as u64 > limits.max_bytes_out || records as u64 > limits.max_records_out {
            let message = format!("the answer has {} bytes and {records} records", text.len());
            return Err(ToolRefusal::new(codes::TOOL_EGRESS_LIMIT_EXCEEDED, message));
        }
        self.check_egress(output, limits)?;
        let mut path = String::new();
        self.check_classes(output, &mut path, &limits.output_classification.allowed_classes)
    }

    /// Looks for destinations at any depth; a place to send to does not get better by standing deeper.
    fn check_egress(&self, map: &Map<String, Value>, limits: &BoundaryLimits) -> Result<(), ToolRefusal> {
        for (key, value) in map {
            if self.egress_keys.iter().any(|known| plain(known) == plain(key)) {
                let named = value.as_str().map(|text| text.trim().to_lowercase());
                if !named.is_some_and(|named| limits.allowed_egress_endpoints.contains(&named)) {
                    // The destination itself stays inside: it may carry what must not get out.
                    let message = format!("{key} names a destination that is not allowed");
                    return Err(ToolRefusal::new(codes::TOOL_EGRESS_DENIED, message));
                }
            }
            maps(value).try_for_each(|inner| self.check_egress(inner, limits))?;
        }
        Ok(())
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

/// Records of an answer: everything in every list, however deep [count].
fn records(values: &mut dyn Iterator<Item = &Value>) -> usize {
    values
        .map(|value| match value {
            Value::Array(items) => items.len() + records(&mut items.iter().filter(|item| !item.is_string())),
            Value::Object(map) => records(&mut map.values()),
            _ => 0,
        })
        .sum()
}

/// The maps right below a value.
fn maps(value: &Value) -> Box<dyn Iterator<Item = &Map<String, Value>> + '_> {
    match value {
        Value::Object(map) => Box::new(std::iter::once(map)),
        Value::Array(items) => Box::new(items.iter().flat_map(maps)),
        _ => Box::new(std::iter::empty()),
    }
}

/// A key without the ways to spell it: `PatientName`, `patient-name` and `patient_name` are one.
fn plain(key: &str) -> String {
    key.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Whether a rule's path names a field: exactly, by its end, or as `*.key`.
fn names(rule: &str, path: &str) -> bool {
    let end = rule.strip_prefix("*.").unwrap_or(rule).split('.');
    let (end, path): (Vec<_>, Vec<_>) = (end.map(plain).collect(), path.split('.').map(plain).collect());
    path.ends_with(&end)
}
