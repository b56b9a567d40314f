//! The files of a pack. All but `timings.json` depend on policy, seed and matrix only.

use super::gate::{Row, Verdict};
use super::ground::{LOG, RESULTS};
use super::matrix::CellId;
use super::run::{Cell, PackOutcome, Request};
use crate::AssuranceError;
use crate::files::write_json;
use labtrust_bench::BenchError;
use labtrust_bench::files::write_whole;
use labtrust_bench::log::{COORDINATION_FILES, EpisodeIndex, GROUND_TRUTH};
use labtrust_bench::results::canonical_bytes;
use labtrust_comparison::table::{table, text};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Rows of figures.
pub const SUMMARY: &str = "pack_summary.csv";
/// Verdicts with their reasons.
pub const GATE: &str = "pack_gate.md";
/// The gate in one file.
pub const GATE_SUMMARY: &str = "SECURITY/coord_pack_gate_summary.json";
/// Figures of security with verdicts.
pub const MATRIX_CSV: &str = "SECURITY/coordination_risk_matrix.csv";
/// The same for people.
pub const MATRIX_MD: &str = "SECURITY/coordination_risk_matrix.md";
/// Results of cells, a folder each.
pub const RESULTS_DIR: &str = "pack_results";
/// The matrix, the seed, and which logs there are.
pub const MANIFEST: &str = "pack_manifest.json";
const EPISODES: &str = "episodes.jsonl";
/// How long cells took.
pub const TIMINGS: &str = "timings.json";

/// Columns of [`SUMMARY`]: the published ones, then ours.
pub const COLUMNS: [&str; 26] = [
    "method_id",
    "scale_id",
    "injection_id",
    "application_phase",
    "perf.throughput",
    "perf.p95_tat",
    "perf.on_time_rate",
    "safety.violations_total",
    "safety.blocks_total",
    "safety.critical_communication_compliance_rate",
    "robustness.resilience_score",
    "sec.attack_success_rate",
    "sec.attack_success_rate_ci_lower",
    "sec.attack_success_rate_ci_upper",
    "sec.worst_case_attack_success_upper_95",
    "sec.attack_success_observed",
    "sec.detection_latency_steps",
    "sec.containment_time_steps",
    "sec.stealth_success_rate",
    "sec.time_to_attribution_steps",
    "sec.applied_episodes",
    "sec.applications_total",
    "sec.false_positive_rate",
    "perf.utility_ratio",
    "sec.potency",
    "sec.control_ids",
];

/// Columns of [`MATRIX_CSV`].
pub const MATRIX_COLUMNS: [&str; 13] = [
    "method_id",
    "injection_id",
    "application_phase",
    "scale_id",
    "sec.attack_success_rate",
    "sec.attack_success_rate_ci_lower",
    "sec.attack_success_rate_ci_upper",
    "sec.worst_case_attack_success_upper_95",
    "sec.detection_latency_steps",
    "sec.containment_time_steps",
    "sec.stealth_success_rate",
    "sec.time_to_attribution_steps",
    "verdict",
];

fn cells_of(row: &Row, columns: &[&str]) -> Vec<String> {
    columns.iter().map(|column| text(row.get(*column))).collect()
}

/// The rows of figures as a table.
#[must_use]
pub fn summary_csv(cells: &[Cell]) -> Vec<u8> {
    table(&COLUMNS, &cells.iter().map(|cell| cells_of(&cell.row, &COLUMNS)).collect::<Vec<_>>())
}

fn with_verdict(cell: &Cell) -> Row {
    let mut row = cell.row.clone();
    row.insert("verdict".to_owned(), json!(cell.ruling.verdict.word()));
    row
}

/// What stands in a cell of a Markdown table: no bar, no line end.
fn in_cell(text: &str) -> String {
    text.replace('|', "/").replace(['\n', '\r'], " ")
}

/// Verdicts with their reasons.
#[must_use]
pub fn gate_md(cells: &[Cell]) -> String {
    let mut text = String::from(
        "# Coordination security pack \u{2013} gate results\n\nVerdict: PASS (threshold met, on evidence) | FAIL (threshold not met, or the cell crashed) | SKIP (not_applied | no_baseline_utility | inert | too_few_episodes | no_data | not_applicable) | not_supported | not_run.\n\n| scale_id | method_id | injection_id | verdict | rationale |\n|----------|-----------|--------------|---------|-----------|\n",
    );
    for Cell { scale_id, method_id, injection_id, ruling, .. } in cells {
        let (verdict, why) = (ruling.verdict.word(), in_cell(&ruling.rationale));
        let _ = writeln!(text, "| {scale_id} | {method_id} | {injection_id} | {verdict} | {why} |");
    }
    text
}

fn matrix_md(cells: &[Cell]) -> String {
    let columns: Vec<&str> =
        MATRIX_COLUMNS.into_iter().filter(|column| *column != "sec.time_to_attribution_steps").collect();
    let mut text = String::from(
        "# Coordination risk matrix\n\nA row for every method, injection, phase and size. Verdict: PASS | FAIL | SKIP | not_supported | not_run.\n\n",
    );
    let _ = writeln!(text, "| {} |", columns.join(" | "));
    let _ =
        writeln!(text, "|{}|", columns.iter().map(|column| "-".repeat(column.len() + 2)).collect::<Vec<_>>().join("|"));
    for cell in cells {
        let row = with_verdict(cell);
        let figures: Vec<String> = cells_of(&row, &columns)
            .into_iter()
            .map(|figure| if figure.is_empty() { "None".to_owned() } else { in_cell(&figure) })
            .collect();
        let _ = writeln!(text, "| {} |", figures.join(" | "));
    }
    text
}

