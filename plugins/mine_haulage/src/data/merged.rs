//! Scenario files and changes put together: the nearest word counts, and each value remembers who said it.

use super::document::Document;
use super::error::{DataError, Place};
use super::source::{Source, Sources};
use serde_json::{Map, Value};

/// A scenario with everything that it inherits and every change, and where each value comes from.
pub(crate) struct Merged<'a> {
    pub id: &'a str,
    /// Ids that it inherits from, nearest first.
    pub ancestors: Vec<String>,
    pub document: Document,
    chain: Vec<(&'a str, &'a Source)>,
    changes: &'a [(&'a str, Value)],
}

impl<'a> Merged<'a> {
    /// Puts the scenario `id` together and applies `changes`, the later over the earlier.
    pub(crate) fn new(sources: &'a Sources, id: &str, changes: &'a [(&'a str, Value)]) -> Result<Self, DataError> {
        let chain = sources.chain(id)?;
        let mut tree = Value::Object(Map::new());
        for (_, source) in chain.iter().rev() {
            merge(&mut tree, &source.tree);
        }
        let parsed = |tree: &Value, place: &dyn Fn() -> Place| {
            serde_json::from_value::<Document>(tree.clone()).map_err(|error| {
                place().wrong(error.to_string(), "the keys are those of a scenario file, joined by dots")
            })
        };
        // Each file has been read as a document, so together they are one.
        let mut document = parsed(&tree, &|| Place::file(&chain[0].1.file))?;
        for (path, value) in changes {
            let place = || Place::file(&format!("the change {path}={value}"));
            let root = path.split('.').next().unwrap_or_default();
            if ["format", "scenario_id", "inherits"].contains(&root) {
                return Err(place().wrong(format!("{root} is a file's own"), "change a value of the scenario"));
            }
            set(&mut tree, path, whole(value), &place)?;
            document = parsed(&tree, &place)?;
        }
        let id = chain[0].0;
        let ancestors = chain[1..].iter().map(|(id, _)| (*id).to_owned()).collect();
        Ok(Self { id, ancestors, document, chain, changes })
    }

    /// Who said the value at `path`.
    pub(crate) fn place(&self, path: &str) -> Place {
        if let Some((path, value)) = self.changes.iter().rev().find(|(changed, _)| *changed == path) {
            return Place::file(&format!("the change {path}={value}"));
        }
        let pointer = format!("/{}", path.replace('.', "/"));
        let says = |source: &Source| source.tree.pointer(&pointer).is_some();
        let source = self.chain.iter().map(|(_, source)| source).find(|source| says(source));
        Place::file(&source.unwrap_or(&self.chain[0].1).file).at(path)
    }

    /// A key that nobody said.
    pub(crate) fn missing(&self, path: &str) -> DataError {
        let whose = if self.ancestors.is_empty() { "" } else { ", here and in all that it inherits" };
        Place::file(&self.chain[0].1.file).at(path).wrong(format!("the key is missing{whose}"), "add it")
    }
}

/// Lays `over` on `tree`: mappings key by key, anything else whole.
fn merge(tree: &mut Value, over: &Value) {
    match (tree, over) {
        (Value::Object(tree), Value::Object(over)) => {
            for (key, value) in over {
                match tree.get_mut(key) {
                    Some(below) => merge(below, value),
                    None => {
                        tree.insert(key.clone(), value.clone());
                    }
                }
            }
        }
        (tree, over) => *tree = over.clone(),
    }
}

fn set(tree: &mut Value, path: &str, value: Value, place: &dyn Fn() -> Place) -> Result<(), DataError> {
    let mut here = tree;
    for key in path.split('.') {
        if key.is_empty() {
            return Err(place().wrong("a key of the path is empty", "write it like fleet.truck_count"));
        }
        let keys = match here {
            Value::Object(keys) => keys,
            _ => return Err(place().wrong(format!("what stands before {key} is a value"), "shorten the path")),
        };
        here = keys.entry(key).or_insert_with(|| Value::Object(Map::new()));
    }
    *here = value;
    Ok(())
}

/// A whole number that came as a float, as steps of a range do, is an integer: a count takes nothing else.
fn whole(value: &Value) -> Value {
    match value.as_f64() {
        Some(number) if value.is_f64() && number.fract() == 0.0 && number.abs() < 9e15 => Value::from(number as i64),
        _ => value.clone(),
    }
}
