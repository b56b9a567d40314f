//! Partners, domains, profiles, fingerprints.

mod common;

use std::path::Path;

use common::{Copy, shown};
use labtrust_policy::{LabProfile, PolicyError, PolicyStore};
use serde_json::{Value, json};

const THRESHOLDS: &str = "critical/critical_thresholds.v0.1.yaml";
const INDEX: &str = "partners/partners_index.v0.1.yaml";

fn limits(store: &PolicyStore, analyte: &str) -> Value {
    let document = store.value(THRESHOLDS).unwrap();
    let list = document["critical_thresholds"]["defaults_rcpath2017"].as_array().unwrap().clone();
    list.into_iter().find(|entry| entry["analyte_code"] == analyte).unwrap()
}

#[test]
fn a_partner_replaces_thresholds_in_their_place_and_keeps_the_others() {
    let base = PolicyStore::builtin();
    let partner = base.with_partner("hsl_like").unwrap();
    assert_eq!(limits(&partner, "BIOCHEM_POTASSIUM_K")["high"], json!(6.0));
    assert_eq!(limits(&base, "BIOCHEM_POTASSIUM_K")["high"], json!(6.5));
    let order = |store: &PolicyStore| -> Vec<Value> {
        let effective = store.effective_policy().unwrap();
        effective["critical_thresholds"].as_array().unwrap().iter().map(|entry| entry["analyte_code"].clone()).collect()
    };
    assert_eq!(order(&partner), order(&base));
    assert_eq!(partner.partner(), Some("hsl_like"));
}

#[test]
fn typed_sections_see_the_overlay() {
    #[derive(serde::Deserialize)]
    struct Rules {
        rules: Vec<Rule>,
    }
    #[derive(serde::Deserialize)]
    struct Rule {
        rule_id: String,
        action: Value,
    }
    let store = PolicyStore::builtin().with_partner("hsl_like").unwrap();
    let map: Rules = store.section("enforcement/enforcement_map.v0.1.yaml", None).unwrap();
    let ids: Vec<_> = map.rules.iter().map(|rule| rule.rule_id.as_str()).collect();
    assert_eq!(ids, ["ENF-ZONE-001", "ENF-TOK-001", "ENF-CRIT-001", "ENF-AUDIT-001"]);
    assert_eq!(map.rules[2].action["duration_s"], 45);
    let overlays = store.consumed().into_iter().find(|file| file.path.starts_with("enforcement/")).unwrap().overlays;
    assert_eq!(overlays, ["partners/hsl_like/enforcement/enforcement_map.v0.1.yaml"]);
}

#[test]
fn a_panel_of_the_overlay_replaces_the_whole_panel_and_no_other() {
    let path = "stability/stability_policy.v0.1.yaml";
    let base = PolicyStore::builtin();
    let (before, after) = (base.value(path).unwrap(), base.with_partner("hsl_like").unwrap().value(path).unwrap());
    let chemistry = &after["panel_rules"]["BIOCHEM_PANEL_CORE"];
    assert_eq!(chemistry["pre_separation_constraints"]["max_time_collection_to_separation_minutes"], 90);
    assert!(chemistry.get("transport_constraints").is_none(), "a panel is not merged in part");
    assert_eq!(after["panel_rules"]["COAG_PANEL_CORE"], before["panel_rules"]["COAG_PANEL_CORE"]);
    assert_eq!(after["defaults"], before["defaults"]);
    assert_ne!(after["scope"], before["scope"]);
}

