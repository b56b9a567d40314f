//! Mistakes in a policy directory are found when it is loaded, with the file, the place and what to do.

use labtrust_policy::{PolicyError, PolicyStore};
use std::{fs, path::Path};

/// Writes the built-in policy into `dir`, with `change` applied to one file.
fn policy_with(dir: &Path, file: &str, change: impl Fn(&str) -> String) {
    let builtin = PolicyStore::builtin();
    for path in builtin.paths() {
        let target = dir.join(path);
        fs::create_dir_all(target.parent().expect("a file lies in a directory")).unwrap();
        let text = builtin.text(path).unwrap();
        fs::write(target, if path == file { change(text) } else { text.to_owned() }).unwrap();
    }
}

/// Loads a policy directory as a run does.
fn load(dir: &Path) -> Result<(), PolicyError> {
    let store = PolicyStore::open(dir)?;
    let registry = labtrust_builtin::registry().unwrap();
    registry.lab_domain("hospital_lab").unwrap().load(&store).map(|_| ())
}

const ZONES: &str = "zones/zone_layout_policy.v0.1.yaml";
const EQUIPMENT: &str = "equipment/equipment_registry.v0.1.yaml";
const FAILURES: &str = "equipment/failure_models.v0.1.yaml";
const REAGENTS: &str = "reagents/reagent_policy.v0.1.yaml";

#[test]
fn a_copy_of_the_built_in_policy_loads() {
    let dir = tempfile::tempdir().unwrap();
    policy_with(dir.path(), "", str::to_owned);
    load(dir.path()).expect("nothing was changed");
}

#[test]
fn contradictions_are_errors_that_name_file_and_culprit() {
    let faults: &[(&str, &str, &str, &str)] = &[
        (
            ZONES,
            "device_id: DEV_HAEM_01, zone_id: Z_ANALYZER_HALL_A",
            "device_id: DEV_HAEM_01, zone_id: Z_ANALYSER_HALL_A",
            "Z_ANALYSER_HALL_A",
        ),
        (ZONES, "device_id: DEV_HAEM_01", "device_id: DEV_CHEM_A_01", "DEV_CHEM_A_01"),
        (ZONES, "via_door: D_WASTE", "via_door: D_WASTED", "D_WASTED"),
        (ZONES, "door_id: D_WASTE", "door_id: D_MAIN_INNER", "D_MAIN_INNER"),
        (ZONES, "zone_id: Z_COLD_FRIDGE", "zone_id: Z_COLD_FREEZER", "Z_COLD_FREEZER"),
        (ZONES, "same_as: Specimen", "same_as: Aliquot", "Aliquot"),
        (ZONES, "travel_s: 10, via_door: D_WASTE", "travel_s: -10, via_door: D_WASTE", "no time to walk"),
        (EQUIPMENT, "device_type: HAEM_ANALYZER", "device_type: HEAM_ANALYZER", "HEAM_ANALYZER"),
        (EQUIPMENT, "- device_id: DEV_HAEM_01", "- device_id: DEV_COAG_01", "DEV_COAG_01"),
        (
            FAILURES,
            "device_id: DEV_HAEM_01, start_ts_s: 200, end_ts_s: 500",
            "device_id: DEV_HAEM_01, start_ts_s: 500, end_ts_s: 200",
            "no window",
        ),
        (FAILURES, "device_id: DEV_HAEM_01, start_ts_s", "device_id: DEV_HAEM_99, start_ts_s", "DEV_HAEM_99"),
        (
            REAGENTS,
            "BIOCHEM_PANEL_CORE: { reagent_id: R_CHEM_CORE",
            "BIOCHEM_PANEL_CORE: { reagent_id: R_CHEM",
            "R_CHEM",
        ),
        (REAGENTS, "initial_stock: 500", "initial_stock: -500", "R_HAEM_CORE"),
        ("critical/critical_thresholds.v0.1.yaml", "low: 2.5, high: 6.5", "low: 6.5, high: 2.5", "BIOCHEM_POTASSIUM_K"),
        ("critical/escalation_ladder.v0.2.yaml", "tier_index: 1", "tier_index: 0", "two tiers 0"),
        (
            "sites/sites_policy.v0.1.yaml",
            "      from_site: SITE_ACUTE\n      to_site: SITE_HUB\n      transport",
            "      from_site: SITE_MOON\n      to_site: SITE_HUB\n      transport",
            "SITE_MOON",
        ),
        (
            "tokens/dual_approval_policy.v0.1.yaml",
            "applies_to_token_types: [OVERRIDE_RISK_ACCEPTANCE",
            "applies_to_token_types: [OVERRIDE_RISK_ACEPTANCE",
            "OVERRIDE_RISK_ACEPTANCE",
        ),
        ("rbac/rbac_policy.v0.1.yaml", "A_QC: ROLE_QC", "A_QC: ROLE_QUALITY", "ROLE_QUALITY"),
        ("catalogue/measurement_model.v0.1.yaml", "sd: 0.35", "sd: -0.35", "BIOCHEM_PANEL_CORE"),
    ];
    for (file, right, wrong, culprit) in faults {
        let dir = tempfile::tempdir().unwrap();
        policy_with(dir.path(), file, |text| {
            assert!(text.contains(right), "{file} no longer says {right:?}");
            text.replacen(right, wrong, 1)
        });
        let error = load(dir.path()).expect_err(&format!("{file}: {wrong} should be refused"));
        assert!(error.to_string().contains(culprit), "{file}: {error}");
        assert_eq!(error.file(), Some(*file), "{error}");
        assert!(error.line().is_some_and(|line| line > 0), "{error} has a place");
    }
}

