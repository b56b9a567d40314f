//! One line of an episode log, whoever wrote it: the laboratory's own form or the reference's.
//!
//! A line is kept as its canonical text, and what is in it is read when it is asked for: most of a line repeats itself or is
//! looked at by nobody, and to make values of all of it is most of what reading a log would cost.

use crate::strict::{self, MemberRange};
use labtrust_trust::canonical::to_canonical_vec;
use serde_json::{Map, Value};
use std::sync::OnceLock;

/// Bytes of a line that is read, at most [bytes].
pub const MAX_LINE: usize = 16 << 20;

/// What a line says.
#[derive(Debug, Clone)]
pub struct Entry {
    text: Vec<u8>,
    members: Vec<MemberRange>,
    /// Where the arguments of the event stand in their own text.
    args: OnceLock<Vec<MemberRange>>,
    /// Values that somebody wanted, by place: few lines have any.
    values: OnceLock<Box<[OnceLock<Value>]>>,
    whole: OnceLock<Map<String, Value>>,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Entry {
    /// Reads a line.
    ///
    /// # Errors
    /// In words, when it is no JSON map.
    pub fn parse(line: impl Into<Vec<u8>>) -> Result<Self, String> {
        let line = line.into();
        if line.len() > MAX_LINE {
            return Err(format!("the line is longer than {MAX_LINE} bytes"));
        }
        Self::of_canonical(line).unwrap_or_else(|(line, _)| Self::made_canonical(&line))
    }

    /// Reads a line that is not canonical.
    ///
    /// # Errors
    /// In words, when it is no JSON map.
    pub(crate) fn made_canonical(line: &[u8]) -> Result<Self, String> {
        let value: Value = serde_json::from_slice(line).map_err(|error| format!("not JSON: {error}"))?;
        let text = to_canonical_vec(&value).map_err(|error| error.to_string())?;
        Self::of_canonical(text).unwrap_or_else(|(_, error)| Err(error.to_string()))
    }

    /// Takes a line that may be canonical.
    ///
    /// # Errors
    /// The line as it was, and why it is not canonical. Inside, in words, when it is and is no map.
    pub(crate) fn of_canonical(text: Vec<u8>) -> Result<Result<Self, String>, (Vec<u8>, strict::NotCanonical)> {
        let members = match strict::member_ranges(&text) {
            Ok(Some(members)) => members,
            Ok(None) => return Ok(Err("the line should be a JSON map".to_owned())),
            Err(error) => return Err((text, error)),
        };
        let (args, values, whole) = (OnceLock::new(), OnceLock::new(), OnceLock::new());
        Ok(Ok(Self { text, members, args, values, whole }))
    }

    /// Its canonical text, without a line feed.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.text
    }

    /// All of it.
    #[must_use]
    pub fn map(&self) -> &Map<String, Value> {
        self.whole.get_or_init(|| serde_json::from_slice(&self.text).unwrap_or_default())
    }

