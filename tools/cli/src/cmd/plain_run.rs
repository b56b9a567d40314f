//! The run that the small commands share: one task as it is, its results in memory.

use crate::error::CliError;
use crate::session::{self, Session};
use crate::version;
use labtrust_bench::summary::count;
use labtrust_bench::{BenchmarkRun, Cast, RunLogs, RunOutcome};
use labtrust_contract::ResultsFile;
use labtrust_kernel::ClockMode;
use labtrust_plugin::Registry;

/// What distinguishes one such run from another.
#[derive(Debug, Clone, Copy)]
pub(super) struct PlainRun<'a> {
    pub(super) task: &'a str,
    pub(super) episodes: u64,
    pub(super) seed: u64,
    /// The task's choice when absent.
    pub(super) timing: Option<ClockMode>,
}

impl PlainRun<'_> {
    /// Runs it with the task's own agents.
    pub(super) fn run(&self, registry: &Registry, session: &Session) -> Result<RunOutcome, CliError> {
        let task = registry.task(self.task)?;
        let metrics = registry.metrics();
        let bench = BenchmarkRun {
            task,
            lab: session.load_lab(registry, task)?,
            policy: &session.policy,
            episodes: self.episodes,
            base_seed: self.seed,
            timing: self.timing,
            max_steps: None,
            strict_signatures: session::strict_signatures(),
            threads: None,
            metrics: &metrics,
            scale: None,
            cast: Cast::default(),
            git_sha: version::GIT_SHA.map(str::to_owned),
        };
        Ok(bench.run(RunLogs::None, &|| ())?)
    }
}

/// Refuses results that released nothing although there were specimens: a floor that a benchmark of nothing falls
/// through.
///
/// # Errors
/// [`CliError::NothingReleased`] naming the task.
pub(super) fn released_something(results: &ResultsFile) -> Result<(), CliError> {
    let sum = |name| results.episodes.iter().map(|episode| count(&episode.metrics, name)).sum::<u64>();
    let specimens = sum("specimens_total");
    if specimens > 0 && sum("throughput") == 0 {
        return Err(CliError::NothingReleased { task: results.task.clone(), specimens });
    }
    Ok(())
}
