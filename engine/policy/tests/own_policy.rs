//! The built-in policy keeps its own promises: schemas, references between files, keys.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::SigningKey;
use labtrust_policy::{FALLBACK_FILES, PolicyStore, REQUIRED_FILES};
use serde_json::Value;
use sha2::{Digest, Sha256};

fn store() -> PolicyStore {
    PolicyStore::builtin()
}

fn section(path: &str, top: &str) -> Value {
    store().section(path, Some(top)).unwrap()
}

fn texts(value: &Value) -> BTreeSet<String> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn field(list: &Value, name: &str) -> BTreeSet<String> {
    list.as_array().into_iter().flatten().filter_map(|entry| entry[name].as_str()).map(str::to_owned).collect()
}

fn keys(map: &Value) -> BTreeSet<String> {
    map.as_object().into_iter().flatten().map(|(key, _)| key.clone()).collect()
}

/// Every text under a key of one of the `names`, anywhere below `value`.
fn collect(value: &Value, names: &[&str], found: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                if names.contains(&key.as_str()) {
                    found.extend(inner.as_str().map(str::to_owned));
                    found.extend(texts(inner));
                }
                collect(inner, names, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, names, found)),
        _ => {}
    }
}

fn everywhere(names: &[&str]) -> BTreeSet<String> {
    let store = store();
    let mut found = BTreeSet::new();
    for path in store.paths().filter(|path| !path.contains("schema")) {
        collect(&store.value(path).unwrap(), names, &mut found);
    }
    found
}

fn codes() -> BTreeSet<String> {
    field(&section("reason_codes/reason_code_registry.v0.1.yaml", "reason_code_registry")["codes"], "code")
}

#[test]
fn every_file_that_the_engine_needs_is_there() {
    for path in REQUIRED_FILES.iter().chain(FALLBACK_FILES) {
        assert!(!store().text(path).unwrap().trim().is_empty(), "{path}");
    }
}

#[test]
fn every_file_names_a_schema_and_a_version_and_fits_the_schema() {
    let store = store();
    let mut checked = 0;
    for path in store.paths().filter(|path| path.ends_with(".yaml")) {
        let text = store.text(path).unwrap();
        let head = text.lines().next().unwrap();
        let reference =
            head.strip_prefix("# yaml-language-server: $schema=").unwrap_or_else(|| panic!("{path}: {head}"));
        let schema = store.value(&resolved(path, reference)).unwrap();
        let document = store.value(path).unwrap();
        let validator = jsonschema::draft202012::new(&schema).unwrap();
        let complaints: Vec<String> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
        assert!(complaints.is_empty(), "{path}: {complaints:?}");
        let content =
            document.as_object().and_then(|map| map.values().next().filter(|_| map.len() == 1)).unwrap_or(&document);
        let version = ["version", "policy_version", "registry_version"].iter().find_map(|key| content[*key].as_str());
        assert!(version.is_some(), "{path} has no version");
        checked += 1;
    }
    assert!(checked > 25, "{checked}");
    let catalogue = store.value("catalogue/test_catalogue.seed.v0.1.json").unwrap();
    let schema = store.value("schemas/test_catalogue.schema.v0.1.json").unwrap();
    assert!(jsonschema::draft202012::is_valid(&schema, &catalogue));
}