    /// Whether it has a key, be it null.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        strict::member(&self.members, &self.text, key).is_some()
    }

    /// The canonical text of a value.
    #[must_use]
    pub fn raw(&self, key: &str) -> Option<&[u8]> {
        strict::member(&self.members, &self.text, key).map(|member| member.value(&self.text))
    }

    /// A value; null is none.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        let place = strict::place(&self.members, &self.text, key)?;
        let raw = self.members[place].value(&self.text);
        if raw == b"null" {
            return None;
        }
        let values = self.values.get_or_init(|| self.members.iter().map(|_| OnceLock::new()).collect());
        Some(values[place].get_or_init(|| serde_json::from_slice(raw).unwrap_or_default()))
    }

    /// A text that is not empty.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<&str> {
        self.any_text(key).filter(|text| !text.is_empty())
    }

    /// A text, be it empty.
    pub(crate) fn any_text(&self, key: &str) -> Option<&str> {
        plain_text(self.raw(key)?).unwrap_or_else(|| self.get(key).and_then(Value::as_str))
    }

    /// A whole number.
    fn number<N: std::str::FromStr>(&self, key: &str) -> Option<N> {
        std::str::from_utf8(self.raw(key)?).ok()?.parse().ok()
    }

    /// The items of a list.
    pub fn list(&self, key: &str) -> impl Iterator<Item = &Value> {
        let some = self.raw(key).is_some_and(|raw| raw.starts_with(b"[") && raw != b"[]");
        some.then(|| self.get(key)).flatten().and_then(Value::as_array).into_iter().flatten()
    }

    /// The items of a list that are texts.
    pub fn texts<'e>(&'e self, key: &str) -> impl Iterator<Item = &'e str> {
        let plain = plain_texts(self.raw(key).unwrap_or(b"[]"));
        let other = plain.is_none().then(|| self.list(key).filter_map(Value::as_str));
        plain.into_iter().flatten().chain(other.into_iter().flatten())
    }

    /// The canonical text of an argument of the event.
    fn raw_arg(&self, key: &str) -> Option<&[u8]> {
        let args = self.raw("args").filter(|args| args.starts_with(b"{") && *args != b"{}")?;
        let members = self.args.get_or_init(|| strict::member_ranges(args).ok().flatten().unwrap_or_default());
        strict::member(members, args, key).map(|member| member.value(args))
    }

    /// An argument of the event; null is none.
    #[must_use]
    pub fn arg(&self, key: &str) -> Option<&Value> {
        self.raw_arg(key).filter(|raw| *raw != b"null")?;
        self.get("args")?.get(key)
    }

    /// An argument that is a text and not empty.
    #[must_use]
    pub fn arg_text(&self, key: &str) -> Option<&str> {
        let text = plain_text(self.raw_arg(key)?).unwrap_or_else(|| self.arg(key).and_then(Value::as_str));
        text.filter(|text| !text.is_empty())
    }

    /// The items of an argument that are texts.
    pub fn arg_texts<'e>(&'e self, key: &str) -> impl Iterator<Item = &'e str> {
        let plain = plain_texts(self.raw_arg(key).unwrap_or(b"[]"));
        let listed = plain.is_none().then(|| self.arg(key).and_then(Value::as_array)).flatten();
        let other = listed.into_iter().flatten().filter_map(Value::as_str);
        plain.into_iter().flatten().chain(other)
    }

    /// The action, or nothing.
    #[must_use]
    pub fn action(&self) -> &str {
        self.text("action_type").unwrap_or_default()
    }

    /// When [s]; 0 where the line has no time.
    #[must_use]
    pub fn t_s(&self) -> i64 {
        self.number("t_s").unwrap_or(0)
    }

    /// Whether the step happened.
    #[must_use]
    pub fn accepted(&self) -> bool {
        self.text("status") == Some("ACCEPTED")
    }

    /// Whether the step was refused.
    #[must_use]
    pub fn blocked(&self) -> bool {
        self.text("status") == Some("BLOCKED")
    }

    /// Episode of the run; 0 where the line does not say it.
    #[must_use]
    pub fn episode(&self) -> u64 {
        self.number("episode").unwrap_or(0)
    }

    /// Episode and step, where the line says both.
    #[must_use]
    pub fn moment(&self) -> Option<(u64, u64)> {
        Some((self.number("episode")?, self.number("step")?))
    }

    /// Whether it is a line of a log at all: a step, the summary of an episode, or a record of a language model.
    #[must_use]
    pub fn is_of_a_log(&self) -> bool {
        let step = self.has("action_type") && self.has("status");
        let summary = self.has("metrics") && self.has("seed");
        step || summary || self.has("log_type")
    }

    /// Whether the line has the whole event and the hashes around it, so that its place in the chain can be recomputed.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.raw("event").is_some_and(|event| event.starts_with(b"{")) && self.has("prev_hash")
    }

    /// The chain's values, as text.
    #[must_use]
    pub fn raw_chain(&self) -> Option<&[u8]> {
        self.raw("hashchain").filter(|raw| raw.starts_with(b"{"))
    }

    /// Whether it emitted something with this in its name.
    #[must_use]
    pub fn emits(&self, what: &str) -> bool {
        // An escape cannot hide it: what is asked for is plain, and plain characters are not escaped.
        let may = self.raw("emits").is_some_and(|raw| raw.windows(what.len()).any(|part| part == what.as_bytes()));
        may && self.texts("emits").any(|emit| emit.contains(what))
    }
}

