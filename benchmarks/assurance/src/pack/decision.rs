//! Which method is recommended for each size, if any: from the rows of a pack or of a study, by the selection policy.
//!
//! Past a gate that failed nothing is recommended. A method that breaks a constraint, of which a figure is missing, or that withstood no
//! attack, is not either.

use super::agree;
use super::gate::{Row, Verdict};
use super::matrix::NONE;
use super::outputs;
use super::read::{self, GateRow};
use super::strict::{self, Reading, Strict, WaivedCell};
use crate::AssuranceError;
use crate::files::write_json;
use labtrust_bench::BenchError;
use labtrust_bench::files::write_whole;
use labtrust_comparison::table::{named, text};
use labtrust_policy::PolicyStore;
use labtrust_redteam::scoring::Scoring;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

/// The selection policy.
pub const SELECTION: &str = "coordination/coordination_selection_policy.v0.1.yaml";
/// The decision for programs.
pub const DECISION_JSON: &str = "COORDINATION_DECISION.v0.1.json";
/// The decision for people.
pub const DECISION_MD: &str = "COORDINATION_DECISION.md";
/// What stands for the time where none is recorded.
const UNRECORDED: &str = "not recorded";

#[derive(Clone, Debug, Deserialize)]
struct Policy {
    policy_id: String,
    constraints: Vec<Constraint>,
    #[serde(default)]
    per_scale_rules: BTreeMap<String, ScaleRules>,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct ScaleRules {
    #[serde(default)]
    constraint_overrides: BTreeMap<String, Threshold>,
}

#[derive(Clone, Debug, Deserialize)]
struct Threshold {
    threshold: f64,
}

#[derive(Clone, Debug, Deserialize)]
struct Constraint {
    constraint_id: String,
    metric_key: String,
    operator: Operator,
    threshold: f64,
    aggregation: Aggregation,
    #[serde(default)]
    allow_missing: bool,
    #[serde(default)]
    description: String,
}

#[derive(Clone, Copy, Debug, Deserialize)]
enum Operator {
    #[serde(rename = "<=")]
    AtMost,
    #[serde(rename = "<")]
    Below,
    #[serde(rename = ">=")]
    AtLeast,
    #[serde(rename = ">")]
    Above,
    #[serde(rename = "==")]
    Is,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Aggregation {
    BaselineOnly,
    MaxOverAttacks,
    MeanOverAttacks,
}

/// A decision.
#[derive(Clone, Debug)]
pub struct Decision {
    /// The document.
    pub document: Value,
}

/// Rows of one size and one method.
struct Candidate<'a> {
    method: &'a str,
    rows: Vec<&'a Row>,
    /// Attacked cells that passed the gate [count]; none where there is no gate.
    passed: Option<usize>,
}

/// Decides from the directory of a pack or of a study. `generated_at` is written down where somebody says it. A strict reader
/// recommends nothing past cells that show nothing and are not waived, and is told which are.
///
/// # Errors
/// [`AssuranceError::Read`], [`AssuranceError::Invalid`] where there are no rows, where a pack has no gate, or a gate that says nothing of some
/// of its rows, or figures that are not those of the results; [`AssuranceError::Policy`] for the selection policy.
pub fn decide(
    run: &Path,
    policy: &PolicyStore,
    generated_at: Option<&str>,
    by: Option<Strict<'_>>,
) -> Result<Decision, AssuranceError> {
    let selection: Policy = policy.section_or_builtin(SELECTION, None)?;
    let is_pack = run.join(outputs::SUMMARY).is_file();
    let source = if is_pack { outputs::SUMMARY } else { "summary/summary_coord.csv" };
    let (_, rows) = read::rows(&run.join(source))?;
    let gate = if is_pack { Some(gate_of(run, &rows)?) } else { None };
    if is_pack {
        agree::check(run, &rows)?;
    }
    let Reading { objections, waived } = strict::read(gate.as_deref().unwrap_or_default(), by);
    let failed: Vec<&GateRow> = objections.iter().map(|objection| objection.row).collect();
    let scoring = Scoring::load(policy)?;
    let mut scales: Vec<&str> = Vec::new();
    for row in &rows {
        let scale = named(row, "scale_id");
        if !scales.contains(&scale) {
            scales.push(scale);
        }
    }
    let mut violated = Vec::new();
    let decisions: Vec<Value> = scales
        .iter()
        .map(|scale| of_scale(&selection, &scoring, scale, &rows, gate.as_deref(), failed.is_empty(), &mut violated))
        .collect();
    let without =
        decisions.iter().filter(|decision| decision["admissible_methods"].as_array().is_none_or(Vec::is_empty));
    let verdict = match (failed.is_empty(), without.count()) {
        (false, _) => "security_gate_failed",
        (true, 1..) => "no_admissible_method",
        (true, 0) => "admissible",
    };
    let mut document = json!({
        "schema_version": "0.1",
        "kind": "coordination_decision",
        "generated_at": generated_at.unwrap_or(UNRECORDED),
        "run_dir": relative(run),
        "policy_id": selection.policy_id,
        "policy_path": format!("policy/{SELECTION}"),
        "summary_source": source,
        "verdict": verdict,
        "scale_decisions": decisions,
        "risk_register_linkage": linkage(verdict, source),
    });
    if let Some(by) = by.filter(|_| is_pack) {
        let residual = &mut document["risk_register_linkage"]["residual_risk_statement"];
        *residual = format!("{} {}", residual.as_str().unwrap_or_default(), told(&waived, by)).into();
    }
    if verdict == "security_gate_failed" {
        let cell = |row: &&GateRow| json!({ "scale_id": row.scale_id, "method_id": row.method_id, "injection_id": row.injection_id });
        document["security_gate_failed"] = json!({ "failed_cells": failed.iter().map(cell).collect::<Vec<_>>() });
    }
    if verdict == "no_admissible_method" {
        violated.truncate(50);
        document["no_admissible_method"] = json!({
            "violated_constraints": violated,
            "recommended_actions": [
                "Give the methods that fail a control or a fallback, and run the pack again.",
                "Run the baseline and the attacks of which figures are missing.",
                "Change a threshold of the selection policy only where the loss is accepted, and say by whom.",
            ],
        });
    }
    Ok(Decision { document })
}

/// The rows of the gate, which must speak of every row of figures.
fn gate_of(run: &Path, rows: &[Row]) -> Result<Vec<GateRow>, AssuranceError> {
    let gate = read::gate_rows(run)?;
    let is_judged = |row: &&Row| {
        gate.iter().any(|judged| {
            (judged.scale_id.as_str(), judged.method_id.as_str(), judged.injection_id.as_str())
                == (named(row, "scale_id"), named(row, "method_id"), injection(row))
        })
    };
    match rows.iter().find(|row| !is_judged(row)) {
        None => Ok(gate),
        Some(row) => Err(AssuranceError::Invalid {
            file: run.join(outputs::GATE).display().to_string(),
            place: "the table".to_owned(),
            problem: format!(
                "it says nothing of {} / {} / {}",
                named(row, "scale_id"),
                named(row, "method_id"),
                injection(row)
            ),
        }),
    }
}

fn injection(row: &Row) -> &str {
    match named(row, "injection_id") {
        "" => NONE,
        id => id,
    }
}

/// A path that does not tell of the machine: as it was given, or of an absolute one its last part.
fn relative(run: &Path) -> String {
    let last = || run.file_name().map(|name| name.to_string_lossy().into_owned());
    let given = run.to_string_lossy().into_owned();
    let path = if run.is_absolute() { last().unwrap_or_default() } else { given };
    if path.is_empty() { ".".to_owned() } else { path }
}

/// What a strict reader let pass by.
fn told(waived: &[WaivedCell<'_>], by: Strict<'_>) -> String {
    if waived.is_empty() {
        return format!("On {} no cell is waived.", by.date);
    }
    let cell = |one: &WaivedCell<'_>| {
        let GateRow { scale_id, method_id, injection_id, .. } = one.row;
        format!("{scale_id} / {method_id} / {injection_id} until {}", one.until)
    };
    let cells: Vec<String> = waived.iter().map(cell).collect();
    format!("On {} these cells were not run and are waived: {}.", by.date, cells.join(", "))
}

fn linkage(verdict: &str, source: &str) -> Value {
    let [chosen, rejected, residual] = match verdict {
        "admissible" => [
            format!("The methods that are chosen keep all constraints by {source}."),
            "Every other method breaks a constraint or has a lower score.".to_owned(),
            "Risks that no cell of the run exercises are not judged here.".to_owned(),
        ],
        "security_gate_failed" => [
            "No method is chosen: the security gate failed.".to_owned(),
            "At least one cell of the pack failed; security_gate_failed.failed_cells names them.".to_owned(),
            "The gate failed: nothing may be put into use before it passes.".to_owned(),
        ],
        _ => [
            "There is a size for which no method is chosen: none keeps all constraints.".to_owned(),
            "Every method of such a size breaks a constraint.".to_owned(),
            "For such a size the constraints are not kept by anything that was tried.".to_owned(),
        ],
    };
    json!({ "chosen_method_evidence": chosen, "rejected_others_rationale": rejected, "residual_risk_statement": residual })
}

fn of_scale(
    selection: &Policy,
    scoring: &Scoring,
    scale: &str,
    rows: &[Row],
    gate: Option<&[GateRow]>,
    gate_holds: bool,
    violated: &mut Vec<Value>,
) -> Value {
    let rules = selection.per_scale_rules.get(scale).cloned().unwrap_or_default();
    let mut admissible: Vec<(&str, f64)> = Vec::new();
    let mut disqualified = Vec::new();
    for candidate in candidates(scale, rows, gate) {
        let mut broken = Vec::new();
        for constraint in &selection.constraints {
            let threshold = rules.constraint_overrides.get(&constraint.constraint_id);
            let threshold = threshold.map_or(constraint.threshold, |threshold| threshold.threshold);
            let actual = constraint.actual(&candidate.rows);
            if !constraint.holds(actual, threshold) {
                broken.push(json!({
                    "constraint_id": constraint.constraint_id,
                    "metric_key": constraint.metric_key,
                    "threshold": threshold,
                    "actual": actual,
                    "description": constraint.description,
                }));
            }
        }
        if candidate.passed == Some(0) {
            broken.push(json!({
                "constraint_id": "withstood_an_attack",
                "metric_key": "gate.passed_cells",
                "threshold": 1.0,
                "actual": 0.0,
                "description": "At least one attacked cell of it passed the gate.",
            }));
        }
        if broken.is_empty() {
            admissible.push((candidate.method, score(scoring, &candidate.rows)));
            continue;
        }
        let reason: Vec<String> = broken
            .iter()
            .map(|one| {
                let actual = if one["actual"].is_null() { "missing".to_owned() } else { text(Some(&one["actual"])) };
                format!("{}={actual}", one["constraint_id"].as_str().unwrap_or_default())
            })
            .collect();
        violated.extend(broken.iter().cloned());
        disqualified.push(
            json!({ "method_id": candidate.method, "reason": reason.join("; "), "violated_constraints": broken }),
        );
    }
    admissible.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    let best = admissible.first().filter(|_| gate_holds);
    let listed: Vec<Value> = (1..)
        .zip(&admissible)
        .map(|(rank, (method, score)): (u32, _)| json!({ "method_id": method, "overall_score": score, "rank": rank }))
        .collect();
    json!({
        "scale_id": scale,
        "chosen_method_id": best.map(|(method, _)| *method),
        "overall_score": best.map(|(_, score)| *score),
        "rank": best.map(|_| 1),
        "admissible_methods": listed,
        "disqualified": disqualified,
    })
}

fn candidates<'a>(scale: &str, rows: &'a [Row], gate: Option<&[GateRow]>) -> Vec<Candidate<'a>> {
    let mut by_method: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in rows.iter().filter(|row| named(row, "scale_id") == scale) {
        by_method.entry(named(row, "method_id")).or_default().push(row);
    }
    let passed = |method: &str| {
        gate.map(|gate| {
            let held = |row: &&GateRow| {
                row.scale_id == scale
                    && row.method_id == method
                    && row.injection_id != NONE
                    && row.verdict == Verdict::Pass
            };
            gate.iter().filter(held).count()
        })
    };
    by_method.into_iter().map(|(method, rows)| Candidate { method, rows, passed: passed(method) }).collect()
}