/// `reference`, which is relative to the directory of `path`, relative to the policy directory.
fn resolved(path: &str, reference: &str) -> String {
    let mut parts: Vec<&str> = path.split('/').collect();
    parts.pop();
    for part in reference.split('/') {
        if part == ".." {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    parts.join("/")
}

#[test]
fn every_schema_is_a_schema_and_catches_an_empty_document() {
    let store = store();
    for path in store.paths().filter(|path| path.contains("schema")) {
        let schema = store.value(path).unwrap();
        let validator = jsonschema::draft202012::new(&schema).unwrap_or_else(|error| panic!("{path}: {error}"));
        assert!(!validator.is_valid(&Value::from(1)), "{path} accepts a number");
        assert!(schema["$id"].is_string() && schema["title"].is_string(), "{path}");
    }
}

#[test]
fn every_reason_code_that_a_file_names_is_registered_and_explained() {
    let registry = section("reason_codes/reason_code_registry.v0.1.yaml", "reason_code_registry");
    let codes = codes();
    let list = registry["codes"].as_array().unwrap();
    assert_eq!(list.len(), codes.len(), "a code stands twice");
    let (namespaces, severities) = (texts(&registry["namespaces"]), keys(&registry["severity_scale"]));
    for code in list {
        let name = code["code"].as_str().unwrap();
        assert!(namespaces.contains(code["namespace"].as_str().unwrap()), "{name}");
        assert!(severities.contains(code["severity"].as_str().unwrap()), "{name}");
        for text in ["description", "remedy"] {
            assert!(code[text].as_str().is_some_and(|text| text.ends_with('.')), "{name} has no {text}");
        }
    }
    let named = everywhere(&[
        "reason_code",
        "reason_codes_allowed",
        "allowed_reason_codes",
        "denylist_reason_codes",
        "reason_code_on_expiry",
        "block_reason_code",
    ]);
    assert_eq!(named.difference(&codes).collect::<Vec<_>>(), Vec::<&String>::new());
    assert!(named.len() > 20);
}

#[test]
fn everything_that_the_trust_pipeline_and_the_laboratory_can_say_is_registered() {
    let codes = codes();
    let spoken = "INV-TOK-001 INV-TOK-002 INV-TOK-003 INV-TOK-006 RC_INJECT_SPECIMEN_DUPLICATE RC_DOOR_OPEN_TOO_LONG \
        RC_UNKNOWN_ACTION RC_EVENT_MALFORMED RC_TIME_BACKWARDS RC_AGENT_UNKNOWN RC_AGENT_THROTTLED RC_AGENT_KILLED \
        RC_DEVICE_KILLED RC_ZONE_FROZEN RC_ZONE_FULL RC_WAY_TAKEN \
        RC_AGENT_IN_TRANSIT RC_DOOR_CLOSED RC_DOOR_UNKNOWN RC_SPECIMEN_UNKNOWN \
        RC_SPECIMEN_STATE RC_SPECIMEN_LOCATION RC_SPECIMEN_IN_TRANSIT RC_RUN_UNKNOWN RC_RUN_DUPLICATE \
        RC_RUN_NOT_COMPLETED RC_RESULT_UNKNOWN RC_RESULT_DUPLICATE RC_RESULT_ALREADY_RELEASED RC_RESULT_STATE \
        RC_RESULT_VALUE_MISMATCH RC_RESULT_VALUE_NOT_NUMERIC RC_ALIQUOT_DUPLICATE RC_BATCH_TOO_LARGE RC_DEVICE_NO_UNIT \
        TRANSPORT_NOT_YET_ARRIVED TRANSPORT_NOT_SIGNED TRANSPORT_WRONG_SITE TOKEN_REQUIRED TOKEN_SCOPE_MISMATCH \
        TOKEN_SUBJECT_MISMATCH TOKEN_APPROVAL_ROLE TOKEN_REASON_NOT_ALLOWED ENF_TARGET_UNKNOWN";
    let missing: Vec<&str> = spoken.split_whitespace().filter(|code| !codes.contains(*code)).collect();
    assert_eq!(missing, Vec::<&str>::new());
}

#[test]
fn every_token_type_that_a_file_names_is_registered() {
    let types = keys(&section("tokens/token_registry.v0.1.yaml", "token_registry")["token_types"]);
    let named = everywhere(&[
        "override_token_types",
        "override_allowed_with",
        "requires_token_type",
        "requires_token",
        "requires_access_token",
        "applies_to_token_types",
        "token_type",
    ]);
    assert_eq!(named.difference(&types).collect::<Vec<_>>(), Vec::<&String>::new());
    assert!(named.len() >= 5);
}

#[test]
fn every_role_that_a_file_names_is_defined() {
    let rbac = section("rbac/rbac_policy.v0.1.yaml", "rbac_policy");
    let roles = keys(&rbac["roles"]);
    let mut named = everywhere(&["rbac_required", "requires_role", "approver_roles", "reader_roles"]);
    named.extend(rbac["agents"].as_object().unwrap().values().filter_map(Value::as_str).map(str::to_owned));
    named.extend(keys(&section("security/agent_capabilities.v0.1.yaml", "agent_capabilities")["profiles"]));
    let registry = section("keys/key_registry.v0.1.yaml", "key_registry");
    let active = |key: &&Value| key["status"] == "ACTIVE";
    named.extend(
        registry["keys"]
            .as_array()
            .unwrap()
            .iter()
            .filter(active)
            .filter_map(|key| key["role_id"].as_str())
            .map(str::to_owned),
    );
    assert_eq!(named.difference(&roles).collect::<Vec<_>>(), Vec::<&String>::new());
}

#[test]
fn whoever_may_open_a_door_may_close_it_except_an_outsider() {
    let rbac = section("rbac/rbac_policy.v0.1.yaml", "rbac_policy");
    for (role, rules) in rbac["roles"].as_object().unwrap() {
        let actions = texts(&rules["allowed_actions"]);
        let both = actions.contains("OPEN_DOOR") == actions.contains("CLOSE_DOOR");
        assert!(both || role == "ROLE_EXTERNAL", "{role}");
    }
    assert_eq!(texts(&rbac["roles"]["ROLE_EXTERNAL"]["allowed_actions"]).len(), 5);
}

#[test]
fn every_action_of_a_role_can_be_reported() {
    let vocabulary = section("emits/emits_vocab.v0.1.yaml", "emits_vocab");
    let words = texts(&vocabulary["canonical_set"]);
    let mut flat = BTreeMap::<String, usize>::new();
    for list in vocabulary["categories"].as_object().unwrap().values() {
        for word in texts(list) {
            *flat.entry(word).or_default() += 1;
        }
    }
    assert_eq!(flat.keys().cloned().collect::<BTreeSet<_>>(), words, "the flat list is the categories");
    assert!(flat.values().all(|count| *count == 1), "a word has two categories");
    let rbac = section("rbac/rbac_policy.v0.1.yaml", "rbac_policy");
    for rules in rbac["roles"].as_object().unwrap().values() {
        for action in texts(&rules["allowed_actions"]) {
            // Waiting and the passing of time, and an override reports what it overrides.
            let silent = ["NOOP", "TICK", "START_RUN_OVERRIDE", "RELEASE_RESULT_OVERRIDE"];
            assert!(words.contains(&action) || silent.contains(&action.as_str()), "{action}");
        }
    }
}

#[test]
fn the_floor_plan_the_devices_and_the_panels_fit_together() {
    let layout = section("zones/zone_layout_policy.v0.1.yaml", "zone_layout_policy");
    let zones = field(&layout["zones"], "zone_id");
    let doors = field(&layout["doors"], "door_id");
    assert_eq!((zones.len(), doors.len()), (14, 3));
    let equipment = section("equipment/equipment_registry.v0.1.yaml", "equipment_registry");
    let devices = field(&equipment["device_instances"], "device_id");
    let types = keys(&equipment["device_types"]);
    assert!(field(&equipment["device_instances"], "device_type").is_subset(&types));
    for (list, name) in [
        ("doors", "from_zone"),
        ("doors", "to_zone"),
        ("graph_edges", "from"),
        ("graph_edges", "to"),
        ("device_placement", "zone_id"),
    ] {
        assert!(field(&layout[list], name).is_subset(&zones), "{list}.{name}");
    }
    assert!(field(&layout["graph_edges"], "via_door").is_subset(&doors));
    assert_eq!(field(&layout["device_placement"], "device_id"), devices);
    assert!(field(&equipment["device_instances"], "zone_id").is_subset(&zones));
    let bands = keys(&layout["temperature_bands"]);
    assert!(field(&layout["zones"], "temp_band").is_subset(&bands));

    let panels = keys(&equipment["panel_workload_map"]);
    let catalogue = store().value("catalogue/test_catalogue.seed.v0.1.json").unwrap();
    let model = section("catalogue/measurement_model.v0.1.yaml", "measurement_model");
    let reagents = section("reagents/reagent_policy.v0.1.yaml", "reagent_policy");
    let stability: Value = store().value("stability/stability_policy.v0.1.yaml").unwrap();
    for named in [
        field(&catalogue["panels"], "panel_id"),
        keys(&model["panels"]),
        keys(&reagents["panel_requirements"]),
        keys(&stability["panel_rules"]),
    ] {
        assert_eq!(named, panels);
    }
    let mut analysers = BTreeSet::new();
    collect(&equipment["panel_workload_map"], &["analyzer_device_types"], &mut analysers);
    collect(&catalogue, &["analyzer_device_types", "destination_device_type"], &mut analysers);
    assert!(analysers.is_subset(&types), "{analysers:?}");
    let failures = section("equipment/failure_models.v0.1.yaml", "failure_models");
    assert!(keys(&failures["device_failures"]).is_subset(&devices));
    assert!(field(&failures["maintenance_schedule"], "device_id").is_subset(&devices));
    let sites = section("sites/sites_policy.v0.1.yaml", "sites_policy");
    let mut site_zones = BTreeSet::new();
    collect(&sites, &["zone_ids"], &mut site_zones);
    assert!(site_zones.is_subset(&zones));
}

#[test]
fn synthetic_critical_values_lie_beyond_their_limits_and_ordinary_ones_inside() {
    let thresholds = section("critical/critical_thresholds.v0.1.yaml", "critical_thresholds");
    let model = section("catalogue/measurement_model.v0.1.yaml", "measurement_model");
    for panel in model["panels"].as_object().unwrap().values() {
        let same = |entry: &&Value| entry["analyte_code"] == panel["analyte_code"] && entry["units"] == panel["units"];
        let limit =
            thresholds["defaults_rcpath2017"].as_array().unwrap().iter().find(same).expect("analyte has limits");
        let (mean, sd) = (panel["mean"].as_f64().unwrap(), panel["sd"].as_f64().unwrap());
        if let (Some(low), Some(value)) = (limit["low"].as_f64(), panel["critical_low"].as_f64()) {
            assert!(value < low && mean - 4.0 * sd > low, "{panel}");
        }
        if let (Some(high), Some(value)) = (limit["high"].as_f64(), panel["critical_high"].as_f64()) {
            assert!(value > high && mean + 4.0 * sd < high, "{panel}");
        }
        assert!(panel["critical_low"].is_null() == limit["low"].is_null(), "{panel}");
    }
}

#[test]
fn enforcement_matches_only_invariants_that_exist() {
    let registry = store().value("invariants/invariant_registry.v1.0.yaml").unwrap();
    let ids = field(&registry["invariants"], "invariant_id");
    assert_eq!(ids.len(), 20);
    let mut named = BTreeSet::new();
    collect(&store().value("enforcement/enforcement_map.v0.1.yaml").unwrap(), &["invariant_id"], &mut named);
    assert!(named.is_subset(&ids) && !named.is_empty());
}

#[test]
fn the_keys_are_test_keys_all_different_and_derived_as_documented() {
    let path = "keys/key_registry.v0.1.yaml";
    assert!(store().text(path).unwrap().contains("TEST KEYS. THEIR SECRETS ARE PUBLIC."));
    let registry = section(path, "key_registry");
    let list = registry["keys"].as_array().unwrap();
    assert_eq!((list.len(), field(&registry["keys"], "public_key").len()), (11, 11));
    for key in list {
        let id = key["key_id"].as_str().unwrap();
        let seed: [u8; 32] = Sha256::digest(format!("labtrust test key {id}")).into();
        let public = SigningKey::from_bytes(&seed).verifying_key();
        assert_eq!(key["public_key"], STANDARD.encode(public.as_bytes()), "{id}");
    }
    let ids = field(&registry["keys"], "key_id");
    for id in ["key_supervisor", "key_clinsci", "key_qc", "key_security", "key_system_control"] {
        assert!(ids.contains(&format!("ed25519:{id}")), "{id}");
    }
}

#[test]
fn tool_arguments_have_their_schemas() {
    let store = store();
    let tools = section("tool_registry.v0.1.yaml", "tool_registry");
    let boundary = section("tool_boundary_policy.v0.1.yaml", "tool_boundary_policy");
    assert_eq!(field(&boundary["tools"], "tool_id"), field(&tools["tools"], "tool_id"));
    for path in field(&tools["tools"], "arg_schema_ref") {
        jsonschema::draft202012::new(&store.value(&path).unwrap()).unwrap();
    }
}
