//! Takes one member out of a JSON object without reading the rest into values.
//!
//! Events are canonical JSON that this program wrote, so the scan only has to know where values end.

/// The text of the value of `key` in the object `object`, `None` when there is none.
///
/// `object` must be JSON without spaces; keys that need an escape are not found.
pub(crate) fn member<'o>(object: &'o [u8], key: &str) -> Option<&'o [u8]> {
    let mut at = 1;
    while object.get(at) == Some(&b'"') {
        let key_end = value_end(object, at)?;
        let found = object.get(at + 1..key_end - 1)? == key.as_bytes();
        let start = key_end + 1;
        let end = value_end(object, start)?;
        if found {
            return object.get(start..end);
        }
        at = end + 1;
    }
    None
}

/// Position after the value that starts at `at`.
fn value_end(bytes: &[u8], at: usize) -> Option<usize> {
    let mut depth = 0_usize;
    let mut position = at;
    loop {
        match bytes.get(position)? {
            b'"' => {
                position += 1;
                while *bytes.get(position)? != b'"' {
                    position += if bytes[position] == b'\\' { 2 } else { 1 };
                }
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth == 0 => return Some(position),
            b'}' | b']' => depth -= 1,
            b',' | b':' if depth == 0 => return Some(position),
            _ => {}
        }
        position += 1;
        let closed = matches!(bytes[position - 1], b'"' | b'}' | b']');
        if depth == 0 && closed {
            return Some(position);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::member;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    #[test]
    fn a_member_is_found_whatever_stands_before_it() {
        let object = br#"{"a":"x\"},","args":{"b":[1,{"t_s":9}],"c":"]"},"e":null,"t_s":-10,"z":true}"#;
        assert_eq!(member(object, "args"), Some(&br#"{"b":[1,{"t_s":9}],"c":"]"}"#[..]));
        assert_eq!(member(object, "t_s"), Some(&b"-10"[..]));
        assert_eq!(member(object, "e"), Some(&b"null"[..]));
        assert_eq!(member(object, "z"), Some(&b"true"[..]));
        assert_eq!(member(object, "b"), None);
        assert_eq!(member(b"{}", "a"), None);
        assert_eq!(member(br#"{"a":"cut"#, "a"), None);
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            ".{0,6}".prop_map(Value::from)
        ];
        leaf.prop_recursive(3, 16, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map("[a-z\"]{0,3}", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn every_member_is_what_a_json_reader_finds(before in value(), wanted in value(), after in value()) {
            let object = serde_json::to_vec(&json!({ "a": before, "m": wanted, "z": after })).unwrap();
            let found: Value = serde_json::from_slice(member(&object, "m").unwrap()).unwrap();
            prop_assert_eq!(found, wanted);
        }
    }
}
