//! A coordination study as an external reviewer looks at it, without a network: is it whole, does it cover what needs
//! evidence, do its bundles hold, and what had a language model to do with it.

use crate::card;
use crate::sealed::names;
use crate::steps::{Step, Steps};
use crate::{Ground, PackError, evidence};
use labtrust_assurance::pack::ground::TASK;
use labtrust_assurance::register::Register;
use labtrust_bench::files::write_whole;
use labtrust_comparison::cells::SUMMARY_COLUMNS;
use labtrust_comparison::table::{self, named};
use labtrust_evidence::export::BUNDLE;
use labtrust_evidence::release::{bundles, pretty};
use labtrust_study::merge::{MANIFEST as STUDY, merge};
use labtrust_study::plan::{Grounds, Identity, NAME, Plan, PlannedCell};
use labtrust_study::run::{CELLS, Run, refuse_others};
use labtrust_study::spec::CoordinationSpec;
use labtrust_study::workshop::Tools;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;

/// What the review came to.
pub const REVIEW: &str = "review.json";
/// What the coverage gate came to.
pub const COVERAGE: &str = "summary/coverage_gate.json";
const SUMMARY: &str = "summary/summary_coord.csv";
const RISKS: &str = "summary/cell_risks.csv";

/// A review.
pub struct Request<'a> {
    /// What it is made with.
    pub ground: &'a Ground<'a>,
    /// The study to run first; without one, what is in the directory is reviewed.
    pub spec: Option<&'a CoordinationSpec>,
    /// Whether a required cell without a row fails the review.
    pub strict: bool,
    /// The directory of the study.
    pub dir: &'a Path,
    /// Is told of every step when it has ended.
    pub told: &'a (dyn Fn(&Step) + Sync),
}

/// What a review came to.
#[derive(Clone, Debug)]
pub struct Reviewed {
    /// Its steps.
    pub steps: Vec<Step>,
    /// Pairs of method and risk that need evidence and have no row.
    pub missing: Vec<(String, String)>,
    /// Bundles that were verified [count].
    pub bundles: usize,
}

/// Reviews a study. Steps that failed are in the answer and in [`REVIEW`].
///
/// # Errors
/// [`PackError::Read`] where there is no such directory and no study to run, [`PackError::NotGood`] where it is no study; [`PackError::Bench`] where nothing can be written.
pub fn review(request: &Request<'_>) -> Result<Reviewed, PackError> {
    let Request { ground, dir, strict, .. } = *request;
    if request.spec.is_none() {
        std::fs::read_dir(dir).map_err(|source| PackError::Read { path: dir.to_path_buf(), source })?;
        // A report would be a foreign file in whatever else it is.
        if !dir.join(STUDY).is_file() && !dir.join(SUMMARY).is_file() {
            let told = format!("{} is no coordination study: it has neither {STUDY} nor {SUMMARY}", dir.display());
            return Err(PackError::NotGood(told));
        }
    }
    let mut steps = Steps::new(request.told);
    if let Some(spec) = request.spec {
        steps.run("study", &[], || study(ground, spec, dir));
    }
    let after: &[&str] = if request.spec.is_some() { &["study"] } else { &[] };
    let methods = steps.run("summary", after, || summary(dir));
    let covered = steps.run("coverage", &["summary"], || coverage(ground, methods.as_ref(), strict, dir));
    let verified = steps.run("verify_bundles", after, || verify(ground, dir));
    steps.run("card", after, || card::ensure(ground, dir));
    let missing = covered.unwrap_or_else(|| read_missing(dir));
    let reviewed = Reviewed { steps: steps.all().to_vec(), missing, bundles: verified.unwrap_or(0) };
    let missing: Vec<Value> =
        reviewed.missing.iter().map(|(method, risk)| json!({ "method_id": method, "risk_id": risk })).collect();
    let document = json!({
        "version": "0.1", "strict_coverage": strict, "missing": missing, "bundles": reviewed.bundles, "steps": steps.json(),
    });
    write_whole(&dir.join(REVIEW), &pretty(&document))?;
    Ok(reviewed)
}

/// Runs the study with the logs of its cells, and makes an evidence bundle of the first of them.
fn study(ground: &Ground<'_>, spec: &CoordinationSpec, dir: &Path) -> Result<(), PackError> {
    let (registry, policy) = (ground.registry, ground.policy);
    let identity = Identity::of(policy, ground.git_sha, ground.lab_domain)?;
    let plan = Plan::make(spec, &Grounds { registry, policy, identity: identity.clone(), logs: true })?;
    refuse_others(&plan, dir)?;
    plan.write(&dir.join(NAME))?;
    let lab = ground.lab(registry.task(TASK)?)?;
    let tools = Tools { registry, policy, lab, identity };
    let run = Run { tools, threads: ground.threads, progress: &|_, _| () };
    run.cells(&plan, &plan.cells.iter().collect::<Vec<&PlannedCell>>(), dir)?;
    let failures = merge(&plan, &[dir.join(CELLS)], dir, policy)?;
    if let Some(first) = failures.first() {
        let told = format!("{} cells failed; the first, {}: {}", failures.len(), first.cell_id, first.error);
        return Err(PackError::NotGood(told));
    }
    let Some(first) = plan.cells.first() else { return Ok(()) };
    let log = dir.join(CELLS).join(&first.cell_id).join("log.jsonl");
    evidence::export_one(ground, &log, &dir.join(evidence::RECEIPTS).join(&first.cell_id))
}