/// What a canonical value says: inside nothing where it is no text, and outside nothing where its text has to be read to know.
pub(crate) fn plain_text(raw: &[u8]) -> Option<Option<&str>> {
    let Some(inner) = raw.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")) else { return Some(None) };
    if inner.contains(&b'\\') {
        return None;
    }
    Some(std::str::from_utf8(inner).ok())
}

/// The items of a canonical list of texts; `None` of what has to be read to know: lists of anything else, and escapes.
fn plain_texts(raw: &[u8]) -> Option<impl Iterator<Item = &str>> {
    let inner = raw.strip_prefix(b"[")?.strip_suffix(b"]")?;
    let inner = std::str::from_utf8(inner).ok().filter(|inner| !inner.contains('\\'))?;
    // Texts and commas between them have two quotes a text, and outside of texts nothing but the commas.
    let parts = || inner.split('"');
    let only_texts = parts().step_by(2).all(|between| between.is_empty() || between == ",");
    only_texts.then(|| parts().skip(1).step_by(2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_asked_for_is_what_the_values_say() {
        let line = json!({
            "action_type": "MO\u{e9}VE", "agent_id": "", "args": {"a": null, "b": "x", "c": 1, "e": "\"\u{e9}", "l": ["p", "", ",", "q"]},
            "emits": ["FORENSIC_FREEZE_LOG"], "mixed": ["a", 1, ["b"], {"c": "d"}, null, "e"], "escaped": ["\"", "a\u{e9}"], "one": ["a"],
            "episode": 3, "event": {"t_s": 1}, "hashchain": {"length": 1}, "list": [], "prev_hash": "", "status": "ACCEPTED",
            "step": 4, "t_s": -7, "float": 1.0, "nothing": null,
        });
        // As others write it, too.
        for text in [line.to_string(), serde_json::to_string_pretty(&line).unwrap()] {
            let entry = Entry::parse(text.as_bytes()).unwrap();
            assert_eq!(Value::Object(entry.map().clone()), line);
            for (key, value) in line.as_object().unwrap() {
                assert_eq!(entry.get(key), Some(value).filter(|value| !value.is_null()), "{key}");
                assert_eq!(entry.any_text(key), value.as_str(), "{key}");
                assert_eq!(entry.list(key).count(), value.as_array().map_or(0, Vec::len), "{key}");
                let texts: Vec<&str> = value.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
                assert_eq!(entry.texts(key).collect::<Vec<_>>(), texts, "{key}");
                assert_eq!(entry.number::<i64>(key), value.as_i64(), "{key}");
                assert!(entry.has(key), "{key}");
            }
            assert_eq!((entry.t_s(), entry.moment(), entry.text("agent_id")), (-7, Some((3, 4)), None));
            assert_eq!((entry.arg("a"), entry.arg_text("b"), entry.arg_text("c")), (None, Some("x"), None));
            assert_eq!(
                (entry.arg("c"), entry.arg("none"), entry.arg_text("e")),
                (Some(&json!(1)), None, Some("\"\u{e9}"))
            );
            assert_eq!(entry.arg_texts("l").collect::<Vec<_>>(), ["p", "", ",", "q"]);
            assert_eq!(entry.arg_texts("b").count() + entry.arg_texts("none").count(), 0);
            assert!(entry.is_full() && entry.accepted() && entry.emits("FORENSIC_FREEZE") && !entry.emits("MOVE"));
            assert!(!entry.has("other") && entry.get("other").is_none());
        }
        assert_eq!(Entry::parse(b"[]").unwrap_err(), "the line should be a JSON map");
        assert!(Entry::parse(b"{\"a\":").unwrap_err().starts_with("not JSON"));
    }
}
