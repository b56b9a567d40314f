//! A benchmark run: the episodes of one task, in parallel, and the results file that comes of them.

use crate::checkpoint::{Asking, CheckpointedLogs};
use crate::direction::{Directing, Direction};
use crate::episode::{Cast, EpisodeOutcome, EpisodeSetup, run_episode};
use crate::log::{EpisodeLines, EpisodeLog, LogContext, LogFiles};
use crate::results::{Asked, PolicyFacts, SCHEMA_VERSION, config_of};
use crate::sites::run_sites;
use crate::{BenchError, log::EpisodeIndex};
use labtrust_contract::{EpisodeRecord, ResultsFile};
use labtrust_kernel::ClockMode;
use labtrust_plugin::lab::{LabEngine, LoadedLab};
use labtrust_plugin::metric::Metric;
use labtrust_plugin::{AgentSet, Task, Terms};
use labtrust_policy::PolicyStore;
use rayon::prelude::*;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};

/// Episodes a thread that are in memory at once while a log is written; a log line takes a kilobyte, an episode some
/// hundred lines.
const LOGGED_EPISODES_PER_THREAD: u64 = 8;
/// The same without a log: only metrics are kept, and fewer waits for the slowest episode are better.
const EPISODES_PER_THREAD: u64 = 256;

/// Version of the meaning of the `sec` figures: latencies from the first delivery, success from the ledger.
const SEC_SEMANTICS: &str = "0.2";

/// A run, to be filled in by the caller.
#[derive(Clone)]
pub struct BenchmarkRun<'a> {
    /// The task.
    pub task: &'a dyn Task,
    /// The laboratory, loaded from `policy`.
    pub lab: Arc<dyn LoadedLab>,
    /// The policy with its overlays.
    pub policy: &'a PolicyStore,
    /// Episodes [count], at least 1.
    pub episodes: u64,
    /// Seed of the first episode; the others count up from it.
    pub base_seed: u64,
    /// Who moves time; the task's choice when absent.
    pub timing: Option<ClockMode>,
    /// Steps of an episode [count]; the task's choice when absent.
    pub max_steps: Option<u32>,
    /// Require signatures even where the task does not.
    pub strict_signatures: bool,
    /// Threads [count]; as many as the machine has when absent. The result does not depend on it.
    pub threads: Option<usize>,
    /// What episodes are measured by, from the program's registry.
    pub metrics: &'a [&'a dyn Metric],
    /// Size of the task, where it has several; its own when absent.
    pub scale: Option<&'a str>,
    /// Who acts and what disturbs them.
    pub cast: Cast<'a>,
    /// Commit of the program, where known.
    pub git_sha: Option<String>,
}

/// Where the log of a run goes.
pub enum RunLogs<'a> {
    /// Nowhere.
    None,
    /// To a log and the `episodes.jsonl` beside it.
    Files(&'a mut LogFiles),
    /// The same, with checkpoints from which a run that was interrupted goes on.
    Checkpointed(&'a mut CheckpointedLogs),
    /// To a log of its own and to episode records that are shared with other runs.
    Shared(&'a mut crate::files::AtomicFile, &'a mut EpisodeIndex),
}

impl RunLogs<'_> {
    fn append(
        &mut self,
        task: &str,
        episode: u64,
        lines: &EpisodeLines,
        record: &EpisodeRecord,
    ) -> Result<(), BenchError> {
        match self {
            Self::None => Ok(()),
            Self::Files(files) => files.append(task, episode, lines, record),
            Self::Checkpointed(logs) => logs.append(task, episode, lines, record),
            Self::Shared(log, index) => {
                log.write(&lines.log)?;
                index.append(task, episode, record)
            }
        }
    }

    /// How often steps are counted.
    fn step_interval(&self) -> Option<NonZeroU32> {
        match self {
            Self::Files(files) => files.step_interval(),
            Self::Checkpointed(logs) => logs.step_interval(),
            Self::None | Self::Shared(..) => None,
        }
    }

    /// Whether it is written down how decisions came about.
    fn tells_decisions(&self) -> bool {
        match self {
            Self::Files(files) => files.tells_decisions(),
            Self::Checkpointed(logs) => logs.tells_decisions(),
            Self::None | Self::Shared(..) => false,
        }
    }

    /// Most episodes that are worth having in memory at once.
    fn most_at_once(&self, threads: usize) -> u64 {
        let threads = threads as u64;
        match self {
            Self::None => threads * EPISODES_PER_THREAD,
            Self::Files(_) | Self::Shared(..) => threads * LOGGED_EPISODES_PER_THREAD,
            // What is in memory when the process is killed has to be run again.
            Self::Checkpointed(logs) => logs.every().clamp(threads, threads * LOGGED_EPISODES_PER_THREAD),
        }
    }
}