/// Where the results of a cell are.
pub(super) fn folder(out: &Path, cell: CellId<'_>) -> PathBuf {
    out.join(RESULTS_DIR).join(cell.directory())
}

pub(super) fn directory(path: &Path) -> Result<(), BenchError> {
    std::fs::create_dir_all(path).map_err(|source| BenchError::Write { path: path.to_path_buf(), source })
}

/// Writes all files of a pack below `out`.
///
/// # Errors
/// [`AssuranceError::Bench`] naming the file.
pub fn write(out: &Path, outcome: &PackOutcome, request: &Request<'_>) -> Result<(), AssuranceError> {
    directory(&out.join("SECURITY"))?;
    for cell in &outcome.cells {
        write_cell(out, cell)?;
    }
    let cells = outcome.cells.as_slice();
    write_whole(&out.join(SUMMARY), &summary_csv(cells))?;
    write_whole(&out.join(GATE), gate_md(cells).as_bytes())?;
    write_json(&out.join(GATE_SUMMARY), &serde_json::to_value(&outcome.gate).unwrap_or_default())?;
    let rows: Vec<_> = cells.iter().map(|cell| cells_of(&with_verdict(cell), &MATRIX_COLUMNS)).collect();
    write_whole(&out.join(MATRIX_CSV), &table(&MATRIX_COLUMNS, &rows))?;
    write_whole(&out.join(MATRIX_MD), matrix_md(cells).as_bytes())?;
    let mut manifest = json!({
        "version": "0.1",
        "kind": "coordination_security_pack",
        "seed_base": request.seed,
        "matrix_preset": outcome.matrix.preset,
        "scale_ids": outcome.matrix.scales,
        "method_ids": outcome.matrix.methods,
        "injection_ids": outcome.matrix.injections,
        "episodes_per_cell": request.episodes_per_cell,
        "strict": request.strict,
        "agent_driven_mode": if request.multi_agentic { "multi_agentic" } else { "single" },
        "git_sha": request.git_sha,
    });
    if let Some(partner) = request.policy.partner() {
        manifest["partner_id"] = json!(partner);
    }
    if request.logs {
        manifest["logs"] = cells.iter().flat_map(logs).collect();
    }
    write_json(&out.join(MANIFEST), &manifest)?;
    let took = |cell: &Cell| {
        let name = name_of(cell).directory();
        (name, json!(u64::try_from(cell.took.as_millis()).unwrap_or(u64::MAX)))
    };
    let timings: serde_json::Map<String, Value> = cells.iter().map(took).collect();
    write_json(&out.join(TIMINGS), &json!({ "version": "0.1", "duration_ms": timings }))
}

fn name_of(cell: &Cell) -> CellId<'_> {
    CellId { scale: &cell.scale_id, method: &cell.method_id, injection: &cell.injection_id }
}

/// The logs of a cell, as the manifest lists them.
fn logs(cell: &Cell) -> impl Iterator<Item = Value> {
    let at = format!("{RESULTS_DIR}/{}", name_of(cell).directory());
    cell.logs.iter().map(move |(name, sha256)| json!({ "path": format!("{at}/{name}"), "sha256": sha256 }))
}

/// Removes what an earlier run has left in the folder of a cell: it would be taken for a part of this one.
fn remove<'n>(folder: &Path, names: impl Iterator<Item = &'n str>) -> Result<(), BenchError> {
    for name in names {
        let path = folder.join(name);
        match std::fs::remove_file(&path) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                return Err(BenchError::Write { path, source });
            }
            _ => {}
        }
    }
    Ok(())
}

fn write_cell(out: &Path, cell: &Cell) -> Result<(), AssuranceError> {
    let at = folder(out, name_of(cell));
    let logs = [LOG, GROUND_TRUTH].into_iter().chain(COORDINATION_FILES);
    let Some(results) = &cell.results else { return Ok(remove(&at, logs.chain([RESULTS, EPISODES]))?) };
    directory(&at)?;
    let mut value = serde_json::to_value(results).unwrap_or_default();
    value["coordination"] = json!({ "scale_id": cell.scale_id, "method_id": cell.method_id });
    value["security"] = json!({ "injection_id": cell.injection_id });
    let mut bytes = canonical_bytes(&value, "the results")?;
    bytes.push(b'\n');
    write_whole(&at.join(RESULTS), &bytes)?;
    if !cell.logs.is_empty() {
        // The episodes are beside the log already.
        return Ok(());
    }
    remove(&at, logs)?;
    let mut index = EpisodeIndex::create(&at.join(EPISODES))?;
    for (episode, record) in (0..).zip(&results.episodes) {
        index.append(&results.task, episode, record)?;
    }
    index.persist()?;
    Ok(())
}

/// Whether a verdict is one that `--strict` accepts.
#[must_use]
pub fn is_shown(verdict: Verdict) -> bool {
    verdict == Verdict::Pass
}
