//! The report of a pack: summaries, decision, security, safety case, and one page that leads to them.
//!
//! It links to files that are there and to no others, and past a gate that failed it recommends nothing.

use super::decision::{DECISION_MD, decide};
use super::gate::Verdict;
use super::strict::{self, Reading, Strict};
use super::{Matrix, outputs, read};
use crate::AssuranceError;
use labtrust_bench::BenchError;
use labtrust_bench::files::write_whole;
use labtrust_comparison::{leaderboard, matrix};
use labtrust_policy::PolicyStore;
use serde_json::Value;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// The page that leads to everything.
pub const REPORT: &str = "LAB_COORDINATION_REPORT.md";
/// What the gate says.
pub const SECURITY: &str = "SECURITY_REPORT.md";
/// What the safety case says, where there is one.
pub const SAFETY: &str = "SAFETY_CASE_REPORT.md";
/// A safety case.
const SAFETY_CASE: &str = "SAFETY_CASE/safety_case.json";

/// What a report is made of.
pub struct Request<'a> {
    /// The directory of the pack.
    pub pack: &'a Path,
    /// Where the report goes.
    pub out: &'a Path,
    /// The policy with its overlays.
    pub policy: &'a PolicyStore,
    /// The preset that the reader is told of.
    pub preset: Option<&'a str>,
    /// When it was made, where somebody says so.
    pub generated_at: Option<&'a str>,
    /// Whether the coordination matrix goes beside it.
    pub with_matrix: bool,
    /// What a strict reader goes by; any other when absent.
    pub by: Option<Strict<'a>>,
}

/// What came of a report.
#[derive(Clone, Debug)]
pub struct Report {
    /// The verdict of the decision.
    pub verdict: String,
    /// Whether no cell is an objection to the gate.
    pub gate_passes: bool,
    /// The files that were written, below the directory of the report.
    pub written: Vec<String>,
}

/// Writes the report of a pack.
///
/// # Errors
/// As [`decide`] and [`matrix::build`], and [`AssuranceError::Bench`] for files that cannot be written.
pub fn write(request: &Request<'_>) -> Result<Report, AssuranceError> {
    let Request { pack, out, policy, .. } = *request;
    let (_, rows) = read::rows(&pack.join(outputs::SUMMARY))?;
    let gate = read::gate_rows(pack)?;
    let reading = strict::read(&gate, request.by);
    let decision = decide(pack, policy, request.generated_at, request.by)?;
    std::fs::create_dir_all(out).map_err(|source| BenchError::Write { path: out.to_path_buf(), source })?;
    if out != pack {
        bring(pack, out)?;
    }
    leaderboard::write(&rows, outputs::SUMMARY, out)?;
    decision.write(out)?;
    let failed: Vec<_> = gate.iter().filter(|row| row.verdict == Verdict::Fail).collect();
    write_whole(&out.join(SECURITY), security(&gate, &reading, out).as_bytes())?;
    let mut written = vec![REPORT.to_owned(), SECURITY.to_owned(), DECISION_MD.to_owned(), "summary".to_owned()];
    if let Some(case) = safety_case(&[out, pack])? {
        write_whole(&out.join(SAFETY), case.as_bytes())?;
        written.push(SAFETY.to_owned());
    }
    if request.with_matrix {
        let asked = matrix::Request { run: pack, mode: matrix::Mode::Pack, strict: true, policy };
        matrix::build(&asked, &out.join(matrix::FILE))?;
        written.push(matrix::FILE.to_owned());
    }
    let mut page = String::from(
        "# Lab coordination report\n\nWhat a coordination security pack came to, and which method is recommended for each size, if any.\n\n## Scope\n\n",
    );
    match request.preset {
        Some(preset) => {
            let _ = writeln!(page, "Preset `{preset}`: sizes, methods and injections, every one with every other.");
        }
        None => page.push_str("Sizes, methods and injections, every one with every other.\n"),
    }
    let passed = gate.iter().filter(|row| row.verdict == Verdict::Pass).count();
    let _ = writeln!(
        page,
        "{} cells: {passed} passed, {} failed, {} show nothing.",
        gate.len(),
        failed.len(),
        gate.len() - passed - failed.len()
    );
    if let Some(by) = request.by {
        let _ = writeln!(page, "Read strictly, on {}: {} of these are waived.", by.date, reading.waived.len());
    }
    page.push_str("\n## Recommended method for each size\n\n");
    let passes = reading.objections.is_empty();
    if passes {
        for (scale, chosen) in decision.chosen() {
            let chosen = chosen.map_or_else(|| "none keeps all constraints".to_owned(), |method| format!("`{method}`"));
            let _ = writeln!(page, "- **{scale}**: {chosen}");
        }
    } else {
        page.push_str("None: the security gate failed. The security report names the cells.\n");
    }
    page.push_str("\n## Files\n\n| file | is |\n| --- | --- |\n");
    for (file, what) in [
        (SECURITY, "what the gate says"),
        (SAFETY, "what the safety case says"),
        (outputs::GATE, "the verdict of every cell, and why"),
        (outputs::MATRIX_MD, "figures of security with verdicts"),
        (outputs::SUMMARY, "all figures of every cell"),
        ("summary/sota_leaderboard.md", "means by method"),
        ("summary/method_class_comparison.md", "means by class of methods"),
        (matrix::FILE, "methods in one table with two scores, for programs"),
        (DECISION_MD, "which method keeps which constraint"),
    ] {
        if out.join(file).is_file() {
            let _ = writeln!(page, "| [{file}]({file}) | {what} |");
        }
    }
    page.push_str("\n## How to read it\n\n- PASS: the rules of the gate hold, the attack arrived, it succeeds without the controls, the laboratory worked, and there are enough episodes.\n- FAIL: a rule does not hold, honest events are refused, no work is done under attack, or the cell crashed.\n- SKIP, not_supported, not_run: nothing was shown. It is not a pass.\n\n## Next\n\n");
    if passes && decision.verdict() == "admissible" {
        page.push_str("- Look at the cells that show nothing before a recommendation is followed: what was not shown may still happen.\n");
    } else {
        page.push_str("- Nothing here may be put into use. Mend what failed, and run the pack again.\n");
    }
    page.push_str("- `labtrust check-security-gate --run DIR --strict` fails on cells that show nothing.\n");
    write_whole(&out.join(REPORT), page.as_bytes())?;
    Ok(Report { verdict: decision.verdict().to_owned(), gate_passes: passes, written })
}

