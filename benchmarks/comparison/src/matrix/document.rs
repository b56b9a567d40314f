//! The published document, `coordination_matrix.v0.1.json`.

use super::policy::{COLUMNS, Rules, SPEC};
use super::score::{Figures, Line, best, lines};
use super::source::{Source, source};
use crate::ComparisonError;
use labtrust_bench::files::{make_parent, write_whole};
use labtrust_evidence::digest::sha256;
use labtrust_evidence::release::pretty;
use labtrust_policy::PolicyStore;
use labtrust_trust::canonical::fingerprint;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Name of the document.
pub const FILE: &str = "coordination_matrix.v0.1.json";
/// What stands for the time: nothing here has a clock.
const UNRECORDED: &str = "not recorded";

/// Which runs are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Those that models decided over the network, as published.
    LlmLive,
    /// All that the policy allows.
    Pack,
}

/// What a matrix is made of.
pub struct Request<'a> {
    /// The directory of a study or of a pack.
    pub run: &'a Path,
    /// Which runs are taken.
    pub mode: Mode,
    /// Whether a run must say how it was made.
    pub strict: bool,
    /// The policy with its overlays.
    pub policy: &'a PolicyStore,
}

/// The file that a matrix goes to: `out` itself where it is named like JSON, else a file below it.
#[must_use]
pub fn target(out: &Path) -> PathBuf {
    let is_file = out.extension().is_some_and(|end| end == "json") && !out.is_dir();
    if is_file { out.to_path_buf() } else { out.join(FILE) }
}

/// Makes the matrix of a run and writes it to [`target`] of `out`. Returns the document.
///
/// # Errors
/// [`ComparisonError::Invalid`] for a run of another mode, and as [`source`] and [`lines`]; [`ComparisonError::Bench`] naming the file.
pub fn build(request: &Request<'_>, out: &Path) -> Result<Value, ComparisonError> {
    let rules = Rules::load(request.policy)?;
    let source = source(request.run, &rules, request.policy, request.strict)?;
    let mode = &source.meta.pipeline_mode;
    let refused =
        |problem: String| Err(ComparisonError::invalid(request.run.display().to_string(), "pipeline_mode", problem));
    if request.mode == Mode::LlmLive && mode != "llm_live" {
        return refused(format!("it is {mode:?}, and this mode takes only llm_live; say `--matrix-mode pack`"));
    }
    if !rules.modes.contains(mode) {
        return refused(format!("it is {mode:?}; the policy allows {}", rules.modes.join(", ")));
    }
    let lines = lines(&source, &rules)?;
    let document = rounded(document(request.policy, &rules, &source, &lines)?, rules.places);
    let target = target(out);
    make_parent(&target)?;
    write_whole(&target, &pretty(&document))?;
    Ok(document)
}

fn document(policy: &PolicyStore, rules: &Rules, source: &Source, lines: &[Line]) -> Result<Value, ComparisonError> {
    let values = json!({ "inputs": policy.value(super::policy::INPUTS)?, "spec": policy.value(SPEC)? });
    let fingerprint = fingerprint(&values)
        .map_err(|error| ComparisonError::invalid(SPEC, "the file", format!("it has no fingerprint: {error}")))?;
    let mut inputs: Vec<Value> =
        source.inputs.iter().map(|one| json!({ "role": one.role, "path": one.path, "sha256": one.sha256 })).collect();
    for (role, path) in [("column_map", COLUMNS), ("matrix_spec", SPEC)] {
        let digest = sha256(policy.text(path)?.as_bytes());
        inputs.push(json!({ "role": role, "path": format!("policy/{path}"), "sha256": digest }));
    }
    let scales: BTreeSet<&str> = lines.iter().map(|line| line.scale_id.as_str()).collect();
    let methods: BTreeSet<&str> = lines.iter().map(|line| line.method_id.as_str()).collect();
    let meta = source.meta.json();
    Ok(json!({
        "version": "0.1",
        "kind": "coordination_matrix",
        "generated_at": UNRECORDED,
        "policy_fingerprint": format!("sha256:{fingerprint}"),
        "spec": {
            "path": format!("policy/{SPEC}"),
            "sha256": format!("sha256:{}", sha256(policy.text(SPEC)?.as_bytes())),
            "scope": {
                "pipeline_mode": source.meta.pipeline_mode,
                "allow_network": source.meta.allow_network,
                "allowed_llm_backends": [source.meta.llm_backend_id],
                "allowed_methods": methods,
            },
        },
        "inputs": inputs,
        "scales": scales.iter().map(|scale| json!({ "scale_id": scale, "meta": {} })).collect::<Vec<_>>(),
        "rows": lines.iter().map(|line| row(line, &meta)).collect::<Vec<_>>(),
        "recommendations": scales.iter().map(|scale| recommendation(scale, lines, rules)).collect::<Vec<_>>(),
    }))
}

