//! The risk register in one document: risks, controls, evidence, and how to make the evidence again.
//!
//! The document is a function of the policy and of the files in the directories: nothing in it comes from a clock or from where
//! the directories lie, unless the time of making is asked for.

use super::assess::Assessment;
use super::custody::key_name;
use super::evidence::{Evidence, Found, RunDir, discover, run_dirs};
use super::policy::{CLAIMS, Covers, MATRIX, RISKS, Register, SUITE};
use crate::AssuranceError;
use labtrust_evidence::digest::sha256;
use labtrust_evidence::note::Verifier;
use labtrust_policy::PolicyStore;
use labtrust_redteam::catalogue::{COMPOUNDS, ENTRIES, is_reserved};
use rayon::prelude::*;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// The file that a bundle is written to.
pub const RISK_BUNDLE: &str = "RISK_REGISTER_BUNDLE.v0.1.json";
const SCHEMA: &str = "risk_register_bundle.v0.1";
/// Categories of risks that the format knows.
const DOMAINS: [&str; 8] = ["tool", "flow", "system", "comms", "identity", "data", "capability", "operational"];
/// Members of a risk that are handed on as they stand in the registry.
const HANDED_ON: [&str; 8] = [
    "description",
    "typical_failure_mode",
    "mitigation_options",
    "proposed_injections",
    "primary_metrics",
    "severity_hint",
    "complexity_hint",
    "frameworks",
];

/// What a bundle is made of.
#[derive(Clone, Debug, Default)]
pub struct BundleOptions {
    /// Directories with what was run. Those that are not there are left out.
    pub runs: Vec<PathBuf>,
    /// The directory that they lie in and are named from, where it goes with the bundle: its own name is then in no path.
    pub base: Option<PathBuf>,
    /// Keys whose signed statements count; those of any key when absent, and the bundle says so.
    pub trust: Option<Vec<Verifier>>,
    /// When it is made, if that is to stand in it.
    pub generated_at: Option<String>,
    /// The commit that the program was built from.
    pub git_commit: Option<String>,
}

/// Makes the bundle. Directories are read in parallel; the document is the same for any number of threads.
///
/// # Errors
/// [`AssuranceError::Policy`].
pub fn build(policy: &PolicyStore, register: &Register, options: &BundleOptions) -> Result<Value, AssuranceError> {
    let dirs = run_dirs(&options.runs, options.base.as_deref());
    let found: Vec<Found> = dirs.par_iter().map(|dir| discover(dir, register, options.trust.as_deref())).collect();
    let evidence = number(&found);
    let gaps = gaps(register, &evidence);
    let refs = references(register, &evidence, &gaps);
    let mut document = Map::new();
    let mut put = |key: &str, value: Value| {
        document.insert(key.to_owned(), value);
    };
    put("bundle_version", "0.1".into());
    put("risks", risks(register, &refs));
    put("controls", controls(register));
    put("injection_registry", injections());
    put("links", links(policy, &dirs, &found));
    put("policy_fingerprints", fingerprints(policy)?);
    let commands: Vec<Value> = evidence
        .iter()
        .map(|(id, one)| json!({ "evidence_id": id, "label": one.label, "commands": reproduce(one) }))
        .chain(
            gaps.iter().map(|gap| json!({ "evidence_id": gap["evidence_id"], "label": gap["label"], "commands": [] })),
        )
        .collect();
    put("reproduce", commands.into());
    let entries = evidence.iter().map(|(id, one)| entry(id, one)).chain(gaps);
    let partnered = entries.map(|mut entry| {
        if let Some(partner) = policy.partner() {
            entry["partner_id"] = partner.into();
        }
        entry
    });
    put("evidence", partnered.collect());
    put("statement_keys", statement_keys(options.trust.as_deref()));
    if !dirs.is_empty() {
        let live = dirs.iter().any(has_live_model);
        put("evidence_level", if live { "with_live_llm" } else { "deterministic_only" }.into());
    }
    if let Some(time) = &options.generated_at {
        put("generated_at", time.clone().into());
    }
    if let Some(commit) = &options.git_commit {
        put("git_commit_hash", commit.clone().into());
    }
    Ok(Value::Object(document))
}

