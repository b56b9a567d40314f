//! How the reference reads values: what counts as given, as text, as a number.

use labtrust_trust::canonical;
use serde_json::{Map, Value};

static NULL: Value = Value::Null;

/// The value of a key, `null` where there is none.
pub(super) fn at<'a>(map: &'a Map<String, Value>, key: &str) -> &'a Value {
    map.get(key).unwrap_or(&NULL)
}

/// Present and not null, `false`, zero or empty.
pub(super) fn truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(map) => !map.is_empty(),
    }
}

/// The text form: of a text itself, of anything else how the reference prints it.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        other => {
            let bytes = canonical::to_canonical_vec(other).expect("numbers of a JSON value are finite");
            String::from_utf8(bytes).expect("canonical text is ASCII")
        }
    }
}

/// The text form of a value that is given.
pub(super) fn given(value: &Value) -> Option<String> {
    truthy(value).then(|| text(value))
}

/// The text form of a value that is not null.
pub(super) fn not_null(value: &Value) -> Option<String> {
    (!value.is_null()).then(|| text(value))
}

/// The first of several values that is given.
pub(super) fn first_given(values: &[&Value]) -> Option<String> {
    values.iter().find_map(|value| given(value))
}

/// A whole number: fractions are cut off, texts of digits are read. `None` for what has no whole number.
#[expect(clippy::cast_possible_truncation, reason = "the reference cuts fractions off; a huge float saturates")]
pub(super) fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Bool(value) => Some(i64::from(*value)),
        Value::Number(number) => number.as_i64().or_else(|| number.as_f64().map(|float| float as i64)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A number, also from a text that is one.
pub(super) fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Bool(value) => Some(f64::from(u8::from(*value))),
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A value that is written as a number.
pub(super) fn numeric(value: &Value) -> Option<f64> {
    value.is_number().then(|| value.as_f64()).flatten()
}

/// The items of a list, empty where there is none.
pub(super) fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// The items of a list as texts, empty where there is none.
pub(super) fn texts(value: &Value) -> Vec<String> {
    items(value).iter().map(text).collect()
}

/// Whether a list is given and `wanted` is not in it.
pub(super) fn leaves_out(list: &Value, wanted: &str) -> bool {
    list.as_array().is_some_and(|list| !list.iter().any(|item| item.as_str() == Some(wanted)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn zero_false_and_empty_things_count_as_not_given() {
        for value in [json!(null), json!(false), json!(0), json!(0.0), json!(""), json!([]), json!({})] {
            assert!(!truthy(&value), "{value}");
        }
        for value in [json!(true), json!(-1), json!(0.5), json!("0"), json!([null]), json!({"a": null})] {
            assert!(truthy(&value), "{value}");
        }
    }

    #[test]
    fn whole_numbers_are_cut_off_towards_zero() {
        assert_eq!(integer(&json!(2.9)), Some(2));
        assert_eq!(integer(&json!(-2.9)), Some(-2));
        assert_eq!(integer(&json!("17")), Some(17));
        assert_eq!(integer(&json!("soon")), None);
        assert_eq!(integer(&json!(null)), None);
    }

    #[test]
    fn text_forms_are_those_of_the_reference() {
        assert_eq!(text(&json!(null)), "None");
        assert_eq!(text(&json!(true)), "True");
        assert_eq!(text(&json!(1.0)), "1.0");
        assert_eq!(text(&json!("é")), "é");
    }
}
