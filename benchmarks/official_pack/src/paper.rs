//! The release of a paper: baselines of the official registry, a study of what signatures do, one recorded episode of every core
//! task with its evidence, security, safety case, and cards that say what all of it is.
//!
//! It is there whole and verified, or not at all. The same seed gives the same bytes: how long anything took is in no file of
//! it. A part that was not asked for is not there, and the notes say so; nothing stands in for it.

mod notes;

use crate::registered::{self, Baselines, Crew};
use crate::sealed::{self, METADATA, copy, names, remove};
use crate::steps::{Step, Steps, require};
use crate::{Ground, PackError, PackPolicy, baselines, card, evidence, pooled, reports, reproduce};
use labtrust_assurance::pack::outputs::TIMINGS;
use labtrust_bench::Building;
use labtrust_bench::files::write_whole;
use labtrust_bench::log::Beside;
use labtrust_bench::official;
use labtrust_bench::summary::{UncertaintyMapping, summarise_results};
use labtrust_comparison::matrix;
use labtrust_evidence::digest::sha256;
use labtrust_evidence::release::{FILES, pretty};
use labtrust_figures::chart::Theme;
use labtrust_figures::plots;
use labtrust_figures::run::Run;
use labtrust_kernel::ClockMode;
use serde_json::{Value, json};
use std::path::Path;

/// The name of the profile.
pub const PROFILE: &str = "paper_v0.1";
/// Baselines of the official registry.
pub const BASELINES: &str = "_baselines";
/// The study of what signatures do.
pub const STUDY: &str = "_study";
/// The task of that study.
pub const STUDY_TASK: &str = "insider_key_misuse";
/// Tables over baselines and study.
pub const TABLES: &str = "TABLES";
/// Figures of the study, and of the coordination security pack where there is one.
pub const FIGURES: &str = "FIGURES";
/// The coordination security pack.
pub const COORDINATION_PACK: &str = "_coordination_pack";
/// Its methods in one table, for programs.
pub const MATRIX: &str = "COORDINATION_MATRIX";
/// The rules that coordination is judged by.
pub const RULES: &str = "_coordination_policy";
/// What the release is, and what is in it.
pub const NOTES: &str = "RELEASE_NOTES.md";
/// Where coordination methods stand in it.
pub const COORDINATION_CARD: &str = "COORDINATION_CARD.md";
/// Drawn for a table, and not by it.
const PAPER_TABLE: &str = "paper_table.md";

/// A release to make.
pub struct Request<'a> {
    /// What it is made with.
    pub ground: &'a Ground<'a>,
    /// The pack that the paper is about.
    pub pack: &'a PackPolicy,
    /// Everything is drawn from it.
    pub seed_base: u64,
    /// One episode of everything, and the short security suite.
    pub smoke: bool,
    /// The coordination security pack, too.
    pub coordination_pack: bool,
    /// Where it goes.
    pub out: &'a Path,
    /// Is told of every step when it has ended.
    pub told: &'a (dyn Fn(&Step) + Sync),
}

/// Episodes of the parts [count].
#[derive(Clone, Copy)]
struct Episodes {
    baselines: u64,
    study: u64,
}

impl Request<'_> {
    const fn episodes(&self) -> Episodes {
        match self.smoke {
            true => Episodes { baselines: 1, study: 2 },
            false => Episodes { baselines: 50, study: 50 },
        }
    }
}

/// What came out, as the notes tell of it.
#[derive(Default)]
struct Came {
    baselines: Option<Baselines>,
    gate: Option<Value>,
    matrix: bool,
}

/// Makes the release of a paper and verifies it.
///
/// # Errors
/// [`PackError::Occupied`] where `out` is something else than a release; [`PackError::StepsFailed`] naming what failed: there is
/// then no release, and one that was there is what it was.
pub fn paper(request: &Request<'_>) -> Result<Vec<Step>, PackError> {
    crate::pack::vacant(request.out, FILES, "a release")?;
    let building = Building::new(request.out)?;
    let steps = pooled(request.ground.threads, || make(request, building.path()))?;
    require(&steps)?;
    building.finish(request.out)?;
    Ok(steps)
}