/// When a run is not worth going on with.
#[derive(Clone, Copy)]
pub struct Probe<'a> {
    /// Episodes after which that is asked [count].
    pub episodes: u64,
    /// Whether the others are played, after these.
    pub goes_on: &'a dyn Fn(&[EpisodeRecord]) -> bool,
}

/// What came of a run.
#[derive(Debug, Clone)]
pub struct RunOutcome {
    /// The results file.
    pub results: ResultsFile,
    /// Specimens with a released result in all episodes [count].
    pub throughput_total: u64,
    /// Actions of agents in all episodes [count].
    pub actions_total: u64,
    /// Threads used [count].
    pub threads: usize,
    /// Episodes that ended early because the method failed [count].
    pub cut_short: u64,
}

impl RunOutcome {
    /// Specimens with a released result an episode, on average [count].
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts of a run are far below 2^53")]
    pub fn throughput_mean(&self) -> f64 {
        self.throughput_total as f64 / self.results.episodes.len().max(1) as f64
    }
}

/// What an episode leaves behind in memory.
struct Finished {
    outcome: EpisodeOutcome,
    lines: EpisodeLines,
}

impl BenchmarkRun<'_> {
    /// The timing of the run.
    ///
    /// # Errors
    /// [`BenchError::TaskTiming`] when the task names one that there is not; [`BenchError::Task`] when the task cannot be
    /// run under this policy or has no such scale.
    pub fn timing(&self) -> Result<ClockMode, BenchError> {
        let bound = self.task.bind(self.policy, self.scale)?;
        timing_of(bound.as_deref().unwrap_or(self.task), self.timing)
    }

    /// Runs all episodes. `progress` is called after each of them, from any thread.
    ///
    /// Results and log lines are in the order of the seeds and are the same for any number of threads.
    ///
    /// # Errors
    /// Usage: [`BenchError::NoEpisodes`], [`BenchError::NoSteps`], [`BenchError::SeedOverflow`]. Otherwise what
    /// [`run_episode`] says of the first episode that could not be run, or why a file could not be written.
    pub fn run(&self, logs: RunLogs<'_>, progress: &(dyn Fn() + Sync)) -> Result<RunOutcome, BenchError> {
        self.run_while(logs, progress, None)
    }

    /// The same, but given up after its first episodes where `probe` says so: it is then a run of those alone, byte for byte.
    ///
    /// # Errors
    /// As [`BenchmarkRun::run`].
    pub fn run_while(
        &self,
        mut logs: RunLogs<'_>,
        progress: &(dyn Fn() + Sync),
        probe: Option<Probe<'_>>,
    ) -> Result<RunOutcome, BenchError> {
        let Self { base_seed, episodes, .. } = *self;
        if episodes == 0 {
            return Err(BenchError::NoEpisodes);
        }
        if base_seed.checked_add(episodes - 1).is_none() {
            return Err(BenchError::SeedOverflow { base_seed, episodes });
        }
        let bound = self.task.bind(self.policy, self.scale)?;
        let task = bound.as_deref().unwrap_or(self.task);
        let timing = timing_of(task, self.timing)?;
        let max_steps = self.max_steps.unwrap_or(task.spec().steps(timing == ClockMode::Simulated));
        if max_steps == 0 {
            return Err(BenchError::NoSteps);
        }
        if self.cast.injection.is_some() && !task.accepts_injections() {
            return Err(BenchError::NoInjections { task: task.id().to_owned() });
        }
        let terms = Terms { ablated: self.cast.without.to_vec() };
        let bound = self.cast.injection.map(|injection| injection.bind(self.policy, &terms)).transpose()?.flatten();
        let cast = Cast { injection: bound.as_deref().or(self.cast.injection), ..self.cast };
        let facts = PolicyFacts::of(self.policy)?;
        let setup = EpisodeSetup {
            task,
            seed: base_seed,
            max_steps,
            timing,
            strict_signatures: self.strict_signatures,
            calibration: self.policy.calibration().and_then(Value::as_object),
            metrics: self.metrics,
            cast,
        };
        let context = (!matches!(logs, RunLogs::None)).then(|| {
            Arc::new(LogContext { partner_id: facts.partner_id.clone(), policy_fingerprint: facts.fingerprint.clone() })
        });

        let pool = Pool::new(self.threads)?;
        let threads = pool.threads();
        let asked = Asked { timing, max_steps, strict_signatures: self.strict_signatures, cast: self.cast };
        let mut tally = Tally::default();
        if let RunLogs::Checkpointed(logs) = &mut logs {
            let asking = Asking { run: self, task, facts: &facts, asked: &asked };
            for (record, chain_head) in logs.begin(&asking)? {
                tally.restore(record, chain_head);
                progress();
            }
        }
        let sites = task.sites();
        if sites.is_some() && !matches!(logs, RunLogs::None) {
            let what = "there is no log of all of them; run it without --log";
            return Err(BenchError::Sites { task: task.id().to_owned(), what });
        }
        // Each of its laboratories is as much work as an episode of another task.
        let chunk = if sites.is_some() { 1 } else { logs.most_at_once(threads) };
        let step_interval = logs.step_interval();
        let tells_decisions = logs.tells_decisions();
        let engines = Engines { lab: &*self.lab, idle: Mutex::new(Vec::new()) };
        let run_one = |episode: u64| -> Result<Finished, BenchError> {
            let setup = EpisodeSetup { seed: base_seed + episode, ..setup };
            if let Some(sites) = sites {
                let outcome = run_sites(&*self.lab, &setup, sites)?;
                progress();
                return Ok(Finished { outcome, lines: EpisodeLines::default() });
            }
            let mut engine = engines.take();
            let mut log = context.as_ref().map(|context| {
                let mut log = EpisodeLog::new(context.clone(), episode);
                if let Some(every) = step_interval {
                    log = log.counting_steps(every, task.spec().dt_s);
                }
                if tells_decisions { log.telling_decisions() } else { log }
            });
            let outcome = run_episode(&mut *engine, &setup, log.as_mut())?;
            engines.give_back(engine);
            progress();
            Ok(Finished { outcome, lines: log.map(EpisodeLog::into_lines).unwrap_or_default() })
        };

        let mut first = tally.records.len() as u64;
        let mut probe = probe.filter(|probe| probe.episodes < episodes);
        while first < episodes {
            let mut last = episodes.min(first + chunk);
            match probe {
                Some(asks) if first < asks.episodes => last = last.min(asks.episodes),
                Some(asks) if !(asks.goes_on)(&tally.records) => break,
                _ => probe = None,
            }
            let finished: Vec<_> = pool.install(|| (first..last).into_par_iter().map(run_one).collect());
            for (episode, finished) in (first..last).zip(finished) {
                // In the order of the episodes: the error that is reported does not depend on who was faster.
                let Finished { outcome, lines } = finished?;
                let record = tally.add(base_seed + episode, outcome);
                logs.append(task.id(), episode, &lines, record)?;
            }
            first = last;
        }
        Ok(RunOutcome {
            throughput_total: tally.throughput,
            actions_total: tally.actions,
            cut_short: tally.cut_short,
            threads,
            results: self.results(task, facts, &asked, tally),
        })
    }

    pub(crate) fn baseline_id(&self, task: &dyn Task) -> String {
        // The agent in a single seat gave the whole crew its name already.
        let of_seat = |method: &&Direction<'_>| matches!(method.directing, Directing::Seat(_));
        let of_set = || self.cast.agents.and_then(AgentSet::baseline_id).unwrap_or(task.spec().baseline_id).to_owned();
        self.cast.method.as_ref().filter(|method| !of_seat(method)).map_or_else(of_set, Direction::baseline_id)
    }

    fn results(&self, task: &dyn Task, facts: PolicyFacts, asked: &Asked<'_>, tally: Tally) -> ResultsFile {
        let mut metadata = Map::new();
        if self.cast.injection.is_some() {
            metadata.insert("sec_semantics".to_owned(), json!(SEC_SEMANTICS));
        }
        // What was learned before the run, and is the same in every episode of it.
        let learning = tally.records.first().and_then(|first| first.metrics.get("coordination")?.get("learning"));
        if let Some(learning) = learning {
            metadata.insert("coordination".to_owned(), json!({ "learning": learning }));
        }
        metadata.insert("distinct_chains".to_owned(), json!(tally.chains.len()));
        metadata.insert("program_version".to_owned(), json!(env!("CARGO_PKG_VERSION")));
        ResultsFile {
            schema_version: SCHEMA_VERSION.to_owned(),
            pipeline_mode: "deterministic".to_owned(),
            llm_backend_id: "none".to_owned(),
            llm_model_id: None,
            allow_network: false,
            non_deterministic: false,
            task: task.id().to_owned(),
            num_episodes: tally.records.len() as u64,
            base_seed: self.base_seed,
            seeds: tally.records.iter().map(|record| record.seed).collect(),
            config: config_of(task, asked),
            policy_versions: facts.versions,
            git_sha: self.git_sha.clone(),
            git_commit_hash: self.git_sha.clone(),
            partner_id: facts.partner_id,
            policy_fingerprint: facts.fingerprint,
            tool_registry_fingerprint: facts.tool_registry_fingerprint,
            agent_baseline_id: self.baseline_id(task),
            warnings: tally.warnings(),
            episodes: tally.records,
            metadata,
        }
    }
}

