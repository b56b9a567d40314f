//! `generate-official-baselines`: every task of the registry as it is named there, with tables and what must not change.

use super::Timing;
use crate::Global;
use crate::answer::{Answer, FormatOption};
use crate::command::{CliCommand, Example, Json, Refusal, Spec, output};
use crate::error::CliError;
use crate::session::{self, Session};
use crate::talk::Talk;
use crate::version;
use labtrust_bench::official::{self, OfficialTask};
use labtrust_bench::results::results_bytes;
use labtrust_bench::summary::{UncertaintyMapping, summarise_results};
use labtrust_bench::{BenchmarkRun, Building, Cast, RunLogs, RunOutcome};
use labtrust_plugin::Registry;
use serde_json::{Value, json};
use std::path::PathBuf;

/// What must not change, and the mark of a directory that this command wrote.
const GUARDED_NAME: &str = "guarded.json";

/// Run every official task and write results, tables and guarded figures to a new directory
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Directory to write, whole or not at all
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Episodes of each task
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..))]
    episodes: u64,
    /// Seed of the first episode; the others count up from it
    #[arg(long, value_name = "SEED", default_value_t = 123)]
    seed: u64,
    /// Who moves time
    #[arg(long, value_name = "MODE", default_value = "explicit")]
    timing: Timing,
    /// Partner overlay of the policy (or the one that LABTRUST_PARTNER names)
    #[arg(long, value_name = "ID")]
    partner: Option<String>,
    /// Replace the directory if it exists
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    format: FormatOption,
}

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "generate-official-baselines",
        notes: "Every task of the [official registry](benchmark_card.md), by its crew and by `random_legal`.",
        writes: &[output("--out/", "results/, tables (summary*), guarded.json, metadata.json; whole or not at all")],
        fails: "a task is played by other agents than the registry names, or releases less than its floor; --out exists",
        json: Json::product(&[
            ("episodes", "of each task [count]"),
            ("base_seed", "of the first episode"),
            ("timing_mode", "who moved time"),
            ("reference_agents", "the line to compare with"),
            (
                "tasks",
                "for every task its id (`task`), `baseline_id`, `throughput_mean` and `reference_throughput_mean`",
            ),
        ]),
        examples: &[
            Example::shown("--out baselines --episodes 200"),
            Example::tried("--out baselines --episodes 1").leaves(&["baselines/metadata.json", "baselines/summary.md"]),
        ],
        refusals: &[Refusal::new("--out baselines --episodes 1", 1, "exists").needs(&["baselines"])],
        ..Spec::NEW
    };

    fn run(&self, global: &Global, talk: Talk) -> Result<(), CliError> {
        run(self, global, talk)
    }
}

/// Why baselines were not made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BaselineError {
    #[error("the registry names {expected} for {task}, which is played by {found}")]
    OtherBaseline { task: String, expected: String, found: String },
    #[error("{task} released {mean:.3} an episode, the registry asks for {floor} at least")]
    BelowFloor { task: String, mean: f64, floor: f64 },
    #[error("{} exists already; --force replaces it", path.display())]
    Exists { path: PathBuf },
    #[error("{} holds something else than baselines and is not replaced", path.display())]
    NotBaselines { path: PathBuf },
}

