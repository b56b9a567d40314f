//! What a run of the coordination security pack says of which method and risk (`pack_summary.csv` and what is beside it).
//!
//! A row of the summary counts where its cell passed the gate and the figures bear that out. The gate's table, the risk
//! matrix and the summary of the gate have to say the same; a summary alone is the shell of a pack.

use super::assess::{Assessment, Flaw, Reason};
use super::custody::Custody;
use super::policy::{Validity, parts, risks_of};
use crate::pack::agree::{difference, results_of};
use crate::pack::gate::Verdict;
use crate::pack::matrix::CellId;
use crate::pack::outputs::RESULTS_DIR;
use crate::pack::read::{GateRow, parse_gate};
use labtrust_redteam::catalogue::Class;
use serde_json::Value;
use std::collections::BTreeMap;

/// The figures of every cell.
pub const SUMMARY: &str = "pack_summary.csv";
/// The verdict of every cell.
pub const GATE: &str = "pack_gate.md";
/// How many cells passed.
pub const GATE_SUMMARY: &str = "SECURITY/coord_pack_gate_summary.json";
/// Verdicts and figures of attacks.
pub const RISK_MATRIX: &str = "SECURITY/coordination_risk_matrix.csv";
const STUDY_SUMMARY: &str = "summary/summary_coord.csv";
/// Columns without which the figures have another meaning.
const COLUMNS: &[&str] = &[
    "method_id",
    "scale_id",
    "injection_id",
    "perf.throughput",
    "sec.attack_success_rate",
    "sec.attack_success_observed",
    "sec.applied_episodes",
    "sec.applications_total",
    "sec.false_positive_rate",
    "perf.utility_ratio",
    "sec.potency",
];

/// A pack that was read.
#[derive(Clone, Debug)]
pub struct Pack {
    /// What each cell says of each risk that its injection exercises, in the order of the file.
    pub assessments: Vec<Assessment>,
    /// Rows of the summary [count].
    pub rows: usize,
}

/// A table by the names of its columns.
type Rows = Vec<BTreeMap<String, String>>;

/// A cell: scale, method, injection.
type Key = (String, String, String);

/// Whether the directory has only the shell of a pack.
#[must_use]
pub fn is_shell(custody: &Custody) -> bool {
    !custody.has(RISK_MATRIX) && !custody.has(STUDY_SUMMARY)
}

/// Reads a pack and judges every cell. `summary` is the content of [`SUMMARY`].
///
/// # Errors
/// Why none of it counts.
pub fn read(custody: &Custody, summary: &[u8], validity: &Validity) -> Result<Pack, Reason> {
    if is_shell(custody) {
        return Err(Flaw::Synthetic.because(format!("there is no {RISK_MATRIX}: this is no pack that was run")));
    }
    let rows = table(SUMMARY, summary)?;
    if rows.is_empty() {
        return Err(Flaw::Empty.because("it has no cell"));
    }
    if let Some(missing) = COLUMNS.iter().find(|column| !rows[0].contains_key(**column)) {
        return Err(Flaw::Semantics.because(format!("it has no column {missing}")));
    }
    let verdicts = verdicts(custody)?;
    agree(custody, &verdicts)?;
    bear_out(custody, &rows)?;
    let mut seen = BTreeMap::new();
    for row in &rows {
        if seen.insert(key(row), row).is_some() {
            return Err(Flaw::Unreadable.because(format!("{} stands there twice", name(&key(row)))));
        }
    }
    let mut assessments = Vec::new();
    for row in rows.iter().filter(|row| row["injection_id"] != "none") {
        let (scale, method, injection) = key(row);
        let baseline = seen.get(&(scale.clone(), method.clone(), "none".to_owned())).copied();
        let flaw = judge(row, verdicts.get(&key(row)), baseline, validity).err();
        for risk in risks_of(&injection) {
            assessments.push(Assessment {
                risk: risk.to_owned(),
                method: Some(method.clone()),
                injection: Some(injection.clone()),
                attack: None,
                scale: Some(scale.clone()),
                flaw: flaw.clone(),
            });
        }
    }
    if assessments.is_empty() {
        return Err(Flaw::Empty.because("no cell has an injection that exercises a risk"));
    }
    Ok(Pack { assessments, rows: rows.len() })
}

