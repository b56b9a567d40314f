//! `run-benchmark`: the episodes of one task, and a results file.

use super::step_timing::TimedLab;
use super::{Timing, manifest, not_yet};
use crate::command::{CliCommand, Example, Refusal, Spec, output};
use crate::error::CliError;
use crate::session::{self, Session};
use crate::talk::Talk;
use crate::{Global, version};
use labtrust_bench::checkpoint::{CheckpointOptions, CheckpointedLogs};
use labtrust_bench::files::{self, AtomicFile, refuse_same_file};
use labtrust_bench::log::LogFiles;
use labtrust_bench::results::{MANIFEST_NAME, results_bytes};
use labtrust_bench::{Ablation, BenchmarkRun, Cast, RunLogs};
use labtrust_plugin::Task;
use labtrust_plugin::lab::Control;
use std::collections::BTreeMap;
use std::num::{NonZeroU32, NonZeroU64};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

/// Run the episodes of a task and write a results file
#[derive(Debug, clap::Args)]
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
    /// Version of the results format: 0.3 has the same fields, some of which 0.2 does not name
    #[arg(long, value_name = "VERSION", default_value = "0.2", value_parser = ["0.2", "0.3"])]
    results_version: String,
    /// Episode log, a JSON line for every step; episodes.jsonl is written beside it
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// Form of the log: lines, or a Parquet file for tools that analyse tables
    #[arg(long, value_name = "FORMAT", default_value = "jsonl", requires = "log")]
    log_format: LogFormat,
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
    /// Control of the laboratory that the run does without, for an experiment (`labtrust controls list` shows them); may be
    /// given several times
    #[arg(long, value_name = "CONTROL")]
    ablate: Vec<Control>,
    /// Threads to use; the results do not depend on it
    #[arg(long, value_name = "N", value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=4096))]
    threads: Option<usize>,
    /// What decides: only `deterministic` is available
    #[arg(long, value_name = "MODE", value_parser = ["deterministic", "llm_offline", "llm_live"])]
    pipeline_mode: Option<String>,
    /// Write checkpoint.json beside the log after every N-th episode
    #[arg(long, value_name = "N", requires = "log")]
    checkpoint_every: Option<NonZeroU64>,
    /// Go on with the run whose checkpoint is in this directory; everything else must be asked for as it was
    #[arg(long, value_name = "DIR", requires = "log")]
    resume_from: Option<PathBuf>,
    /// Write a checkpoint at least after every episode; within one there are none
    #[arg(long, value_name = "N", requires = "log")]
    checkpoint_every_steps: Option<u64>,
    /// Write steps.jsonl beside the log: refusals and violations of every N-th step
    #[arg(long, value_name = "N", requires = "log")]
    log_step_interval: Option<u32>,
    /// Time every step; the figures go to run_manifest.json, the results stay as they are
    #[arg(long)]
    always_step_timing: bool,
    #[command(flatten)]
    not_yet: not_yet::NotYet,
}

/// How the log is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum LogFormat {
    /// A JSON line for every step.
    Jsonl,
    /// A row for every step, with the line in it.
    Parquet,
}

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "run-benchmark",
        notes: "Episodes of one [task](tasks.md), by the task's own crew or, with `--agents`, by others. `--ablate` does without a [control](controls.md). What a run that was interrupted needs is told [below](#runs-that-are-interrupted).",
        writes: &[
            output("--out", "results"),
            output("run_manifest.json", "beside --out: the machine, the time it took, SHA-256 of the other files"),
            output("--log", "with --log: the episode log"),
            output("episodes.jsonl", "beside the log: a line for every episode"),
            output(
                "steps.jsonl",
                "beside the log, with --log-step-interval: refusals and violations of every N-th step",
            ),
            output("checkpoint.json", "beside the log, with --checkpoint-every: where to go on"),
        ],
        fails: "an unknown task, scale, agent set or injection; a checkpoint of another run; an option whose feature does not exist yet",
        usage: "two outputs with one name, an unknown control, checkpoints of a log in columns",
        examples: &[
            Example::new("--task throughput_sla --episodes 20 --seed 123 --out results.json --log log.jsonl")
                .leaves(&["results.json", "run_manifest.json", "log.jsonl", "episodes.jsonl"]),
            Example::new("--task qc_cascade --log log.parquet --log-format parquet")
                .leaves(&["log.parquet", "episodes.jsonl"]),
        ],
        refusals: &[
            Refusal::new("--task throughput_slo", 1, "throughput_sla"),
            Refusal::new("--task throughput_sla --log results.json", 2, "the same file"),
            Refusal::new(
                "--task throughput_sla --log a.parquet --log-format parquet --checkpoint-every 2",
                2,
                "a Parquet log",
            ),
        ],
        ..Spec::NEW
    };

    fn run(&self, global: &Global, talk: Talk) -> Result<(), CliError> {
        run(self, global, talk)
    }
}