fn make(request: &Request<'_>, out: &Path) -> Vec<Step> {
    let Request { ground, pack, seed_base: seed, .. } = *request;
    let mut steps = Steps::new(request.told);
    let mut came = Came { baselines: steps.run("baselines", &[], || baselines_of(request, out)), ..Came::default() };
    steps.run("study", &[], || study(request, out));
    steps.run("figures", &["study"], || figures(&out.join(STUDY), "study", out));
    steps.run("tables", &["baselines", "study", "figures"], || tables(ground, out));
    let core: Vec<&str> = pack.tasks.core.iter().map(String::as_str).collect();
    steps.run("episodes", &[], || episodes(request, &core, out));
    steps.run("receipts", &["episodes"], || evidence::export(ground, &core, out));
    steps.run("verify_bundles", &["receipts"], || evidence::verify(ground, &core, out));
    steps.run("transparency_log", &["receipts"], || evidence::transparency(out));
    steps.run("security", &[], || {
        reports::security(ground, seed, !request.smoke, out)?;
        remove(&out.join("SECURITY").join(TIMINGS))
    });
    if request.coordination_pack {
        came.gate = steps.run("coordination_pack", &[], || coordination_pack(request, out));
        came.matrix = steps.run("coordination_matrix", &["coordination_pack"], || matrix_of(ground, out)).is_some();
    }
    steps.run("cards", &["baselines"], || cards(request, &came, out));
    // After everything that it judges; the notes are part of that.
    let judged = steps.run("safety_case", &[], || reports::safety(ground, out));
    steps.run("about", &["safety_case"], || about(request, &came, judged.as_ref(), out));
    let open = steps.all().iter().find(|step| step.status != crate::Status::Done).map(|step| step.name);
    steps.run("manifest", open.as_slice(), || sealed::manifest(out));
    steps.run("verify", &["manifest"], || sealed::hold(ground, out));
    steps.all().to_vec()
}

fn baselines_of(request: &Request<'_>, out: &Path) -> Result<Baselines, PackError> {
    let asked = registered::Asked {
        episodes: request.episodes().baselines,
        seed: request.seed_base,
        timing: ClockMode::Explicit,
        strict_signatures: false,
        told: &|_, _| (),
    };
    registered::write(request.ground, &asked, &out.join(BASELINES))
}

fn study(request: &Request<'_>, out: &Path) -> Result<(), PackError> {
    let spec = json!({
        "task": STUDY_TASK,
        "episodes": request.episodes().study,
        "seed_base": request.seed_base,
        "ablations": { "strict_signatures": [false, true] },
    });
    let path = out.join(format!("spec{STUDY}.yaml"));
    reproduce::study(request.ground, &path, &spec, false, &out.join(STUDY))?;
    // The spec stands beside what was made of it, and no release has it at its root.
    copy(&path, &out.join(STUDY).join("spec.yaml"))?;
    remove(&path)
}

/// Draws a run, and puts its figures where readers look for them, under the name of the run.
fn figures(run: &Path, name: &str, out: &Path) -> Result<(), PackError> {
    plots::write(&Run::open(run, None)?, Theme::Light, false)?;
    let drawn = run.join("figures");
    let is_figure = |file: &&String| file.ends_with(".svg") || file.ends_with(".png");
    for file in names(&drawn)?.iter().filter(is_figure) {
        copy(&drawn.join(file), &out.join(FIGURES).join(format!("{name}_{file}")))?;
    }
    Ok(())
}

/// Means over the baselines and over the conditions of the study, and the numbers behind its figures.
fn tables(ground: &Ground<'_>, out: &Path) -> Result<(), PackError> {
    let kinds = UncertaintyMapping::load(ground.policy)?;
    let results = [out.join(BASELINES).join(registered::RESULTS), out.join(STUDY).join("results")];
    for (name, text) in summarise_results(&results, "summary", &[], &kinds)?.files {
        write_whole(&out.join(TABLES).join(name), text.as_bytes())?;
    }
    let numbers = out.join(STUDY).join("figures/data_tables");
    for name in names(&numbers)? {
        let to = if name == PAPER_TABLE { name.clone() } else { format!("study_{name}") };
        copy(&numbers.join(&name), &out.join(TABLES).join(to))?;
    }
    Ok(())
}