fn present(figures: &Figures) -> Map<String, Value> {
    figures.iter().filter(|(_, value)| value.is_some()).map(|(name, value)| (name.clone(), json!(value))).collect()
}

fn row(line: &Line, meta: &Value) -> Value {
    let penalty = |(reason, amount): &(String, f64)| json!({ "reason": reason, "amount": amount });
    json!({
        "scale_id": line.scale_id,
        "method_id": line.method_id,
        "run_meta": meta,
        "metrics": {
            "clean": present(&line.clean),
            "attacked": present(&line.attacked),
            "degradation": present(&line.degradation),
        },
        "scores": {
            "cq_score": line.cq,
            "ar_score": line.ar,
            "penalties": line.penalties.iter().map(penalty).collect::<Vec<_>>(),
        },
        "ranks": { "cq_rank": line.cq_rank, "ar_rank": line.ar_rank, "pareto_member": line.is_pareto },
        "feasible": {
            "clean": line.is_clean_feasible,
            "attacked": line.is_attacked_feasible,
            "overall": line.is_feasible(),
            "reasons": line.reasons,
        },
    })
}

fn recommendation(scale: &str, lines: &[Line], rules: &Rules) -> Value {
    let here: Vec<&Line> = lines.iter().filter(|line| line.scale_id == scale).collect();
    let feasible: Vec<&Line> = here.iter().copied().filter(|line| line.is_feasible()).collect();
    let pick = |score: &dyn Fn(&Line) -> f64| {
        let found = best(&feasible, rules, score);
        json!({
            "method_id": found.map(|line| &line.method_id),
            "cq_score": found.map(|line| line.cq),
            "ar_score": found.map(|line| line.ar),
        })
    };
    let mut notes = vec!["scores are of means and have no intervals: a difference may be chance".to_owned()];
    if feasible.is_empty() {
        notes.push("no method keeps all limits; nothing is recommended".to_owned());
    }
    for (name, side) in [("clean", &rules.clean), ("attacked", &rules.attacked)] {
        let figures = |line: &&Line| if name == "clean" { line.clean.clone() } else { line.attacked.clone() };
        let all: Vec<Figures> = here.iter().map(figures).collect();
        let of = |metric: &str| all.iter().filter(|figures| figures[metric].is_some()).count();
        for metric in side.metrics.iter().map(|metric| metric.metric_id.as_str()) {
            match of(metric) {
                0 => notes.push(format!("{metric}: no method has it; its weight is shared by the others")),
                some if some < here.len() => {
                    let lacking = here.iter().zip(&all).filter(|(_, figures)| figures[metric].is_none());
                    let who: Vec<&str> = lacking.map(|(line, _)| line.method_id.as_str()).collect();
                    notes.push(format!("{metric}: missing, and counted as the worst, for {}", who.join(", ")));
                }
                _ => {}
            }
        }
    }
    json!({
        "scale_id": scale,
        "ops_first": pick(&|line| line.cq),
        "sec_first": pick(&|line| line.ar),
        "balanced": pick(&|line| line.balance(rules.alpha)),
        "notes": notes,
    })
}

/// All floats of a document to so many places.
fn rounded(value: Value, places: u8) -> Value {
    match value {
        Value::Number(number) if number.is_f64() => {
            let places = usize::from(places);
            let short = number.as_f64().and_then(|float| format!("{float:.places$}").parse::<f64>().ok());
            short.map_or(Value::Number(number), |short| json!(short))
        }
        Value::Array(all) => all.into_iter().map(|one| rounded(one, places)).collect(),
        Value::Object(all) => all.into_iter().map(|(key, one)| (key, rounded(one, places))).collect(),
        other => other,
    }
}
