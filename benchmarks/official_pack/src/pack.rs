//! The whole pack, in one directory that is there whole or not at all.

use crate::baselines::{self, BASELINES, Played};
use crate::policy::{PackPolicy, REPORTS};
use crate::steps::{Step, Steps, require};
use crate::{Ground, PackError, compared, evidence, page, reports};
use labtrust_bench::files::write_whole;
use labtrust_bench::summary::{UncertaintyMapping, summarise_results};
use labtrust_bench::{BenchError, Building};
use labtrust_comparison::leaderboard;
use labtrust_evidence::release::pretty;
use labtrust_figures::chart::Theme;
use labtrust_figures::report;
use labtrust_study::plan::NotRun;
use serde_json::Value;
use std::path::Path;

/// What the pack is and how its steps ended; the mark of a directory that may be replaced by a new one.
pub const MANIFEST: &str = "pack_manifest.json";
/// The same for people.
pub const SUMMARY: &str = "PACK_SUMMARY.md";
/// The coordination security pack.
pub const COORDINATION_PACK: &str = "coordination_pack";

/// A pack to run.
pub struct Request<'a> {
    /// What it is run with.
    pub ground: Ground<'a>,
    /// What it is made of.
    pub pack: &'a PackPolicy,
    /// Everything is drawn from it.
    pub seed_base: u64,
    /// Few episodes.
    pub smoke: bool,
    /// The whole security suite, whatever the pack says.
    pub full_security: bool,
    /// The coordination security pack, whatever the pack says.
    pub coordination_pack: bool,
    /// Episodes of a cell of that pack instead of the policy's numbers [count].
    pub episodes_per_cell: Option<u64>,
    /// Where it goes.
    pub out: &'a Path,
    /// Is told of every step when it has ended.
    pub told: &'a (dyn Fn(&Step) + Sync),
}

/// What came of a pack.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Its steps, in order.
    pub steps: Vec<Step>,
    /// Its baselines, where they came out.
    pub played: Vec<Played>,
    /// Methods of the pack that were not run.
    pub not_run: Vec<NotRun>,
    /// How many claims of the safety case stand how.
    pub safety_case: Option<Value>,
    /// What the gate of the coordination security pack came to.
    pub coordination_pack: Option<Value>,
}

impl Outcome {
    /// Nothing, where every step was done.
    ///
    /// # Errors
    /// [`PackError::StepsFailed`] naming the others.
    pub fn require(&self) -> Result<(), PackError> {
        require(&self.steps)
    }
}

/// Runs a pack and writes it. Steps that failed are in the answer and in the manifest; what the others wrote is there.
///
/// # Errors
/// [`PackError::Occupied`] where `out` is something else than a pack; [`PackError::Bench`] where nothing can be written.
pub fn run(request: &Request<'_>) -> Result<Outcome, PackError> {
    vacant(request.out, MANIFEST, "a pack")?;
    let building = Building::new(request.out)?;
    let outcome = pooled(request.ground.threads, || fill(request, building.path()))??;
    building.finish(request.out)?;
    Ok(outcome)
}

/// Makes a pack in `out`, with its manifest and its summary.
pub(crate) fn fill(request: &Request<'_>, out: &Path) -> Result<Outcome, PackError> {
    let outcome = steps(request, out)?;
    write_whole(&out.join(MANIFEST), &pretty(&page::manifest(request, &outcome)))?;
    write_whole(&out.join(SUMMARY), page::summary(request, &outcome).as_bytes())?;
    Ok(outcome)
}

/// Does work on so many threads, or on as many as there are.
///
/// # Errors
/// [`BenchError::Threads`].
pub(crate) fn pooled<T: Send>(threads: Option<usize>, work: impl FnOnce() -> T + Send) -> Result<T, BenchError> {
    let threads = threads.unwrap_or(0);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(|error| BenchError::Threads { threads, message: error.to_string() })?;
    Ok(pool.install(work))
}