#[test]
fn equipment_and_ladder_are_merged_by_type_device_and_tier() {
    let copy = Copy::of_the_builtin();
    copy.write(
        "partners/hsl_like/equipment/equipment_registry.v0.1.yaml",
        "equipment_registry:\n  version: \"0.2\"\n  device_types:\n    HAEM_ANALYZER: { kind: X }\n    NEW: { kind: Y }\n  device_instances:\n    - { device_id: DEV_HAEM_01, device_type: NEW }\n    - { device_id: DEV_NEW_01, device_type: NEW }\n",
    );
    copy.write(
        "partners/hsl_like/critical/escalation_ladder.v0.2.yaml",
        "version: \"9\"\ntiers:\n  - { tier_index: 0, role: only, allowed_contact_modes: [phone], max_ack_wait_s: 1 }\n",
    );
    let base = copy.open();
    let store = base.with_partner("hsl_like").unwrap();
    let top = Some("equipment_registry");
    let (before, after): (Value, Value) = (
        base.section("equipment/equipment_registry.v0.1.yaml", top).unwrap(),
        store.section("equipment/equipment_registry.v0.1.yaml", top).unwrap(),
    );
    assert_eq!(after["version"], "0.2");
    assert_eq!(after["device_types"]["HAEM_ANALYZER"], json!({"kind": "X"}));
    assert_eq!(after["device_types"]["CHEM_ANALYZER"], before["device_types"]["CHEM_ANALYZER"]);
    assert_eq!(after["panel_workload_map"], before["panel_workload_map"]);
    let devices = after["device_instances"].as_array().unwrap();
    assert_eq!(devices[4], json!({"device_id": "DEV_HAEM_01", "device_type": "NEW"}));
    assert_eq!(devices[6]["device_id"], "DEV_NEW_01");
    let ladder = store.value("critical/escalation_ladder.v0.2.yaml").unwrap();
    assert_eq!((ladder["version"].as_str(), ladder["tiers"].as_array().map(Vec::len)), (Some("9"), Some(1)));
    assert!(ladder["minimum_record_fields"].is_array(), "what the overlay leaves out stays");
}

#[test]
fn an_unknown_partner_is_refused_with_the_known_ones() {
    let error = PolicyStore::builtin().with_partner("hls_like").unwrap_err();
    assert!(matches!(&error, PolicyError::UnknownOverlay { known, .. } if known == &["hsl_like"]), "{error}");
    assert!(shown(&error).contains("did you mean `hsl_like`?"), "{}", shown(&error));
    for hostile in ["..", "../rbac", "", "hsl_like/critical", "/etc"] {
        assert!(
            matches!(PolicyStore::builtin().with_partner(hostile), Err(PolicyError::UnknownOverlay { .. })),
            "{hostile}"
        );
    }
    assert!(matches!(PolicyStore::builtin().with_domain("mine"), Err(PolicyError::UnknownOverlay { .. })));
}

#[test]
fn a_run_has_one_partner_and_one_domain() {
    let partner = PolicyStore::builtin().with_partner("hsl_like").unwrap();
    assert!(matches!(partner.with_partner("hsl_like"), Err(PolicyError::Overlay { .. })));
    let domain = partner.with_domain("hospital_lab").unwrap();
    assert_eq!((domain.domain(), domain.partner()), (Some("hospital_lab"), Some("hsl_like")));
    assert!(matches!(domain.with_domain("hospital_lab"), Err(PolicyError::Overlay { .. })));
}

#[test]
fn a_partner_builds_on_the_one_it_extends_and_circles_are_refused() {
    let copy = Copy::of_the_builtin();
    let entry = |id: &str, base: &str| format!("  - {{ partner_id: {id}, description: x, extends: {base} }}\n");
    let child = "partners/child/critical/critical_thresholds.v0.1.yaml";
    copy.write(
        child,
        "critical_thresholds:\n  defaults_rcpath2017:\n    - { analyte_code: BIOCHEM_SODIUM_NA, units: mmol/L, low: 1, high: 2, class: CRIT_A }\n",
    );
    copy.write(INDEX, &format!("version: \"0.1\"\npartners:\n{}", entry("child", "hsl_like")));
    let store = copy.open().with_partner("child").unwrap();
    assert_eq!(limits(&store, "BIOCHEM_SODIUM_NA")["high"], 2);
    assert_eq!(limits(&store, "BIOCHEM_POTASSIUM_K")["high"], json!(6.0), "from the partner that it extends");
    assert_eq!(store.partner(), Some("child"));

    for (first, second) in [("child", "child"), ("child", "hsl_like")] {
        let text = format!("version: \"0.1\"\npartners:\n{}{}", entry(first, second), entry("hsl_like", "child"));
        copy.write(INDEX, &text);
        let error = copy.open().with_partner("child").unwrap_err();
        assert!(error.to_string().contains("builds on itself: child -> "), "{error}");
    }
}

