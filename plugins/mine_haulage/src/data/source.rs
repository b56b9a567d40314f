//! Scenario files before they are put together: what each says, by id, and which inherits which.

use super::document::{Document, SCENARIO_FORMAT};
use super::error::{DataError, Place};
use super::records::known_hint;
use ron::extensions::Extensions;
use serde_json::Value;
use std::collections::BTreeMap;

/// One scenario file.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// The file, as it is named in messages.
    pub file: String,
    pub inherits: Option<String>,
    /// What it says, as a tree.
    pub tree: Value,
}

/// All scenario files, by scenario id.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sources {
    pub by_id: BTreeMap<String, Source>,
}

/// What a scenario file is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notation {
    Ron,
    Yaml,
}

impl Sources {
    /// Adds the scenario of `text`, the content of `file`.
    pub(crate) fn add(&mut self, file: &str, text: &str, notation: Notation) -> Result<(), DataError> {
        let document = match notation {
            Notation::Ron => from_ron(file, text)?,
            Notation::Yaml => from_yaml(file, text)?,
        };
        let place = || Place::file(file);
        check_format(file, document.format.as_deref(), SCENARIO_FORMAT)?;
        let id = document.scenario_id.clone().filter(|id| !id.is_empty());
        let id = id.ok_or_else(|| place().wrong("the key scenario_id is missing", "give the scenario an id"))?;
        if let Some(earlier) = self.by_id.get(&id) {
            let problem = format!("the scenario {id} is in {} already", earlier.file);
            return Err(place().at("scenario_id").wrong(problem, "rename or remove one of the two"));
        }
        let inherits = document.inherits.clone();
        let mut tree = serde_json::to_value(&document).map_err(|error| place().wrong(error.to_string(), ""))?;
        if let Value::Object(keys) = &mut tree {
            // These are the file's own: a scenario does not get them from another.
            for key in ["format", "scenario_id", "inherits"] {
                keys.remove(key);
            }
        }
        self.by_id.insert(id, Source { file: file.to_owned(), inherits, tree });
        Ok(())
    }

    /// The scenario `id` and what it inherits from, nearest first.
    pub(crate) fn chain(&self, id: &str) -> Result<Vec<(&str, &Source)>, DataError> {
        let unknown = || DataError::UnknownScenario { id: id.to_owned(), known: self.by_id.keys().cloned().collect() };
        let (id, source) = self.by_id.get_key_value(id).ok_or_else(unknown)?;
        let mut chain: Vec<(&str, &Source)> = vec![(id, source)];
        while let Some((_, Source { file, inherits: Some(parent), .. })) = chain.last().copied() {
            let place = || Place::file(file).at("inherits");
            let (parent, source) = self.by_id.get_key_value(parent).ok_or_else(|| {
                let hint = known_hint("scenarios", self.by_id.keys().map(String::as_str), parent);
                place().wrong(format!("there is no scenario {parent}"), hint)
            })?;
            let round = chain.iter().map(|(id, _)| *id).position(|id| id == parent);
            if let Some(first) = round {
                let mut names: Vec<_> = chain[first..].iter().map(|(id, _)| *id).collect();
                names.push(parent);
                let problem = format!("inheritance goes round in a circle: {}", names.join(" inherits "));
                return Err(place().wrong(problem, "let one of them stand on its own"));
            }
            chain.push((parent, source));
        }
        Ok(chain)
    }
}

/// Refuses a format that is stated and not the one that this program reads.
pub(crate) fn check_format(file: &str, stated: Option<&str>, known: &str) -> Result<(), DataError> {
    match stated {
        Some(format) if format != known => {
            let problem = format!("the format is {format:?}");
            Err(Place::file(file).at("format").wrong(problem, format!("this version reads {known:?}")))
        }
        _ => Ok(()),
    }
}

/// Reads RON; `Some` need not be written.
pub(crate) fn from_ron<T: serde::de::DeserializeOwned>(file: &str, text: &str) -> Result<T, DataError> {
    let options = ron::Options::default().with_default_extension(Extensions::IMPLICIT_SOME);
    options.from_str(text).map_err(|error| {
        let at = error.span.start;
        let place = Place::line(file, at.line as u64).at(format!("column {}", at.col));
        place.wrong(error.code.to_string(), "compare with the format's reference page")
    })
}

fn from_yaml(file: &str, text: &str) -> Result<Document, DataError> {
    let options = serde_yaml::options! {
        duplicate_keys: serde_yaml::DuplicateKeyPolicy::Error,
        strict_booleans: true,
        with_snippet: false,
    };
    serde_yaml::from_str_with_options(text, options).map_err(|error| {
        let error = error.without_snippet();
        let place = error
            .location()
            .map_or_else(|| Place::file(file), |at| Place::line(file, at.line()).at(format!("column {}", at.column())));
        // The place is told apart; the reader's own text ends with it once more.
        let text = error.to_string();
        let problem = text.split(" at line ").next().unwrap_or(&text).trim_end_matches([',', ':']).to_owned();
        place.wrong(problem, "compare with the format's reference page")
    })
}
