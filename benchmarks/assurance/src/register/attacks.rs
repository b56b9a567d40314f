//! What results of the security suite say of which risk (`SECURITY/attack_results.json`).

use super::assess::{Assessment, Flaw, Reason};
use super::policy::Register;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// Where the results are.
pub const ATTACK_RESULTS: &str = "SECURITY/attack_results.json";

/// Results that were read.
#[derive(Clone, Debug)]
pub struct AttackResults {
    /// What each attack says, in the order of the file.
    pub assessments: Vec<Assessment>,
    /// `total`, `passed`, `failed` and `skipped`, as they were counted here [count].
    pub summary: Value,
    /// How often each reason code was given, of all attacks.
    pub reason_codes: Map<String, Value>,
}

/// Reads results and judges each.
///
/// # Errors
/// Why none of them counts.
pub fn read(bytes: &[u8], register: &Register) -> Result<AttackResults, Reason> {
    let document: Value =
        serde_json::from_slice(bytes).map_err(|error| Flaw::Unreadable.because(format!("it is no JSON: {error}")))?;
    if is_synthetic(&document) {
        return Err(Flaw::Synthetic.because("it says so itself"));
    }
    let rows = document["results"].as_array().ok_or_else(|| Flaw::Unreadable.because("it has no list of results"))?;
    if rows.is_empty() {
        return Err(Flaw::Empty.because("it has no attack"));
    }
    let ids: BTreeSet<&str> = rows.iter().filter_map(|row| row["attack_id"].as_str()).collect();
    if ids.len() != rows.len() {
        return Err(Flaw::Unreadable.because("an attack has no id, or stands there twice"));
    }
    let total = document["summary"]["total"].as_u64();
    if total != Some(rows.len() as u64) {
        return Err(Flaw::Unverified.because("its summary is about another number of attacks"));
    }
    let mut reason_codes = Map::new();
    for (code, count) in rows.iter().filter_map(|row| row["reason_code_counts"].as_object()).flatten() {
        let before = reason_codes.get(code).and_then(Value::as_u64).unwrap_or(0);
        reason_codes.insert(code.clone(), (before + count.as_u64().unwrap_or(0)).into());
    }
    let assessments: Vec<Assessment> = rows.iter().map(|row| assess(row, register)).collect();
    let count = |wanted: &dyn Fn(&Value) -> bool| rows.iter().filter(|row| wanted(row)).count();
    let skipped = |row: &Value| is_skipped(row);
    let passed = |row: &Value| row["passed"] == true && !is_skipped(row);
    let (passed, skipped) = (count(&passed), count(&skipped));
    let summary = serde_json::json!({
        "total": rows.len(), "passed": passed, "skipped": skipped, "failed": rows.len() - passed - skipped,
        "admissible": assessments.iter().filter(|one| one.is_admissible()).count(),
    });
    Ok(AttackResults { assessments, summary, reason_codes })
}

/// Whether a document says of itself that it was made up.
pub(super) fn is_synthetic(document: &Value) -> bool {
    let says = |value: &Value| !matches!(value, Value::Null | Value::Bool(false));
    says(&document["synthetic"]) || says(&document["metadata"]["synthetic"])
}

fn is_skipped(row: &Value) -> bool {
    !matches!(row["skipped"], Value::Null | Value::Bool(false)) || row["observed_outcome"] == "skipped"
}

fn assess(row: &Value, register: &Register) -> Assessment {
    let text = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
    Assessment {
        risk: text("risk_id"),
        method: None,
        injection: None,
        attack: Some(text("attack_id")),
        scale: None,
        flaw: judge(row, register).err(),
    }
}

fn judge(row: &Value, register: &Register) -> Result<(), Reason> {
    let id = row["attack_id"].as_str().unwrap_or_default();
    match register.attacks().find(|attack| attack.attack_id == id) {
        Some(attack) if row["risk_id"] != attack.risk_id => {
            return Err(Flaw::WrongAttack.because(format!("the suite has {id} for {}", attack.risk_id)));
        }
        None if register.suite.is_some() => return Err(Flaw::WrongAttack.because(format!("the suite has no {id}"))),
        _ => {}
    }
    if is_skipped(row) {
        return Err(Flaw::Skipped.because(format!("{id} was not tried")));
    }
    if row["not_applied"] != Value::Null && row["not_applied"] != false || row["observed_outcome"] == "not_applied" {
        return Err(Flaw::NotApplied.because(format!("nothing of {id} arrived")));
    }
    if let Some(error) = row["error"].as_str() {
        // What failed is told in `error`, too; a row that was judged is no crash.
        let flaw = if row["observed_outcome"].is_string() { Flaw::Failed } else { Flaw::Crashed };
        return Err(flaw.because(format!("{id}: {error}")));
    }
    let Some(outcome) = row["observed_outcome"].as_str() else {
        return Err(Flaw::NoVerdict.because(format!("{id} does not say what was observed")));
    };
    if row["passed"] != true || !matches!(outcome, "blocked" | "detected") {
        return Err(Flaw::Failed.because(format!("{id} was {outcome}")));
    }
    let expected = row["expected_outcome"].as_str();
    // Blocked is more than noticed; noticed is not blocked.
    if expected == Some("blocked") && outcome != "blocked" {
        return Err(Flaw::Failed.because(format!("{id} was {outcome} and should have been blocked")));
    }
    let is_potent = row["potency"].as_f64().is_some_and(|potency| potency > 0.0) || row["potency"] == true;
    if !is_potent {
        return Err(Flaw::Inert.because(format!("{id} is not shown to come through without its control")));
    }
    if row["benign_pair_passed"] == false {
        return Err(Flaw::NoUtility.because(format!("the harmless twin of {id} did not come through")));
    }
    Ok(())
}