/// Refuses a directory that has something in it, unless `mark` says that it is of the kind that may be replaced.
///
/// # Errors
/// [`PackError::Occupied`].
pub fn vacant(out: &Path, mark: &str, what: &'static str) -> Result<(), PackError> {
    let is_empty = || std::fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_none());
    if !out.exists() || out.join(mark).is_file() || is_empty() {
        return Ok(());
    }
    Err(PackError::Occupied { path: out.to_path_buf(), what })
}

fn steps(request: &Request<'_>, out: &Path) -> Result<Outcome, PackError> {
    let Request { ground, pack, seed_base: seed, .. } = request;
    let seed = *seed;
    let episodes = if request.smoke { pack.episodes.smoke } else { pack.episodes.full };
    // Tables name seed and commit of the pack; how steps ended is written at the end.
    write_whole(&out.join(MANIFEST), &pretty(&page::manifest(request, &Outcome::default())))?;
    let mut steps = Steps::new(request.told);
    let asked = baselines::Asked { pack, episodes: episodes.baseline, seed, out };
    let played = steps.run("baselines", &[], || baselines::play(ground, &asked)).unwrap_or_default();
    let compare = || compared::compare(ground, pack, episodes.cell, seed, out);
    let not_run = steps.run("coordination_methods", &[], compare).unwrap_or_default();
    let runs: Vec<&str> = pack.tasks().collect();
    steps.run("receipts", &["baselines"], || evidence::export(ground, &runs, out));
    steps.run("verify_bundles", &["receipts"], || evidence::verify(ground, &runs, out));
    steps.run("transparency_log", &["receipts"], || evidence::transparency(out));
    let full = request.full_security || pack.full_security();
    if pack.any_security() || full {
        steps.run("security", &[], || reports::security(ground, seed, full, out));
    }
    let wanted = request.coordination_pack || pack.coordination_pack.as_ref().is_some_and(|pack| pack.enabled);
    let coordination_pack = wanted.then(|| {
        let at = out.join(COORDINATION_PACK);
        steps.run(COORDINATION_PACK, &[], || {
            reports::coordination_pack(ground, seed, pack.matrix_preset(), request.episodes_per_cell, &at)
        })
    });
    // After everything that it judges.
    let safety_case = steps.run("safety_case", &[], || reports::safety(ground, out));
    steps.run("summary", &["baselines", "coordination_methods"], || summarise(ground, out));
    steps.run("report", &["coordination_methods"], || Ok(report::write(out, Theme::Light)?));
    steps.run("required_reports", &[], || required(pack, out));
    Ok(Outcome {
        steps: steps.all().to_vec(),
        played,
        not_run,
        safety_case,
        coordination_pack: coordination_pack.flatten(),
    })
}

/// Tables of the baselines, and means by method with the seed of the pack below them.
fn summarise(ground: &Ground<'_>, out: &Path) -> Result<(), PackError> {
    let kinds = UncertaintyMapping::load(ground.policy)?;
    let summary = summarise_results(&[out.join(BASELINES)], "baselines", &[], &kinds)?;
    for (name, text) in summary.files {
        write_whole(&out.join("summary").join(name), text.as_bytes())?;
    }
    leaderboard::summarise(out, out)?;
    Ok(())
}

/// Every report that the pack requires has all of its files, and something in them.
fn required(pack: &PackPolicy, out: &Path) -> Result<(), PackError> {
    let wanted = REPORTS.iter().filter(|(name, _)| pack.required_reports.iter().any(|one| one == name));
    let files = wanted.flat_map(|(name, files)| files.iter().map(move |file| (name, file)));
    let is_there = |file: &str| std::fs::metadata(out.join(file)).is_ok_and(|facts| facts.is_file() && facts.len() > 0);
    let missing: Vec<String> =
        files.filter(|(_, file)| !is_there(file)).map(|(name, file)| format!("{name} has no {file}")).collect();
    if missing.is_empty() { Ok(()) } else { Err(PackError::NotGood(missing.join("; "))) }
}
