//! The shape of a file: JSON Schema.

use jsonschema::error::ValidationErrorKind;
use serde_json::Value;

use super::document::Document;
use super::{Finding, Kind};
use crate::builtin;

/// Longest part of a schema complaint that is shown [characters]; the instance can be a whole file.
const MESSAGE_MAX: usize = 200;

/// The path of the embedded schema for a file of a policy, if there is one.
#[must_use]
pub fn schema_path(path: &str) -> Option<&'static str> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let wanted = match () {
        () if path.contains("schema") => return None,
        () if path.starts_with("lab_profiles/") => "lab_profiles/lab_profile.v0.1.schema.json".to_owned(),
        () if name.starts_with("prompt_injection_defense") => {
            "schemas/prompt_injection_defense.v0.1.schema.json".to_owned()
        }
        () if name.starts_with("test_catalogue.") => "schemas/test_catalogue.schema.v0.1.json".to_owned(),
        () => format!("schemas/{stem}.schema.json"),
    };
    builtin::files().iter().map(|(path, _)| *path).find(|path| *path == wanted)
}

/// The embedded schemas as (name, text), in the order of the names.
pub fn schemas() -> impl Iterator<Item = (&'static str, &'static str)> {
    let shown = |path: &'static str| {
        let name = path.rsplit('/').next().unwrap_or(path).strip_suffix(".json").unwrap_or(path);
        // The catalogue's version stands behind the word.
        name.strip_suffix(".schema").unwrap_or(name)
    };
    let mut all: Vec<_> = builtin::files()
        .iter()
        .filter(|(path, _)| path.contains(".schema."))
        .map(|(path, text)| (shown(path), *text))
        .collect();
    all.sort_unstable();
    all.into_iter()
}

/// Where `value` does not have the shape that the JSON Schema (2020-12) in `schema` asks for: nothing, or a complaint a
/// place, each beginning with its JSON pointer.
///
/// # Errors
/// Why `schema` is no JSON Schema that can be used; a reference to another document cannot.
pub fn schema_complaints(schema: &str, value: &Value) -> Result<Vec<String>, String> {
    let schema: Value = serde_json::from_str(schema).map_err(|error| format!("it is not JSON: {error}"))?;
    let validator = jsonschema::draft202012::new(&schema).map_err(|error| format!("it is no schema: {error}"))?;
    let tell = |error: jsonschema::ValidationError<'_>| {
        format!("{}: {}", error.instance_path().as_str(), shortened(&error.to_string()))
    };
    Ok(validator.iter_errors(value).map(tell).collect())
}

fn shortened(whole: &str) -> String {
    let mut message: String = whole.chars().take(MESSAGE_MAX).collect();
    if message.len() < whole.len() {
        message.push_str(" ...");
    }
    message
}

/// Checks a document against the schema at `path`.
pub(super) fn check(document: &Document, path: &str, findings: &mut Vec<Finding>) {
    let Some(schema) = builtin::text(path).and_then(|text| serde_json::from_str::<Value>(text).ok()) else { return };
    let Ok(validator) = jsonschema::draft202012::new(&schema) else { return };
    for error in validator.iter_errors(&document.value) {
        let at = error.instance_path().as_str();
        let keyword = error.kind().keyword();
        let mut tell = |at: &str, subject: String, message: String| {
            let fix = format!("`labtrust schema {}` prints what is allowed here", schema_name(path));
            findings.push(Finding::at(document, document.place_of(at), Kind::Schema, &subject, message, fix));
        };
        if let ValidationErrorKind::AdditionalProperties { unexpected } = error.kind() {
            for key in unexpected {
                let place = format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"));
                tell(&place, key.clone(), format!("`{key}` is not a key that may stand here"));
            }
            continue;
        }
        tell(at, format!("{at} {keyword}"), shortened(&error.to_string()));
    }
}

fn schema_name(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.strip_suffix(".schema.json").or_else(|| name.strip_suffix(".json")).unwrap_or(name)
}
