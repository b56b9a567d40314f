//! `run-benchmark`: the episodes of one task, and a results file.

use super::{Timing, manifest, not_yet};
use crate::error::CliError;
use crate::session::{self, Session};
use crate::talk::Talk;
use crate::{Global, version};
use labtrust_bench::files::{self, AtomicFile, refuse_same_file};
use labtrust_bench::log::LogFiles;
use labtrust_bench::results::{MANIFEST_NAME, results_bytes};
use labtrust_bench::{BenchmarkRun, Cast, RunLogs};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

/// Run the episodes of a task and write a results file
#[derive(Debug, clap::Args)]
#[command(
    before_help = "Example:\n  labtrust run-benchmark --task throughput_sla --episodes 20 --seed 123 --out results.json --log log.jsonl"
)]
pub(crate) struct Options {
    /// Task to run (`labtrust plugins list` shows them)
    #[arg(long, value_name = "ID", required_unless_present = "preset")]
    task: Option<String>,
    /// Episodes to run
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    episodes: u64,
    /// Seed of the first episode; the others count up from it
    #[arg(long, value_name = "SEED", default_value_t = 123)]
    seed: u64,
    /// Results file; run_manifest.json is written beside it
    #[arg(long, value_name = "FILE", default_value = "results.json")]
    out: PathBuf,
    /// Episode log, a JSON line for every step; episodes.jsonl is written beside it
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// Who moves time; the task decides where this is not given
    #[arg(long, value_name = "MODE")]
    timing: Option<Timing>,
    /// Partner overlay of the policy (or the one that LABTRUST_PARTNER names)
    #[arg(long, value_name = "ID")]
    partner: Option<String>,
    /// Steps of an episode instead of the task's own number
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    max_steps: Option<u32>,
    /// Size of a task that has several: an id of the policy's scale configurations
    #[arg(long, value_name = "ID")]
    scale: Option<String>,
    /// Who acts: `scripted` (the task's own), `random_legal`, `null`; attackers stay
    #[arg(long, value_name = "SET", default_value = "scripted")]
    agents: String,
    /// Disturbance of a task that takes one (`labtrust plugins list` shows them)
    #[arg(long, value_name = "ID")]
    injection: Option<String>,
    /// Threads to use; the results do not depend on it
    #[arg(long, value_name = "N", value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=4096))]
    threads: Option<usize>,
    /// What decides: only `deterministic` is available
    #[arg(long, value_name = "MODE", value_parser = ["deterministic", "llm_offline", "llm_live"])]
    pipeline_mode: Option<String>,
    #[command(flatten)]
    not_yet: not_yet::NotYet,
}

/// Runs the command.
pub(crate) fn run(options: &Options, global: &Global, talk: Talk) -> Result<(), CliError> {
    options.not_yet.refuse()?;
    not_yet::refuse_pipeline(options.pipeline_mode.as_deref())?;
    not_yet::refuse_preset(global.profile.as_deref())?;
    if options.out.as_os_str().is_empty() {
        return Err(CliError::Empty { option: "--out" });
    }
    let registry = labtrust_builtin::registry()?;
    let task = registry.task(options.task.as_deref().unwrap_or_default())?;
    let cast = Cast {
        agents: Some(registry.agent_set(&options.agents)?),
        injection: options.injection.as_deref().map(|id| registry.injection(id)).transpose()?,
    };

    // Outputs are opened before the first episode: what cannot be written is found out now.
    let manifest_path = options.out.with_file_name(MANIFEST_NAME);
    let mut outputs = vec![("the results", options.out.as_path()), ("the run manifest", manifest_path.as_path())];
    outputs.extend(options.log.as_deref().map(|log| ("the episode log", log)));
    refuse_same_file(&outputs)?;
    let mut out = AtomicFile::create(&options.out)?;
    let mut logs = options.log.as_deref().map(|log| LogFiles::create(log, &options.out)).transpose()?;

    let session = Session::open(global, session::partner(options.partner.as_deref()).as_deref())?;
    let lab = session.load_lab(&registry, task)?;
    let metrics = registry.metrics();
    let bench = BenchmarkRun {
        task,
        lab,
        policy: &session.policy,
        episodes: options.episodes,
        base_seed: options.seed,
        timing: options.timing.map(Into::into),
        max_steps: options.max_steps,
        strict_signatures: session::strict_signatures(),
        threads: options.threads,
        metrics: &metrics,
        scale: options.scale.as_deref(),
        cast,
        git_sha: version::GIT_SHA.map(str::to_owned),
    };
    talk.detail(&format!("policy: {}; timing: {}", session.policy.source(), bench.timing()?));
    let bar = talk.progress(options.episodes, task.id());
    let begun = Instant::now();
    let run_logs = logs.as_mut().map_or(RunLogs::None, RunLogs::Files);
    let outcome = bench.run(run_logs, &|| bar.inc(1));
    let wall = begun.elapsed();
    // Before anything else is said, an error too.
    bar.finish_and_clear();
    let outcome = outcome?;

    let mut written = BTreeMap::new();
    out.write(&results_bytes(&outcome.results)?)?;
    if let Some(logs) = logs {
        written.extend(logs.persist()?);
    }
    let name = options.out.file_name().map(|name| name.to_string_lossy().into_owned());
    written.insert(name.unwrap_or_default(), out.persist()?);
    files::write_whole(&manifest_path, &manifest::bytes(outcome.threads, options.episodes, wall, written))?;

    talk.wrote(&options.out);
    if let Some(log) = &options.log {
        talk.wrote(log);
    }
    for warning in &outcome.results.warnings {
        talk.say(&format!("warning: {warning}"));
    }
    talk.say(&format!(
        "Episodes: {}, mean throughput: {:.2}",
        outcome.results.episodes.len(),
        outcome.throughput_mean()
    ));
    let dir = options
        .out
        .parent()
        .filter(|dir| !dir.as_os_str().is_empty())
        .map_or(".".into(), |dir| dir.display().to_string());
    talk.say(&format!("Next: labtrust run-summary --run {dir}"));
    Ok(())
}