/// The timing that was asked for, or else the one that a task names.
///
/// # Errors
/// [`BenchError::TaskTiming`] when the task names one that there is not.
pub fn timing_of(task: &dyn Task, asked: Option<ClockMode>) -> Result<ClockMode, BenchError> {
    let named = task.spec().timing_mode;
    let unknown = |_| BenchError::TaskTiming { task: task.id().to_owned(), timing: named.to_owned() };
    asked.map_or_else(|| named.parse().map_err(unknown), Ok)
}

/// What adds up over the episodes.
#[derive(Default)]
struct Tally {
    records: Vec<EpisodeRecord>,
    chains: BTreeSet<String>,
    throughput: u64,
    specimens: u64,
    actions: u64,
    cut_short: u64,
    /// What went wrong in the method, in the first episode in which something did.
    first_failure: Option<String>,
}

impl Tally {
    fn add(&mut self, seed: u64, outcome: EpisodeOutcome) -> &EpisodeRecord {
        self.chains.insert(outcome.chain_head);
        self.throughput += outcome.throughput;
        self.specimens += outcome.specimens_total;
        self.actions += outcome.actions_attempted;
        if let Some(method) = outcome.metrics.get("coordination").and_then(|coordination| coordination.get("method")) {
            self.cut_short += u64::from(!method["ended_step"].is_null());
            if let (None, Some(failure)) = (&self.first_failure, method["first_failure"].as_str()) {
                self.first_failure = Some(failure.to_owned());
            }
        }
        self.records.push(EpisodeRecord { seed, metrics: outcome.metrics });
        self.records.last().expect("a record was just added")
    }

