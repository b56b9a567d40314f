//! `SECURITY/attack_results.json` and what stands beside it.
//!
//! The same bytes every time: how long anything took is in `timings.json` alone, and `duration_ms` is 0. Rows have the fields of the
//! published suite and, behind these, what was really observed.

use super::model::{Kind, REGRESSION, SUITE, Suite};
use super::run::{Row, SuiteReport};
use super::trial::Came;
use crate::AssuranceError;
use crate::files::write_json;
use labtrust_bench::files::write_whole;
use labtrust_evidence::digest::sha256;
use labtrust_evidence::release::pretty;
use labtrust_policy::PolicyStore;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

/// Directory of the packet, below the directory that was asked for.
pub const SECURITY: &str = "SECURITY";

/// What else results say of a run.
#[derive(Clone, Debug, Default)]
pub struct About {
    /// Time limit that was asked for [s]. Nothing here needs one; it is on record as it was asked for.
    pub timeout_s: u64,
    /// Commit of the program, where known.
    pub git_sha: Option<String>,
    /// The partner whose overlay is on the policy.
    pub partner: Option<String>,
}

fn came(came: &Came) -> Value {
    json!({ "arrived": came.arrived, "through": came.through, "noticed": came.noticed, "blocked_by": came.by })
}

/// A row of the results.
#[must_use]
pub fn row(suite: &Suite, row: &Row) -> Value {
    let attack = &row.attack;
    let mut out = Map::new();
    let mut put = |key: &str, value: Value| _ = out.insert(key.to_owned(), value);
    put("attack_id", json!(attack.attack_id));
    put("risk_id", json!(attack.risk_id));
    put("control_id", json!(attack.control_id));
    put("expected_outcome", json!(attack.expected.name()));
    put("passed", json!(row.passed));
    put("duration_ms", json!(0));
    put("error", json!(row.error));
    put("layer", json!(attack.layer()));
    put("uses_env", json!(matches!(attack.kind, Kind::Pack(_))));
    if row.skipped {
        put("skipped", json!(true));
    }
    for (key, ids) in [("atlas", &attack.atlas), ("owasp_asi", &attack.owasp_asi), ("owasp_llm", &attack.owasp_llm)] {
        if !ids.is_empty() {
            put(key, json!(ids));
        }
    }
    match &attack.kind {
        Kind::Pack(_) => {
            put("coord_pack_ref", json!(true));
            if let Some(pack) = &row.pack {
                put("passed_cells", json!(pack.passed_cells));
                put("failed_cells", json!(pack.failed_cells));
                put("not_run_cells", json!(pack.not_run));
            }
        }
        Kind::Attacker { .. } => {
            put("llm_attacker", json!(true));
            put("model_id", json!("recorded"));
            let recorded = suite.payloads.get(&attack.attack_id);
            let first = recorded.and_then(|recorded| recorded.payloads.first()?.rounds.first());
            put("adversarial_string", json!(first));
            put("outcome", json!(if row.observed == Some("blocked") { "blocked" } else { "accepted" }));
            put("injection_source", json!(attack.injection_source.as_deref().unwrap_or("specimen_note")));
            put("allowed_actions_for_assert", json!(suite.bound(&attack.attack_id)));
        }
        Kind::Scenario(_) | Kind::Exercise(_) => {}
    }
    if let Some(observed) = row.observed {
        put("observed_outcome", json!(observed));
        put("not_applied", json!(observed == "not_applied"));
    }
    if let Some(trial) = &row.trial {
        let by: Vec<&str> = trial.all.by.keys().map(String::as_str).collect();
        put("blocked_by", json!(by.join(", ")));
        put("reason_code_counts", json!(trial.all.codes));
        put("potency", json!(trial.potency));
        put("benign_pair_passed", json!(trial.benign));
        put(
            "courses",
            json!({
                "all": came(&trial.all), "control_alone": came(&trial.alone), "without_control": trial.but.as_ref().map(came),
                "without_any": came(&trial.nothing),
            }),
        );
        if !trial.panel.is_empty() {
            put("panel", trial.panel_rows());
        }
    }
    Value::Object(out)
}