/// The table of cells is there, has the published columns and a row; its methods.
fn summary(dir: &Path) -> Result<BTreeSet<String>, PackError> {
    let (head, rows) = table::rows(&dir.join(SUMMARY))?;
    let lacks: Vec<&str> =
        SUMMARY_COLUMNS.iter().copied().filter(|column| !head.iter().any(|known| known == column)).collect();
    if !lacks.is_empty() {
        return Err(PackError::NotGood(format!("{SUMMARY} has no column {}", lacks.join(", "))));
    }
    Ok(rows.iter().map(|row| named(row, "method_id").to_owned()).collect())
}

/// Every pair of method and risk that needs evidence has a row. Those that have none, where that is allowed.
fn coverage(
    ground: &Ground<'_>,
    methods: Option<&BTreeSet<String>>,
    strict: bool,
    dir: &Path,
) -> Result<Vec<(String, String)>, PackError> {
    let register = Register::load(ground.policy)?;
    let (_, rows) = table::rows(&dir.join(RISKS))?;
    let there: BTreeSet<(&str, &str)> =
        rows.iter().map(|row| (named(row, "method_id"), named(row, "risk_id"))).collect();
    let required = register.required();
    let missing: Vec<(String, String)> = required
        .iter()
        .filter(|pair| !there.contains(*pair))
        .map(|(method, risk)| ((*method).to_owned(), (*risk).to_owned()))
        .collect();
    let entry = |(method, risk): &(String, String)| {
        let why = match methods.is_some_and(|methods| methods.contains(method)) {
            true => "no row of the method is about the risk",
            false => "the method is not in the study",
        };
        json!({ "method_id": method, "risk_id": risk, "why": why })
    };
    let document = json!({
        "version": "0.1", "strict": strict, "required": required.len(), "covered": required.len() - missing.len(),
        "missing": missing.iter().map(entry).collect::<Vec<_>>(),
    });
    write_whole(&dir.join(COVERAGE), &pretty(&document))?;
    if strict && !missing.is_empty() {
        let (method, risk) = &missing[0];
        let told = format!(
            "{} of {} required cells have no row; the first is {method} {risk}, all are in {COVERAGE}",
            missing.len(),
            required.len()
        );
        return Err(PackError::NotGood(told));
    }
    Ok(missing)
}

/// What the gate that failed has written.
fn read_missing(dir: &Path) -> Vec<(String, String)> {
    let document: Value = std::fs::read(dir.join(COVERAGE))
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_default();
    let text = |entry: &Value, key: &str| entry[key].as_str().unwrap_or_default().to_owned();
    let entries = document["missing"].as_array().into_iter().flatten();
    entries.map(|entry| (text(entry, "method_id"), text(entry, "risk_id"))).collect()
}

/// Every bundle below `receipts/` holds; how many there are. Where there is none nothing was verified, and that is no pass.
fn verify(ground: &Ground<'_>, dir: &Path) -> Result<usize, PackError> {
    let found = bundles(dir);
    let name = |path: &String| {
        let inner = path.strip_prefix(evidence::RECEIPTS)?.strip_suffix(BUNDLE)?;
        Some(inner.trim_matches('/').to_owned())
    };
    let runs: Vec<String> = found.iter().filter_map(name).collect();
    let receipts = dir.join(evidence::RECEIPTS);
    let kept = if receipts.is_dir() { names(&receipts)? } else { Vec::new() };
    if let Some(without) = kept.iter().find(|label| receipts.join(label).is_dir() && !runs.contains(label)) {
        return Err(PackError::NotGood(format!("{}/{without} has no {BUNDLE} with a manifest", evidence::RECEIPTS)));
    }
    if runs.is_empty() {
        return Err(PackError::NotGood(NOTHING.to_owned()));
    }
    evidence::verify(ground, &runs.iter().map(String::as_str).collect::<Vec<_>>(), dir)?;
    Ok(runs.len())
}

/// What is said where there is no bundle.
const NOTHING: &str = "there is no evidence bundle below receipts/, so nothing was verified; `review --spec FILE` runs a study \
                       with one, and `run-coordination-study --logs` with `export-receipts` makes one of a cell";

/// What a study says of itself; nothing where it says nothing.
pub(crate) fn said(dir: &Path) -> Result<Value, PackError> {
    let path = dir.join(STUDY);
    let bytes = std::fs::read(&path).map_err(|source| PackError::Read { path: path.clone(), source })?;
    serde_json::from_slice(&bytes).map_err(|error| PackError::NotGood(format!("{}: {error}", path.display())))
}
