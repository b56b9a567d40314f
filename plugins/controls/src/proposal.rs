//! What a model answers: one action proposal, read strictly.
//!
//! The shape is that of `policy/schemas/action_proposal.v0.1.schema.json`, checked here by hand, because an answer is
//! read in every step; a test holds the two against each other. An object that names a key twice is refused: what comes
//! after must not read it differently.

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value, json};

/// The seven keys of a proposal.
pub const KEYS: [&str; 7] =
    ["action_type", "args", "reason_code", "token_refs", "rationale", "confidence", "safety_notes"];

/// The action of doing nothing.
pub const NOOP: &str = "NOOP";

/// Longest answer that is read [bytes]; a proposal is a hundredth of it.
const LONGEST: usize = 256 * 1024;

/// An action that somebody proposes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proposal {
    /// The action.
    pub action_type: String,
    /// Its arguments.
    pub args: Map<String, Value>,
    /// The reason, for actions that need one.
    pub reason_code: Option<String>,
    /// Tokens that it is to use up.
    pub token_refs: Vec<String>,
    /// Why.
    pub rationale: String,
    /// How sure the model is [ppm].
    pub confidence_ppm: u32,
    /// What the model says about safety.
    pub safety_notes: String,
    /// Keys that a proposal does not have. Only [`Proposal::lenient`] leaves any.
    pub extra: Map<String, Value>,
}

impl Proposal {
    /// Doing nothing.
    #[must_use]
    pub fn noop() -> Self {
        Self { action_type: NOOP.to_owned(), ..Self::default() }
    }

    /// Whether it asks for nothing.
    #[must_use]
    pub fn is_noop(&self) -> bool {
        self.action_type == NOOP
    }

    /// Reads a proposal by its schema.
    ///
    /// # Errors
    /// What the schema does not allow, without the content.
    pub fn strict(value: &Value) -> Result<Self, String> {
        let Some(map) = value.as_object() else { return Err("it is no object".to_owned()) };
        if let Some(missing) = KEYS.iter().find(|key| !map.contains_key(**key)) {
            return Err(format!("{missing} is missing"));
        }
        if map.len() > KEYS.len() {
            return Err("it has keys that a proposal does not have".to_owned());
        }
        let text = |key: &str| map[key].as_str().filter(|text| !text.is_empty()).ok_or(format!("{key} is no text"));
        let confidence = map["confidence"].as_number().and_then(ppm).ok_or("confidence is no number from 0 to 1")?;
        let tokens: Option<Vec<String>> = map["token_refs"].as_array().and_then(|list| {
            list.iter().map(|one| one.as_str().filter(|id| !id.is_empty()).map(str::to_owned)).collect()
        });
        let tokens = tokens.ok_or("token_refs is no list of texts")?;
        if (1..tokens.len()).any(|at| tokens[..at].contains(&tokens[at])) {
            return Err("a token is named twice".to_owned());
        }
        let proposal = Self {
            action_type: text("action_type")?.to_owned(),
            args: map["args"].as_object().ok_or("args is no object")?.clone(),
            reason_code: if map["reason_code"].is_null() { None } else { Some(text("reason_code")?.to_owned()) },
            token_refs: tokens,
            rationale: text("rationale")?.to_owned(),
            confidence_ppm: confidence,
            safety_notes: map["safety_notes"].as_str().ok_or("safety_notes is no text")?.to_owned(),
            extra: Map::new(),
        };
        let empty = proposal.args.is_empty() && proposal.reason_code.is_none() && proposal.token_refs.is_empty();
        if proposal.is_noop() && !empty {
            return Err("NOOP has no arguments, reason or tokens".to_owned());
        }
        Ok(proposal)
    }

    /// Reads whatever is there, as programs without a schema do. `None` when there is no action at all.
    #[must_use]
    pub fn lenient(value: &Value) -> Option<Self> {
        let map = value.as_object()?;
        let text = |key: &str| map.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let known = |key: &String| KEYS.contains(&key.as_str());
        Some(Self {
            action_type: map.get("action_type")?.as_str()?.to_owned(),
            args: map.get("args").and_then(Value::as_object).cloned().unwrap_or_default(),
            reason_code: map.get("reason_code").and_then(Value::as_str).map(str::to_owned),
            token_refs: map
                .get("token_refs")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
            rationale: text("rationale"),
            confidence_ppm: map.get("confidence").and_then(Value::as_number).and_then(ppm).unwrap_or(0),
            safety_notes: text("safety_notes"),
            extra: map.iter().filter(|(key, _)| !known(key)).map(|(key, value)| (key.clone(), value.clone())).collect(),
        })
    }

