//! Reading sections: types, places of mistakes, limits.

mod common;

use std::collections::BTreeMap;

use common::{Copy, shown};
use labtrust_policy::{PolicyError, PolicyStore};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde::Deserialize;
use serde_json::{Value, json};

/// Reads `text` as a policy file of its own.
fn read<T: serde::de::DeserializeOwned>(name: &str, text: &str, top: Option<&str>) -> Result<T, PolicyError> {
    let copy = Copy::of_the_builtin();
    copy.write(name, text);
    copy.open().section(name, top)
}

fn value(text: &str) -> Value {
    read("notes/a.yaml", text, None).unwrap()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only the reading is of interest")]
struct Door {
    door_id: String,
    max_open_s: u32,
}

#[test]
fn integers_and_floats_stay_distinct() {
    let read = value("a: 140\nb: 140.0\nc: 1.0e-6\nd: -3\ne: \"5\"\nf: ~\ng: null\nh: true\n");
    assert!(read["a"].is_i64() && read["b"].is_f64() && read["c"].is_f64());
    assert_eq!(read, json!({"a": 140, "b": 140.0, "c": 1.0e-6, "d": -3, "e": "5", "f": null, "g": null, "h": true}));
    assert_eq!(read["b"].to_string(), "140.0");
}

#[test]
fn only_true_and_false_are_booleans() {
    assert_eq!(value("a: yes\nb: no\nc: on\nd: off\n"), json!({"a": "yes", "b": "no", "c": "on", "d": "off"}));
    assert!(read::<BTreeMap<String, bool>>("notes/a.yaml", "a: yes\n", None).is_err());
}

#[test]
fn a_value_that_is_no_number_in_json_is_refused() {
    assert!(read::<Value>("notes/a.yaml", "a: .nan\n", None).is_err());
    assert!(read::<Value>("notes/a.yaml", "a: -.inf\n", None).is_err());
}

#[test]
fn a_malformed_file_is_reported_with_its_line() {
    let error = read::<Value>("notes/a.yaml", "a: 1\nb:\n  c: [1, 2\nd: 3\n", None).unwrap_err();
    assert!(matches!(error, PolicyError::Parse(_)));
    assert_eq!(error.file(), Some("notes/a.yaml"));
    assert!(matches!(error.line(), Some(3 | 4)), "{error}");
}

#[test]
fn a_wrong_type_is_reported_with_line_column_and_snippet() {
    let text = "doors:\n  - door_id: D_MAIN\n    max_open_s: soon\n";
    let error = read::<Vec<Door>>("zones/doors.yaml", text, Some("doors")).unwrap_err();
    let PolicyError::Parse(place) = &error else { panic!("{error}") };
    assert_eq!((place.line, place.column), (3, 17));
    let report = shown(&error);
    assert!(report.contains("max_open_s: soon"), "{report}");
    assert!(report.contains("zones/doors.yaml:3:17"), "{report}");
}

#[test]
fn a_misspelt_key_is_reported_with_the_right_one() {
    let text = "doors:\n  - door_id: D_MAIN\n    max_opn_s: 3\n";
    let error = read::<Vec<Door>>("zones/doors.yaml", text, Some("doors")).unwrap_err();
    assert_eq!(error.line(), Some(3));
    let report = shown(&error);
    assert!(
        report.contains("`max_opn_s` is not a known key here") && report.contains("did you mean `max_open_s`?"),
        "{report}"
    );
}

#[test]
fn a_key_that_stands_twice_is_an_error() {
    for (name, text, line) in [
        ("notes/a.yaml", "a: 1\nb: 2\na: 3\n", 3),
        ("notes/a.yaml", "top:\n  x: 1\n  x: 1\n", 3),
        ("notes/a.json", "{\"a\": 1,\n \"a\": 2}", 2),
    ] {
        let error = read::<Value>(name, text, None).unwrap_err();
        assert_eq!(error.line(), Some(line), "{error}");
        assert!(error.to_string().contains("stands twice"), "{error}");
    }
    // Also outside of the part that is read.
    assert!(read::<Value>("notes/a.yaml", "part: 1\nother:\n  x: 1\n  x: 2\n", Some("part")).is_err());
}

#[test]
fn a_missing_top_key_is_reported_with_what_is_there() {
    let error = read::<Value>("notes/a.yaml", "rbac_polcy:\n  version: 1\n", Some("rbac_policy")).unwrap_err();
    assert!(matches!(error, PolicyError::MissingTopKey(_)));
    assert!(shown(&error).contains("the file has `rbac_polcy`; rename it to `rbac_policy`"), "{}", shown(&error));
    for empty in ["", "# nothing\n", "~\n"] {
        let error = read::<Value>("notes/a.yaml", empty, Some("rbac_policy")).unwrap_err();
        assert!(matches!(error, PolicyError::MissingTopKey(_)), "{error}");
    }
    let list = read::<Value>("notes/a.yaml", "- 1\n- 2\n", Some("rbac_policy")).unwrap_err();
    assert!(list.to_string().contains("a mapping with the key `rbac_policy`"), "{list}");
}

#[test]
fn a_second_document_is_an_error() {
    let error = read::<Value>("notes/a.yaml", "a: 1\n---\nb: 2\n", None).unwrap_err();
    assert!(error.to_string().contains("more than one document"), "{error}");
}

#[test]
fn a_json_file_is_read_with_the_same_care() {
    assert_eq!(read::<Value>("notes/a.json", "{\"k\": {\"x\": [1, 2.0]}}", Some("k")).unwrap(), json!({"x": [1, 2.0]}));
    let error = read::<Value>("notes/a.json", "{\"a\": 1,\n \"b\": }", None).unwrap_err();
    assert_eq!(error.line(), Some(2));
    assert!(read::<Value>("notes/a.json", "{} {}", None).is_err());
}

#[test]
fn aliases_that_explode_are_stopped() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..9 {
        let before = format!("*a{}, ", level - 1).repeat(9);
        bomb.push_str(&format!("a{level}: &a{level} [{before} *a{}]\n", level - 1));
    }
    let error = read::<Value>("notes/bomb.yaml", &bomb, None).unwrap_err();
    assert!(error.to_string().contains("than a policy file may"), "{error}");
    // A few aliases are fine.
    assert_eq!(value("a: &base [1, 2]\nb: *base\n"), json!({"a": [1, 2], "b": [1, 2]}));
}

