//! `COORDINATION_LLM_CARD.md`: what language models had to do with a coordination study, and under which rules it was run.

use crate::review::said;
use crate::{Ground, PackError};
use labtrust_bench::files::write_whole;
use labtrust_evidence::digest::sha256;
use labtrust_policy::{PolicyError, PolicyStore};
use serde_json::Value;
use std::fmt::Write as _;
use std::path::Path;

/// The card.
pub const CARD: &str = "COORDINATION_LLM_CARD.md";
/// Policy files that coordination is judged by, in the order of their names.
pub const POLICIES: [&str; 5] = [
    "coordination/coordination_methods.v0.1.yaml",
    "coordination/coordination_study_spec.v0.1.yaml",
    "coordination/method_risk_matrix.v0.1.yaml",
    "coordination/resilience_scoring.v0.1.yaml",
    "coordination/scale_configs.v0.1.yaml",
];

/// SHA-256 over name, a zero byte and the SHA-256 of every file of [`POLICIES`], one behind the other: the published
/// fingerprint of the rules of coordination.
///
/// # Errors
/// [`PolicyError::Missing`] where the policy lacks one.
pub fn fingerprint(policy: &PolicyStore) -> Result<String, PolicyError> {
    let mut all = String::new();
    for path in POLICIES {
        let name = path.rsplit('/').next().unwrap_or(path);
        let _ = write!(all, "{name}\0{}", sha256(policy.text(path)?.as_bytes()));
    }
    Ok(sha256(all.as_bytes()))
}

/// Writes the card of the study in `dir`, unless there is one. Whether it was written.
///
/// # Errors
/// [`PackError::Read`] where the study has no manifest; [`PackError::Policy`], [`PackError::Bench`].
pub fn ensure(ground: &Ground<'_>, dir: &Path) -> Result<bool, PackError> {
    let path = dir.join(CARD);
    if std::fs::metadata(&path).is_ok_and(|facts| facts.len() > 0) {
        return Ok(false);
    }
    write_whole(&path, text(ground, &said(dir)?)?.as_bytes())?;
    Ok(true)
}

fn text(ground: &Ground<'_>, study: &Value) -> Result<String, PackError> {
    let ids =
        |key: &str| -> Vec<&str> { study[key].as_array().into_iter().flatten().filter_map(Value::as_str).collect() };
    let listed = |words: Vec<&str>| if words.is_empty() { "none".to_owned() } else { words.join(", ") };
    let plain = |key: &str| match &study[key] {
        Value::Null => "not recorded".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let not_run: Vec<&str> =
        study["not_run"].as_array().into_iter().flatten().filter_map(|one| one["method_id"].as_str()).collect();
    let ran: Vec<&str> = ids("method_ids").into_iter().filter(|id| !not_run.contains(id)).collect();
    let mut text = String::from(
        "# Coordination and language models\n\nWhat language models had to do with this study, for readers who did not run it.\n\n\
         ## The study\n\n| | |\n| --- | --- |\n",
    );
    for (name, value) in [
        ("study", plain("study_id")),
        ("seed", plain("seed_base")),
        ("episodes of a cell", plain("episodes_per_cell")),
        ("cells", plain("num_cells")),
        ("sizes", listed(ids("scale_ids"))),
        ("methods that were run", listed(ran)),
        ("methods that were not run", listed(not_run)),
        ("injections", listed(ids("injection_ids"))),
    ] {
        let _ = writeln!(text, "| {name} | {value} |");
    }
    text.push_str(MODELS);
    text.push_str(&rules(ground)?);
    Ok(text)
}

/// That no language model was asked, and what that means for the tables.
pub(crate) const MODELS: &str = "\n## Language models\n\n| | |\n| --- | --- |\n| pipeline mode | deterministic |\n\
    | backend, model | none |\n| network | not used |\n| calls, tokens, cost | none |\n\n\
    No method that was run asks a language model. Methods whose ids begin with `llm_` do; this version does not have them, and a\n\
    study that names one lists it as not run. So `tokens_per_step`, `p95_llm_latency_ms` and the columns of `cost` and `llm` in\n\
    `summary/summary_coord.csv` are empty: they do not apply, and are not zeros that were measured.\n\n\
    Injections that put instructions into what agents read are made all the same, and what comes of them is in the columns of\n\
    `sec`: the success of an attack is read off the state of the laboratory, never off a text.\n";

/// The rules that coordination is judged by, by their fingerprints.
///
/// # Errors
/// [`PolicyError`] where the policy lacks a file of [`POLICIES`].
pub(crate) fn rules(ground: &Ground<'_>) -> Result<String, PolicyError> {
    let mut text = String::from("\n## Rules\n\n| | |\n| --- | --- |\n");
    let _ = writeln!(text, "| coordination policy fingerprint | `{}` |", fingerprint(ground.policy)?);
    let _ = writeln!(text, "| policy fingerprint | `{}` |", ground.policy.policy_fingerprint()?);
    text.push_str("\nThe first is over these files:\n\n");
    for path in POLICIES {
        let _ = writeln!(text, "- `policy/{path}`: `{}`", sha256(ground.policy.text(path)?.as_bytes()));
    }
    Ok(text)
}
