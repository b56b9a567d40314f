//! Every task of the official registry as it is named there, with tables and what must not change.
//!
//! `generate-official-baselines` is this and nothing else; a release of a paper has it as one of its parts.

use crate::{Ground, PackError};
use labtrust_bench::files::write_whole;
use labtrust_bench::official::{self, OfficialTask};
use labtrust_bench::results::results_bytes;
use labtrust_bench::summary::{UncertaintyMapping, summarise_results};
use labtrust_bench::{BenchmarkRun, Cast, RunLogs, RunOutcome};
use labtrust_kernel::ClockMode;
use serde_json::{Value, json};
use std::path::Path;

/// What must not change, and the mark of a directory that may be replaced.
pub const GUARDED: &str = "guarded.json";
/// Results of all baselines.
pub const RESULTS: &str = "results";
/// Episodes below which a mean says no more than whether something was released [count].
pub const FEW: u64 = 20;

/// A task and who plays it.
#[derive(Clone, Copy)]
pub(crate) struct Crew<'a> {
    pub(crate) task: &'a str,
    /// A set of agents.
    pub(crate) agents: &'a str,
    /// [count]
    pub(crate) episodes: u64,
    /// Of the first episode; the others count up from it.
    pub(crate) seed: u64,
    pub(crate) timing: ClockMode,
    pub(crate) strict_signatures: bool,
}

impl Crew<'_> {
    /// Plays the task.
    pub(crate) fn play(&self, ground: &Ground<'_>, logs: RunLogs<'_>) -> Result<RunOutcome, PackError> {
        let task = ground.registry.task(self.task)?;
        let metrics = ground.registry.metrics();
        let run = BenchmarkRun {
            task,
            lab: ground.lab(task)?,
            policy: ground.policy,
            episodes: self.episodes,
            base_seed: self.seed,
            timing: Some(self.timing),
            max_steps: None,
            strict_signatures: self.strict_signatures,
            threads: None,
            metrics: &metrics,
            scale: None,
            cast: Cast { agents: Some(ground.registry.agent_set(self.agents)?), ..Cast::default() },
            git_sha: ground.git_sha.map(str::to_owned),
        };
        Ok(run.run(logs, &|| ())?)
    }
}

/// What baselines are played for.
pub struct Asked<'a> {
    /// Episodes of each [count].
    pub episodes: u64,
    /// Of the first episode; the others count up from it.
    pub seed: u64,
    /// Who moves time.
    pub timing: ClockMode,
    /// Whether every action has to be signed.
    pub strict_signatures: bool,
    /// Is told of every task when it was played, with the line that it is compared with.
    pub told: &'a dyn Fn(&Registered, &str),
}

/// A task that was played.
#[derive(Clone, Debug, PartialEq)]
pub struct Registered {
    /// The task.
    pub task: String,
    /// Who played it.
    pub baseline_id: String,
    /// Results released in an episode.
    pub throughput_mean: f64,
    /// The same by the agents that everybody is compared with.
    pub reference_throughput_mean: f64,
    /// Least mean that the registry asks for in this timing [results an episode].
    pub floor: f64,
}

impl Registered {
    /// It as in answers of commands.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({
            "task": self.task, "baseline_id": self.baseline_id, "throughput_mean": self.throughput_mean,
            "reference_throughput_mean": self.reference_throughput_mean,
        })
    }
}

/// What was played.
#[derive(Clone, Debug)]
pub struct Baselines {
    /// The tasks, in the order of the registry.
    pub rows: Vec<Registered>,
    /// The set of agents that each is compared with.
    pub reference_agents: String,
}

