//! Every size of a pack with every method under every injection: a coordination study, in the directory of the pack.
//!
//! So its tables, fronts, verdicts and page are those of studies, and `labtrust study status` reads it.

use crate::policy::{NONE, PackPolicy};
use crate::{Ground, PackError};
use labtrust_assurance::pack::ground::TASK;
use labtrust_coordination::catalogue::Catalogue;
use labtrust_study::merge::merge;
use labtrust_study::plan::{Grounds, Identity, NAME, NotRun, Plan, PlannedCell};
use labtrust_study::run::{CELLS, Run};
use labtrust_study::spec::{CoordinationSpec, Injection, Method, Phases};
use labtrust_study::workshop::Tools;
use std::collections::BTreeSet;
use std::path::Path;

/// Runs the study of a pack and writes it. The methods that this version does not have are in the answer.
///
/// # Errors
/// [`PackError::NotGood`] naming cells that crashed; otherwise [`PackError`] for what keeps the study from being run.
pub fn compare(
    ground: &Ground<'_>,
    pack: &PackPolicy,
    episodes: u32,
    seed: u64,
    out: &Path,
) -> Result<Vec<NotRun>, PackError> {
    let spec = spec(ground, pack, episodes, seed)?;
    let identity = Identity::of(ground.policy, ground.git_sha, ground.lab_domain)?;
    let (registry, policy) = (ground.registry, ground.policy);
    let plan = Plan::make(&spec, &Grounds { registry, policy, identity: identity.clone(), logs: false })?;
    plan.write(&out.join(NAME))?;
    let lab = ground.lab(registry.task(TASK)?)?;
    let run = Run { tools: Tools { registry, policy, lab, identity }, threads: ground.threads, progress: &|_, _| () };
    let asked: Vec<&PlannedCell> = plan.cells.iter().collect();
    run.cells(&plan, &asked, out)?;
    let failures = merge(&plan, &[out.join(CELLS)], out, policy)?;
    if failures.is_empty() {
        return Ok(plan.head.not_run);
    }
    let told = failures.iter().map(|one| format!("{}: {}", one.cell_id, one.error)).collect::<Vec<_>>().join("; ");
    Err(PackError::NotGood(told))
}

fn spec(ground: &Ground<'_>, pack: &PackPolicy, episodes: u32, seed: u64) -> Result<CoordinationSpec, PackError> {
    let catalogue = Catalogue::load(ground.policy)?;
    let has_none = pack.injections.iter().any(|id| id == NONE);
    let baseline = (!has_none).then(|| NONE.to_owned());
    let injection = |id: String| Injection { id, intensity: None, seed_offset: None, phases: Phases::default() };
    // What there is not and nobody waits for was refused when the pack was read.
    let method = |id: String| Method { not_run: catalogue.not_run(ground.registry, &id), id };
    Ok(CoordinationSpec {
        study_id: format!("official_pack_v{}", pack.version),
        seed_base: seed,
        episodes_per_cell: episodes,
        scales: pack.scales(),
        methods: pack.methods().into_iter().map(method).collect(),
        injections: baseline.into_iter().chain(pack.injections.iter().cloned()).map(injection).collect(),
        risks: Vec::new(),
        waived: BTreeSet::new(),
        sha256: pack.sha256.clone(),
    })
}
