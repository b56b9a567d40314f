//! `run-benchmark`: the episodes of one task, and a results file.

use super::common_options::ThreadsOption;
use super::method_options::{AgentParams, ChosenMethod, MethodOptions};
use super::not_yet;
use super::run_options::{LogFormat, Made, RunOptions, SUMMARY};
use super::step_timing::TimedLab;
use crate::command::{CliCommand, Example, Json, Refusal, Spec, output};
use crate::error::CliError;
use crate::talk::Talk;
use crate::{Global, version};
use crate::{plugin_files, session};
use labtrust_bench::checkpoint::{CheckpointOptions, CheckpointedLogs};
use labtrust_bench::files::AtomicFile;
use labtrust_bench::log::{Beside, COORDINATION_FILES, GROUND_TRUTH, LogFiles};
use labtrust_bench::{BenchmarkRun, Cast, RunLogs};
use labtrust_plugin::Task;
use labtrust_redteam::catalogue;
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
    #[command(flatten)]
    run: RunOptions,
    /// Version of the results format: 0.3 has the same fields, some of which 0.2 does not name
    #[arg(long, value_name = "VERSION", default_value = "0.2", value_parser = ["0.2", "0.3"])]
    results_version: String,
    /// Steps of an episode instead of the task's own number
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    max_steps: Option<u32>,
    /// Size of a task that has several: an id of the policy's scale configurations
    #[arg(long, value_name = "ID")]
    scale: Option<String>,
    /// Who acts: `scripted` (the task's own), `random_legal`, `null`, or an agent policy; attackers stay
    #[arg(long, value_name = "SET", default_value = "scripted")]
    agents: String,
    #[command(flatten)]
    agent_params: AgentParams,
    #[command(flatten)]
    method: MethodOptions,
    /// Disturbance of a task that takes one (`labtrust plugins list` shows them)
    #[arg(long, value_name = "ID")]
    injection: Option<String>,
    #[command(flatten)]
    threads: ThreadsOption,
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
    /// Whether a coordination method's decisions are written down beside the log
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    coord_telemetry: Telemetry,
    /// Time every step; the figures go to run_manifest.json, the results stay as they are
    #[arg(long)]
    always_step_timing: bool,
    #[command(flatten)]
    not_yet: not_yet::NotYet,
}

