//! From text to typed content: YAML and JSON, with limits, and with the place of every mistake.
//!
//! One set of rules for all policy files (ADR 0002): a key may stand once in a mapping, only `true` and `false` are
//! booleans (`yes`, `no`, `on`, `off` are text), `140` is an integer and `140.0` a float, infinities and NaN are
//! refused, a file is one document. Sizes, nesting and aliases are bounded, so that a hostile file
//! costs milliseconds and not the machine.

use std::collections::BTreeSet;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{
    Deserialize, DeserializeOwned, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_yaml::{DuplicateKeyPolicy, Error as YamlError, NonFiniteFloatPolicy};

use crate::error::{Located, PolicyError, find_token};
use crate::nearest::nearest;
use crate::store::PolicyStore;

/// Deepest nesting of lists and mappings [count]. The policy of the reference needs 9.
const MAX_DEPTH: usize = 48;
/// Most nodes of one document [count]; a file of the largest size has fewer than twice as many.
const MAX_NODES: usize = 2_000_000;
/// Most anchors, most aliases and most merge keys of one document [count].
const MAX_ALIASES: usize = 256;
/// Most parser events that aliases may add [count]: what a "billion laughs" file runs into.
const MAX_REPLAYED_EVENTS: usize = 50_000;

/// Reads `text` as a `T`; with a top key, only what stands under that key.
pub(crate) fn typed<T: DeserializeOwned>(
    store: &PolicyStore,
    path: &str,
    text: &str,
    top: Option<&str>,
) -> Result<T, PolicyError> {
    let mut keys = Vec::new();
    let found = if is_json(path) {
        let at = |error: serde_json::Error| json_defect(store, path, text, &error);
        serde_json::from_str::<NoDuplicates>(text).map_err(at)?;
        match top {
            None => Some(serde_json::from_str(text).map_err(at)?),
            Some(key) => {
                let mut reader = serde_json::Deserializer::from_str(text);
                let value =
                    TopKey { key, keys: &mut keys, content: PhantomData }.deserialize(&mut reader).map_err(at)?;
                reader.end().map_err(at)?;
                value
            }
        }
    } else {
        let at = |error: YamlError| yaml_defect(store, path, text, &error);
        match top {
            None => Some(serde_yaml::from_str_with_options(text, options()).map_err(at)?),
            Some(key) => serde_yaml::with_deserializer_from_str_with_options(text, options(), |reader| {
                TopKey { key, keys: &mut keys, content: PhantomData }.deserialize(reader)
            })
            .map_err(at)?,
        }
    };
    found.ok_or_else(|| missing_top_key(store, path, text, top.unwrap_or_default(), &keys))
}

/// The complaint that `top` is not among the `keys` at the top of a file.
pub(crate) fn missing_top_key(store: &PolicyStore, path: &str, text: &str, top: &str, keys: &[String]) -> PolicyError {
    let hint = match nearest(keys.iter().map(String::as_str), top) {
        Some(near) => format!("the file has `{near}`; rename it to `{top}`"),
        None if keys.is_empty() => format!("the file is empty; its content belongs under `{top}:`"),
        None => format!("the file has {}; the content belongs under `{top}:`", quoted(keys)),
    };
    let place = keys.first().and_then(|key| find_token(text, key));
    let message = format!("the key `{top}` is missing at the top of the file");
    PolicyError::MissingTopKey(Located::new(store, path, text, place, message, Some(hint)))
}

pub(crate) fn quoted<S: AsRef<str>>(words: &[S]) -> String {
    words.iter().map(|word| format!("`{}`", word.as_ref())).collect::<Vec<_>>().join(", ")
}

fn is_json(path: &str) -> bool {
    path.ends_with(".json")
}

pub(crate) fn options() -> serde_yaml::Options {
    serde_yaml::options! {
        budget: serde_yaml::budget! {
            max_depth: MAX_DEPTH,
            flow_nesting_limit: MAX_DEPTH,
            max_nodes: MAX_NODES,
            max_aliases: MAX_ALIASES,
            max_anchors: MAX_ALIASES,
            max_merge_keys: MAX_ALIASES,
            // One is too many already; the reader says so better than the budget does.
            max_documents: 2,
            // Long explanations in front of an entry are welcome.
            max_buffered_comment_events: 10_000,
        },
        alias_limits: serde_yaml::alias_limits! { max_total_replayed_events: MAX_REPLAYED_EVENTS },
        duplicate_keys: DuplicateKeyPolicy::Error,
        strict_booleans: true,
        non_finite_float_policy: NonFiniteFloatPolicy::Reject,
        // The renderer of our own diagnostics shows the place.
        with_snippet: false,
        emit_comments: false,
    }
}

fn yaml_defect(store: &PolicyStore, path: &str, text: &str, error: &YamlError) -> PolicyError {
    let error = error.without_snippet();
    let place = error.location().map(|at| match at.span().byte_offset() {
        Some(offset) => (to_usize(offset), to_usize(at.span().byte_len().unwrap_or(0))),
        // The scanner's own complaints have a line and a column only.
        None => (offset_of(text, to_usize(at.line()), to_usize(at.column())), 0),
    });
    let (message, hint) = explained(error);
    PolicyError::Parse(Located::new(store, path, text, place, message, hint))
}

/// What a complaint of the YAML reader means, and what to do about it.
fn explained(error: &YamlError) -> (String, Option<String>) {
    match error {
        YamlError::DuplicateMappingKey { key, .. } => {
            let key = key.as_deref().unwrap_or("?");
            (format!("the key `{key}` stands twice in one mapping"), Some("remove or rename one of the two".to_owned()))
        }
        YamlError::SerdeUnknownField { field, expected, .. } => unknown("key", field, expected),
        YamlError::SerdeUnknownVariant { variant, expected, .. } => unknown("value", variant, expected),
        YamlError::SerdeMissingField { field, .. } => (format!("the key `{field}` is missing in this entry"), None),
        YamlError::Budget { breach, .. } => (
            format!("the file is larger or more nested than a policy file may be ({breach:?})"),
            Some("policy files are plain data: little nesting, few aliases".to_owned()),
        ),
        YamlError::AliasReplayLimitExceeded { .. }
        | YamlError::AliasExpansionLimitExceeded { .. }
        | YamlError::AliasReplayStackDepthExceeded { .. } => too_many_aliases(),
        YamlError::AliasError { error, .. } => explained(error),
        YamlError::MultipleDocuments { .. } => (
            "the file holds more than one document".to_owned(),
            Some("remove the `---` line and what follows".to_owned()),
        ),
        other => (without_place(&other.to_string()), None),
    }
}

fn too_many_aliases() -> (String, Option<String>) {
    (
        "the aliases of this file expand to more than a policy file may hold".to_owned(),
        Some("write the content out instead of building it from aliases".to_owned()),
    )
}

fn to_usize(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

/// Byte offset of a line and a column, both counted from 1, the column in characters.
fn offset_of(text: &str, line: usize, column: usize) -> usize {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let inside: usize = text[start..].chars().take(column.saturating_sub(1)).map(char::len_utf8).sum();
    start + inside
}

fn json_defect(store: &PolicyStore, path: &str, text: &str, error: &serde_json::Error) -> PolicyError {
    let place = (error.line() > 0).then(|| {
        let line_start: usize = text.split_inclusive('\n').take(error.line() - 1).map(str::len).sum();
        (line_start + error.column().saturating_sub(1), 1)
    });
    let message = without_place(&error.to_string());
    PolicyError::Parse(Located::new(store, path, text, place, message, None))
}

fn unknown(what: &str, word: &str, expected: &[&'static str]) -> (String, Option<String>) {
    let hint = match nearest(expected.iter().copied(), word) {
        Some(near) => format!("did you mean `{near}`?"),
        None if expected.is_empty() => format!("no {what} is expected here"),
        None => format!("expected one of {}", quoted(expected)),
    };
    (format!("`{word}` is not a known {what} here"), Some(hint))
}

/// Takes the position out of a parser's message; it is shown as the place of the complaint.
fn without_place(message: &str) -> String {
    let mut message = message.trim();
    for prefix in ["error: ", "error at ", "line "] {
        if let Some(rest) = message.strip_prefix(prefix) {
            message = rest.split_once(": ").filter(|_| prefix != "error: ").map_or(rest, |(_, rest)| rest);
        }
    }
    let cut = message.find(" at line ").filter(|at| message[*at..].contains("column"));
    let message = cut.map_or(message, |at| &message[..at]);
    let mut letters = message.chars();
    match letters.next() {
        // An abbreviation keeps its capitals.
        Some(first) if letters.clone().next().is_none_or(char::is_lowercase) => {
            first.to_lowercase().chain(letters).collect()
        }
        _ => message.to_owned(),
    }
}

/// Reads one key of the mapping at the top of a file and skips (but checks) the others.
struct TopKey<'k, T> {
    key: &'k str,
    /// The keys that were seen, for the complaint that `key` is not one of them.
    keys: &'k mut Vec<String>,
    content: PhantomData<T>,
}

impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for TopKey<'_, T> {
    type Value = Option<T>;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        // Not `deserialize_map`: an empty file and a list then get complaints of their own.
        reader.deserialize_any(self)
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for TopKey<'_, T> {
    type Value = Option<T>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "a mapping with the key `{}`", self.key)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut content = None;
        while let Some(key) = map.next_key::<String>()? {
            if key == self.key {
                content = Some(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
            self.keys.push(key);
        }
        Ok(content)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
}

/// Any JSON value whose mappings have no key twice. The JSON reader itself would let the last one win.
struct NoDuplicates;

impl<'de> Deserialize<'de> for NoDuplicates {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        reader.deserialize_any(NoDuplicates)
    }
}

impl<'de> Visitor<'de> for NoDuplicates {
    type Value = NoDuplicates;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self, A::Error> {
        let mut keys = BTreeSet::new();
        while let Some(key) = map.next_key::<String>()? {
            if keys.contains(&key) {
                return Err(serde::de::Error::custom(format!("the key `{key}` stands twice in one object")));
            }
            keys.insert(key);
            map.next_value::<NoDuplicates>()?;
        }
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self, A::Error> {
        while list.next_element::<NoDuplicates>()?.is_some() {}
        Ok(self)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }
    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }
    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }
    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }
    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }
    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::without_place;

    #[test]
    fn a_position_inside_a_message_is_taken_out() {
        assert_eq!(without_place("expected `,` at line 3 column 4"), "expected `,`");
        assert_eq!(without_place("Expected a mapping"), "expected a mapping");
        assert_eq!(without_place("UTF-8 needed at line"), "UTF-8 needed at line");
    }
}
