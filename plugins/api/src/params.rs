//! Typed parameters: one declaration gives the struct, its defaults, its checks and its JSON Schema.
//!
//! ```
//! labtrust_plugin::params! {
//!     /// Parameters, as written in a study file.
//!     pub struct Params {
//!         /// Most assignments in one decision [count].
//!         batch: u32 = 4, 1..=1000;
//!         /// Whether routine work waits while STAT work is there.
//!         stat_first: bool = true;
//!     }
//! }
//! ```
//! Every parameter has a default and may have a range. A derive would do the same with a JSON library behind it; that
//! brings floating-point code into a plugin's file, which the strict profile of the sandbox refuses.

use crate::wire::{Problem, ProblemKind, Setting, Settings};
use std::fmt::{Debug, Display, Write};
use std::ops::RangeInclusive;

/// Parameters of a method. Made by [`params!`](crate::params!).
pub trait Params: Sized {
    /// Takes the parameters out of `settings`; what is not given has its default.
    ///
    /// # Errors
    /// [`ProblemKind::Settings`] for an unknown name, a value of another type or outside of its range.
    fn read(settings: &Settings) -> Result<Self, Problem>;

    /// JSON Schema of the parameters, as text.
    fn schema() -> String;
}

/// A type that a parameter can have.
pub trait Parameter: Clone + PartialOrd + Display + Debug {
    /// The type's name in JSON Schema.
    const TYPE: &'static str;
    /// How a default is written in a declaration.
    type Written;

    /// The value of a default.
    fn written(default: Self::Written) -> Self;

    /// The value in a setting, if it is one of this type.
    fn from_setting(setting: &Setting) -> Option<Self>;

    /// The value as JSON.
    fn to_json(&self) -> String {
        self.to_string()
    }
}

impl Parameter for bool {
    const TYPE: &'static str = "boolean";
    type Written = Self;

    fn written(default: Self) -> Self {
        default
    }

    fn from_setting(setting: &Setting) -> Option<Self> {
        match setting {
            Setting::Flag(flag) => Some(*flag),
            _ => None,
        }
    }
}

impl Parameter for i64 {
    const TYPE: &'static str = "integer";
    type Written = Self;

    fn written(default: Self) -> Self {
        default
    }

    fn from_setting(setting: &Setting) -> Option<Self> {
        match setting {
            Setting::Number(number) => Some(*number),
            _ => None,
        }
    }
}

impl Parameter for u32 {
    const TYPE: &'static str = "integer";
    type Written = Self;

    fn written(default: Self) -> Self {
        default
    }

    fn from_setting(setting: &Setting) -> Option<Self> {
        i64::from_setting(setting).and_then(|number| Self::try_from(number).ok())
    }
}

impl Parameter for String {
    const TYPE: &'static str = "string";
    type Written = &'static str;

    fn written(default: &'static str) -> Self {
        default.to_owned()
    }

    fn from_setting(setting: &Setting) -> Option<Self> {
        match setting {
            Setting::Text(text) => Some(text.clone()),
            _ => None,
        }
    }

    fn to_json(&self) -> String {
        quoted(self)
    }
}

/// One parameter: what is said of it in the declaration.
pub struct Field<T> {
    /// Its name.
    pub name: &'static str,
    /// What it means, the lines of its doc comment.
    pub doc: &'static [&'static str],
    /// Its value where none is given.
    pub default: T,
    /// What it may be.
    pub range: Option<RangeInclusive<T>>,
}

impl<T: Parameter> Field<T> {
    /// The value in `settings`, or the default.
    ///
    /// # Errors
    /// [`ProblemKind::Settings`] for a value of another type or out of range.
    pub fn read(self, settings: &Settings) -> Result<T, Problem> {
        let Some(setting) = settings.0.get(self.name) else { return Ok(self.default) };
        let wrong = |rule: String| Problem::of_kind(ProblemKind::Settings, format!("{}: {rule}", self.name));
        let value = T::from_setting(setting)
            .ok_or_else(|| wrong(format!("{} is given, {} is wanted", setting.what(), wanted::<T>())))?;
        match &self.range {
            Some(range) if !range.contains(&value) => {
                Err(wrong(format!("{value} is not from {} to {}", range.start(), range.end())))
            }
            _ => Ok(value),
        }
    }

    /// Appends the parameter's part of a JSON Schema.
    pub fn describe(self, out: &mut String) {
        if !out.is_empty() {
            out.push(',');
        }
        let doc: Vec<&str> = self.doc.iter().map(|line| line.trim()).collect();
        let (name, doc) = (quoted(self.name), quoted(&doc.join(" ")));
        let _ = write!(out, "{name}:{{\"type\":\"{}\",\"description\":{doc},", T::TYPE);
        if let Some(range) = &self.range {
            let _ = write!(out, "\"minimum\":{},\"maximum\":{},", range.start().to_json(), range.end().to_json());
        }
        let _ = write!(out, "\"default\":{}}}", self.default.to_json());
    }
}

