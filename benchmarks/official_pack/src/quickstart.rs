//! What somebody runs first who took the project over: policy, pack, report, register of risks.

use crate::pack::vacant;
use crate::steps::{Step, Steps};
use crate::{Ground, PackError, reports};
use labtrust_assurance::files::write_json;
use labtrust_assurance::findings::findings;
use labtrust_assurance::pack::config::Config;
use labtrust_assurance::pack::{Asked, Matrix};
use labtrust_assurance::register::{BundleOptions, RISK_BUNDLE, Register, build, crosswalk, schema_complaints};
use labtrust_bench::files::write_whole;
use labtrust_evidence::release::pretty;
use serde_json::json;
use std::path::{Path, PathBuf};

/// What was done; the mark of a directory that may be written again.
pub const MANIFEST: &str = "quickstart_manifest.json";
/// The coordination security pack and its report.
pub const PACK: &str = "pack";
/// The register of risks.
pub const RISKS: &str = "risk_out";
/// The seed of the pack.
pub const SEED: u64 = 42;
const DOMAIN: &str = "hospital_lab";

/// What the first pack of somebody is run with.
pub struct Request<'a> {
    /// What it is run with.
    pub ground: &'a Ground<'a>,
    /// Which cells; the published ones are the fixed methods under the critical injections.
    pub asked: Asked,
    /// Episodes of a cell instead of the policy's numbers [count].
    pub episodes_per_cell: Option<u64>,
    /// Where it goes.
    pub out: &'a Path,
    /// Is told of every step when it has ended.
    pub told: &'a (dyn Fn(&Step) + Sync),
}

/// The published cells.
#[must_use]
pub fn published() -> Asked {
    Asked {
        methods_from: Some("fixed".to_owned()),
        injections_from: Some("critical".to_owned()),
        scales_from: Some("default".to_owned()),
        ..Asked::default()
    }
}

/// Runs all of it. Steps that failed are in the answer and in the manifest.
///
/// # Errors
/// [`PackError::Assurance`] for cells that there are not and [`PackError::Occupied`] where `out` is something else, before
/// anything is begun; [`PackError::Bench`] where the manifest cannot
/// be written.
pub fn quickstart(request: &Request<'_>) -> Result<Vec<Step>, PackError> {
    let Request { ground, out, .. } = *request;
    vacant(out, MANIFEST, "a quickstart")?;
    // Cells that there are not are no step that failed: nothing is begun.
    Matrix::resolve(&Config::load(ground.policy)?, ground.registry, &request.asked)?;
    let mut steps = Steps::new(request.told);
    steps.run("validate_policy", &[], || validate(ground));
    let pack = out.join(PACK);
    let gate = steps.run(PACK, &["validate_policy"], || {
        reports::security_pack(ground, SEED, request.asked.clone(), request.episodes_per_cell, &pack)
    });
    steps.run("risk_register", &[PACK], || register(ground, vec![pack.clone()], None, &out.join(RISKS)));
    let manifest = json!({
        "version": "0.1", "seed": SEED, "git_sha": ground.git_sha, "partner_id": ground.policy.partner(), "gate": gate,
        "steps": steps.json(),
    });
    write_whole(&out.join(MANIFEST), &pretty(&manifest))?;
    Ok(steps.all().to_vec())
}

fn validate(ground: &Ground<'_>) -> Result<(), PackError> {
    let laboratory = ground.registry.lab_domain(DOMAIN)?;
    let found = findings(ground.policy.clone(), None, DOMAIN, laboratory)?;
    match found.first() {
        Some(first) => Err(PackError::NotGood(format!("the policy has {} findings; the first: {first}", found.len()))),
        None => Ok(()),
    }
}

/// The register of risks over what was run, held to its schema; runs below `base` are named from there.
pub(crate) fn register(
    ground: &Ground<'_>,
    runs: Vec<PathBuf>,
    base: Option<&Path>,
    out: &Path,
) -> Result<(), PackError> {
    let options = BundleOptions {
        runs,
        base: base.map(Path::to_path_buf),
        git_commit: ground.git_sha.map(str::to_owned),
        ..BundleOptions::default()
    };
    let bundle = build(ground.policy, &Register::load(ground.policy)?, &options)?;
    let wrong: Vec<String> = crosswalk(&bundle).into_iter().chain(schema_complaints(&bundle)).collect();
    if let Some(first) = wrong.first() {
        return Err(PackError::NotGood(format!("{RISK_BUNDLE}: {first} ({} in all)", wrong.len())));
    }
    Ok(write_json(&out.join(RISK_BUNDLE), &bundle)?)
}