#[test]
fn a_file_that_no_overlay_can_change_is_refused() {
    let copy = Copy::of_the_builtin();
    copy.write("partners/hsl_like/rbac/rbac_policy.v0.1.yaml", "rbac_policy: {}\n");
    let error = copy.open().with_partner("hsl_like").unwrap_err();
    assert!(error.to_string().contains("holds rbac/rbac_policy.v0.1.yaml, which no overlay can change"), "{error}");
}

#[test]
fn risks_and_attacks_are_replaced_in_their_place_or_added_and_none_is_taken_away() {
    const RISKS: &str = "risks/risk_registry.v0.1.yaml";
    const SUITE: &str = "golden/security_attack_suite.v0.1.yaml";
    const COVERAGE: &str = "risks/risk_coverage_registry.v0.1.yaml";
    const COVERED: &str = "security/security_coverage_map.v0.1.yaml";
    let copy = Copy::of_the_builtin();
    copy.write(
        &format!("partners/hsl_like/{RISKS}"),
        "risk_registry:\n  version: \"0.1\"\n  risks:\n    - { risk_id: R-TOOL-001, name: Ours, category: tool, description: x }\n    - { risk_id: R-HSL-001, name: New, category: data, description: x }\n",
    );
    copy.write(
        &format!("partners/hsl_like/{SUITE}"),
        "version: \"0.1\"\ncontrols: []\nattacks:\n  - { attack_id: SEC-HSL-001, risk_id: R-HSL-001, control_id: CTRL-LLM-SHIELD, title: x, scenario_ref: PI-SPECIMEN-001, expected_outcome: blocked }\n",
    );
    copy.write(
        &format!("partners/hsl_like/{COVERAGE}"),
        "risk_coverage_registry:\n  version: \"0.1\"\n  coverage:\n    - { risk_id: R-HSL-001, attack_ids: [SEC-HSL-001] }\n",
    );
    copy.write(
        &format!("partners/hsl_like/{COVERED}"),
        "version: \"0.1\"\nentries:\n  - { risk_id: R-HSL-001, category: data, applies_to: [agents], covered_by: [{ type: attack_suite, ref: SEC-HSL-001 }], notes: x }\n",
    );
    let (base, store) = (copy.open(), copy.open().with_partner("hsl_like").unwrap());
    let ids = |store: &PolicyStore, path: &str, list: &str, id: &str| -> Vec<String> {
        let document = store.value(path).unwrap();
        let list = document.pointer(list).and_then(Value::as_array).unwrap();
        list.iter().map(|entry| entry[id].as_str().unwrap().to_owned()).collect()
    };
    for (path, list, id, new) in [
        (RISKS, "/risk_registry/risks", "risk_id", Some("R-HSL-001")),
        (RISKS, "/risk_registry/framework_sources", "id", None),
        (SUITE, "/attacks", "attack_id", Some("SEC-HSL-001")),
        (SUITE, "/controls", "control_id", None),
        (COVERAGE, "/risk_coverage_registry/coverage", "risk_id", Some("R-HSL-001")),
        (COVERED, "/entries", "risk_id", Some("R-HSL-001")),
    ] {
        let mut expected = ids(&base, path, list, id);
        expected.extend(new.map(str::to_owned));
        assert_eq!(ids(&store, path, list, id), expected, "{path} {list}");
    }
    assert_eq!(store.value(RISKS).unwrap()["risk_registry"]["risks"][0]["name"], "Ours");
    for path in [RISKS, SUITE] {
        assert_eq!(base.effective_bytes(path).unwrap(), base.text(path).unwrap().as_bytes());
        assert_ne!(store.effective_bytes(path).unwrap(), base.effective_bytes(path).unwrap(), "the overlay is in it");
    }
    assert_eq!(store.policy_fingerprint().unwrap(), {
        PolicyStore::builtin().with_partner("hsl_like").unwrap().policy_fingerprint().unwrap()
    });
}