/// By which keys signed statements were judged.
fn statement_keys(trust: Option<&[Verifier]>) -> Value {
    match trust {
        None => json!({ "checked": false }),
        Some(keys) => {
            let names: BTreeSet<String> = keys.iter().map(key_name).collect();
            json!({ "checked": true, "trusted": names })
        }
    }
}

/// Evidence with its id. The matrix has an id of its own and takes no number.
fn number(found: &[Found]) -> Vec<(String, &Evidence)> {
    let mut next = 0_usize;
    let mut id = |one: &Evidence| {
        if one.id.contains(':') {
            return one.id.clone();
        }
        let id = format!("{}-{next}", one.id);
        next += 1;
        id
    };
    found.iter().flat_map(|found| &found.evidence).map(|one| (id(one), one)).collect()
}

fn entry(id: &str, one: &Evidence) -> Value {
    let mut entry = one.more.clone();
    let artifact = |(path, sha256): &(String, Option<String>)| match sha256 {
        Some(sha256) => json!({ "path": path, "sha256": sha256 }),
        None => json!({ "path": path }),
    };
    let mut put = |key: &str, value: Value| {
        entry.insert(key.to_owned(), value);
    };
    put("evidence_id", id.into());
    put("type", one.kind.into());
    put("path", one.path.clone().into());
    put("label", one.label.into());
    put("status", if one.is_admissible() { "present" } else { "inadmissible" }.into());
    put("artifacts", one.artifacts.iter().map(artifact).collect());
    put("evidence_strength", one.strength.into());
    put("verified_by", one.verified_by.clone().into());
    if !one.assessments.is_empty() {
        put("risk_ids", one.risks().into_iter().collect());
        put("assessments", one.assessments.iter().map(Assessment::json).collect());
    }
    if let Some(reason) = one.reason() {
        put("reason", reason.into());
    }
    if let Some(summary) = &one.summary {
        put("summary", summary.clone());
    }
    if one.synthetic {
        put("synthetic", true.into());
    }
    Value::Object(entry)
}

/// An entry for every risk that nothing counts for, by id.
fn gaps(register: &Register, evidence: &[(String, &Evidence)]) -> Vec<Value> {
    let covered: BTreeSet<&str> = evidence.iter().flat_map(|(_, one)| one.risks()).collect();
    let mut risks: Vec<&str> = register.risks.iter().map(|risk| risk.risk_id.as_str()).collect();
    risks.sort_unstable();
    let gap = |id: &str| {
        let mut sources = Vec::new();
        if register.attacks().any(|attack| attack.risk_id == id) {
            sources.push("security suite smoke");
        }
        if register.matrix.iter().any(|cell| cell.risk_id == id) {
            sources.push("coordination study required_bench");
        }
        if sources.is_empty() {
            sources.push("policy or run evidence");
        }
        json!({
            "evidence_id": format!("ev-missing-{id}"), "type": "other", "status": "missing", "path": "",
            "label": format!("Evidence gap: {id}"), "risk_ids": [id], "expected_sources": sources,
        })
    };
    risks.into_iter().filter(|id| !covered.contains(id)).map(gap).collect()
}

/// Which evidence a risk has, in the order of the bundle.
fn references(register: &Register, evidence: &[(String, &Evidence)], gaps: &[Value]) -> BTreeMap<String, Vec<String>> {
    let mut refs: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (id, one) in evidence {
        for risk in one.risks().into_iter().filter(|risk| register.has_risk(risk)) {
            refs.entry(risk.to_owned()).or_default().push(id.clone());
        }
    }
    for gap in gaps {
        if let (Some(risk), Some(id)) = (gap["risk_ids"][0].as_str(), gap["evidence_id"].as_str()) {
            refs.entry(risk.to_owned()).or_default().push(id.to_owned());
        }
    }
    refs
}

