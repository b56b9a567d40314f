//! The full pipeline of the hospital laboratory: the official pack with the coordination security pack, its report and its
//! decision, the security suite, the safety case and the register of risks over all of it, in one folder.
//!
//! The folder is that of an official pack, with more beside it. A stage that fails is named in the summary, and what the others
//! wrote is there.

use crate::pack::{self, COORDINATION_PACK, vacant};
use crate::policy::NONE;
use crate::quickstart::register;
use crate::steps::{Status, Step, Steps, require};
use crate::{Ground, Outcome, PackError, PackPolicy, compared, page, pooled, reports};
use labtrust_assurance::pack::config::Config;
use labtrust_assurance::pack::{Asked, Matrix};
use labtrust_assurance::register::RISK_BUNDLE;
use labtrust_bench::Building;
use labtrust_bench::files::write_whole;
use labtrust_comparison::leaderboard;
use labtrust_evidence::release::pretty;
use labtrust_figures::chart::Theme;
use labtrust_figures::report;
use labtrust_plugin::Plugin;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::Path;

/// What was made, and what failed; the mark of a directory that may be replaced.
pub const MANIFEST: &str = "summary/full_pipeline_manifest.json";
/// The same for people.
pub const SUMMARY: &str = "summary/full_pipeline_manifest.md";
/// The whole security suite, where the short one was run, too.
pub const SECURITY_FULL: &str = "security_full";
/// The register of risks.
pub const RISKS: &str = "risk_register_out";
/// Every method that there is, at the smallest size of the pack.
pub const METHOD_SWEEP: &str = "method_sweep";

/// Which attacks are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// Those of the short suite.
    Smoke,
    /// All of them.
    Full,
    /// The short suite as in the pack, and all of them in [`SECURITY_FULL`].
    Both,
}

impl Security {
    /// Its name in documents.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Smoke => "smoke",
            Self::Full => "full",
            Self::Both => "both",
        }
    }
}

/// A pipeline to run.
pub struct Request<'a> {
    /// What it is run with.
    pub ground: Ground<'a>,
    /// The pack that it begins with, with the preset of its coordination security pack.
    pub pack: &'a PackPolicy,
    /// Everything is drawn from it.
    pub seed_base: u64,
    /// Few episodes.
    pub smoke: bool,
    /// Which attacks are made.
    pub security: Security,
    /// Every coordination method that there is, too.
    pub method_sweep: bool,
    /// Episodes of a cell of the coordination security pack instead of the policy's numbers [count].
    pub episodes_per_cell: Option<u64>,
    /// Where it goes.
    pub out: &'a Path,
    /// Is told of every stage when it has ended.
    pub told: &'a (dyn Fn(&Step) + Sync),
}

/// What came of a pipeline.
#[derive(Clone, Debug)]
pub struct Ran {
    /// What came of the pack.
    pub pack: Outcome,
    /// All stages: those of the pack, then the others.
    pub steps: Vec<Step>,
}

impl Ran {
    /// Nothing, where every stage was done.
    ///
    /// # Errors
    /// [`PackError::StepsFailed`] naming the others.
    pub fn require(&self) -> Result<(), PackError> {
        require(&self.steps)
    }
}

/// Runs the pipeline and writes it. Stages that failed are in the answer and in [`MANIFEST`].
///
/// # Errors
/// [`PackError::Assurance`] for a preset that there is not, [`PackError::Occupied`] where `out` is something else than a pipeline,
/// both before anything is begun; [`PackError::Bench`] where nothing can be written.
pub fn run(request: &Request<'_>) -> Result<Ran, PackError> {
    vacant(request.out, MANIFEST, "a full pipeline")?;
    let preset = Asked { preset: Some(request.pack.matrix_preset().to_owned()), ..Asked::default() };
    Matrix::resolve(&Config::load(request.ground.policy)?, request.ground.registry, &preset)?;
    let building = Building::new(request.out)?;
    let ran = pooled(request.ground.threads, || stages(request, building.path()))??;
    building.finish(request.out)?;
    Ok(ran)
}

