//! Parameters on their way to a method: names and whole numbers, flags or texts.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The value of one parameter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Setting {
    /// A flag.
    Flag(bool),
    /// A whole number. Rates are given in parts per million.
    Number(i64),
    /// A text.
    Text(String),
}

impl Setting {
    /// What it is, for a message.
    #[must_use]
    pub const fn what(&self) -> &'static str {
        match self {
            Self::Flag(_) => "a flag",
            Self::Number(_) => "a whole number",
            Self::Text(_) => "a text",
        }
    }
}

#[cfg(feature = "compiled-in")]
impl Setting {
    /// The same as JSON.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Flag(flag) => (*flag).into(),
            Self::Number(number) => (*number).into(),
            Self::Text(text) => text.as_str().into(),
        }
    }
}

/// Parameters by name, sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings(pub BTreeMap<String, Setting>);

#[cfg(feature = "compiled-in")]
impl Settings {
    /// The parameters of a study file or a command line.
    ///
    /// # Errors
    /// [`ProblemKind::Settings`](super::ProblemKind) for a value that is no flag, whole number or text: a fraction, a
    /// list, a map, null.
    pub fn from_json(params: &serde_json::Map<String, serde_json::Value>) -> Result<Self, super::Problem> {
        use serde_json::Value;
        let setting = |(name, value): (&String, &Value)| {
            let setting = match value {
                Value::Bool(flag) => Some(Setting::Flag(*flag)),
                Value::Number(number) => number.as_i64().map(Setting::Number),
                Value::String(text) => Some(Setting::Text(text.clone())),
                Value::Null | Value::Array(_) | Value::Object(_) => None,
            };
            let setting = setting.ok_or_else(|| {
                let rule = "a parameter is a flag, a whole number or a text; rates are in parts per million";
                super::Problem::of_kind(super::ProblemKind::Settings, format!("{name}: {value} is not allowed, {rule}"))
            });
            Ok((name.clone(), setting?))
        };
        params.iter().map(setting).collect::<Result<_, _>>().map(Self)
    }
}
