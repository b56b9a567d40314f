//! Opening a policy: which directory, and what happens when it is not one.

mod common;

use std::fs;
use std::path::Path;

use common::{Copy, shown};
use labtrust_policy::{Origin, PolicyError, PolicyStore, REQUIRED_FILES, Source};

const RBAC: &str = "rbac/rbac_policy.v0.1.yaml";

#[test]
fn a_directory_is_used_itself_whatever_its_name_is() {
    let copy = Copy::of_the_builtin();
    assert!(!copy.path().ends_with("policy"));
    let store = copy.open();
    assert_eq!(store.source(), &Source::Directory(copy.path().to_path_buf()));
    assert_eq!(store.paths().collect::<Vec<_>>(), PolicyStore::builtin().paths().collect::<Vec<_>>());
    assert_eq!(store.value(RBAC).unwrap(), PolicyStore::builtin().value(RBAC).unwrap());
}

#[test]
fn the_flag_wins_over_the_variable_and_an_empty_variable_is_none() {
    let (flag, variable) = (Copy::of_the_builtin(), Copy::of_the_builtin());
    let named = |store: PolicyStore| store.source().clone();
    let directory = |copy: &Copy| Source::Directory(copy.path().to_path_buf());
    let set = Some(variable.path().as_os_str().to_owned());
    assert_eq!(named(PolicyStore::resolve_from(Some(flag.path()), set.clone()).unwrap()), directory(&flag));
    assert_eq!(named(PolicyStore::resolve_from(None, set).unwrap()), directory(&variable));
    assert_eq!(named(PolicyStore::resolve_from(None, Some("".into())).unwrap()), Source::Builtin);
    assert_eq!(named(PolicyStore::resolve_from(None, None).unwrap()), Source::Builtin);
}

#[test]
fn a_directory_that_does_not_exist_is_never_replaced_by_the_builtin_one() {
    let error = PolicyStore::resolve_from(None, Some("/no/such/place".into())).unwrap_err();
    assert!(matches!(error, PolicyError::DoesNotExist { .. }));
    let text = shown(&error);
    assert!(text.contains("/no/such/place does not exist"), "{text}");
    assert!(text.contains("LABTRUST_POLICY_DIR"), "{text}");
}

#[test]
fn a_file_instead_of_a_directory_is_refused() {
    let copy = Copy::of_the_builtin();
    let error = PolicyStore::open(&copy.file(RBAC)).unwrap_err();
    assert!(matches!(error, PolicyError::NotADirectory { .. }));
    assert!(error.to_string().ends_with("is not a directory"), "{error}");
}

#[test]
fn everything_that_is_missing_is_named_at_once() {
    let copy = Copy::of_the_builtin();
    copy.remove("keys/key_registry.v0.1.yaml");
    copy.remove(RBAC);
    copy.write("sites/sites_policy.v0.1.yaml", " \n");
    let PolicyError::Incomplete { missing, .. } = PolicyStore::open(copy.path()).unwrap_err() else { panic!() };
    assert_eq!(missing, ["keys/key_registry.v0.1.yaml", RBAC, "sites/sites_policy.v0.1.yaml (it is empty)"]);
}

#[test]
fn each_required_file_is_missed_when_it_is_gone() {
    for path in REQUIRED_FILES {
        let copy = Copy::of_the_builtin();
        copy.remove(path);
        assert!(
            matches!(PolicyStore::open(copy.path()), Err(PolicyError::Incomplete { missing, .. }) if missing == [*path]),
            "{path}"
        );
    }
}