impl Constraint {
    /// The figure that the constraint is about; none where it is missing.
    fn actual(&self, rows: &[&Row]) -> Option<f64> {
        let figure = |row: &&&Row| row.get(&self.metric_key).and_then(Value::as_f64);
        let attacks: Vec<f64> =
            rows.iter().filter(|row| injection(row) != NONE).filter_map(|row| figure(&row)).collect();
        match self.aggregation {
            Aggregation::BaselineOnly => rows.iter().find(|row| injection(row) == NONE).as_ref().and_then(figure),
            Aggregation::MaxOverAttacks => attacks.into_iter().reduce(f64::max),
            Aggregation::MeanOverAttacks => {
                #[expect(clippy::cast_precision_loss, reason = "a handful of rows")]
                let mean = attacks.iter().sum::<f64>() / attacks.len().max(1) as f64;
                (!attacks.is_empty()).then_some(mean)
            }
        }
    }

    fn holds(&self, actual: Option<f64>, threshold: f64) -> bool {
        let Some(actual) = actual else { return self.allow_missing };
        match self.operator {
            Operator::AtMost => actual <= threshold,
            Operator::Below => actual < threshold,
            Operator::AtLeast => actual >= threshold,
            Operator::Above => actual > threshold,
            Operator::Is => actual.total_cmp(&threshold).is_eq(),
        }
    }
}