fn stages(request: &Request<'_>, out: &Path) -> Result<Ran, PackError> {
    let Request { ground, pack, seed_base, smoke, told, episodes_per_cell, .. } = *request;
    let full_security = request.security == Security::Full;
    let of_pack = pack::Request {
        ground,
        pack,
        seed_base,
        smoke,
        full_security,
        coordination_pack: true,
        episodes_per_cell,
        out,
        told,
    };
    let outcome = pack::fill(&of_pack, out)?;
    let mut steps = Steps::after(outcome.steps.clone(), told);
    if request.security == Security::Both {
        steps.run(SECURITY_FULL, &[], || reports::security(&ground, seed_base, true, &out.join(SECURITY_FULL)));
    }
    if request.method_sweep {
        steps.run(METHOD_SWEEP, &[], || sweep(request, &out.join(METHOD_SWEEP)));
    }
    // After everything that is evidence.
    steps.run("risk_register", &[], || {
        let parts = [COORDINATION_PACK, SECURITY_FULL].map(|part| out.join(part)).into_iter();
        let runs = std::iter::once(out.to_path_buf()).chain(parts.filter(|dir| dir.is_dir()));
        register(&ground, runs.collect(), Some(out), &out.join(RISKS))
    });
    let ran = Ran { pack: outcome, steps: steps.all().to_vec() };
    let document = manifest(request, &ran, out);
    write_whole(&out.join(MANIFEST), &pretty(&document))?;
    write_whole(&out.join(SUMMARY), summary(request, &ran, &document).as_bytes())?;
    Ok(ran)
}

/// Every coordination method that there is, at the smallest size of the pack, under its injections.
fn sweep(request: &Request<'_>, out: &Path) -> Result<(), PackError> {
    let Request { ground, pack, seed_base, smoke, .. } = *request;
    let method = |plugin: Plugin| match plugin {
        Plugin::CoordinationMethod(method) => Some(method.id().to_owned()),
        _ => None,
    };
    let methods = ground.registry.entries().iter().filter_map(|entry| method(entry.plugin)).collect();
    let episodes = if smoke { pack.episodes.smoke } else { pack.episodes.full };
    compared::compare(&ground, &pack.swept(methods), episodes.cell, seed_base, out)?;
    leaderboard::summarise(out, out)?;
    report::write(out, Theme::Light)?;
    Ok(())
}

/// What there is to look at: where, what it is, and the stage that makes it.
fn artifacts(request: &Request<'_>) -> Vec<(String, &'static str, &'static str)> {
    let of_pack = |name: &str| format!("{COORDINATION_PACK}/{name}");
    let mut all = vec![
        ("PACK_SUMMARY.md".to_owned(), "the official pack in short", "baselines"),
        ("baselines/results".to_owned(), "results of every task by its baseline", "baselines"),
        ("receipts".to_owned(), "evidence bundles, verified", "verify_bundles"),
        ("TRANSPARENCY_LOG/log.json".to_owned(), "the log over these episodes", "transparency_log"),
        ("summary/sota_leaderboard.md".to_owned(), "means by method", "summary"),
        ("report.html".to_owned(), "the comparison on one page", "report"),
        ("SECURITY/attack_results.json".to_owned(), "the security suite", "security"),
        ("SAFETY_CASE/safety_case.md".to_owned(), "every claim with its status", "safety_case"),
        (of_pack("pack_gate.md"), "the gate of the coordination security pack", COORDINATION_PACK),
        (of_pack("LAB_COORDINATION_REPORT.md"), "the report of the laboratory", COORDINATION_PACK),
        (of_pack("COORDINATION_DECISION.md"), "which method is recommended, if any", COORDINATION_PACK),
    ];
    if request.security == Security::Both {
        all.push((format!("{SECURITY_FULL}/SECURITY/attack_results.json"), "the whole security suite", SECURITY_FULL));
    }
    if request.method_sweep {
        all.push((format!("{METHOD_SWEEP}/report.html"), "every method that there is, on one page", METHOD_SWEEP));
    }
    all.push((format!("{RISKS}/{RISK_BUNDLE}"), "the register of risks, with its evidence", "risk_register"));
    all
}