fn wanted<T: Parameter>() -> &'static str {
    match T::TYPE {
        "boolean" => "a flag",
        "integer" => "a whole number in range",
        _ => "a text",
    }
}

/// The schema of an object with these properties and no others.
#[must_use]
pub fn object_schema(properties: &str) -> String {
    format!("{{\"type\":\"object\",\"properties\":{{{properties}}},\"additionalProperties\":false}}")
}

/// Refuses names that are not in `known`.
///
/// # Errors
/// [`ProblemKind::Settings`], with what there is.
pub fn only_known(settings: &Settings, known: &[&str]) -> Result<(), Problem> {
    match settings.0.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => {
            let message = format!("unknown parameter: {name}. Known: [{}]", known.join(", "));
            Err(Problem::of_kind(ProblemKind::Settings, message))
        }
        None => Ok(()),
    }
}

/// A JSON string.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c < ' ' => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Declares parameters; see [the module](crate::params).
#[macro_export]
macro_rules! params {
    ($(#[$meta:meta])* $vis:vis struct $name:ident {
        $($(#[doc = $doc:literal])+ $field:ident : $type:ty = $default:expr $(, $range:expr)?;)*
    }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        $vis struct $name {
            $($(#[doc = $doc])+ pub $field: $type,)*
        }

        impl $name {
            $(fn $field() -> $crate::params::Field<$type> {
                #[allow(unused_mut, unused_assignments, reason = "only some parameters have a range")]
                let mut range = None;
                $(range = Some($range);)?
                $crate::params::Field { name: stringify!($field), doc: &[$($doc),+], default: <$type as $crate::params::Parameter>::written($default), range }
            })*
        }

        impl $crate::params::Params for $name {
            fn read(settings: &$crate::wire::Settings) -> Result<Self, $crate::wire::Problem> {
                $crate::params::only_known(settings, &[$(stringify!($field)),*])?;
                Ok(Self { $($field: Self::$field().read(settings)?,)* })
            }

            fn schema() -> String {
                #[allow(unused_mut, reason = "there may be no parameter")]
                let mut properties = String::new();
                $(Self::$field().describe(&mut properties);)*
                $crate::params::object_schema(&properties)
            }
        }
    };
}

params! {
    /// No parameters.
    pub struct NoParams {}
}

#[cfg(test)]
mod tests {
    use super::*;

    params! {
        /// All types.
        struct All {
            /// Most assignments
            /// in one decision [count].
            batch: u32 = 4, 1..=1000;
            /// May be below zero.
            offset: i64 = -5;
            /// A flag.
            eager: bool = true;
            /// A "text".
            mode: String = "a\\b";
        }
    }

    fn settings(pairs: &[(&str, Setting)]) -> Settings {
        Settings(pairs.iter().map(|(name, setting)| ((*name).to_owned(), setting.clone())).collect())
    }

    #[test]
    fn what_is_not_given_has_its_default() {
        let given = settings(&[("eager", Setting::Flag(false)), ("batch", Setting::Number(7))]);
        let all = All::read(&given).unwrap();
        assert_eq!(all, All { batch: 7, offset: -5, eager: false, mode: "a\\b".to_owned() });
    }

    #[test]
    fn a_wrong_parameter_is_refused_by_name() {
        let refused = |name, setting| All::read(&settings(&[(name, setting)])).unwrap_err();
        let cases = [
            ("batch", Setting::Number(0), "batch: 0 is not from 1 to 1000"),
            ("batch", Setting::Number(1001), "batch: 1001 is not from 1 to 1000"),
            ("batch", Setting::Number(-1), "batch: a whole number is given, a whole number in range is wanted"),
            ("batch", Setting::Text("4".into()), "batch: a text is given, a whole number in range is wanted"),
            ("eager", Setting::Number(1), "eager: a whole number is given, a flag is wanted"),
            ("mode", Setting::Flag(true), "mode: a flag is given, a text is wanted"),
            ("bacth", Setting::Number(1), "unknown parameter: bacth. Known: [batch, offset, eager, mode]"),
        ];
        for (name, setting, message) in cases {
            let problem = refused(name, setting);
            assert_eq!((problem.kind, problem.message.as_str()), (ProblemKind::Settings, message));
        }
    }

    #[test]
    fn the_schema_says_type_meaning_range_and_default() {
        let schema: serde_json::Value = serde_json::from_str(&All::schema()).unwrap();
        let properties = &schema["properties"];
        assert_eq!(properties["batch"]["description"], "Most assignments in one decision [count].");
        assert_eq!((&properties["batch"]["minimum"], &properties["batch"]["maximum"]), (&1.into(), &1000.into()));
        assert_eq!(properties["mode"]["description"], "A \"text\".");
        assert_eq!(properties["mode"]["default"], "a\\b");
        assert_eq!(
            (&properties["offset"]["type"], &properties["eager"]["type"]),
            (&"integer".into(), &"boolean".into())
        );
        assert_eq!(schema["additionalProperties"], false);
        let none: serde_json::Value = serde_json::from_str(&NoParams::schema()).unwrap();
        assert_eq!(none["properties"], serde_json::json!({}));
    }
}