/// When it is written down how decisions came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Telemetry {
    /// With a coordination method and a log.
    Auto,
    /// Never.
    Off,
}

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "run-benchmark",
        notes: "What a task is about, and who acts unless `--agents` names others: [tasks](tasks.md). `--ablate` does without a [control](controls.md); `--approval-hook` says who answers when somebody asks for an [approval](tasks.md#approvals). How to go on with a run that was interrupted is told [above](#runs-that-are-interrupted).",
        writes: &[
            output("--out", "results"),
            output("run_manifest.json", "beside --out: the machine, the time it took, SHA-256 of the other files"),
            output("--log", "with --log: the episode log"),
            output("episodes.jsonl", "beside the log: a line for every episode"),
            output(
                "steps.jsonl",
                "beside the log, with --log-step-interval: refusals and violations of every N-th step",
            ),
            output(
                "coord_decisions.jsonl",
                "beside the log, with --coord-method: what each step of each episode does, a line a step",
            ),
            output("METHOD_TRACE.jsonl", "the same as digests, to see where two runs part"),
            output("coord_events.jsonl", "the parts of each decision as digests, and what the method wants on record"),
            output("ground_truth.jsonl", "beside the log, with --injection: what the injection really did"),
            output("checkpoint.json", "beside the log, with --checkpoint-every: where to go on"),
        ],
        json: Json::product(SUMMARY),
        fails: "an unknown task, scale, agent set, method or injection; a method that failed in every episode; a checkpoint of another run; an option whose feature does not exist yet",
        usage: "two outputs with one name, an unknown control, checkpoints of a log in columns",
        examples: &[
            Example::new("--task throughput_sla --episodes 20 --seed 123 --out results.json --log log.jsonl")
                .leaves(&["results.json", "run_manifest.json", "log.jsonl", "episodes.jsonl"]),
            Example::new("--task qc_cascade --log log.parquet --log-format parquet")
                .leaves(&["log.parquet", "episodes.jsonl"]),
            Example::new("--task qc_cascade --log log.framed --log-format framed")
                .leaves(&["log.framed", "episodes.jsonl"]),
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
        let framed = self.run.log_format == LogFormat::Framed;
        let options = CheckpointOptions { every, resume_from: self.resume_from.clone(), beside: self.beside(), framed };
        (every.is_some() || self.resume_from.is_some()).then_some(options)
    }

    /// What is written beside the log.
    fn beside(&self) -> Beside {
        Beside {
            step_interval: self.log_step_interval.and_then(NonZeroU32::new),
            coordination: self.coord_telemetry == Telemetry::Auto && self.method.is_chosen(),
            truth: self.disturbed(),
        }
    }

    /// Whether something disturbs the episodes.
    fn disturbed(&self) -> bool {
        self.injection.as_deref().is_some_and(|id| id != "none" && !catalogue::is_reserved(id))
    }

    /// Files to tell of besides results and log.
    fn also_written(&self) -> Vec<PathBuf> {
        let Some(log) = &self.run.log else { return Vec::new() };
        let Beside { step_interval, coordination, truth } = self.beside();
        let steps = step_interval.map(|_| "steps.jsonl").into_iter();
        let truth = truth.then_some(GROUND_TRUTH);
        let names = steps.chain(COORDINATION_FILES.into_iter().filter(|_| coordination)).chain(truth);
        names.map(|name| log.with_file_name(name)).collect()
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
        let Some(log) = &options.run.log else { return Ok(Self::None) };
        let checkpoints = options.checkpoints();
        Ok(match checkpoints {
            Some(_) if options.run.log_format == LogFormat::Parquet => return Err(CliError::ParquetCheckpoints),
            Some(checkpoints) => Self::Checkpointed(CheckpointedLogs::new(log, &options.run.out, checkpoints)?),
            None => Self::Plain(options.run.log_format.create(log, &options.run.out, options.beside())?),
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
    not_yet::refuse_preset(global.profile.as_deref())?;
    options.run.check()?;
    let registry = plugin_files::registry(global)?;
    let plain = registry.task(options.task.as_deref().unwrap_or_default())?;
    let ablation = options.run.ablated(plain);
    let task: &dyn Task = &ablation;
    let session = options.run.session(global)?;
    if let Some(id) = options.injection.as_deref().filter(|id| catalogue::is_reserved(id)) {
        talk.say(&format!("warning: {id} is a reserved name without an actor: nothing is attacked in this run"));
    }
    let bus = options.disturbed().then(|| options.run.bus());
    let method = options.method.choose(&registry, &global.plugins, &session.policy, bus.as_deref())?;
    let team = options.agent_params.choose(&options.agents, &registry, &global.plugins)?;
    if method.is_some() && team.is_some() {
        return Err(CliError::TwoDirectors { id: options.agents.clone() });
    }
    let without = options.run.without();
    let cast = Cast {
        method: method.as_ref().or(team.as_ref()).map(ChosenMethod::direction),
        agents: team.is_none().then(|| registry.agent_set(&options.agents)).transpose()?,
        injection: options.injection.as_deref().map(|id| registry.injection(id)).transpose()?,
        approvals: options.run.approvals(),
        without: &without,
        clean: None,
    };

    // Outputs are opened before the first episode: what cannot be written is found out now.
    let mut logs = Logs::open(options)?;
    let out = match logs {
        Logs::Checkpointed(_) => AtomicFile::create_again(&options.run.out)?,
        _ => AtomicFile::create(&options.run.out)?,
    };

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
        base_seed: options.run.seed,
        timing: options.run.timing.map(Into::into),
        max_steps: options.max_steps,
        strict_signatures: session::strict_signatures(),
        threads: options.threads.threads,
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

    let again = matches!(logs, Logs::Checkpointed(_));
    let made = Made { step_timing: timed.map(|timed| timed.figures()), wall, again };
    let also = options.also_written();
    let also: Vec<_> = also.iter().map(PathBuf::as_path).collect();
    options.run.finish::<Options>(&outcome, out, || logs.persist(), made, &also, talk)?;
    let dir = options
        .run
        .out
        .parent()
        .filter(|dir| !dir.as_os_str().is_empty())
        .map_or(".".into(), |dir| dir.display().to_string());
    if outcome.cut_short == options.episodes {
        return Err(CliError::MethodFailed { episodes: options.episodes });
    }
    talk.say(&format!("Next: labtrust run-summary --run {dir}"));
    Ok(())
}