#[test]
fn an_empty_directory_is_no_policy() {
    let dir = tempfile::tempdir().unwrap();
    let text = shown(&PolicyStore::open(dir.path()).unwrap_err());
    for part in ["emits/", "rbac/", "zones/", "invariants/"] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn the_parent_of_a_policy_directory_is_refused_with_a_hint_to_its_child() {
    let parent = tempfile::tempdir().unwrap();
    for name in ["emits", "rbac", "zones", "invariants"] {
        fs::create_dir_all(parent.path().join("policy").join(name)).unwrap();
    }
    let PolicyError::Incomplete { hint, .. } = PolicyStore::open(parent.path()).unwrap_err() else { panic!() };
    assert_eq!(hint, format!("name the policy directory itself: {}", parent.path().join("policy").display()));
}

#[test]
fn a_rule_file_that_is_not_utf8_is_refused_at_once_and_another_file_when_it_is_asked_for() {
    let copy = Copy::of_the_builtin();
    copy.write("notes/latin1.yaml", "");
    fs::write(copy.file("notes/latin1.yaml"), b"name: M\xfcller").unwrap();
    let store = copy.open();
    let error = store.value("notes/latin1.yaml").unwrap_err();
    assert!(matches!(error, PolicyError::Unusable { .. }));
    assert_eq!(error.to_string(), "notes/latin1.yaml is not UTF-8 text (byte 7)");

    fs::write(copy.file(RBAC), b"\xff\xfe").unwrap();
    assert!(matches!(PolicyStore::open(copy.path()), Err(PolicyError::Unusable { path, .. }) if path == RBAC));
}

#[test]
fn a_file_larger_than_any_policy_file_is_not_read() {
    let copy = Copy::of_the_builtin();
    copy.write("notes/huge.yaml", &format!("a: {}", "x".repeat(5 << 20)));
    assert!(matches!(copy.open().text("notes/huge.yaml"), Err(PolicyError::Unusable { .. })));
}

#[test]
fn an_edit_after_opening_does_not_change_the_rules() {
    let copy = Copy::of_the_builtin();
    let store = copy.open();
    let before = store.value(RBAC).unwrap();
    copy.write(RBAC, "rbac_policy: {}\n");
    assert_eq!(store.value(RBAC).unwrap(), before);
}

#[test]
fn a_byte_order_mark_is_not_part_of_the_text() {
    let copy = Copy::of_the_builtin();
    copy.write("notes/marked.json", "\u{feff}{\"a\": 1}");
    copy.write("notes/marked.yaml", "\u{feff}a: 1\n");
    let store = copy.open();
    assert_eq!(store.value("notes/marked.json").unwrap(), store.value("notes/marked.yaml").unwrap());
}

#[cfg(unix)]
#[test]
fn a_directory_that_contains_itself_through_a_link_is_read_once() {
    let copy = Copy::of_the_builtin();
    std::os::unix::fs::symlink(copy.path(), copy.file("zones/again")).unwrap();
    assert_eq!(copy.open().paths().count(), PolicyStore::builtin().paths().count());
}

#[cfg(unix)]
#[test]
fn a_link_to_a_file_is_followed_and_a_dead_link_is_reported_when_it_is_read() {
    let copy = Copy::of_the_builtin();
    fs::rename(copy.file(RBAC), copy.file("rbac/.real")).unwrap();
    std::os::unix::fs::symlink(copy.file("rbac/.real"), copy.file(RBAC)).unwrap();
    std::os::unix::fs::symlink("/no/such/file", copy.file("rbac/dead.yaml")).unwrap();
    let store = copy.open();
    assert_eq!(store.value(RBAC).unwrap(), PolicyStore::builtin().value(RBAC).unwrap());
    assert!(matches!(store.text("rbac/dead.yaml"), Err(PolicyError::Unusable { .. })));
}

#[test]
fn a_file_that_is_not_there_is_reported_with_its_nearest_neighbour() {
    let store = PolicyStore::builtin();
    let PolicyError::Missing { hint, .. } = store.text("rbac_policy.v0.1.yaml").unwrap_err() else { panic!() };
    assert_eq!(hint, format!("it has {RBAC}"));
    assert!(!store.contains("../Cargo.toml"));
    assert!(store.text("../Cargo.toml").is_err());
}

#[test]
fn the_report_of_what_was_read_says_where_each_file_came_from() {
    let copy = Copy::of_the_builtin();
    let optional = "catalogue/measurement_model.v0.1.yaml";
    copy.remove(optional);
    let store = copy.open();
    assert!(store.consumed().is_empty());
    assert!(matches!(store.value(optional), Err(PolicyError::Missing { .. })));
    let model: serde_json::Value = store.clone().section_or_builtin(optional, Some("measurement_model")).unwrap();
    assert_eq!(model["panels"]["BIOCHEM_PANEL_CORE"]["units"], "mmol/L");
    store.text(RBAC).unwrap();
    let consumed: Vec<_> = store.consumed().into_iter().map(|file| (file.path, file.origin)).collect();
    assert_eq!(consumed, [(optional.to_owned(), Origin::BuiltinFallback), (RBAC.to_owned(), Origin::Directory)]);
    let planned = store.sources();
    assert!(planned.iter().any(|file| file.path == optional && file.origin == Origin::BuiltinFallback));
    assert!(planned.iter().any(|file| file.path == RBAC && file.origin == Origin::Directory));
}

#[test]
fn a_broken_optional_file_is_replaced_only_by_the_reader_that_says_so() {
    let copy = Copy::of_the_builtin();
    let path = "tokens/token_enforcement_map.v0.1.yaml";
    copy.write(path, "token_enforcement_map:\n  version: \"0.1\"\n  - action_type: MOVE\n");
    let store = copy.open();
    let top = Some("token_enforcement_map");
    assert!(store.section_or_builtin::<serde_json::Value>(path, top).is_err());
    let (map, why) = store.section_or_builtin_if_broken::<serde_json::Value>(path, top).unwrap();
    assert_eq!(map["rules"][0]["action_type"], "OPEN_DOOR");
    assert_eq!(why.unwrap().line(), Some(3));
    let (_, fine) = PolicyStore::builtin().section_or_builtin_if_broken::<serde_json::Value>(path, top).unwrap();
    assert!(fine.is_none());
}

#[test]
fn a_path_that_is_no_policy_at_all_is_refused_before_it_is_read() {
    assert!(matches!(PolicyStore::open(Path::new("/")), Err(PolicyError::Incomplete { .. })));
}
