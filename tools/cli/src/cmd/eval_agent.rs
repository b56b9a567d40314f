//! `eval-agent`: somebody else's agent in one seat of a task, the task's own crew in the others.

use super::method_options::{AgentParams, ChosenMethod};
use super::run_options::{Made, RunOptions, SUMMARY};
use crate::Global;
use crate::command::{CliCommand, Example, Json, Refusal, Spec, output};
use crate::error::CliError;
use crate::plugin_files::{self, PluginOptions};
use crate::python;
use crate::session;
use crate::talk::Talk;
use crate::version;
use labtrust_bench::agent_process::{AgentCommand, AgentProcess, AgentProcessError, Reset};
use labtrust_bench::files::AtomicFile;
use labtrust_bench::log::{Beside, LogFiles};
use labtrust_bench::{BenchmarkRun, Cast, RunLogs};
use labtrust_plugin::lab::AgentPolicy;
use labtrust_plugin::{AgentSet, Registry, RegistryError, Task, Vacancy};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Module of the Python package that speaks for an agent in Python.
const HOST: &str = "labtrust.agent_host";

/// Let an agent play one seat of a task and measure what comes of it
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Task to run (`labtrust plugins list` shows them)
    #[arg(long, value_name = "ID")]
    task: String,
    /// The agent: `exec:COMMAND` starts a process that speaks JSON lines, `module:Name` one for an agent in Python; anything
    /// else is an agent set, an agent policy, or an agent that a package of Python offers
    #[arg(long, value_name = "SPEC")]
    agent: String,
    /// The seat it takes; `all` for every seat but attackers'
    #[arg(long, value_name = "NAME", default_value = "ops_0")]
    seat: String,
    /// Episodes to run
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    episodes: u64,
    #[command(flatten)]
    agent_params: AgentParams,
    #[command(flatten)]
    run: RunOptions,
    /// How long a process may take for an answer [s]
    #[arg(long, value_name = "SECONDS", default_value_t = 5.0, value_parser = seconds)]
    timeout: f64,
    #[arg(long, hide = true)]
    allow_network: bool,
}

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "eval-agent",
        notes: "The task's crew sits in the other seats. `exec:COMMAND`, split as a shell would split it, starts a process that speaks JSON lines ([protocol](agent_protocol.md)); `module:Name` starts `python3 -m labtrust.agent_host module:Name`, with the interpreter of LABTRUST_PYTHON where that is set, which has to have the Python package. A name that is neither an agent set nor an agent policy is looked for among the entry points `labtrust.agents` of the interpreter that LABTRUST_PYTHON names ([Python](python.md#packages-that-bring-more)).",
        writes: &[
            output("--out", "results"),
            output("run_manifest.json", "beside --out, as of run-benchmark"),
            output("--log", "with --log: the episode log"),
            output("episodes.jsonl", "beside the log: a line for every episode"),
        ],
        json: Json::product(SUMMARY),
        fails: "an unknown task, seat or agent; a process that ends or does not speak the protocol",
        usage: "two outputs with one name, an unknown control",
        examples: &[
            Example::shown("--task throughput_sla --agent \"exec:python3 my_agent.py\" --out results.json"),
            Example::tried("--task throughput_sla --agent random_legal --seat all --out agent/results.json")
                .leaves(&["agent/results.json", "agent/run_manifest.json"]),
        ],
        refusals: &[
            Refusal::new("--task throughput_sla --agent nobody", 1, "random_legal"),
            Refusal::new("--task throughput_sla --agent scripted --timeout 0", 2, "--timeout"),
        ],
        ..Spec::NEW
    };

    fn run(&self, global: &Global, talk: Talk) -> Result<(), CliError> {
        run(self, global, talk)
    }
}

fn seconds(text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| "should be a number of seconds".to_owned())?;
    if value.is_finite() && value > 0.0 && value <= 86_400.0 {
        Ok(value)
    } else {
        Err("should be above 0, a day at most".to_owned())
    }
}

