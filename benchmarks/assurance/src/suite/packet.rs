//! The rest of the securitization packet: which attacks cover which risk, reason codes, digests of the policy.

use super::model::{SUITE, Suite};
use super::report::SECURITY;
use crate::AssuranceError;
use crate::files::write_json;
use crate::register::policy::RISKS;
use labtrust_bench::files::write_whole;
use labtrust_evidence::digest::sha256;
use labtrust_policy::PolicyStore;
use labtrust_trust::canonical::fingerprint;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

const REASONS: &str = "reason_codes/reason_code_registry.v0.1.yaml";
const ROLES: &str = "rbac/rbac_policy.v0.1.yaml";
const TOOLS: &str = "tool_registry.v0.1.yaml";
/// Namespaces of reason codes that are about security.
const NAMESPACES: [&str; 4] = ["TOOL", "COORD", "MEM", "ADV"];
/// Where evidence of coverage stands.
const ARTIFACTS: [&str; 2] = ["SECURITY/attack_results.json", "receipts/"];

/// Names of the risks that attacks are about, by id.
fn risk_names(suite: &Suite) -> BTreeMap<&str, &str> {
    let used: BTreeSet<&str> = suite.attacks.iter().map(|attack| attack.risk_id.as_str()).collect();
    let names = suite.risks.iter().map(|(id, name)| (id.as_str(), name.as_str()));
    names.filter(|(id, _)| used.contains(id)).collect()
}

/// `coverage.json`: what stands for each risk and each control. Sets are in the order of their names, tests in the order of the suite.
#[must_use]
pub fn coverage(suite: &Suite) -> Value {
    let mut risks: BTreeMap<&str, (BTreeSet<&str>, Vec<&str>)> = BTreeMap::new();
    let mut controls: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut attacks = Map::new();
    for attack in &suite.attacks {
        let risk = risks.entry(&attack.risk_id).or_default();
        risk.0.insert(&attack.control_id);
        risk.1.push(&attack.attack_id);
        controls.entry(&attack.control_id).or_default().push(attack.evidence());
        let uses_env = attack.layer() == "system";
        attacks.insert(attack.attack_id.clone(), json!({ "layer": attack.layer(), "uses_env": uses_env }));
    }
    let risks: Map<String, Value> = risks
        .into_iter()
        .map(|(id, (controls, attacks))| (id.to_owned(), json!({ "controls": controls, "attacks": attacks })))
        .collect();
    let names: BTreeMap<&str, &str> =
        suite.controls.iter().map(|control| (control.control_id.as_str(), control.name.as_str())).collect();
    json!({
        "version": "0.1", "artifacts": ARTIFACTS, "risk_to_controls": risks, "control_to_tests": controls,
        "risk_names": risk_names(suite), "control_names": names, "attacks": attacks,
    })
}

/// `coverage.md`: the same for people.
#[must_use]
pub fn coverage_page(coverage: &Value) -> String {
    let name =
        |names: &str, id: &str| coverage[names][id].as_str().map(|name| format!(" ({name})")).unwrap_or_default();
    let list = |value: &Value| -> String {
        value.as_array().into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
    };
    let mut page = String::from(
        "# Security coverage\n\nWhich attacks of the suite stand for which risk, and on which control they are made.\n\n## Layers\n\n\
         `attacks` in coverage.json has the layer of each: `agent_shield`, or `system` for a matrix of the coordination security pack, \
         which also has `uses_env`.\n\n## Risk to controls\n\n",
    );
    for (risk, row) in coverage["risk_to_controls"].as_object().into_iter().flatten() {
        let _ = write!(
            page,
            "- **{risk}**{}\n  - Controls: {}\n  - Attacks: {}\n\n",
            name("risk_names", risk),
            list(&row["controls"]),
            list(&row["attacks"])
        );
    }
    page.push_str("## Control to tests\n\n");
    for (control, tests) in coverage["control_to_tests"].as_object().into_iter().flatten() {
        let _ = writeln!(page, "- **{control}**{}: {}", name("control_names", control), list(tests));
    }
    page.push_str("\n## Artifacts\n");
    for artifact in ARTIFACTS {
        let _ = write!(page, "\n- {artifact}");
    }
    page
}

/// `reason_codes.md`: the codes of the namespaces that are about security.
///
/// # Errors
/// [`AssuranceError::Policy`] when the registry cannot be read.
pub fn reason_codes(store: &PolicyStore) -> Result<String, AssuranceError> {
    let registry: Value = store.value(REASONS)?;
    let registry = registry.get("reason_code_registry").unwrap_or(&registry);
    let text = |value: &Value| value.as_str().unwrap_or_default().replace('|', "\\|").replace('\n', " ");
    let mut rows: Vec<[String; 4]> = registry["codes"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|code| {
            let short: String = text(&code["description"]).chars().take(60).collect();
            [text(&code["namespace"]), text(&code["code"]), text(&code["severity"]), short]
        })
        .filter(|row| NAMESPACES.contains(&row[0].as_str()))
        .collect();
    rows.sort();
    let mut page = String::from(
        "# Reason codes\n\nCodes of the registry that are about tools, coordination, memory and hostile texts.\n\n\
         | Code | Namespace | Severity | Description |\n|------|-----------|----------|--------------|\n",
    );
    for [namespace, code, severity, description] in rows {
        let _ = writeln!(page, "| {code} | {namespace} | {severity} | {description} |");
    }
    Ok(page)
}

/// `deps_inventory.json`: digests of the policy that a claim of security rests on.
///
/// # Errors
/// [`AssuranceError::Policy`] when a file cannot be read.
pub fn inventory(store: &PolicyStore) -> Result<Value, AssuranceError> {
    let print = |path: &str| -> Result<Value, AssuranceError> {
        let value: Value = store.section_or_builtin(path, None)?;
        Ok(json!(fingerprint(&value).ok()))
    };
    let mut paths = Vec::new();
    for path in [RISKS, SUITE, REASONS] {
        if store.contains(path) {
            paths.push(json!({ "path": format!("policy/{path}"), "sha256": sha256(&store.effective_bytes(path)?) }));
        }
    }
    Ok(json!({
        "version": "0.1",
        "tool_registry": { "path": format!("policy/{TOOLS}"), "fingerprint": print(TOOLS)? },
        "rbac_policy_path": format!("policy/{ROLES}"),
        "rbac_policy_fingerprint": print(ROLES)?,
        "policy_paths": paths,
    }))
}

/// Writes the packet below `out`; `runtime` is what the program was built of.
///
/// # Errors
/// [`AssuranceError`] when a file of the policy cannot be read or one of the packet not be written.
pub fn write(out: &Path, store: &PolicyStore, suite: &Suite, runtime: &Value) -> Result<Vec<PathBuf>, AssuranceError> {
    let dir = out.join(SECURITY);
    let coverage = coverage(suite);
    let path = |name: &str| dir.join(name);
    write_json(&path("coverage.json"), &coverage)?;
    write_whole(&path("coverage.md"), coverage_page(&coverage).as_bytes())?;
    write_whole(&path("reason_codes.md"), reason_codes(store)?.as_bytes())?;
    write_json(&path("deps_inventory.json"), &inventory(store)?)?;
    write_json(&path("deps_inventory_runtime.json"), runtime)?;
    let names =
        ["coverage.json", "coverage.md", "reason_codes.md", "deps_inventory.json", "deps_inventory_runtime.json"];
    Ok(names.map(path).to_vec())
}