/// The first episode of every core task, with all that its evidence is made of.
fn episodes(request: &Request<'_>, core: &[&str], out: &Path) -> Result<(), PackError> {
    let registry = official::registry()?;
    for task in core {
        let entry = registry.official_tasks.iter().find(|entry| entry.task == *task);
        let entry = entry.ok_or_else(|| PackError::NotGood(format!("the official registry has no task {task}")))?;
        let crew = Crew {
            task,
            agents: &entry.agents,
            episodes: 1,
            seed: request.seed_base,
            timing: ClockMode::Explicit,
            strict_signatures: false,
        };
        let dir = out.join(baselines::RUNS).join(task);
        baselines::recorded(&dir, Beside::default(), |logs| crew.play(request.ground, logs))?;
    }
    Ok(())
}

fn coordination_pack(request: &Request<'_>, out: &Path) -> Result<Value, PackError> {
    let dir = out.join(COORDINATION_PACK);
    let gate = reports::coordination_pack(request.ground, request.seed_base, request.pack.matrix_preset(), None, &dir)?;
    remove(&dir.join(TIMINGS))?;
    figures(&dir, "coordination_pack", out)?;
    Ok(gate)
}

fn matrix_of(ground: &Ground<'_>, out: &Path) -> Result<(), PackError> {
    let pack = out.join(COORDINATION_PACK);
    let asked = matrix::Request { run: &pack, mode: matrix::Mode::Pack, strict: true, policy: ground.policy };
    matrix::build(&asked, &out.join(MATRIX).join(matrix::FILE))?;
    Ok(())
}

/// Notes and cards, and the rules of coordination.
fn cards(request: &Request<'_>, came: &Came, out: &Path) -> Result<(), PackError> {
    for (name, text) in [
        (NOTES, notes::release(request, came)),
        ("BENCHMARK_CARD.md", notes::benchmark(request)),
        (COORDINATION_CARD, notes::coordination(request, came)?),
        (card::CARD, notes::models(request, came)?),
    ] {
        write_whole(&out.join(name), text.as_bytes())?;
    }
    rules(request.ground, out)
}

/// What the release is, and what the program was built of.
fn about(request: &Request<'_>, came: &Came, safety_case: Option<&Value>, out: &Path) -> Result<(), PackError> {
    let Request { ground, seed_base, .. } = *request;
    let Episodes { baselines, study } = request.episodes();
    let further = json!({
        "episodes_baselines": baselines,
        "episodes_study_taskf": study,
        "smoke": request.smoke,
        "pack_policy": request.pack.source,
        "pack_policy_sha256": request.pack.sha256,
        "security_suite": if request.smoke { "smoke" } else { "full" },
        "safety_case": safety_case,
        "coordination_pack": came.gate,
        "coordination_policy_fingerprint": card::fingerprint(ground.policy)?,
    });
    write_whole(&out.join(METADATA), &pretty(&sealed::metadata(ground, PROFILE, seed_base, further)?))?;
    sealed::environment(ground, out)
}

/// Copies of the files that coordination is judged by, and their fingerprint.
fn rules(ground: &Ground<'_>, out: &Path) -> Result<(), PackError> {
    let mut files = Vec::new();
    for path in card::POLICIES {
        let text = ground.policy.text(path)?;
        let name = path.rsplit('/').next().unwrap_or(path);
        write_whole(&out.join(RULES).join(name), text.as_bytes())?;
        files.push(json!({ "path": name, "sha256": sha256(text.as_bytes()) }));
    }
    let manifest = json!({
        "coordination_policy_fingerprint": card::fingerprint(ground.policy)?,
        "policy_subdir": "coordination",
        "files": files,
    });
    write_whole(&out.join(RULES).join("manifest.json"), &pretty(&manifest))?;
    Ok(())
}
