//! Changes that a scenario makes to policy files.

use labtrust_plugin::lab::Engine;
use labtrust_policy::{PolicyError, PolicyStore};
use serde_json::{Map, Value};

type Load = dyn Fn(&PolicyStore) -> Result<Box<dyn Engine>, PolicyError> + Send + Sync;

/// Makes the engine under a policy.
pub struct EngineLoader(Box<Load>);

impl EngineLoader {
    /// A loader that calls `load`.
    #[must_use]
    pub fn new(load: impl Fn(&PolicyStore) -> Result<Box<dyn Engine>, PolicyError> + Send + Sync + 'static) -> Self {
        Self(Box::new(load))
    }

    /// The engine under `policy`.
    ///
    /// # Errors
    /// [`PolicyError`] when the policy cannot be used.
    pub fn load(&self, policy: &PolicyStore) -> Result<Box<dyn Engine>, PolicyError> {
        (self.0)(policy)
    }
}

impl std::fmt::Debug for EngineLoader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EngineLoader").finish_non_exhaustive()
    }
}

/// The policy with the scenario's changes: a text takes the place of a file, anything else is merged into it.
///
/// # Errors
/// [`PolicyError`] when a file that is merged into is missing or cannot be read.
pub(super) fn patched(policy: &PolicyStore, changes: &Map<String, Value>) -> Result<PolicyStore, PolicyError> {
    let mut policy = policy.clone();
    for (path, change) in changes {
        let text = match change {
            Value::String(text) => text.clone(),
            change => {
                let mut content: Value = policy.section(path, None)?;
                merge(&mut content, change);
                // JSON is YAML.
                content.to_string()
            }
        };
        policy = policy.with_text(path, &text);
    }
    Ok(policy)
}

/// Maps are merged key by key; everything else is replaced.
fn merge(into: &mut Value, change: &Value) {
    match (into, change) {
        (Value::Object(into), Value::Object(changes)) => {
            for (key, change) in changes {
                merge(into.entry(key.clone()).or_insert(Value::Null), change);
            }
        }
        (into, change) => *into = change.clone(),
    }
}