fn risks(register: &Register, refs: &BTreeMap<String, Vec<String>>) -> Value {
    let mut rows: BTreeMap<&str, Value> = BTreeMap::new();
    for risk in &register.risks {
        let id = risk.risk_id.as_str();
        let mut controls: Vec<&str> = Vec::new();
        for attack in register.attacks().filter(|attack| attack.risk_id == id) {
            if !controls.contains(&attack.control_id.as_str()) {
                controls.push(&attack.control_id);
            }
        }
        let best = register.matrix.iter().filter(|cell| cell.risk_id == id).map(|cell| cell.coverage).min();
        let domain = DOMAINS.iter().find(|domain| **domain == risk.category).copied().unwrap_or("operational");
        let mut row = Map::new();
        for key in HANDED_ON {
            if let Some(value) = risk.more.get(key) {
                row.insert(key.to_owned(), value.clone());
            }
        }
        let members = [
            ("risk_id", json!(id)),
            ("name", json!(risk.name)),
            ("risk_domain", json!(domain)),
            ("applies_to", json!(["engine", "coordination"])),
            ("claimed_controls", json!(controls)),
            ("evidence_refs", json!(refs.get(id).cloned().unwrap_or_default())),
            ("coverage_status", json!(best.unwrap_or(Covers::NotApplicable).name())),
            ("suggested_injections", json!(risk.suggested_injections)),
        ];
        row.extend(members.map(|(key, value)| (key.to_owned(), value)));
        rows.insert(id, Value::Object(row));
    }
    rows.into_values().collect()
}

fn controls(register: &Register) -> Value {
    let mut rows: BTreeMap<&str, Value> = BTreeMap::new();
    for control in register.suite.iter().flat_map(|suite| &suite.controls) {
        let mut row = json!({ "control_id": control.control_id, "name": control.name, "source": "security_suite" });
        if let Some(description) = &control.description {
            row["description"] = description.clone().into();
        }
        rows.insert(&control.control_id, row);
    }
    for control in register.claims.iter().flat_map(|claim| &claim.controls) {
        rows.entry(control)
            .or_insert_with(|| json!({ "control_id": control, "name": control, "source": "safety_case" }));
    }
    rows.into_values().collect()
}

fn injections() -> Value {
    let singles = ENTRIES.iter().map(|entry| entry.id).filter(|id| *id != "none");
    let ids: BTreeSet<&str> = singles.chain(COMPOUNDS.iter().map(|compound| compound.id)).collect();
    let row = |id: &str| {
        let (status, reason, effects) =
            if is_reserved(id) { ("reserved", "compatibility", "none") } else { ("implemented", "", "active") };
        json!({ "injection_id": id, "status": status, "reason": reason, "expected_effects": effects })
    };
    ids.into_iter().map(row).collect()
}

fn links(policy: &PolicyStore, dirs: &[RunDir], found: &[Found]) -> Value {
    let labels = [
        (RISKS, "Risk registry"),
        (MATRIX, "Method-risk matrix"),
        (SUITE, "Security attack suite"),
        (CLAIMS, "Safety case claims"),
    ];
    let builtin = PolicyStore::builtin();
    let there = labels.into_iter().filter(|(path, _)| policy.contains(path) || builtin.contains(path));
    let mut rows: Vec<Value> = there
        .map(|(path, label)| json!({ "href": format!("policy/{path}"), "label": label, "type": "repo_local" }))
        .collect();
    for (dir, found) in dirs.iter().zip(found) {
        let row = |(path, label): &(String, &str)| json!({ "href": format!("{}{path}", dir.prefix), "label": label, "type": "run_local" });
        rows.extend(found.links.iter().map(row));
    }
    rows.into()
}

/// What stands for the policy file that is in force: the policy's own with its overlays, or the built-in one where it has none.
fn in_force(policy: &PolicyStore, path: &str) -> Result<Option<Vec<u8>>, AssuranceError> {
    let builtin = PolicyStore::builtin();
    let store = if policy.contains(path) { policy } else { &builtin };
    // A file that is there and cannot be used is no file that is not there.
    if store.contains(path) { Ok(Some(store.effective_bytes(path)?)) } else { Ok(None) }
}

