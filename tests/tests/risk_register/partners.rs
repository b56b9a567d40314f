//! Risks and attacks of a partner.

use labtrust_assurance::findings::findings;
use labtrust_assurance::register::crossref::contradictions;
use labtrust_assurance::register::{BundleOptions, Register, SafetyCase, build, crosswalk, schema_complaints};
use labtrust_policy::PolicyStore;
use serde_json::Value;

const RISK: &str = "R-OURS-001";

/// The shipped policy with a partner of one risk more, an attack about it, and what is said of both.
fn policy(partner: &str) -> PolicyStore {
    let entry = |path: &str, text: &str| (format!("partners/{partner}/{path}"), text.to_owned());
    let files = [
        entry(
            "risks/risk_registry.v0.1.yaml",
            "risk_registry:\n  version: \"0.1\"\n  risks:\n    - { risk_id: R-OURS-001, name: Ours, category: data, description: A risk of this partner. }\n",
        ),
        entry(
            "risks/risk_coverage_registry.v0.1.yaml",
            "risk_coverage_registry:\n  version: \"0.1\"\n  coverage:\n    - { risk_id: R-OURS-001, attack_ids: [SEC-OURS-001] }\n",
        ),
        entry(
            "security/security_coverage_map.v0.1.yaml",
            "version: \"0.1\"\nentries:\n  - { risk_id: R-OURS-001, category: data, applies_to: [agents], covered_by: [{ type: attack_suite, ref: SEC-OURS-001 }], notes: A note. }\n",
        ),
        entry(
            "golden/security_attack_suite.v0.1.yaml",
            "version: \"0.1\"\ncontrols: []\nattacks:\n  - { attack_id: SEC-OURS-001, risk_id: R-OURS-001, control_id: CTRL-LLM-SHIELD, title: Ours, scenario_ref: PI-SPECIMEN-001, expected_outcome: blocked }\n",
        ),
    ];
    files.iter().fold(PolicyStore::builtin(), |policy, (path, text)| policy.with_text(path, text))
}

fn bundle(policy: &PolicyStore) -> Value {
    let bundle = build(policy, &Register::load(policy).unwrap(), &BundleOptions::default()).unwrap();
    assert_eq!((schema_complaints(&bundle), crosswalk(&bundle)), (Vec::new(), Vec::new()));
    bundle
}

#[test]
fn a_partners_risk_and_attack_are_in_its_register_and_every_piece_of_evidence_names_the_partner() {
    let base = policy("ours");
    let (plain, theirs) = (bundle(&base), bundle(&base.with_partner("ours").unwrap()));
    let risk = |bundle: &Value| {
        bundle["risks"]
            .as_array()
            .unwrap()
            .iter()
            .find(|risk| risk["risk_id"] == RISK)
            .map(|risk| risk["claimed_controls"].clone())
    };
    assert_eq!((risk(&plain), risk(&theirs)), (None, Some(serde_json::json!(["CTRL-LLM-SHIELD"]))));
    let named = |bundle: &Value| {
        bundle["evidence"].as_array().unwrap().iter().filter(|one| one["partner_id"] == "ours").count()
    };
    assert_eq!(named(&plain), 0);
    assert_eq!(named(&theirs), theirs["evidence"].as_array().unwrap().len());
    // The digests are of what is in force, and not of the files below the overlay.
    for (file, changes) in [("risk_registry", true), ("security_attack_suite", true), ("method_risk_matrix", false)] {
        assert_eq!(plain["policy_fingerprints"][file] != theirs["policy_fingerprints"][file], changes, "{file}");
    }
}

#[test]
fn what_a_partner_says_is_checked_with_the_rest() {
    let registry = labtrust_builtin::registry().unwrap();
    let laboratory = registry.lab_domain("hospital_lab").unwrap();
    let told = |policy: PolicyStore| -> Vec<String> {
        findings(policy, Some("ours"), "hospital_lab", laboratory).unwrap().iter().map(ToString::to_string).collect()
    };
    assert_eq!(told(policy("ours")), [""; 0]);
    let risks = "partners/ours/risks/risk_registry.v0.1.yaml";
    let other = policy("ours").text(risks).unwrap().replace(RISK, "R-OURS-002");
    let policy = policy("ours").with_text(risks, &other);
    let overlaid = policy.with_partner("ours").unwrap();
    let found = contradictions(&overlaid, &Register::load(&overlaid).unwrap());
    let found: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert!(found.iter().any(|one| one.contains("SEC-OURS-001 is about `R-OURS-001`, which is no risk")), "{found:?}");
    assert!(!told(policy).is_empty());
}

#[test]
fn a_safety_case_names_the_partner() {
    let base = policy("ours");
    let case = |policy: &PolicyStore| {
        let dir = tempfile::tempdir().unwrap();
        SafetyCase::judge(&Register::load(policy).unwrap(), dir.path(), &[]).json()
    };
    assert_eq!(case(&base.with_partner("ours").unwrap())["partner_id"], "ours");
    assert!(case(&base).get("partner_id").is_none());
}
