//! A small JSON Schema: the keywords that tool arguments use, and nothing else.
//!
//! A keyword that is not known here makes the schema unusable instead of being skipped: a check that silently does not
//! happen is worse than a tool that cannot be used. Annotations (`title`, `description`, ...) are skipped.

use serde_json::{Map, Value};

const ANNOTATIONS: [&str; 9] =
    ["$schema", "$id", "$comment", "title", "description", "default", "examples", "deprecated", "format"];

/// Keyword, whether it is a lower bound, whether the bound itself is outside.
const BOUNDS: [(&str, Measure, bool, bool); 10] = [
    ("minimum", Measure::Number, true, false),
    ("maximum", Measure::Number, false, false),
    ("exclusiveMinimum", Measure::Number, true, true),
    ("exclusiveMaximum", Measure::Number, false, true),
    ("minLength", Measure::Length, true, false),
    ("maxLength", Measure::Length, false, false),
    ("minItems", Measure::Items, true, false),
    ("maxItems", Measure::Items, false, false),
    ("minProperties", Measure::Properties, true, false),
    ("maxProperties", Measure::Properties, false, false),
];

/// What is wrong with a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SchemaFault {
    /// Its shape.
    Shape(String),
    /// A figure, or how many of something there are.
    Range(String),
}

impl SchemaFault {
    /// What is wrong, for people.
    #[must_use]
    pub fn message(&self) -> &str {
        match self {
            Self::Shape(message) | Self::Range(message) => message,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Measure {
    Number,
    Length,
    Items,
    Properties,
}

impl Measure {
    #[expect(clippy::cast_precision_loss, reason = "lengths of values in memory are far below 2^53")]
    fn of(self, value: &Value) -> Option<f64> {
        match (self, value) {
            (Self::Number, Value::Number(number)) => number.as_f64(),
            (Self::Length, Value::String(text)) => Some(text.chars().count() as f64),
            (Self::Items, Value::Array(items)) => Some(items.len() as f64),
            (Self::Properties, Value::Object(map)) => Some(map.len() as f64),
            _ => None,
        }
    }
}

#[derive(Debug)]
struct Bound {
    keyword: &'static str,
    measure: Measure,
    lower: bool,
    exclusive: bool,
    at: f64,
}

#[derive(Debug)]
enum Additional {
    Allowed,
    Denied,
    Schema(Box<ArgSchema>),
}

/// A compiled schema.
#[derive(Debug)]
pub struct ArgSchema {
    types: Option<Vec<String>>,
    one_of_values: Option<Vec<Value>>,
    required: Vec<String>,
    properties: Vec<(String, ArgSchema)>,
    additional: Additional,
    items: Option<Box<ArgSchema>>,
    bounds: Vec<Bound>,
}

impl ArgSchema {
    /// Compiles a schema.
    ///
    /// # Errors
    /// What makes the schema unusable, for people.
    pub fn compile(schema: &Value) -> Result<Self, String> {
        let Value::Object(map) = schema else { return Err("a schema is an object".to_owned()) };
        let mut this = Self {
            types: None,
            one_of_values: None,
            required: Vec::new(),
            properties: Vec::new(),
            additional: Additional::Allowed,
            items: None,
            bounds: Vec::new(),
        };
        for (keyword, value) in map {
            this.add(keyword, value).map_err(|fault| format!("{keyword}: {fault}"))?;
        }
        Ok(this)
    }

    fn add(&mut self, keyword: &str, value: &Value) -> Result<(), String> {
        if let Some(&(keyword, measure, lower, exclusive)) = BOUNDS.iter().find(|bound| bound.0 == keyword) {
            let at = value.as_f64().ok_or("a number is needed")?;
            self.bounds.push(Bound { keyword, measure, lower, exclusive, at });
            return Ok(());
        }
        match (keyword, value) {
            ("type", Value::String(name)) => self.types = Some(vec![name.clone()]),
            ("type", Value::Array(_)) => self.types = Some(texts(value)?),
            ("enum", Value::Array(values)) => self.one_of_values = Some(values.clone()),
            ("const", _) => self.one_of_values = Some(vec![value.clone()]),
            ("required", _) => self.required = texts(value)?,
            ("properties", Value::Object(properties)) => {
                for (name, schema) in properties {
                    self.properties.push((name.clone(), Self::compile(schema)?));
                }
            }
            ("additionalProperties", Value::Bool(true)) => self.additional = Additional::Allowed,
            ("additionalProperties", Value::Bool(false)) => self.additional = Additional::Denied,
            ("additionalProperties", _) => self.additional = Additional::Schema(Box::new(Self::compile(value)?)),
            ("items", _) => self.items = Some(Box::new(Self::compile(value)?)),
            (keyword, _) if ANNOTATIONS.contains(&keyword) => {}
            _ => return Err("this gate cannot check it".to_owned()),
        }
        Ok(())
    }

    /// Checks a value. A fault of shape is reported before a fault of range.
    ///
    /// # Errors
    /// The first [`SchemaFault`].
    pub fn check(&self, value: &Value) -> Result<(), SchemaFault> {
        let mut range = None;
        self.shape(value, "", &mut range).map_err(SchemaFault::Shape)?;
        range.map_or(Ok(()), |message| Err(SchemaFault::Range(message)))
    }

    fn shape(&self, value: &Value, path: &str, range: &mut Option<String>) -> Result<(), String> {
        let here = if path.is_empty() { "the value" } else { path };
        if self.types.as_ref().is_some_and(|types| !types.iter().any(|name| is_of(value, name))) {
            return Err(format!(
                "{here} is not of type {}",
                self.types.as_ref().map_or_else(String::new, |t| t.join("/"))
            ));
        }
        if self.one_of_values.as_ref().is_some_and(|values| !values.contains(value)) {
            return Err(format!("{here} is none of the values allowed"));
        }
        for bound in &self.bounds {
            let Some(size) = bound.measure.of(value) else { continue };
            let beyond = if bound.lower { size < bound.at } else { size > bound.at };
            if (beyond || (bound.exclusive && size == bound.at)) && range.is_none() {
                *range = Some(format!("{here} breaks {} {}", bound.keyword, bound.at));
            }
        }
        match value {
            Value::Object(map) => self.members(map, path, here, range)?,
            Value::Array(items) => {
                for (item, schema) in items.iter().zip(std::iter::repeat(self.items.as_deref())) {
                    schema.map_or(Ok(()), |schema| schema.shape(item, path, range))?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn members(
        &self,
        map: &Map<String, Value>,
        path: &str,
        here: &str,
        range: &mut Option<String>,
    ) -> Result<(), String> {
        if let Some(name) = self.required.iter().find(|name| !map.contains_key(*name)) {
            return Err(format!("{here} lacks {name}"));
        }
        for (name, value) in map {
            let inner = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            match self.properties.iter().find(|(known, _)| known == name) {
                Some((_, schema)) => schema.shape(value, &inner, range)?,
                None => match &self.additional {
                    Additional::Allowed => {}
                    Additional::Denied => return Err(format!("{here} has the unknown member {name}")),
                    Additional::Schema(schema) => schema.shape(value, &inner, range)?,
                },
            }
        }
        Ok(())
    }
}

fn is_of(value: &Value, name: &str) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "number" => value.is_number(),
        // As the standard has it, 2.0 is an integer.
        "integer" => value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|f| libm::trunc(f) == f),
        _ => false,
    }
}

fn texts(value: &Value) -> Result<Vec<String>, String> {
    let list = value.as_array().ok_or("a list of texts is needed")?;
    list.iter()
        .map(|item| item.as_str().map(str::to_owned).ok_or_else(|| "a list of texts is needed".to_owned()))
        .collect()
}