/// Runs the command.
///
/// # Errors
/// [`BaselineError`], and whatever keeps a task from running or a file from being written.
fn run(options: &Options, global: &Global, talk: Talk) -> Result<(), CliError> {
    if options.out.as_os_str().is_empty() {
        return Err(CliError::Empty { option: "--out" });
    }
    if options.out.exists() && !options.force {
        return Err(BaselineError::Exists { path: options.out.clone() }.into());
    }
    if options.out.exists() && !options.out.join(GUARDED_NAME).is_file() {
        return Err(BaselineError::NotBaselines { path: options.out.clone() }.into());
    }
    let registry = labtrust_builtin::registry()?;
    let official = official::registry()?;
    let session = Session::open(global, session::partner(options.partner.as_deref()).as_deref())?;
    let kinds = UncertaintyMapping::load(&session.policy)?;
    let building = Building::new(&options.out)?;
    let mut guarded = Vec::new();
    let mut rows = Vec::new();
    for entry in &official.official_tasks {
        let outcome = play(options, &registry, &session, &entry.task, &entry.agents)?;
        check(entry, options, &outcome)?;
        let short = entry.baseline_id.strip_suffix("_v1").unwrap_or(&entry.baseline_id);
        building.write(&format!("results/{}_{short}.json", entry.task), &results_bytes(&outcome.results)?)?;
        guarded.push(official::guarded(&outcome.results));
        let reference = play(options, &registry, &session, &entry.task, &official.reference_agents)?;
        let name = format!("results/{}_{}.json", entry.task, official.reference_agents);
        building.write(&name, &results_bytes(&reference.results)?)?;
        rows.push(json!({
            "task": entry.task, "baseline_id": entry.baseline_id, "throughput_mean": outcome.throughput_mean(),
            "reference_throughput_mean": reference.throughput_mean(),
        }));
        talk.say(&format!(
            "{}: {:.2} an episode, {:.2} by {}",
            entry.task,
            outcome.throughput_mean(),
            reference.throughput_mean(),
            official.reference_agents
        ));
    }
    let summary = summarise_results(&[building.path().join("results")], "summary", &[], &kinds)?;
    for (name, text) in summary.files {
        building.write(&name, text.as_bytes())?;
    }
    building.write(GUARDED_NAME, &lines(&guarded))?;
    let metadata = json!({
        "registry_version": official.version,
        "program_version": env!("CARGO_PKG_VERSION"),
        "episodes": options.episodes,
        "base_seed": options.seed,
        "timing_mode": labtrust_kernel::ClockMode::from(options.timing).as_str(),
        "partner_id": session.policy.partner(),
        "policy_fingerprint": session.policy.policy_fingerprint()?,
        "reference_agents": official.reference_agents,
        "tasks": official.official_tasks.iter().map(|entry| &entry.task).collect::<Vec<_>>(),
    });
    building.write("metadata.json", format!("{metadata:#}\n").as_bytes())?;
    building.finish(&options.out)?;
    let mut answer = Answer::new(options.format, talk);
    answer.wrote(&options.out);
    answer.figures(json!({
        "episodes": options.episodes, "base_seed": options.seed, "timing_mode": metadata["timing_mode"],
        "reference_agents": official.reference_agents, "tasks": rows,
    }));
    answer.finish::<Options>(true, "")
}

fn play(
    options: &Options,
    registry: &Registry,
    session: &Session,
    task: &str,
    agents: &str,
) -> Result<RunOutcome, CliError> {
    let task = registry.task(task)?;
    let metrics = registry.metrics();
    let bench = BenchmarkRun {
        task,
        lab: session.load_lab(registry, task)?,
        policy: &session.policy,
        episodes: options.episodes,
        base_seed: options.seed,
        timing: Some(options.timing.into()),
        max_steps: None,
        strict_signatures: session::strict_signatures(),
        threads: None,
        metrics: &metrics,
        scale: None,
        cast: Cast { agents: Some(registry.agent_set(agents)?), ..Cast::default() },
        git_sha: version::GIT_SHA.map(str::to_owned),
    };
    Ok(bench.run(RunLogs::None, &|| ())?)
}

/// Holds a run to its entry. A partner's laboratory may be slower: its floor is that something is released.
fn check(entry: &OfficialTask, options: &Options, outcome: &RunOutcome) -> Result<(), BaselineError> {
    let (task, found) = (entry.task.clone(), &outcome.results.agent_baseline_id);
    if *found != entry.baseline_id {
        return Err(BaselineError::OtherBaseline { task, expected: entry.baseline_id.clone(), found: found.clone() });
    }
    let mean = outcome.throughput_mean();
    // Few episodes are no mean: one specimen may be all there is.
    let floor = match (outcome.results.partner_id.is_some() || options.episodes < 20, options.timing) {
        (true, _) => f64::MIN_POSITIVE,
        (false, Timing::Explicit) => entry.least_throughput_mean.explicit,
        (false, Timing::Simulated) => entry.least_throughput_mean.simulated,
    };
    if mean < floor { Err(BaselineError::BelowFloor { task, mean, floor }) } else { Ok(()) }
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