#[test]
fn nesting_without_end_is_stopped() {
    let deep = format!("a: {}{}\n", "[".repeat(5_000), "]".repeat(5_000));
    assert!(matches!(read::<Value>("notes/deep.yaml", &deep, None), Err(PolicyError::Parse(_))));
    let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
    assert!(matches!(read::<Value>("notes/deep.json", &deep, None), Err(PolicyError::Parse(_))));
    let block: String = (0..2_000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    assert!(matches!(read::<Value>("notes/block.yaml", &block, None), Err(PolicyError::Parse(_))));
}

#[test]
fn references_in_a_circle_or_into_the_void_are_errors() {
    let circle = "rules:\n  A: { same_as: B }\n  B: { same_as: C }\n  C: { same_as: A }\n";
    let error = read::<Value>("zones/rules.yaml", circle, Some("rules")).unwrap_err();
    assert!(matches!(error, PolicyError::Reference(_)));
    assert!(error.to_string().contains("A -> B -> C -> A"), "{error}");
    assert!(read::<Value>("zones/rules.yaml", "rules:\n  A: { same_as: A }\n", None).is_err());
    let nowhere =
        read::<Value>("zones/rules.yaml", "rules:\n  Specimen: {x: 1}\n  Aliquot: { same_as: Specimn }\n", None)
            .unwrap_err();
    assert_eq!(nowhere.line(), Some(3));
    assert!(shown(&nowhere).contains("did you mean `Specimen`?"), "{}", shown(&nowhere));
    assert!(
        read::<Value>("zones/rules.yaml", "rules:\n  A: {x: 1}\n  B: { same_as: A }\n  C: { same_as: B }\n", None)
            .is_ok()
    );
}

#[test]
fn a_complaint_of_a_domain_points_at_the_word_it_is_about() {
    let store = PolicyStore::builtin();
    let path = "zones/zone_layout_policy.v0.1.yaml";
    let error = PolicyError::rule(&store, path, "DEV_COAG_01", "the device stands in no zone", "give it a zone");
    let line = store.text(path).unwrap().lines().position(|line| line.contains("DEV_COAG_01")).unwrap() + 1;
    assert_eq!(error.line(), Some(line));
    let report = shown(&error);
    assert!(report.contains("the device stands in no zone") && report.contains("help: give it a zone"), "{report}");
    // A word that is not there, and a file that is not there, still give a complaint.
    assert_eq!(PolicyError::rule(&store, path, "DEV_X", "what", "").line(), None);
    assert_eq!(PolicyError::rule(&store, "no/file.yaml", "x", "what", "").to_string(), "no/file.yaml: what");
}

/// Reads many texts as one file and shows every complaint. One directory for all: writing a policy out takes its time.
fn complaints_can_be_shown(strategy: impl Strategy<Value = String>, names: &[&str]) {
    let copy = Copy::of_the_builtin();
    TestRunner::default()
        .run(&strategy, |text| {
            names.iter().for_each(|name| copy.write(name, &text));
            let store = copy.open();
            for (name, top) in names.iter().flat_map(|name| [(name, None), (name, Some("a"))]) {
                if let Err(error) = store.section::<Value>(name, top) {
                    prop_assert!(!shown(&error).is_empty());
                    prop_assert_eq!(error.file(), Some(*name));
                }
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn no_text_makes_the_reader_panic() {
    complaints_can_be_shown("(?s).{0,200}", &["notes/a.yaml", "notes/a.json"]);
}

#[test]
fn broken_yaml_is_a_complaint_and_never_a_panic() {
    complaints_can_be_shown("[-a-c:\\[\\]{}#&*!|>'\"% \\n\\t,0-9.~]{0,120}", &["notes/a.yaml"]);
}