    /// Adds an episode that an earlier process ran.
    fn restore(&mut self, record: EpisodeRecord, chain_head: String) {
        let count = |name: &str| record.metrics.get(name).and_then(Value::as_u64).unwrap_or(0);
        let outcome = EpisodeOutcome {
            chain_head,
            throughput: count("throughput"),
            specimens_total: count("specimens_total"),
            actions_attempted: count("actions_attempted"),
            metrics: record.metrics,
        };
        self.add(record.seed, outcome);
    }

    /// What a reader of the figures should know before believing them.
    fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        let episodes = self.records.len();
        if episodes > 1 && self.chains.len() == 1 {
            warnings.push(format!(
                "all {episodes} episodes have the same audit chain: seeds made no difference, this is one sample"
            ));
        }
        if self.throughput == 0 && self.specimens > 0 {
            warnings.push(format!("no result was released although there were {} specimens", self.specimens));
        }
        if self.actions == 0 {
            warnings.push("no agent acted".to_owned());
        }
        if let Some(failure) = &self.first_failure {
            let cut_short = self.cut_short;
            warnings
                .push(format!("the method failed; {cut_short} of {episodes} episodes ended early. First: {failure}"));
        }
        warnings
    }
}

/// Engines between two episodes: at most one a thread is ever made.
struct Engines<'a> {
    lab: &'a dyn LoadedLab,
    idle: Mutex<Vec<Box<dyn LabEngine>>>,
}

impl Engines<'_> {
    fn take(&self) -> Box<dyn LabEngine> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.unwrap_or_else(|| self.lab.engine())
    }

    fn give_back(&self, engine: Box<dyn LabEngine>) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(engine);
    }
}

/// The threads of a run: those that every run shares, or a number of its own.
enum Pool {
    Shared,
    Own(rayon::ThreadPool),
}

impl Pool {
    fn new(threads: Option<usize>) -> Result<Self, BenchError> {
        let Some(threads) = threads else { return Ok(Self::Shared) };
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.max(1)).build();
        pool.map(Self::Own).map_err(|error| BenchError::Threads { threads, message: error.to_string() })
    }

    fn threads(&self) -> usize {
        match self {
            Self::Shared => rayon::current_num_threads(),
            Self::Own(pool) => pool.current_num_threads(),
        }
    }

    fn install<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        match self {
            Self::Shared => work(),
            Self::Own(pool) => pool.install(work),
        }
    }
}

#[cfg(test)]
mod tests;
