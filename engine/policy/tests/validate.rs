//! A policy that is wrong is told everything that is wrong with it, once, at the right place.

mod common;
#[path = "common/mutations.rs"]
mod mutations;

use std::collections::BTreeSet;
use std::path::Path;

use common::Copy;
use labtrust_policy::{Finding, PolicyStore, places_of, schema_path, schemas, validate};
use mutations::{MUTATIONS, spoiled};
use proptest::prelude::*;

/// The actions of the shipped roles: what a domain would name.
fn actions() -> Vec<String> {
    let rbac: serde_json::Value =
        PolicyStore::builtin().section("rbac/rbac_policy.v0.1.yaml", Some("rbac_policy")).unwrap();
    let lists =
        rbac["roles"].as_object().unwrap().values().flat_map(|role| role["allowed_actions"].as_array().unwrap());
    lists.map(|action| action.as_str().unwrap().to_owned()).collect::<BTreeSet<_>>().into_iter().collect()
}

fn findings(store: &PolicyStore) -> Vec<Finding> {
    let actions = actions();
    validate(store, &actions.iter().map(String::as_str).collect::<Vec<_>>(), None)
}

#[test]
fn the_shipped_policy_has_no_findings() {
    assert_eq!(findings(&PolicyStore::builtin()), []);
}