/// Copies what the report links to.
fn bring(pack: &Path, out: &Path) -> Result<(), AssuranceError> {
    for name in [outputs::SUMMARY, outputs::GATE, outputs::MATRIX_MD, outputs::MATRIX_CSV, outputs::GATE_SUMMARY] {
        let (from, to) = (pack.join(name), out.join(name));
        if !from.is_file() {
            continue;
        }
        if let Some(parent) = to.parent() {
            std::fs::create_dir_all(parent)
                .map_err(|source| BenchError::Write { path: parent.to_path_buf(), source })?;
        }
        let bytes = std::fs::read(&from).map_err(|source| AssuranceError::Read { path: from.clone(), source })?;
        write_whole(&to, &bytes)?;
    }
    Ok(())
}

fn security(gate: &[read::GateRow], reading: &Reading<'_>, out: &Path) -> String {
    let waived: Vec<_> = reading.waived.iter().map(|one| one.row).collect();
    let failed: Vec<_> = gate.iter().filter(|row| row.verdict == Verdict::Fail).collect();
    let is_silent = |row: &&read::GateRow| !matches!(row.verdict, Verdict::Fail | Verdict::Pass);
    let silent: Vec<_> = gate.iter().filter(|row| is_silent(row) && !waived.contains(row)).collect();
    let verdict = if reading.objections.is_empty() { "PASS" } else { "FAIL" };
    let mut text = format!("# Security report\n\n## Gate\n\n**Overall:** {verdict}.\n");
    if !reading.waived.is_empty() {
        let _ = write!(text, "\nNot run, and waived ({}):\n\n", reading.waived.len());
    }
    for one in &reading.waived {
        let read::GateRow { scale_id, method_id, injection_id, .. } = one.row;
        let _ = writeln!(text, "- {scale_id} / {method_id} / {injection_id}: until {}", one.until);
    }
    for (title, rows) in [("Failed", &failed), ("Show nothing", &silent)] {
        if !rows.is_empty() {
            let _ = write!(text, "\n{title} ({}):\n\n", rows.len());
        }
        for row in rows.iter().take(50) {
            let _ = writeln!(
                text,
                "- {} / {} / {}: {} {}",
                row.scale_id,
                row.method_id,
                row.injection_id,
                row.verdict.word(),
                row.rationale
            );
        }
        if rows.len() > 50 {
            let _ = writeln!(text, "- and {} others", rows.len() - 50);
        }
    }
    text.push_str("\n## Files\n\n");
    for file in [outputs::GATE, outputs::MATRIX_MD, outputs::GATE_SUMMARY] {
        if out.join(file).is_file() {
            let _ = writeln!(text, "- [{file}]({file})");
        }
    }
    text
}

/// What the first safety case below some directories says; none where there is none.
fn safety_case(dirs: &[&Path]) -> Result<Option<String>, AssuranceError> {
    let Some(path) = dirs.iter().map(|dir| dir.join(SAFETY_CASE)).find(|path| path.is_file()) else { return Ok(None) };
    let invalid = |problem: String| AssuranceError::Invalid {
        file: path.display().to_string(),
        place: "claims".to_owned(),
        problem,
    };
    let text =
        std::fs::read_to_string(&path).map_err(|source| AssuranceError::Read { path: PathBuf::from(&path), source })?;
    let case: Value = serde_json::from_str(&text).map_err(|error| invalid(error.to_string()))?;
    let claims =
        case.get("claims").and_then(Value::as_array).ok_or_else(|| invalid("there is no list of claims".to_owned()))?;
    let mut out = format!(
        "# Safety case report\n\n{} claims.\n\n| claim | controls | tests | status |\n| --- | --- | --- | --- |\n",
        claims.len()
    );
    for claim in claims.iter().take(30) {
        let count = |key: &str| claim.get(key).and_then(Value::as_array).map_or(0, Vec::len);
        let said = |keys: [&str; 2]| {
            keys.into_iter().find_map(|key| claim.get(key)?.as_str()).unwrap_or("not said").replace('|', "/")
        };
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} |",
            said(["claim_id", "id"]),
            count("controls"),
            count("tests"),
            said(["status", "verdict"])
        );
    }
    Ok(Some(out))
}

/// The cells of a matrix as a table, methods outermost: method, size, injection, number of agents.
#[must_use]
pub fn matrix_rows(matrix: &Matrix, agents: impl Fn(&str) -> Option<u64>) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for method in &matrix.methods {
        for scale in &matrix.scales {
            let agents = agents(scale).map_or_else(String::new, |agents| agents.to_string());
            rows.extend(
                matrix
                    .injections
                    .iter()
                    .map(|injection| vec![method.clone(), scale.clone(), injection.clone(), agents.clone()]),
            );
        }
    }
    rows
}
