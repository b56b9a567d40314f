//! Every task of a pack by its baseline, held to its floor, with everything that its evidence is made of.
//!
//! A task has a directory of its own below [`RUNS`]: log, episode records, results and, of coordination tasks, how
//! decisions came about. Nothing of two tasks is in one file.

use crate::policy::{NONE, PackPolicy, unversioned};
use crate::registered::{Crew, FEW};
use crate::{Ground, PackError};
use labtrust_assurance::pack::ground::{Ground as Cells, Play};
use labtrust_assurance::pack::matrix::CellId;
use labtrust_bench::files::write_whole;
use labtrust_bench::log::{Beside, LogFiles};
use labtrust_bench::official::{self, OfficialRegistry};
use labtrust_bench::results::{MANIFEST_NAME, results_bytes};
use labtrust_bench::validate::validate_results;
use labtrust_bench::{RunLogs, RunOutcome};
use labtrust_evidence::release::pretty;
use labtrust_kernel::ClockMode;
use labtrust_policy::PolicyStore;
use rayon::prelude::*;
use serde_json::{Value, json};
use std::path::Path;

/// Directories of runs, one a task. The transparency log looks for episodes there.
pub const RUNS: &str = "_repr";
/// The log of a run, in its directory.
pub const LOG: &str = "log.jsonl";
/// Its results, in its directory.
pub const RESULTS: &str = "results.json";
/// Results of all baselines.
pub const BASELINES: &str = "baselines/results";
/// Who plays a task that the official registry does not have.
const CREW: &str = "scripted";

/// A baseline that was played.
#[derive(Clone, Debug, PartialEq)]
pub struct Played {
    /// The task.
    pub task: String,
    /// Its baseline, as the pack names it.
    pub baseline: String,
    /// Its results, below the pack.
    pub file: String,
    /// Who played it, as the results say.
    pub agent_baseline_id: String,
    /// Episodes [count].
    pub episodes: u64,
    /// Results released in an episode.
    pub throughput_mean: f64,
    /// What it was held to [results an episode].
    pub floor: f64,
}

impl Played {
    /// It as in manifests.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({
            "task": self.task, "baseline": self.baseline, "file": self.file, "agent_baseline_id": self.agent_baseline_id,
            "episodes": self.episodes, "throughput_mean": self.throughput_mean, "floor": self.floor,
        })
    }
}

/// What baselines are played for.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// The pack.
    pub pack: &'a PackPolicy,
    /// Episodes of each [count].
    pub episodes: u64,
    /// Seed of the first; the others count up from it.
    pub seed: u64,
    /// Where the files go.
    pub out: &'a Path,
}

/// Plays every task.
///
/// # Errors
/// [`PackError::NotGood`] naming the baselines that released less than their floor or were played by others than the pack
/// names; otherwise [`PackError`] for what could not be played.
pub fn play(ground: &Ground<'_>, asked: &Asked<'_>) -> Result<Vec<Played>, PackError> {
    let official = official::registry()?;
    let sized = asked.pack.sized(ground.policy)?;
    let tasks: Vec<&str> = asked.pack.tasks().collect();
    // One after the other, the short packs would leave all threads but one without work.
    let played: Vec<_> = tasks.into_par_iter().map(|task| one(ground, asked, &official, &sized, task)).collect();
    let played = played.into_iter().collect::<Result<Vec<_>, _>>()?;
    let low = |one: &&Played| one.throughput_mean < one.floor;
    let low: Vec<String> = played
        .iter()
        .filter(low)
        .map(|one| {
            format!("{} released {:.3} an episode, and its floor is {}", one.task, one.throughput_mean, one.floor)
        })
        .collect();
    if !low.is_empty() {
        return Err(PackError::NotGood(low.join("; ")));
    }
    let check = validate_results(&[asked.out.join(BASELINES)])?;
    match check.findings.first() {
        Some(first) => {
            let name = first.file.file_name().unwrap_or_default().to_string_lossy();
            Err(PackError::NotGood(format!("{name} {}: {}", first.pointer, first.message)))
        }
        None => Ok(played),
    }
}