fn key(row: &BTreeMap<String, String>) -> Key {
    let of = |column: &str| row.get(column).cloned().unwrap_or_default();
    (of("scale_id"), of("method_id"), of("injection_id"))
}

fn name((scale, method, injection): &Key) -> String {
    format!("{scale} / {method} / {injection}")
}

/// Rows of a table with a header.
fn table(path: &str, bytes: &[u8]) -> Result<Rows, Reason> {
    let unreadable = |problem: String| Flaw::Unreadable.because(format!("{path}: {problem}"));
    let mut reader = csv::Reader::from_reader(bytes);
    let header = reader.headers().map_err(|error| unreadable(error.to_string()))?.clone();
    let mut rows = Rows::new();
    for record in reader.records() {
        let record = record.map_err(|error| unreadable(error.to_string()))?;
        rows.push(header.iter().map(str::to_owned).zip(record.iter().map(str::to_owned)).collect());
    }
    Ok(rows)
}

/// The verdicts of the gate, with what each rests on.
fn verdicts(custody: &Custody) -> Result<BTreeMap<Key, GateRow>, Reason> {
    if !custody.has(GATE) {
        return Err(Flaw::NoVerdict.because(format!("there is no {GATE}")));
    }
    let gate = custody.open(GATE)?;
    let text = String::from_utf8(gate.bytes).map_err(|_| Flaw::Unreadable.because(format!("{GATE} is no text")))?;
    let rows = parse_gate(&text)
        .map_err(|(place, problem)| Flaw::Unreadable.because(format!("{GATE}, {place}: {problem}")))?;
    let mut verdicts = BTreeMap::new();
    for row in rows {
        let key = (row.scale_id.clone(), row.method_id.clone(), row.injection_id.clone());
        if verdicts.insert(key.clone(), row).is_some() {
            return Err(Flaw::Unreadable.because(format!("{GATE} has {} twice", name(&key))));
        }
    }
    if verdicts.is_empty() {
        return Err(Flaw::Empty.because(format!("{GATE} has no verdict")));
    }
    Ok(verdicts)
}

/// Everything that repeats the verdicts has to repeat them.
fn agree(custody: &Custody, verdicts: &BTreeMap<Key, GateRow>) -> Result<(), Reason> {
    let contradiction =
        |path: &str, what: &str| Err(Flaw::Unverified.because(format!("{path} and {GATE} differ: {what}")));
    if custody.has(RISK_MATRIX) {
        for row in table(RISK_MATRIX, &custody.open(RISK_MATRIX)?.bytes)? {
            let said = row.get("verdict").and_then(|word| Verdict::of_word(word));
            if said.is_none() || said != verdicts.get(&key(&row)).map(|gate| gate.verdict) {
                return contradiction(RISK_MATRIX, &name(&key(&row)));
            }
        }
    }
    if custody.has(GATE_SUMMARY) {
        let summary: Value = serde_json::from_slice(&custody.open(GATE_SUMMARY)?.bytes)
            .map_err(|error| Flaw::Unreadable.because(format!("{GATE_SUMMARY}: {error}")))?;
        let failed = verdicts.values().filter(|gate| gate.verdict == Verdict::Fail).count();
        if summary["total_cells"] != verdicts.len() || summary["failed"] != failed {
            return contradiction(GATE_SUMMARY, "the number of cells");
        }
        if summary["overall_pass"] == true && failed > 0 {
            return contradiction(GATE_SUMMARY, "whether it passed");
        }
    }
    Ok(())
}