impl Options {
    /// How the run is checkpointed, if it is.
    fn checkpoints(&self) -> Option<CheckpointOptions> {
        // An episode takes milliseconds: one that was begun is run again rather than put down in the middle.
        let every_step = self.checkpoint_every_steps.filter(|steps| *steps > 0).map(|_| NonZeroU64::MIN);
        let every = every_step.or(self.checkpoint_every);
        let options =
            CheckpointOptions { every, resume_from: self.resume_from.clone(), step_interval: self.step_interval() };
        (every.is_some() || self.resume_from.is_some()).then_some(options)
    }

    fn step_interval(&self) -> Option<NonZeroU32> {
        self.log_step_interval.and_then(NonZeroU32::new)
    }
}

/// The files of a run's log, and whether it can be gone on with.
#[expect(clippy::large_enum_variant, reason = "there is one of it in a run")]
enum Logs {
    None,
    Plain(LogFiles),
    Checkpointed(CheckpointedLogs),
}

impl Logs {
    fn open(options: &Options) -> Result<Self, CliError> {
        let Some(log) = &options.log else { return Ok(Self::None) };
        let checkpoints = options.checkpoints();
        if options.log_format == LogFormat::Parquet {
            if checkpoints.is_some() {
                return Err(CliError::ParquetCheckpoints);
            }
            return Ok(Self::Plain(LogFiles::create_columnar(log, &options.out, options.step_interval())?));
        }
        Ok(match checkpoints {
            Some(checkpoints) => Self::Checkpointed(CheckpointedLogs::new(log, &options.out, checkpoints)?),
            None => Self::Plain(LogFiles::create(log, &options.out, options.step_interval())?),
        })
    }

    fn of_run(&mut self) -> RunLogs<'_> {
        match self {
            Self::None => RunLogs::None,
            Self::Plain(files) => RunLogs::Files(files),
            Self::Checkpointed(logs) => RunLogs::Checkpointed(logs),
        }
    }

    fn persist(self) -> Result<Vec<(String, String)>, CliError> {
        Ok(match self {
            Self::None => Vec::new(),
            Self::Plain(files) => files.persist()?,
            Self::Checkpointed(logs) => logs.persist()?,
        })
    }
}

/// Runs the command.
fn run(options: &Options, global: &Global, talk: Talk) -> Result<(), CliError> {
    options.not_yet.refuse()?;
    not_yet::refuse_pipeline(options.pipeline_mode.as_deref())?;
    not_yet::refuse_preset(global.profile.as_deref())?;
    if options.out.as_os_str().is_empty() {
        return Err(CliError::Empty { option: "--out" });
    }
    let registry = labtrust_builtin::registry()?;
    let plain = registry.task(options.task.as_deref().unwrap_or_default())?;
    let ablation = Ablation::new(plain, options.ablate.iter().copied().collect());
    let task: &dyn Task = &ablation;
    let cast = Cast {
        agents: Some(registry.agent_set(&options.agents)?),
        injection: options.injection.as_deref().map(|id| registry.injection(id)).transpose()?,
    };

    // Outputs are opened before the first episode: what cannot be written is found out now.
    let manifest_path = options.out.with_file_name(MANIFEST_NAME);
    let mut outputs = vec![("the results", options.out.as_path()), ("the run manifest", manifest_path.as_path())];
    outputs.extend(options.log.as_deref().map(|log| ("the episode log", log)));
    refuse_same_file(&outputs)?;
    let mut logs = Logs::open(options)?;
    let mut out = match logs {
        Logs::Checkpointed(_) => AtomicFile::create_again(&options.out)?,
        _ => AtomicFile::create(&options.out)?,
    };

    let session = Session::open(global, session::partner(options.partner.as_deref()).as_deref())?;
    let mut lab = session.load_lab(&registry, task)?;
    let timed = options.always_step_timing.then(|| Arc::new(TimedLab::new(Arc::clone(&lab))));
    if let Some(timed) = &timed {
        lab = timed.clone();
    }
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
    let outcome = bench.run(logs.of_run(), &|| bar.inc(1));
    let wall = begun.elapsed();
    // Before anything else is said, an error too.
    bar.finish_and_clear();
    let mut outcome = outcome?;
    outcome.results.schema_version.clone_from(&options.results_version);

    let mut written = BTreeMap::new();
    out.write(&results_bytes(&outcome.results)?)?;
    let resumable = matches!(logs, Logs::Checkpointed(_));
    written.extend(logs.persist()?);
    let name = options.out.file_name().map(|name| name.to_string_lossy().into_owned());
    written.insert(name.unwrap_or_default(), out.persist()?);
    let step_timing = timed.map(|timed| timed.figures());
    let manifest = manifest::bytes_with(outcome.threads, options.episodes, wall, written, step_timing);
    match resumable {
        true => files::write_whole_again(&manifest_path, &manifest)?,
        false => files::write_whole(&manifest_path, &manifest)?,
    };

    talk.wrote(&options.out);
    if let Some(log) = &options.log {
        talk.wrote(log);
        if options.step_interval().is_some() {
            talk.wrote(&log.with_file_name("steps.jsonl"));
        }
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