fn one(
    ground: &Ground<'_>,
    asked: &Asked<'_>,
    official: &OfficialRegistry,
    sized: &PolicyStore,
    task: &str,
) -> Result<Played, PackError> {
    let baseline = &asked.pack.baselines[task];
    let directed = asked.pack.tasks.coordination.iter().any(|one| one == task);
    let takes_injections = ground.registry.task(task)?.accepts_injections();
    let injection = if directed && takes_injections { asked.pack.injection() } else { NONE };
    let beside = Beside { coordination: directed, truth: injection != NONE, ..Beside::default() };
    let (outcome, bytes) = recorded(&asked.out.join(RUNS).join(task), beside, |logs| match directed {
        true => direct(ground, asked, sized, task, injection, logs),
        false => crew(ground, asked, official, task, logs),
    })?;
    let file = format!("{BASELINES}/{task}_{}.json", unversioned(baseline));
    write_whole(&asked.out.join(&file), &bytes)?;
    let agent_baseline_id = outcome.results.agent_baseline_id.clone();
    if !directed && agent_baseline_id != *baseline {
        let told = format!("the pack names {baseline} for {task}, which was played by {agent_baseline_id}");
        return Err(PackError::NotGood(told));
    }
    // A partner's laboratory may be slower, and few episodes are no mean: then something has to be released.
    let strict = asked.episodes >= FEW && ground.policy.partner().is_none();
    let floor = asked.pack.floor(task, official).filter(|_| strict).unwrap_or(f64::MIN_POSITIVE);
    Ok(Played {
        task: task.to_owned(),
        baseline: baseline.clone(),
        file,
        agent_baseline_id,
        episodes: asked.episodes,
        throughput_mean: outcome.throughput_mean(),
        floor,
    })
}

/// Plays a task and puts it on record in `dir`: log, what stands beside it, results, and what seals them. The results, and
/// their bytes.
pub(crate) fn recorded(
    dir: &Path,
    beside: Beside,
    play: impl FnOnce(RunLogs<'_>) -> Result<RunOutcome, PackError>,
) -> Result<(RunOutcome, Vec<u8>), PackError> {
    let mut files = LogFiles::create(&dir.join(LOG), &dir.join(RESULTS), beside)?;
    let outcome = play(RunLogs::Files(&mut files))?;
    let mut outputs: serde_json::Map<String, Value> =
        files.persist()?.into_iter().map(|(name, digest)| (name, digest.into())).collect();
    let bytes = results_bytes(&outcome.results)?;
    outputs.insert(RESULTS.to_owned(), write_whole(&dir.join(RESULTS), &bytes)?.into());
    // What seals the log; neither threads nor times, so that two packs are the same bytes.
    let manifest = json!({ "program_version": env!("CARGO_PKG_VERSION"), "outputs": outputs });
    write_whole(&dir.join(MANIFEST_NAME), &pretty(&manifest))?;
    Ok((outcome, bytes))
}

/// A task by its own crew.
fn crew(
    ground: &Ground<'_>,
    asked: &Asked<'_>,
    official: &OfficialRegistry,
    task: &str,
    logs: RunLogs<'_>,
) -> Result<RunOutcome, PackError> {
    let entry = official.official_tasks.iter().find(|entry| entry.task == task);
    let agents = entry.map_or(CREW, |entry| entry.agents.as_str());
    let (episodes, seed) = (asked.episodes, asked.seed);
    Crew { task, agents, episodes, seed, timing: ClockMode::Explicit, strict_signatures: false }.play(ground, logs)
}

/// A task by a coordination method, at the smallest size of the pack.
fn direct(
    ground: &Ground<'_>,
    asked: &Asked<'_>,
    sized: &PolicyStore,
    task: &str,
    injection: &str,
    logs: RunLogs<'_>,
) -> Result<RunOutcome, PackError> {
    let lab = ground.lab(ground.registry.task(task)?)?;
    let cells = Cells::of_task(task, ground.registry, sized, lab, ground.git_sha.map(str::to_owned))?;
    let sizes = asked.pack.sizes();
    let method = unversioned(&asked.pack.baselines[task]);
    let cell = CellId { scale: sizes.first().map_or("", |(id, _)| id), method, injection };
    let play = Play { cell, seed: asked.seed, episodes: asked.episodes, without: &[], clean: None };
    Ok(cells.play(&play, logs)?)
}