#[test]
fn every_seeded_mistake_gives_exactly_one_finding_at_its_place() {
    let copy = Copy::of_the_builtin();
    let mut wrong = Vec::new();
    for mutation in MUTATIONS {
        let (file, old, _, code, subject) = mutation;
        let whole = PolicyStore::builtin().text(file).unwrap().to_owned();
        let (text, line) = spoiled(&whole, mutation);
        copy.write(file, &text);
        let told = findings(&copy.open());
        copy.write(file, &whole);
        // What is missing is missed where it is declared, which may be elsewhere in this or another file.
        let missed = ["unreachable-zone", "device-zone", "role-without-actions", "impossible-approvals"];
        let placed = |one: &Finding| {
            (one.file == *file && one.line == line) || (missed.contains(code) && line_names(&copy, one, subject))
        };
        if !matches!(&told[..], [one] if one.code() == *code && one.subject == *subject && placed(one)) {
            wrong.push(format!("{file}:{line} {old}: {told:#?}"));
        }
        assert!(told.iter().all(|one| !one.fix.is_empty() && !one.message.ends_with('.')));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(MUTATIONS.len() >= 40);
}

/// Whether the finding's line, or one of the eight above it (a number inside an entry), names what it is about.
fn line_names(copy: &Copy, finding: &Finding, subject: &str) -> bool {
    let text = std::fs::read_to_string(copy.file(&finding.file)).unwrap();
    let before = text.lines().take(finding.line).collect::<Vec<_>>();
    before.iter().rev().take(20).any(|line| line.contains(subject))
}

#[test]
fn all_mistakes_are_told_at_once_and_in_the_order_of_the_files_and_lines() {
    let copy = Copy::of_the_builtin();
    for mutation in [&MUTATIONS[1], &MUTATIONS[18], &MUTATIONS[37]] {
        let text = PolicyStore::builtin().text(mutation.0).unwrap().to_owned();
        copy.write(mutation.0, &spoiled(&text, mutation).0);
    }
    copy.write("partners/hsl_like/critical/critical_thresholds.v0.1.yaml", "critical_thresholds: [\n");
    let told = findings(&copy.open());
    let files: Vec<&str> = told.iter().map(|one| one.file.as_str()).collect();
    assert_eq!(
        files,
        [
            "enforcement/enforcement_map.v0.1.yaml",
            "partners/hsl_like/critical/critical_thresholds.v0.1.yaml",
            "reagents/reagent_policy.v0.1.yaml",
            "zones/zone_layout_policy.v0.1.yaml"
        ]
    );
}

#[test]
fn a_directory_cannot_excuse_itself_with_a_schema_of_its_own() {
    let copy = Copy::of_the_builtin();
    copy.write("schemas/reagent_policy.v0.1.schema.json", "{}");
    copy.write("reagents/reagent_policy.v0.1.yaml", "reagent_policy: {version: 7}\n");
    let told = findings(&copy.open());
    assert!(told.iter().any(|one| one.code() == "schema" && one.line == 1), "{told:#?}");
}

#[test]
fn a_misspelt_id_is_told_with_its_neighbour() {
    let copy = Copy::of_the_builtin();
    let text = PolicyStore::builtin().text(MUTATIONS[0].0).unwrap().to_owned();
    copy.write(MUTATIONS[0].0, &spoiled(&text, &MUTATIONS[0]).0);
    let told = findings(&copy.open());
    assert!(told[0].to_string().ends_with("the zone `Z_COLD_FREZER` does not exist; did you mean `Z_COLD_FREEZER`?"));
}

#[test]
fn the_complaint_of_loading_is_added_unless_it_was_told_already() {
    let store = PolicyStore::builtin();
    let error = labtrust_policy::PolicyError::rule(&store, "rbac/rbac_policy.v0.1.yaml", "A_QC", "x", "y");
    let told = validate(&store, &[], Some(&error));
    assert_eq!(told.iter().map(Finding::code).collect::<Vec<_>>(), ["load"]);
    let copy = Copy::of_the_builtin();
    copy.write(
        "rbac/rbac_policy.v0.1.yaml",
        &store.text("rbac/rbac_policy.v0.1.yaml").unwrap().replace("A_QC: ROLE_QC", "A_QC: ROLE_QS"),
    );
    let spoiled = copy.open();
    let error = labtrust_policy::PolicyError::rule(&spoiled, "rbac/rbac_policy.v0.1.yaml", "ROLE_QS", "x", "y");
    assert_eq!(validate(&spoiled, &[], Some(&error)).len(), 1);
}

#[test]
fn every_file_of_the_shipped_policy_has_a_schema_that_is_found() {
    let store = PolicyStore::builtin();
    let without: Vec<&str> =
        store.paths().filter(|path| !path.contains("schema") && schema_path(path).is_none()).collect();
    assert_eq!(without, Vec::<&str>::new());
    assert!(schemas().count() > 25);
    for (name, text) in schemas() {
        assert!(serde_json::from_str::<serde_json::Value>(text).is_ok() && !name.contains(".json"), "{name}");
    }
}

#[test]
fn the_places_of_a_code_are_where_it_is_declared_and_used() {
    let store = PolicyStore::builtin();
    let places = places_of(&store, "RC_ILLEGAL_MOVE");
    assert_eq!(places.len(), 2, "{places:?}");
    for (file, line, _) in places {
        assert!(store.text(&file).unwrap().lines().nth(line - 1).unwrap().contains("RC_ILLEGAL_MOVE"));
    }
}

#[test]
fn the_policy_of_the_reference_has_the_findings_that_are_known() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/reference/policy");
    if !dir.is_dir() {
        eprintln!("skipped: the policy directory of the reference is not here");
        return;
    }
    let told = findings(&PolicyStore::open(&dir).unwrap());
    // Ids and numbers only: the sentences are ours to change and the files' are not ours to repeat.
    let rows: Vec<String> =
        told.iter().map(|one| format!("{}:{} {} {}", one.file, one.line, one.code(), one.subject)).collect();
    insta::assert_snapshot!("reference_policy", rows.join("\n"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// Whatever stands in a file, the answer is a list of findings with places inside of the file.
    #[test]
    fn no_content_of_a_file_stops_the_check(cut in 0usize..9000, noise in "[ -~\n]{0,12}") {
        let copy = Copy::of_the_builtin();
        let file = "zones/zone_layout_policy.v0.1.yaml";
        let text = PolicyStore::builtin().text(file).unwrap().to_owned();
        let cut = (0..=cut.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap();
        let spoiled = format!("x{}{noise}{}", &text[..cut], &text[cut..]);
        copy.write(file, &spoiled);
        let lines = spoiled.lines().count() + 1;
        for one in findings(&copy.open()) {
            prop_assert!(one.file != file || one.line <= lines, "{one}");
        }
    }
}