#[test]
fn a_file_of_the_wrong_shape_is_an_error_with_its_line() {
    for (file, text) in [
        (ZONES, "zone_layout_policy:\n  zones: 7\n  graph_edges: []\n"),
        (EQUIPMENT, "equipment_registry:\n  device_instances:\n    - device_id: [a]\n"),
        ("rbac/rbac_policy.v0.1.yaml", "rbac_policy:\n  roles: {A: {allowed_actions: 3}}\n"),
        (REAGENTS, "reagent_policy: [unclosed\n"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        policy_with(dir.path(), file, |_| text.to_owned());
        let error = load(dir.path()).expect_err(file);
        assert_eq!(error.file(), Some(file), "{error}");
        assert!(error.line().is_some(), "{error}");
    }
}

#[test]
fn a_directory_without_rule_files_is_refused_whatever_it_is_called() {
    let dir = tempfile::tempdir().unwrap();
    assert!(load(dir.path()).is_err(), "an empty directory");
    for missing in ["emits", "rbac", "zones", "invariants"] {
        let dir = tempfile::tempdir().unwrap();
        policy_with(dir.path(), "", str::to_owned);
        fs::remove_dir_all(dir.path().join(missing)).unwrap();
        let error = load(dir.path()).expect_err(missing).to_string();
        assert!(error.contains(missing), "{error}");
    }
}

#[test]
fn an_initial_state_that_cannot_be_is_refused_with_its_key() {
    let laboratory = labtrust_tests::laboratory();
    for (state, key) in [
        (serde_json::json!({"workflow": "sometimes"}), "workflow"),
        (serde_json::json!({"timing_mode": "warp"}), "timing_mode"),
        (serde_json::json!({"agents": [{"agent_id": "A", "zone_id": "Z_MOON"}]}), "Z_MOON"),
        (serde_json::json!({"specimens": [{"specimen_id": "S", "status": "eaten"}]}), "specimens[0].status"),
        (serde_json::json!({"specimens": 3}), "specimens"),
        (serde_json::json!({"roster": {"agents": {"A": "ROLE_NONE"}}}), "ROLE_NONE"),
        (serde_json::json!({"tokens": [{"token_id": "T"}]}), "tokens"),
        (serde_json::json!({"zone_layout": {"zones": []}}), "zone_layout"),
    ] {
        let mut engine = laboratory.engine();
        let error = engine.reset(state.as_object().unwrap(), 1).expect_err(key).to_string();
        assert!(error.contains(key), "{error}");
    }
}