/// By what admissible methods are ranked: the mean resilience over the baseline and all attacks. Without one, the policy's score of the
/// baseline, which is made of its other figures.
fn score(scoring: &Scoring, rows: &[&Row]) -> f64 {
    let scores: Vec<f64> =
        rows.iter().filter_map(|row| row.get("robustness.resilience_score").and_then(Value::as_f64)).collect();
    if scores.is_empty() {
        let baseline = rows.iter().find(|row| injection(row) == NONE);
        return scoring.score(|key| baseline?.get(key)?.as_f64()).resilience;
    }
    #[expect(clippy::cast_precision_loss, reason = "a handful of rows")]
    let mean = scores.iter().sum::<f64>() / scores.len() as f64;
    (mean * 1e4).round() / 1e4
}

impl Decision {
    /// `admissible`, `no_admissible_method` or `security_gate_failed`.
    #[must_use]
    pub fn verdict(&self) -> &str {
        self.document["verdict"].as_str().unwrap_or_default()
    }

    /// Size and method that is chosen for it, if one is.
    pub fn chosen(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        let decisions = self.document["scale_decisions"].as_array().map(Vec::as_slice).unwrap_or_default();
        decisions.iter().map(|one| (one["scale_id"].as_str().unwrap_or_default(), one["chosen_method_id"].as_str()))
    }