fn fingerprints(policy: &PolicyStore) -> Result<Value, AssuranceError> {
    let files = [
        ("risk_registry", RISKS),
        ("security_attack_suite", SUITE),
        ("method_risk_matrix", MATRIX),
        ("safety_case_claims", CLAIMS),
    ];
    let mut prints = Map::new();
    for (name, path) in files {
        if let Some(bytes) = in_force(policy, path)? {
            prints.insert(name.to_owned(), sha256(&bytes).into());
        }
    }
    Ok(Value::Object(prints))
}

/// Whether a live model took part.
fn has_live_model(dir: &RunDir) -> bool {
    let there = |path: &str| dir.path.join(path).is_file();
    if there("TRANSPARENCY_LOG/llm_live.json") || there("live_evaluation_metadata.json") {
        return true;
    }
    let results = std::fs::read(dir.path.join(super::attacks::ATTACK_RESULTS)).unwrap_or_default();
    let results: Value = serde_json::from_slice(&results).unwrap_or_default();
    results["metadata"]["llm_attacker_run"] == true
}

/// How a piece of evidence is made again.
fn reproduce(one: &Evidence) -> Vec<String> {
    let line = |text: &str| vec![text.to_owned()];
    match one.kind {
        "security_suite" => line("labtrust run-security-suite --out <output_dir> --seed 42"),
        "coordination_study" if one.id.starts_with("EVID-COORD-MATRIX") => {
            line("labtrust build-coordination-matrix --run <run_dir> --out <output_dir>")
        }
        "coordination_study" => line("labtrust run-coordination-study --spec <study_spec> --out <output_dir>"),
        "coordination_pack" => line("labtrust run-coordination-security-pack --out <output_dir> --seed 42"),
        "coord_risk_run" => {
            let of =
                |key: &str| one.summary.as_ref().and_then(|summary| summary[key].as_str()).unwrap_or("<id>").to_owned();
            vec![format!(
                "labtrust run-benchmark --task coord_risk --coord-method {} --injection {} --scale {} --episodes {} --out <output_dir>/results.json",
                of("method_id"),
                of("injection_id"),
                of("scale_id"),
                one.summary.as_ref().map_or(Value::Null, |summary| summary["episodes"].clone()),
            )]
        }
        "safety_case" => line("labtrust safety-case --out <output_dir>"),
        "official_pack" => line("labtrust run-official-pack --out <output_dir>"),
        "bundle_verification" => line("labtrust verify-release --release-dir <release_dir>"),
        _ => Vec::new(),
    }
}

/// Everything in a bundle that refers to what the bundle does not have.
#[must_use]
pub fn crosswalk(bundle: &Value) -> Vec<String> {
    let rows = |key: &str| bundle[key].as_array().map_or(&[][..], Vec::as_slice);
    let ids = |key: &str, id: &str| -> BTreeSet<&str> { rows(key).iter().filter_map(|row| row[id].as_str()).collect() };
    let (risks, controls, evidence) =
        (ids("risks", "risk_id"), ids("controls", "control_id"), ids("evidence", "evidence_id"));
    let mut wrong = Vec::new();
    let mut refer = |row: &Value, id: &str, key: &str, known: &BTreeSet<&str>| {
        for name in row[key].as_array().into_iter().flatten() {
            if !name.as_str().is_some_and(|name| known.contains(name)) {
                wrong
                    .push(format!("{}: {key} has {name}, which is not in the bundle", row[id].as_str().unwrap_or("?")));
            }
        }
    };
    for row in rows("evidence") {
        refer(row, "evidence_id", "risk_ids", &risks);
    }
    for row in rows("risks") {
        refer(row, "risk_id", "evidence_refs", &evidence);
        refer(row, "risk_id", "claimed_controls", &controls);
    }
    wrong
}

/// Where a bundle does not have the shape of its schema.
#[must_use]
pub fn schema_complaints(bundle: &Value) -> Vec<String> {
    let schema = labtrust_policy::schemas().find(|(name, _)| *name == SCHEMA);
    let Some((_, schema)) = schema else { return vec![format!("there is no schema {SCHEMA}")] };
    labtrust_policy::schema_complaints(schema, bundle).unwrap_or_else(|problem| vec![problem])
}
