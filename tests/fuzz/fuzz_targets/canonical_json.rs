//! JSON that is written canonically is the same JSON, and writing it again gives the same bytes.

#![no_main]

use labtrust_trust::canonical::to_canonical_vec;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|data: &[u8]| {
    let Ok(value) = serde_json::from_slice::<Value>(data) else { return };
    let bytes = to_canonical_vec(&value).expect("what JSON can say has a canonical text");
    let again: Value = serde_json::from_slice(&bytes).expect("canonical JSON is JSON");
    assert_eq!(again, value, "it means the same");
    assert_eq!(to_canonical_vec(&again).expect("as above"), bytes, "and is written the same");
    assert!(bytes.is_ascii(), "whatever was in it");
});