    /// Writes both files below `out`.
    ///
    /// # Errors
    /// [`AssuranceError::Bench`] naming the file.
    pub fn write(&self, out: &Path) -> Result<(), AssuranceError> {
        std::fs::create_dir_all(out).map_err(|source| BenchError::Write { path: out.to_path_buf(), source })?;
        write_json(&out.join(DECISION_JSON), &self.document)?;
        write_whole(&out.join(DECISION_MD), self.markdown().as_bytes())?;
        Ok(())
    }

    fn markdown(&self) -> String {
        let document = &self.document;
        let said = |key: &str| document[key].as_str().unwrap_or_default();
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let mut out = format!(
            "# Coordination decision\n\n**Verdict:** {}\n**Generated:** {}\n**Run dir:** {}\n**Policy:** {}\n\n## Sizes\n",
            said("verdict"),
            said("generated_at"),
            said("run_dir"),
            said("policy_id")
        );
        for one in list(&document["scale_decisions"]) {
            let chosen = one["chosen_method_id"].as_str().unwrap_or("(none)");
            let _ = write!(out, "\n### {}\n\n- **Chosen:** {chosen}\n", one["scale_id"].as_str().unwrap_or_default());
            let candidates: Vec<String> = list(&one["admissible_methods"])
                .iter()
                .take(5)
                .map(|one| {
                    let (score, rank) = (text(Some(&one["overall_score"])), text(Some(&one["rank"])));
                    format!("{} (score={score}, rank={rank})", one["method_id"].as_str().unwrap_or_default())
                })
                .collect();
            if !candidates.is_empty() {
                let _ = writeln!(out, "- **Keep all constraints:** {}", candidates.join(", "));
            }
            let disqualified = list(&one["disqualified"]);
            if !disqualified.is_empty() {
                out.push_str("\n**Disqualified:**\n");
            }
            for one in disqualified {
                let (method, reason) = (one["method_id"].as_str(), one["reason"].as_str());
                let _ = writeln!(out, "- {}: {}", method.unwrap_or_default(), reason.unwrap_or_default());
            }
        }
        out.push_str("\n## For the risk register\n\n");
        let linkage = document["risk_register_linkage"].as_object().cloned().unwrap_or_default();
        for text in linkage.values().filter_map(Value::as_str) {
            let _ = writeln!(out, "- {text}");
        }
        let failed = list(&document["security_gate_failed"]["failed_cells"]);
        if !failed.is_empty() {
            out.push_str("\n## The security gate failed\n\nNothing may be put into use before these cells pass.\n\n");
        }
        for one in failed.iter().take(30) {
            let ids = ["scale_id", "method_id", "injection_id"].map(|key| one[key].as_str().unwrap_or_default());
            let _ = writeln!(out, "- {}", ids.join(" / "));
        }
        let nobody: Map<String, Value> = document["no_admissible_method"].as_object().cloned().unwrap_or_default();
        if !nobody.is_empty() {
            out.push_str("\n## No admissible method\n\n");
        }
        for one in nobody.get("violated_constraints").map(list).unwrap_or_default().iter().take(20) {
            let [id, key] = ["constraint_id", "metric_key"].map(|key| one[key].as_str().unwrap_or_default());
            let [actual, threshold] = ["actual", "threshold"].map(|key| text(one.get(key)));
            let _ = writeln!(out, "- {id}: {key} actual={actual} threshold={threshold}");
        }
        for one in nobody.get("recommended_actions").map(list).unwrap_or_default() {
            let _ = writeln!(out, "- {}", one.as_str().unwrap_or_default());
        }
        out
    }
}
