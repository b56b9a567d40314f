//! The reports of a pack: the security suite, the safety case, and the coordination security pack with its report.

use crate::{Ground, PackError};
use labtrust_assurance::files::write_json;
use labtrust_assurance::findings::findings;
use labtrust_assurance::pack::{self, Asked, report};
use labtrust_assurance::register::claims::{SAFETY_CASE, SAFETY_CASE_TEXT};
use labtrust_assurance::register::{CaseStatus, Register, SafetyCase};
use labtrust_assurance::suite::matrix::Matrices;
use labtrust_assurance::suite::model::Suite;
use labtrust_assurance::suite::report::{About, regression_failures, write};
use labtrust_assurance::suite::scene::Bench;
use labtrust_assurance::suite::{PackRef, SuiteRun, packet};
use labtrust_bench::files::write_whole;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

/// The laboratory that is attacked, and whose policy is judged.
pub(crate) const DOMAIN: &str = "hospital_lab";
/// Time limit that is put on record [s]; no attack starts a program, so none needs one.
const TIMEOUT_S: u64 = 300;

/// Runs the security suite and writes it with the securitization packet.
///
/// # Errors
/// [`PackError::NotGood`] naming attacks that did not pass; otherwise [`PackError::Assurance`].
pub fn security(ground: &Ground<'_>, seed: u64, full: bool, out: &Path) -> Result<(), PackError> {
    let policy = ground.policy;
    let suite = Suite::load(policy)?;
    let lab = ground.registry.lab_domain(DOMAIN)?.load(policy)?;
    let threads = ground.thread_count();
    let matrices = Matrices { registry: ground.registry, policy, lab: Arc::clone(&lab), seed, threads };
    let bench = Bench::new(lab, policy)?;
    let run = SuiteRun {
        suite: &suite,
        bench: &bench,
        registry: ground.registry,
        seed,
        smoke_only: !full,
        only: Vec::new(),
        skip_system_level: false,
        taken: BTreeSet::new(),
        threads,
        pack: Some(&|wanted: &PackRef| matrices.run(wanted)),
    };
    let came = run.run()?;
    let about = About {
        timeout_s: TIMEOUT_S,
        git_sha: ground.git_sha.map(str::to_owned),
        partner: ground.policy.partner().map(str::to_owned),
    };
    write(out, policy, &suite, &came, &about)?;
    packet::write(out, policy, &suite, ground.inventory)?;
    if came.is_good() {
        return Ok(());
    }
    let open = came.rows.iter().filter(|row| !row.passed).map(|row| row.attack.attack_id.clone());
    let open: Vec<String> = open.chain(regression_failures(&came)).collect();
    Err(PackError::NotGood(format!("{} attacks did not pass: {}", open.len(), open.join(", "))))
}

/// Judges every claim of the safety case by what is in `out`, and writes it there. How many claims stand how.
///
/// A claim that is not supported is a result, not an error.
///
/// # Errors
/// [`PackError`] for policy files that cannot be used, and for a policy without claims.
pub fn safety(ground: &Ground<'_>, out: &Path) -> Result<Value, PackError> {
    let register = Register::load(ground.policy)?;
    let laboratory = ground.registry.lab_domain(DOMAIN)?;
    let findings = findings(ground.policy.clone(), None, DOMAIN, laboratory)?;
    let findings: Vec<String> = findings.iter().filter(|one| !one.warning).map(ToString::to_string).collect();
    let case = SafetyCase::judge(&register, out, &findings);
    if case.claims.is_empty() {
        return Err(PackError::NotGood("the policy claims nothing".to_owned()));
    }
    write_json(&out.join(SAFETY_CASE), &case.json())?;
    write_whole(&out.join(SAFETY_CASE_TEXT), case.markdown().as_bytes())?;
    let count = |status: CaseStatus| case.claims.iter().filter(|claim| claim.status == status).count();
    Ok(json!({
        "supported": count(CaseStatus::Supported), "unsupported": count(CaseStatus::Unsupported),
        "not_evaluated": count(CaseStatus::NotEvaluated),
    }))
}

/// Runs the coordination security pack of a preset into `out`, with its report; `episodes_per_cell` instead of the policy's
/// numbers [count]. What its gate came to.
///
/// A gate that fails is a result, not an error.
///
/// # Errors
/// [`PackError::Assurance`].
pub fn coordination_pack(
    ground: &Ground<'_>,
    seed: u64,
    preset: &str,
    episodes_per_cell: Option<u64>,
    out: &Path,
) -> Result<Value, PackError> {
    let asked = Asked { preset: Some(preset.to_owned()), ..Asked::default() };
    security_pack(ground, seed, asked, episodes_per_cell, out)
}

/// The same of any cells.
///
/// # Errors
/// As [`coordination_pack`].
pub fn security_pack(
    ground: &Ground<'_>,
    seed: u64,
    asked: Asked,
    episodes_per_cell: Option<u64>,
    out: &Path,
) -> Result<Value, PackError> {
    let preset = asked.preset.clone();
    let lab = ground.lab(ground.registry.task(labtrust_assurance::pack::ground::TASK)?)?;
    let outcome = pack::run(&pack::Request {
        registry: ground.registry,
        policy: ground.policy,
        lab,
        asked,
        seed,
        episodes_per_cell,
        threads: ground.threads,
        strict: false,
        multi_agentic: false,
        out: Some(out),
        logs: false,
        git_sha: ground.git_sha.map(str::to_owned),
        progress: &|_, _| (),
    })?;
    let report = report::write(&report::Request {
        pack: out,
        out,
        policy: ground.policy,
        preset: preset.as_deref(),
        generated_at: None,
        with_matrix: false,
        by: None,
    })?;
    let gate = &outcome.gate;
    Ok(json!({
        "matrix_preset": preset, "overall_pass": gate.overall_pass, "cells": gate.total_cells, "passed": gate.passed,
        "failed": gate.failed, "skipped": gate.skipped, "verdict": report.verdict,
    }))
}
