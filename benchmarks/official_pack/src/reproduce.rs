//! Two studies of what controls do, and their plots: small enough to be repeated by anybody.

use crate::pack::vacant;
use crate::policy::PRESET;
use crate::steps::{Step, Steps};
use crate::{Ground, PackError, reports};
use labtrust_bench::files::write_whole;
use labtrust_evidence::release::pretty;
use labtrust_figures::chart::Theme;
use labtrust_figures::plots;
use labtrust_figures::run::Run;
use labtrust_study::ablation::{AblationSpec, Request as Ablation, run as ablate};
use serde_json::{Value, json};
use std::path::Path;

/// What was done; the mark of a directory that may be written again.
pub const MANIFEST: &str = "repro_manifest.json";
/// The studies, each with the names of its two steps.
pub const STUDIES: [(&str, &str, &str); 2] = [
    ("throughput_sla", "study_throughput_sla", "plots_throughput_sla"),
    ("qc_cascade", "study_qc_cascade", "plots_qc_cascade"),
];
/// The coordination security pack of the profile that has one.
const PACK: &str = "coordination_pack";

/// How much is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// Two episodes of each condition.
    Minimal,
    /// Four.
    Full,
    /// Four, and the coordination security pack.
    FullWithCoordination,
}

impl Profile {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Minimal => "minimal",
            Self::Full => "full",
            Self::FullWithCoordination => "full_with_coordination",
        }
    }

    /// Episodes of a condition [count].
    #[must_use]
    pub const fn episodes(self) -> u64 {
        match self {
            Self::Minimal => 2,
            Self::Full | Self::FullWithCoordination => 4,
        }
    }
}

/// What is repeated.
pub struct Request<'a> {
    /// What it is run with.
    pub ground: &'a Ground<'a>,
    /// How much.
    pub profile: Profile,
    /// Everything is drawn from it.
    pub seed_base: u64,
    /// One episode of each condition, whatever the profile says.
    pub smoke: bool,
    /// Where it goes.
    pub out: &'a Path,
    /// Is told of every step when it has ended.
    pub told: &'a (dyn Fn(&Step) + Sync),
}

/// Runs the studies and draws them. Steps that failed are in the answer and in the manifest.
///
/// # Errors
/// [`PackError::Occupied`] where `out` is something else; [`PackError::Bench`] where the manifest cannot be written.
pub fn reproduce(request: &Request<'_>) -> Result<Vec<Step>, PackError> {
    let Request { ground, profile, seed_base, out, .. } = *request;
    vacant(out, MANIFEST, "a repetition of these studies")?;
    let mut steps = Steps::new(request.told);
    for (task, study, drawn) in STUDIES {
        steps.run(study, &[], || run_study(request, task));
        steps.run(drawn, &[study], || {
            plots::write(&Run::open(&out.join(task), None)?, Theme::Light, false)?;
            Ok(())
        });
    }
    if profile == Profile::FullWithCoordination {
        steps.run(PACK, &[], || reports::coordination_pack(ground, seed_base, PRESET, None, &out.join(PACK)));
    }
    let manifest = json!({
        "version": "0.1",
        "profile": profile.name(),
        "seed_base": seed_base,
        "episodes": if request.smoke { 1 } else { profile.episodes() },
        "tasks": STUDIES.map(|(task, ..)| task),
        "git_sha": ground.git_sha,
        "partner_id": ground.policy.partner(),
        "steps": steps.json(),
    });
    write_whole(&out.join(MANIFEST), &pretty(&manifest))?;
    Ok(steps.all().to_vec())
}

fn run_study(request: &Request<'_>, task: &str) -> Result<(), PackError> {
    let spec = json!({
        "task": task,
        "episodes": request.profile.episodes(),
        "seed_base": request.seed_base,
        "ablations": { "trust_skeleton": ["on", "off"], "dual_approval": ["on", "off"] },
    });
    study(request.ground, &request.out.join(format!("spec_{task}.yaml")), &spec, request.smoke, &request.out.join(task))
}

/// Writes the spec of a study of conditions, reads it as anybody would, and runs it into `out`.
///
/// # Errors
/// [`PackError`] for a spec that makes no sense, and for what cannot be run.
pub fn study(ground: &Ground<'_>, path: &Path, spec: &Value, smoke: bool, out: &Path) -> Result<(), PackError> {
    write_whole(path, yaml(spec).as_bytes())?;
    let spec = AblationSpec::load(path, smoke.then_some(1))?;
    let task = ground.registry.task(&spec.task)?;
    ablate(&Ablation {
        spec: &spec,
        registry: ground.registry,
        policy: ground.policy,
        domain: ground.domain(task)?,
        threads: ground.threads,
        git_sha: ground.git_sha.map(str::to_owned),
        out,
        progress: &|| (),
    })?;
    Ok(())
}

/// A flat document as YAML, a key a line; what stands behind a key is JSON, which YAML is.
fn yaml(document: &Value) -> String {
    document.as_object().into_iter().flatten().map(|(key, value)| format!("{key}: {value}\n")).collect()
}