/// Why an agent could not be evaluated.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EvalError {
    #[error(transparent)]
    Process(#[from] AgentProcessError),
    #[error("task {task} has no seat {seat}; there are: [{}]", seats.join(", "))]
    NoSeat { task: String, seat: String, seats: Vec<String> },
    #[error("{unknown}; nor is it an agent that a package of Python offers: {python}")]
    NoAgent { unknown: RegistryError, python: Box<AgentProcessError> },
    #[error("exec: names no command")]
    NoCommand,
    #[error("exec: a quotation mark is not closed, or nothing follows a backslash")]
    Quotes,
}

/// Who takes the seat.
enum Player {
    Process(AgentProcess),
    Set(&'static dyn AgentSet),
    Policy(ChosenMethod),
}

/// The player in its seat; everybody else is the task's own.
struct Guest<'a> {
    player: Player,
    baseline_id: String,
    options: &'a Options,
    timing_mode: &'static str,
    partner_id: Option<&'a str>,
    horizon_s: i64,
    dt_s: u32,
    sat_down: AtomicBool,
}

impl AgentSet for Guest<'_> {
    fn id(&self) -> &'static str {
        "guest"
    }

    fn baseline_id(&self) -> Option<&str> {
        Some(&self.baseline_id)
    }

    fn policy(&self, vacancy: &Vacancy<'_>) -> Option<Box<dyn AgentPolicy>> {
        if self.options.seat != "all" && self.options.seat != vacancy.name {
            return None;
        }
        self.sat_down.store(true, Ordering::Relaxed);
        match &self.player {
            Player::Set(set) => set.policy(vacancy),
            // The seat keeps its own agent, which is not asked.
            Player::Policy(_) => None,
            Player::Process(process) => Some(process.policy(&Reset {
                task: &self.options.task,
                seed: vacancy.seed,
                seat: vacancy.name,
                agent_id: vacancy.agent_id,
                timing_mode: self.timing_mode,
                partner_id: self.partner_id,
                horizon_s: self.horizon_s,
                dt_s: self.dt_s,
            })),
        }
    }
}

impl Player {
    fn find(options: &Options, registry: &Registry, plugins: &PluginOptions) -> Result<Self, CliError> {
        let agent = &options.agent;
        let timeout = Duration::from_secs_f64(options.timeout);
        let start = |command| AgentProcess::start(&AgentCommand { command, timeout }).map(Self::Process);
        if let Some(command) = command_of(agent)? {
            options.agent_params.none_for(agent)?;
            return Ok(start(command).map_err(EvalError::Process)?);
        }
        // What is nothing of the program's own may be offered by a package of Python. It is asked only where somebody
        // says which Python, as the Python package does: a mistyped name starts no process elsewhere.
        if let (Err(unknown), Err(_), Some(python)) =
            (registry.agent_set(agent), registry.agent_policy(agent), python::named().filter(|_| !agent.contains(':')))
        {
            options.agent_params.none_for(agent)?;
            let nor_there = |python| EvalError::NoAgent { unknown, python: Box::new(python) };
            return Ok(start(host(python::module_of(python, HOST), agent)).map_err(nor_there)?);
        }
        Ok(match options.agent_params.choose(agent, registry, plugins)? {
            Some(policy) => Self::Policy(policy),
            None => Self::Set(registry.agent_set(agent)?),
        })
    }
}

/// What starts an agent that is a process of its own.
fn command_of(agent: &str) -> Result<Option<Vec<String>>, EvalError> {
    if let Some(command) = agent.strip_prefix("exec:") {
        let command = shlex::split(command).ok_or(EvalError::Quotes)?;
        return if command.is_empty() { Err(EvalError::NoCommand) } else { Ok(Some(command)) };
    }
    if !is_python(agent) {
        return Ok(None);
    }
    Ok(Some(host(python::module(HOST), agent)))
}

/// What starts an agent in Python.
fn host(mut command: Vec<String>, agent: &str) -> Vec<String> {
    command.push(agent.to_owned());
    command
}

