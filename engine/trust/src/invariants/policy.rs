//! Entries of the invariant registry, as written and compiled.

use crate::action::{ActionSet, ActionTable};
use labtrust_kernel::{Symbol, Symbols};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// How an invariant is checked: a map, or (in short form) a text that documents it and names no check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum LogicTemplate {
    /// `type` and `parameters`.
    Map {
        /// Family of the check.
        #[serde(rename = "type", default)]
        kind: String,
        /// Its figures and names; `check` says which check.
        #[serde(default)]
        parameters: Map<String, Value>,
    },
    /// Prose.
    Text(String),
}

impl Default for LogicTemplate {
    fn default() -> Self {
        Self::Text(String::new())
    }
}

/// One entry. Fields that only people read are kept as they are.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct InvariantEntry {
    /// Its id; an entry without one is skipped.
    pub invariant_id: Option<String>,
    /// What it demands, in a line.
    pub title: String,
    /// `low`, `med` (also when absent), `high` or `critical`.
    pub severity: Option<String>,
    /// What it is about: `system` when absent.
    pub scope: Option<String>,
    /// How it is checked.
    pub logic_template: LogicTemplate,
    /// Reason code of a violation.
    pub reason_code: Option<String>,
    /// Everything else.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `policy/invariants/invariant_registry.v1.0.yaml`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct InvariantPolicy {
    /// Version of the registry.
    pub registry_version: String,
    /// Names the registry.
    pub registry_id: String,
    /// The entries, in order.
    pub invariants: Vec<InvariantEntry>,
}

/// A compiled entry.
#[derive(Clone, Debug)]
pub struct InvariantSpec {
    /// Its id.
    pub id: Symbol,
    /// Its severity.
    pub severity: Symbol,
    /// Its scope.
    pub scope: Symbol,
    /// Family of the check.
    pub kind: String,
    /// The check.
    pub check: String,
    /// Everything the check was told.
    pub parameters: Map<String, Value>,
    /// Reason code of a violation.
    pub reason_code: Option<String>,
    /// Text parameters, interned.
    texts: Vec<(String, Symbol)>,
}

impl InvariantSpec {
    pub(super) fn of(entry: &InvariantEntry, symbols: &mut Symbols) -> Option<Self> {
        let id = entry.invariant_id.as_deref().filter(|id| !id.is_empty())?;
        let (kind, parameters) = match &entry.logic_template {
            LogicTemplate::Map { kind, parameters } => (kind.clone(), parameters.clone()),
            LogicTemplate::Text(_) => ("state".to_owned(), Map::new()),
        };
        let text_of = |(name, value): (&String, &Value)| Some((name.clone(), value.as_str()?.to_owned()));
        let texts = parameters.iter().filter_map(text_of).map(|(name, text)| (name, symbols.intern(&text))).collect();
        Some(Self {
            id: symbols.intern(id),
            severity: symbols.intern(entry.severity.as_deref().unwrap_or("med")),
            scope: symbols.intern(entry.scope.as_deref().unwrap_or("system")),
            kind,
            check: parameters.get("check").and_then(Value::as_str).unwrap_or_default().to_owned(),
            parameters,
            reason_code: entry.reason_code.clone(),
            texts,
        })
    }

    /// A text parameter, interned when the registry was compiled.
    #[must_use]
    pub fn symbol(&self, parameter: &str) -> Option<Symbol> {
        self.texts.iter().find(|(name, _)| name == parameter).map(|(_, symbol)| *symbol)
    }

    /// A numeric parameter.
    #[must_use]
    pub fn number(&self, parameter: &str) -> Option<f64> {
        self.parameters.get(parameter).and_then(Value::as_f64)
    }

    /// `set`, narrowed to the `action_types` parameter where there is one.
    pub(super) fn narrowed(&self, set: ActionSet, actions: &ActionTable) -> ActionSet {
        let Some(Value::Array(names)) = self.parameters.get("action_types") else { return set };
        let named = names.iter().filter_map(Value::as_str).filter_map(|name| actions.id(name));
        set.intersection(named.collect())
    }
}
