//! Parameters against the schema that a plugin states, before the plugin sees them.

use labtrust_plugin::wire::{Problem, ProblemKind, Settings};
use serde_json::Value;

/// The schema of a plugin's parameters, ready to be used.
pub(crate) struct Schema(jsonschema::Validator);

/// Why a schema cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the plugin's schema of its parameters cannot be used: {0}")]
pub struct SchemaError(String);

impl Schema {
    /// The schema in a manifest.
    pub(crate) fn new(text: &str) -> Result<Self, SchemaError> {
        let schema: Value = serde_json::from_str(text).map_err(|error| SchemaError(error.to_string()))?;
        jsonschema::validator_for(&schema).map(Self).map_err(|error| SchemaError(error.to_string()))
    }

    /// Whether these parameters are as the plugin wants them.
    pub(crate) fn check(&self, settings: &Settings) -> Result<(), Problem> {
        let value = Value::Object(settings.0.iter().map(|(name, it)| (name.clone(), it.to_json())).collect());
        match self.0.iter_errors(&value).next() {
            None => Ok(()),
            Some(error) => {
                let place = error.instance_path().to_string();
                let place = if place.is_empty() { "the parameters".to_owned() } else { place[1..].to_owned() };
                Err(Problem::of_kind(ProblemKind::Settings, format!("{place}: {error}")))
            }
        }
    }
}