/// The results.
#[must_use]
pub fn results(suite: &Suite, report: &SuiteReport, about: &About) -> Value {
    let rows: Vec<Value> = report.rows.iter().map(|one| row(suite, one)).collect();
    let regression: Vec<Value> = report
        .regression
        .iter()
        .map(|text| json!({ "id": text.id, "held": text.held, "potency": text.potency, "blocked_by": text.by }))
        .collect();
    let (total, passed) = (report.rows.len(), report.passed());
    let skipped = total - report.counted();
    let mut metadata = json!({
        "seed": report.seed, "smoke_only": report.smoke_only, "timeout_s": about.timeout_s, "git_sha": about.git_sha,
    });
    if !report.taken.is_empty() {
        metadata["without_controls"] = json!(report.taken);
    }
    if !report.only.is_empty() {
        metadata["only"] = json!(report.only);
    }
    if let Some(partner) = &about.partner {
        metadata["partner_id"] = json!(partner);
    }
    json!({
        "version": "0.1",
        "metadata": metadata,
        "results": rows,
        "regression_strings": regression,
        // What was left out is neither passed nor failed.
        "summary": { "total": total, "passed": passed, "failed": total - passed - skipped, "skipped": skipped },
    })
}

/// What an attacker's payloads came to, so that the same can be tried again.
fn baseline(suite: &Suite, report: &SuiteReport) -> Option<Value> {
    let entries: Vec<Value> = report
        .rows
        .iter()
        .filter(|row| matches!(row.attack.kind, Kind::Attacker { .. }))
        .flat_map(|row| {
            let recorded = suite.payloads.get(&row.attack.attack_id);
            let texts =
                recorded.into_iter().flat_map(|recorded| &recorded.payloads).flat_map(|payload| &payload.rounds);
            texts.map(|text| {
                json!({
                    "attack_id": row.attack.attack_id, "adversarial_string": text, "model_id": "recorded",
                    "outcome": if row.observed == Some("blocked") { "blocked" } else { "accepted" },
                    "injection_source": row.attack.injection_source.as_deref().unwrap_or("specimen_note"),
                    "allowed_actions_for_assert": suite.bound(&row.attack.attack_id),
                })
            })
        })
        .collect();
    let description = "Recorded payloads of the suite and what came of them.";
    (!entries.is_empty()).then(|| json!({ "version": "0.1", "description": description, "entries": entries }))
}

/// Writes results, their digest, the suite's fingerprint, the payloads and the times below `out`.
///
/// # Errors
/// [`AssuranceError::Bench`] when a file cannot be written, [`AssuranceError::Policy`] when the suite cannot be read.
pub fn write(
    out: &Path,
    store: &PolicyStore,
    suite: &Suite,
    report: &SuiteReport,
    about: &About,
) -> Result<Vec<PathBuf>, AssuranceError> {
    let dir = out.join(SECURITY);
    let bytes = pretty(&results(suite, report, about));
    let mut written = Vec::new();
    let mut whole = |name: &str, bytes: &[u8]| -> Result<(), AssuranceError> {
        let path = dir.join(name);
        write_whole(&path, bytes)?;
        written.push(path);
        Ok(())
    };
    whole("attack_results.json", &bytes)?;
    whole("attack_results.json.sha256", sha256(&bytes).as_bytes())?;
    // Keys in this order, as published; the path is that within the policy, the same on every machine.
    let digest = sha256(&store.effective_bytes(SUITE)?);
    whole(
        "suite_fingerprint.json",
        format!("{{\n  \"suite_path\": \"policy/{SUITE}\",\n  \"sha256\": \"{digest}\"\n}}").as_bytes(),
    )?;
    if let Some(baseline) = baseline(suite, report) {
        whole("llm_attacker_baseline.json", &pretty(&baseline))?;
    }
    let milliseconds: Map<String, Value> =
        report.seconds.iter().map(|(id, seconds)| (id.clone(), json!((seconds * 1000.0).round()))).collect();
    let path = dir.join("timings.json");
    write_json(&path, &json!({ "version": "0.1", "duration_ms": milliseconds }))?;
    written.push(path);
    Ok(written)
}

/// What fails among the texts that have to stay harmless, for people.
#[must_use]
pub fn regression_failures(report: &SuiteReport) -> Vec<String> {
    let failed = report.regression.iter().filter(|text| !text.held);
    failed.map(|text| format!("{REGRESSION}: {}", text.id)).collect()
}