fn manifest(request: &Request<'_>, ran: &Ran, out: &Path) -> Value {
    let error = |path: &str, stage: &str| {
        let Some(step) = ran.steps.iter().find(|step| step.name == stage) else {
            return Some("the pack leaves this out".to_owned());
        };
        step.error.clone().or_else(|| (!out.join(path).exists()).then(|| "it was not made".to_owned()))
    };
    let artifact = |(path, description, stage): (String, &str, &str)| {
        let mut entry = json!({ "path": path, "description": description });
        if let Some(error) = error(&path, stage) {
            entry["error"] = error.into();
        }
        entry
    };
    let mut manifest = json!({
        "version": "0.1",
        "timestamp": page::stamp(request.seed_base),
        "seed_base": request.seed_base,
        "smoke": request.smoke,
        "git_sha": request.ground.git_sha,
        "partner_id": request.ground.policy.partner(),
        "matrix_preset": request.pack.matrix_preset(),
        "security_mode": request.security.name(),
        "include_coordination_pack": true,
        "providers": [],
        "models_sweep": [],
        "method_sweep": request.method_sweep,
        "gate": ran.pack.coordination_pack,
        "safety_case": ran.pack.safety_case,
        "artifacts": artifacts(request).into_iter().map(artifact).collect::<Vec<_>>(),
        "steps": ran.steps.iter().map(Step::json).collect::<Vec<_>>(),
    });
    if let Err(error) = ran.require() {
        manifest["pipeline_error"] = error.to_string().into();
        manifest["partial"] = true.into();
    }
    manifest
}

fn summary(request: &Request<'_>, ran: &Ran, manifest: &Value) -> String {
    let mut text = String::from("# Full pipeline of the hospital laboratory\n\n");
    let failed = ran.steps.iter().filter(|step| step.status != Status::Done).count();
    let _ = match failed {
        0 => writeln!(text, "All {} stages were done.\n", ran.steps.len()),
        _ => writeln!(text, "**{failed} of {} stages were not done**; they are below.\n", ran.steps.len()),
    };
    let word = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let mut rows = vec![
        ("Seed base", request.seed_base.to_string()),
        ("Matrix preset", request.pack.matrix_preset().to_owned()),
        ("Security", request.security.name().to_owned()),
        ("Partner", request.ground.policy.partner().unwrap_or(NONE).to_owned()),
        ("Smoke", if request.smoke { "yes" } else { "no" }.to_owned()),
    ];
    if let Some(gate) = &ran.pack.coordination_pack {
        rows.push(("Gate", if gate["overall_pass"] == true { "PASS" } else { "FAIL" }.to_owned()));
        rows.push(("Cells that failed", format!("{} of {}", gate["failed"], gate["cells"])));
        rows.push(("Decision", word(&gate["verdict"])));
    }
    text.push_str(&page::table(&rows));
    text.push_str("\n## What there is\n\n| file | is | |\n| --- | --- | --- |\n");
    for artifact in manifest["artifacts"].as_array().into_iter().flatten() {
        let (path, what) = (word(&artifact["path"]), word(&artifact["description"]));
        let _ = match artifact["error"].as_str() {
            None => writeln!(text, "| [{path}](../{path}) | {what} | |"),
            Some(why) => writeln!(text, "| {path} | {what} | {} |", page::cell(why)),
        };
    }
    text.push_str("\n## Stages\n\n");
    text.push_str(&page::stages(&ran.steps));
    text
}