    /// The proposal as JSON, with its extra keys.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let mut map = self.extra.clone();
        for (key, value) in KEYS.iter().zip([
            json!(self.action_type),
            json!(self.args),
            json!(self.reason_code),
            json!(self.token_refs),
            json!(self.rationale),
            decimal(self.confidence_ppm),
            json!(self.safety_notes),
        ]) {
            map.insert((*key).to_owned(), value);
        }
        Value::Object(map)
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the number lies between 0 and 1")]
fn ppm(number: &Number) -> Option<u32> {
    // A decimal of an answer becomes whole millionths here, and nothing behind this reckons with decimals.
    number.as_f64().filter(|value| (0.0..=1.0).contains(value)).map(|value| (value * 1e6).round() as u32)
}

fn decimal(ppm: u32) -> Value {
    json!(f64::from(ppm) / 1e6)
}

/// The first JSON object of an answer, wherever prose and fences stand around it.
///
/// # Errors
/// Why there is none that can be read.
pub fn object_in(answer: &str) -> Result<Value, String> {
    if answer.len() > LONGEST {
        return Err("the answer is too long to be a proposal".to_owned());
    }
    let start = answer.find('{').ok_or("the answer holds no JSON object")?;
    let text = balanced(&answer[start..]).ok_or("the JSON object of the answer does not end")?;
    serde_json::from_str::<Strict>(text).map(|strict| strict.0).map_err(|error| error.to_string())
}

/// From the first brace to the one that closes it. Signs inside of texts count for nothing.
fn balanced(text: &str) -> Option<&str> {
    let (mut depth, mut quoted, mut escaped) = (0usize, false, false);
    for (at, sign) in text.bytes().enumerate() {
        match sign {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'{' if !quoted => depth += 1,
            b'}' if !quoted => {
                depth -= 1;
                if depth == 0 {
                    return text.get(..=at);
                }
            }
            _ => {}
        }
    }
    None
}

/// A value in which no object names a key twice.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        reader.deserialize_any(StrictVisitor).map(Self)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = access.next_key::<String>()? {
            if map.contains_key(&key) {
                return Err(serde::de::Error::custom("a key stands twice in one object"));
            }
            let Strict(value) = access.next_value()?;
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(Strict(value)) = list.next_element()? {
            items.push(value);
        }
        Ok(Value::Array(items))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use labtrust_policy::{PolicyStore, schema_complaints};
    use proptest::prelude::*;

    fn good() -> Value {
        json!({"action_type": "MOVE", "args": {"to_zone": "Z"}, "reason_code": null, "token_refs": ["T1"], "rationale": "why",
            "confidence": 0.5, "safety_notes": ""})
    }

    fn with(key: &str, value: Value) -> Value {
        let mut changed = good();
        changed[key] = value;
        changed
    }

    fn fits_schema(value: &Value) -> bool {
        let store = PolicyStore::builtin();
        let schema = store.text("schemas/action_proposal.v0.1.schema.json").unwrap();
        schema_complaints(schema, value).unwrap().is_empty()
    }

    #[test]
    fn reading_by_hand_and_the_schema_agree() {
        let mut cases = vec![good(), json!(1), json!({}), with("extra", json!(1))];
        for key in KEYS {
            let mut without = good();
            without.as_object_mut().unwrap().remove(key);
            cases.push(without);
            for value in [
                json!(null),
                json!(""),
                json!("x"),
                json!(0),
                json!(1),
                json!(1.01),
                json!(-0.1),
                json!(true),
                json!([]),
                json!({}),
                json!(["T", "T"]),
                json!(["T", "U"]),
                json!(["T", ""]),
                json!([1]),
                json!({"a": 1}),
                json!("NOOP"),
            ] {
                cases.push(with(key, value));
            }
        }
        for (key, value) in [("args", json!({})), ("reason_code", json!("RC")), ("token_refs", json!([]))] {
            let mut noop = json!({"action_type": "NOOP", "args": {}, "reason_code": null, "token_refs": [], "rationale": "r",
                "confidence": 0, "safety_notes": ""});
            cases.push(noop.clone());
            noop[key] = value;
            cases.push(noop.clone());
            noop["args"] = json!({"a": 1});
            cases.push(noop);
        }
        let accepted = cases.iter().filter(|case| fits_schema(case)).count();
        assert!(accepted > 8 && accepted < cases.len() / 2, "{accepted}");
        for case in cases {
            let read = Proposal::strict(&case);
            assert_eq!(read.is_ok(), fits_schema(&case), "{case}: {read:?}");
            if let Ok(read) = read {
                assert_eq!(Proposal::strict(&read.to_value()), Ok(read));
            }
        }
    }

    #[test]
    fn an_object_is_found_among_prose_and_fences_and_quotes() {
        for text in [
            "{\"a\":\"}{\\\"\"}",
            "Sure, it's:\n```json\n{\"a\":\"}{\\\"\"}\n```\nDone.",
            "'quote {\"a\":\"}{\\\"\"} and {\"b\":2}",
        ] {
            assert_eq!(object_in(text), Ok(json!({"a": "}{\""})), "{text}");
        }
        for text in ["", "no", "{", "{\"a\":1", "{'a': 1}", "{\"a\":1,\"a\":2}", "{\"b\":{\"a\":1,\"a\":2}}", "}{"] {
            assert!(object_in(text).is_err(), "{text}");
        }
        assert!(object_in(&"{\"a\":".repeat(500)).is_err());
        assert!(object_in(&format!("{{\"a\":\"{}\"}}", "x".repeat(LONGEST))).is_err());
    }

    #[test]
    fn reading_leniently_keeps_what_a_proposal_does_not_have() {
        let read = Proposal::lenient(&with("agent_id", json!("A_SUPERVISOR"))).unwrap();
        assert_eq!((read.action_type.as_str(), read.extra["agent_id"].as_str()), ("MOVE", Some("A_SUPERVISOR")));
        assert_eq!(Proposal::lenient(&json!({"action": "MOVE"})), None);
    }

    proptest! {
        #[test]
        fn any_answer_is_read_or_refused(answer in any::<String>(), tail in "[{}\"\\\\a:,\\[\\]]{0,40}") {
            let _ = object_in(&answer);
            if let Ok(value) = object_in(&tail) {
                let _ = (Proposal::strict(&value), Proposal::lenient(&value));
            }
        }
    }
}