/// Plays every task of the registry into `out`.
///
/// # Errors
/// [`PackError::NotGood`] where a task is played by others than the registry names, or releases less than its floor; otherwise
/// [`PackError`] for what cannot be played or written.
pub fn write(ground: &Ground<'_>, asked: &Asked<'_>, out: &Path) -> Result<Baselines, PackError> {
    let official = official::registry()?;
    let kinds = UncertaintyMapping::load(ground.policy)?;
    let mut guarded = Vec::new();
    let mut rows = Vec::new();
    for entry in &official.official_tasks {
        let Asked { episodes, seed, timing, strict_signatures, .. } = *asked;
        let crew = |agents| Crew { task: &entry.task, agents, episodes, seed, timing, strict_signatures };
        let outcome = crew(entry.agents.as_str()).play(ground, RunLogs::None)?;
        let floor = check(entry, asked, &outcome)?;
        let short = entry.baseline_id.strip_suffix("_v1").unwrap_or(&entry.baseline_id);
        let file = |who: &str| out.join(RESULTS).join(format!("{}_{who}.json", entry.task));
        write_whole(&file(short), &results_bytes(&outcome.results)?)?;
        guarded.push(official::guarded(&outcome.results));
        let reference = crew(&official.reference_agents).play(ground, RunLogs::None)?;
        write_whole(&file(&official.reference_agents), &results_bytes(&reference.results)?)?;
        let row = Registered {
            task: entry.task.clone(),
            baseline_id: entry.baseline_id.clone(),
            throughput_mean: outcome.throughput_mean(),
            reference_throughput_mean: reference.throughput_mean(),
            floor,
        };
        (asked.told)(&row, &official.reference_agents);
        rows.push(row);
    }
    for (name, text) in summarise_results(&[out.join(RESULTS)], "summary", &[], &kinds)?.files {
        write_whole(&out.join(name), text.as_bytes())?;
    }
    write_whole(&out.join(GUARDED), &lines(&guarded))?;
    let metadata = json!({
        "registry_version": official.version,
        "program_version": env!("CARGO_PKG_VERSION"),
        "episodes": asked.episodes,
        "base_seed": asked.seed,
        "timing_mode": asked.timing.as_str(),
        "partner_id": ground.policy.partner(),
        "policy_fingerprint": ground.policy.policy_fingerprint()?,
        "reference_agents": official.reference_agents,
        "tasks": official.official_tasks.iter().map(|entry| &entry.task).collect::<Vec<_>>(),
    });
    write_whole(&out.join("metadata.json"), format!("{metadata:#}\n").as_bytes())?;
    Ok(Baselines { rows, reference_agents: official.reference_agents })
}

/// Holds a run to its entry; the floor that it was held to. A partner's laboratory may be slower: its floor is that something
/// is released.
fn check(entry: &OfficialTask, asked: &Asked<'_>, outcome: &RunOutcome) -> Result<f64, PackError> {
    let (task, found) = (&entry.task, &outcome.results.agent_baseline_id);
    if *found != entry.baseline_id {
        let expected = &entry.baseline_id;
        return Err(PackError::NotGood(format!(
            "the registry names {expected} for {task}, which is played by {found}"
        )));
    }
    let mean = outcome.throughput_mean();
    // Few episodes are no mean: one specimen may be all there is.
    let few = outcome.results.partner_id.is_some() || asked.episodes < FEW;
    let floor = match asked.timing {
        _ if few => f64::MIN_POSITIVE,
        ClockMode::Explicit => entry.least_throughput_mean.explicit,
        ClockMode::Simulated => entry.least_throughput_mean.simulated,
    };
    if mean < floor {
        let told = format!("{task} released {mean:.3} an episode, the registry asks for {floor} at least");
        return Err(PackError::NotGood(told));
    }
    Ok(floor)
}

/// A list with an entry's episodes on a line each: small, and readable in a comparison of versions.
fn lines(guarded: &[Value]) -> Vec<u8> {
    let entry = |entry: &Value| {
        let mut head = entry.clone();
        let episodes = head.as_object_mut().and_then(|map| map.remove("episodes")).unwrap_or_default();
        let episodes: Vec<String> = episodes.as_array().into_iter().flatten().map(Value::to_string).collect();
        let head = head.to_string();
        let head = head.strip_suffix('}').unwrap_or(&head);
        format!("{head},\"episodes\":[\n{}\n]}}", episodes.join(",\n"))
    };
    let entries: Vec<String> = guarded.iter().map(entry).collect();
    format!("[\n{}\n]\n", entries.join(",\n")).into_bytes()
}