/// The results of cells have to come to the rows of the summary, where they are there.
fn bear_out(custody: &Custody, rows: &Rows) -> Result<(), Reason> {
    if !custody.has(RESULTS_DIR) {
        return Ok(());
    }
    for row in rows {
        let (scale, method, injection) = key(row);
        let cell = CellId { scale: &scale, method: &method, injection: &injection };
        let path = results_of(cell);
        let results = if custody.has(&path) { Some(custody.open(&path)?) } else { None };
        let text = results.as_ref().map(|opened| String::from_utf8_lossy(&opened.bytes));
        let said = |column: &str| row.get(column).cloned().unwrap_or_default();
        if let Some((column, problem)) = difference(cell, said, text.as_deref()) {
            let name = name(&key(row));
            return Err(Flaw::Unverified.because(format!("{SUMMARY}, {name}, {column}: {problem}")));
        }
    }
    Ok(())
}

fn judge(
    row: &BTreeMap<String, String>,
    gate: Option<&GateRow>,
    baseline: Option<&BTreeMap<String, String>>,
    validity: &Validity,
) -> Result<(), Reason> {
    let Some(GateRow { verdict, rationale, .. }) = gate else {
        return Err(Flaw::NoVerdict.because(format!("{GATE} does not name the cell")));
    };
    let says = |flaw: Flaw| Err(flaw.because(format!("{}, {rationale}", verdict.word())));
    match verdict {
        Verdict::Pass => {}
        Verdict::Fail => return says(Flaw::Failed),
        Verdict::NotRun => return says(Flaw::NotRun),
        Verdict::Skip if rationale.contains("not_run") => return says(Flaw::NotRun),
        Verdict::Skip if rationale.contains("not_applied") => return says(Flaw::NotApplied),
        Verdict::Skip if rationale.contains("inert") => return says(Flaw::Inert),
        Verdict::Skip if rationale.contains("no_baseline_utility") => return says(Flaw::NoBaselineUtility),
        Verdict::Skip | Verdict::NotSupported => return says(Flaw::Skipped),
    }
    let number = |row: &BTreeMap<String, String>, column: &str| {
        row.get(column).and_then(|text| text.parse::<f64>().ok()).filter(|number| number.is_finite())
    };
    let of = |column: &str| number(row, column);
    let (Some(success), Some(observed)) = (of("sec.attack_success_rate"), of("sec.attack_success_observed")) else {
        return Err(Flaw::Crashed.because("the cell has no figures"));
    };
    let applied = of("sec.applied_episodes").unwrap_or(0.0) > 0.0 && of("sec.applications_total").unwrap_or(0.0) > 0.0;
    if !applied {
        return Err(Flaw::NotApplied.because("nothing of the attack arrived in any episode"));
    }
    if baseline.and_then(|row| number(row, "perf.throughput")).unwrap_or(0.0) <= 0.0 {
        return Err(
            Flaw::NoBaselineUtility.because("without the attack nothing was released either, or that was not run")
        );
    }
    if of("perf.utility_ratio").unwrap_or(0.0) <= 0.0 || of("perf.throughput").unwrap_or(0.0) <= 0.0 {
        return Err(Flaw::NoUtility.because("nothing was released under attack"));
    }
    if of("sec.potency").unwrap_or(0.0) <= 0.0 {
        return Err(Flaw::Inert.because("it is not shown to come through without its controls"));
    }
    if observed > success {
        return Err(Flaw::Failed.because("less success is reported than was observed"));
    }
    let integrity = parts(&row["injection_id"]).iter().any(|entry| entry.class == Class::Integrity);
    if integrity && success > 0.0 {
        return Err(Flaw::Failed.because(format!("it came through in a share of {success} of the episodes")));
    }
    match of("sec.false_positive_rate") {
        Some(rate) if rate <= validity.max_false_positive_rate => Ok(()),
        Some(rate) => Err(Flaw::Noisy.because(format!("a share of {rate} of honest events is refused"))),
        None => Err(Flaw::Noisy.because("it does not say how often honest events are refused")),
    }
}