#[test]
fn the_example_domain_changes_nothing() {
    let base = PolicyStore::builtin();
    let domain = base.with_domain("hospital_lab").unwrap();
    assert_eq!(domain.policy_fingerprint().unwrap(), base.policy_fingerprint().unwrap());
}

#[test]
fn our_policy_has_the_fingerprints_that_were_released() {
    // A change here is a change of the rules: say so in the changelog.
    let base = PolicyStore::builtin();
    let partner = base.with_partner("hsl_like").unwrap();
    let found = [
        base.policy_fingerprint().unwrap(),
        partner.policy_fingerprint().unwrap(),
        partner.calibration_fingerprint().unwrap().unwrap(),
    ];
    assert_eq!(found, GOLDEN);
    assert_eq!(base.calibration_fingerprint().unwrap(), None);
}

const GOLDEN: [&str; 3] = [
    "9a832a174d378f5b97cd0e2f960496910b743ff77812ef1633fc78fea29af303",
    "d73104d79a3227bb897a87d2419187296f6cd9ecb0b65156fdd54119aa94e26a",
    "d6b273bb048a376080b3f18fb56e076beb1f60625131445ede50f2a335f7f13c",
];

#[test]
fn the_directory_of_the_reference_has_its_fingerprints() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/reference/policy");
    if !dir.is_dir() {
        eprintln!("SKIPPED: no policy directory of the reference at {}", dir.display());
        return;
    }
    let base = PolicyStore::open(&dir).unwrap();
    assert_eq!(base.policy_fingerprint().unwrap(), "ad0bb93e29f8e47dd9df0c9c9b166c904b4b7145f64685a93544ce138c941604");
    let partner = base.with_partner("hsl_like").unwrap();
    assert_eq!(
        partner.policy_fingerprint().unwrap(),
        "77e76ba65209349d8897d6c4176076a76c67665ca7aac59b85f534453d8a8ff0"
    );
    assert_eq!(
        partner.calibration_fingerprint().unwrap().unwrap(),
        "ad0d1d775b0d90cbaffb6c8f967da761c93ae3d97cab42811e2daf75c4c26eb2"
    );
    // Its token enforcement map is not YAML; every other file is.
    let broken: Vec<_> = base.paths().filter(|path| base.value(path).is_err()).collect();
    assert_eq!(broken, ["tokens/token_enforcement_map.v0.1.yaml"]);
    for id in LabProfile::known(&base) {
        LabProfile::load(&base, &id).unwrap();
    }
}

#[test]
fn a_profile_is_loaded_by_its_id() {
    let store = PolicyStore::builtin();
    assert_eq!(LabProfile::known(&store), ["example", "hospital_lab"]);
    let profile = LabProfile::load(&store, "example").unwrap();
    assert_eq!(profile.extension_packages, ["example-plugin"]);
    assert_eq!(profile.partner_id, None);
}

#[test]
fn an_unknown_or_invalid_profile_is_an_error_and_never_ignored() {
    let store = PolicyStore::builtin();
    let error = LabProfile::load(&store, "hospital_lap").unwrap_err();
    assert!(shown(&error).contains("did you mean `hospital_lab`?"), "{}", shown(&error));

    for (text, part) in [
        ("profile_id: mine\npartner_ids: x\n", "did you mean `partner_id`?"),
        ("profile_id: theirs\n", "the profile calls itself `theirs`, its file is called `mine`"),
        ("security_suite_path: ../secret.yaml\n", "leaves the policy directory"),
        ("safety_claims_path: /etc/passwd\n", "leaves the policy directory"),
        ("partner_id: [a]\n", "mine.v0.1.yaml"),
        ("- a\n", "mine.v0.1.yaml"),
    ] {
        let copy = Copy::of_the_builtin();
        copy.write("lab_profiles/mine.v0.1.yaml", text);
        let report = shown(&LabProfile::load(&copy.open(), "mine").unwrap_err());
        assert!(report.contains(part), "{report}");
    }
    let copy = Copy::of_the_builtin();
    copy.write("lab_profiles/mine.v0.1.yaml", "x_other_program: {a: 1}\n");
    assert_eq!(LabProfile::load(&copy.open(), "mine").unwrap().other["x_other_program"], json!({"a": 1}));
}
