//! The run that the small commands share: one task as it is, its results in memory.

use crate::error::CliError;
use crate::session::{self, Session};
use crate::talk::Talk;
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
    /// Runs it with the task's own agents, and says what a reader of its figures should know.
    pub(super) fn run(&self, registry: &Registry, session: &Session, talk: Talk) -> Result<RunOutcome, CliError> {
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
        let outcome = bench.run(RunLogs::None, &|| ())?;
        for warning in &outcome.results.warnings {
            talk.say(&format!("warning: {}: {warning}", self.task));
        }
        Ok(outcome)
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn results(throughput: [u64; 2], specimens: u64) -> ResultsFile {
        let episode =
            |throughput| json!({ "seed": 1, "metrics": { "throughput": throughput, "specimens_total": specimens } });
        serde_json::from_value(json!({
            "schema_version": "0.2", "pipeline_mode": "deterministic", "llm_backend_id": "none", "llm_model_id": null,
            "allow_network": false, "non_deterministic": false, "task": "demo", "num_episodes": 2, "base_seed": 1,
            "seeds": [1, 2], "config": {}, "policy_versions": {}, "git_sha": null, "git_commit_hash": null,
            "partner_id": null, "policy_fingerprint": null, "agent_baseline_id": "x", "metadata": {},
            "episodes": throughput.map(episode),
        }))
        .unwrap()
    }

    #[test]
    fn a_run_that_releases_nothing_falls_through_the_floor() {
        let error = released_something(&results([0, 0], 3)).unwrap_err();
        assert_eq!((error.to_string().as_str(), error.exit_code()), ("demo has 6 specimens and released nothing", 1));
        assert!(released_something(&results([0, 1], 3)).is_ok());
        assert!(released_something(&results([0, 0], 0)).is_ok(), "without specimens there is nothing to release");
    }
}