/// Whether it is written as `module.path:Name`; no other agent is.
fn is_python(agent: &str) -> bool {
    let is_name = |text: &str| {
        text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && text.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
    };
    agent.split_once(':').is_some_and(|(module, name)| module.split('.').all(is_name) && is_name(name))
}

/// Runs the command.
fn run(options: &Options, global: &Global, talk: Talk) -> Result<(), CliError> {
    options.run.check()?;
    let registry = plugin_files::registry(global)?;
    let ablation = options.run.ablated(registry.task(&options.task)?);
    let task: &dyn Task = &ablation;
    let out = AtomicFile::create(&options.run.out)?;
    let log = options.run.log.as_deref();
    let mut logs =
        log.map(|log| options.run.log_format.create(log, &options.run.out, Beside::default())).transpose()?;

    let session = options.run.session(global)?;
    let lab = session.load_lab(&registry, task)?;
    let metrics = registry.metrics();
    let mut bench = BenchmarkRun {
        task,
        lab,
        policy: &session.policy,
        episodes: options.episodes,
        base_seed: options.run.seed,
        timing: options.run.timing.map(Into::into),
        max_steps: None,
        strict_signatures: session::strict_signatures(),
        // A process plays one episode after the other.
        threads: Some(1),
        metrics: &metrics,
        scale: None,
        cast: Cast::default(),
        git_sha: version::GIT_SHA.map(str::to_owned),
    };
    let timing = bench.timing()?;
    let spec = task.spec();
    let guest = Guest {
        player: Player::find(options, &registry, &global.plugins)?,
        baseline_id: options.agent.replace([':', '.', ' ', '/', '"', '\'', '\\'], "_"),
        options,
        timing_mode: timing.as_str(),
        partner_id: session.policy.partner(),
        horizon_s: i64::from(spec.steps(timing == labtrust_kernel::ClockMode::Simulated)) * i64::from(spec.dt_s),
        dt_s: spec.dt_s,
        sat_down: AtomicBool::new(false),
    };
    let method = match &guest.player {
        Player::Policy(policy) if options.seat == "all" => Some(policy.direction()),
        Player::Policy(policy) => Some(policy.in_seat(&options.seat)),
        Player::Process(_) | Player::Set(_) => None,
    };
    bench.cast = Cast { agents: Some(&guest), method, approvals: options.run.approvals(), ..Cast::default() };
    let bar = talk.progress(options.episodes, task.id());
    let begun = Instant::now();
    let outcome = bench.run(logs.as_mut().map_or(RunLogs::None, RunLogs::Files), &|| bar.inc(1));
    let wall = begun.elapsed();
    bar.finish_and_clear();
    if let Player::Process(process) = &guest.player
        && let Some(failure) = process.failure()
    {
        return Err(EvalError::Process(failure).into());
    }
    let mut outcome = outcome?;
    if !guest.sat_down.load(Ordering::Relaxed) {
        let counts = outcome.results.episodes.first().and_then(|episode| episode.metrics.get("actions_by_agent"));
        let seats = counts.and_then(|counts| counts.as_object()).map(|counts| counts.keys().cloned().collect());
        let (task, seat) = (options.task.clone(), options.seat.clone());
        return Err(EvalError::NoSeat { task, seat, seats: seats.unwrap_or_default() }.into());
    }
    if let Player::Process(process) = &guest.player
        && process.timeouts() > 0
    {
        outcome.results.non_deterministic = true;
        let warning = format!(
            "the agent did not answer in time in {} steps and waited there: this run is not reproducible",
            process.timeouts()
        );
        outcome.results.warnings.push(warning);
    }

    let logs = || Ok(logs.map(LogFiles::persist).transpose()?.map(Vec::from_iter).unwrap_or_default());
    let made = Made { step_timing: None, wall, again: false };
    options.run.finish::<Options>(&outcome, out, logs, made, &[], talk)?;
    match outcome.cut_short == options.episodes {
        true => Err(CliError::MethodFailed { episodes: options.episodes }),
        false => Ok(()),
    }
}
