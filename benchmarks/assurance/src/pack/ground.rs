//! What the cells of a matrix share, and how one of them is played: in packs, and in studies.

use super::matrix::{CellId, NONE};
use crate::AssuranceError;
use labtrust_bench::log::{Beside, LogFiles};
use labtrust_bench::{
    Ablation, BenchError, BenchmarkRun, Cast, CleanCourses, Directing, Direction, Probe, RunLogs, RunOutcome, Without,
};
use labtrust_coordination::catalogue::Catalogue;
use labtrust_plugin::lab::LoadedLab;
use labtrust_plugin::method::CoordinationMethod;
use labtrust_plugin::metric::Metric;
use labtrust_plugin::wire::{Setting, Settings};
use labtrust_plugin::{Registry, Task};
use labtrust_policy::PolicyStore;
use serde_json::{Map, Value, json};
use std::path::Path;
use std::sync::Arc;

/// The results of a cell, in its folder.
pub const RESULTS: &str = "results.json";
/// The log of a cell, where it is kept.
pub const LOG: &str = "log.jsonl";
/// The task of every cell.
pub const TASK: &str = "coord_risk";

/// What all cells share.
pub struct Ground<'a> {
    registry: &'a Registry,
    policy: &'a PolicyStore,
    task: &'static dyn Task,
    lab: Arc<dyn LoadedLab>,
    methods: Catalogue,
    metrics: Vec<&'static dyn Metric>,
    git_sha: Option<String>,
}

/// The episodes of one cell.
#[derive(Clone, Copy)]
pub struct Play<'a> {
    /// Size, method and injection.
    pub cell: CellId<'a>,
    /// Seed of the first episode; the others count up from it.
    pub seed: u64,
    /// Episodes [count].
    pub episodes: u64,
    /// Controls that it does without.
    pub without: &'a [&'a str],
    /// Undisturbed courses of cells of the same size, method and controls; its own when absent.
    pub clean: Option<&'a CleanCourses>,
}

impl<'a> Ground<'a> {
    /// What the cells of a policy share; `lab` is loaded from it.
    ///
    /// # Errors
    /// [`AssuranceError::Invalid`] when the program has no such task; [`AssuranceError::Policy`] for the list of methods.
    pub fn load(
        registry: &'a Registry,
        policy: &'a PolicyStore,
        lab: Arc<dyn LoadedLab>,
        git_sha: Option<String>,
    ) -> Result<Self, AssuranceError> {
        Self::of_task(TASK, registry, policy, lab, git_sha)
    }

    /// The same for another task that knows sizes and methods.
    ///
    /// # Errors
    /// As [`Ground::load`].
    pub fn of_task(
        task: &str,
        registry: &'a Registry,
        policy: &'a PolicyStore,
        lab: Arc<dyn LoadedLab>,
        git_sha: Option<String>,
    ) -> Result<Self, AssuranceError> {
        let task = registry.task(task).map_err(|error| AssuranceError::Invalid {
            file: "the program".to_owned(),
            place: task.to_owned(),
            problem: error.to_string(),
        })?;
        let methods = Catalogue::load(policy)?;
        Ok(Self { registry, policy, task, lab, methods, metrics: registry.metrics(), git_sha })
    }

    /// Whether there is a size of this name, and whether it makes sense.
    ///
    /// # Errors
    /// [`AssuranceError::Bench`].
    pub fn check_scale(&self, scale: &str) -> Result<(), AssuranceError> {
        self.task.bind(self.policy, Some(scale)).map_err(BenchError::from)?;
        Ok(())
    }

    /// Why nothing of a method is run, with a word for it in front; `None` where it can be.
    #[must_use]
    pub fn not_run(&self, method: &str) -> Option<String> {
        let word = if self.registry.coordination_method(method).is_err() { "no_such_method" } else { "not_ready" };
        self.methods.not_run(self.registry, method).map(|why| format!("({word}) {why}"))
    }

    /// Plays a cell, as far as `probe` says, and leaves its logs in `folder` where one is named: [`LOG`], the episodes beside it,
    /// how decisions came about, and of an injection what it really did. Their names and SHA-256 are the second part.
    ///
    /// # Errors
    /// As [`Ground::play`], and [`AssuranceError::Bench`] for files that cannot be written.
    pub fn play_into(
        &self,
        asked: &Play<'_>,
        folder: Option<&Path>,
        probe: Option<Probe<'_>>,
    ) -> Result<(RunOutcome, Vec<(String, String)>), AssuranceError> {
        let Some(folder) = folder else { return Ok((self.play_while(asked, RunLogs::None, probe)?, Vec::new())) };
        let beside = Beside { coordination: true, truth: asked.cell.injection != NONE, ..Beside::default() };
        let mut files = LogFiles::create(&folder.join(LOG), &folder.join(RESULTS), beside)?;
        let outcome = self.play_while(asked, RunLogs::Files(&mut files), probe)?;
        Ok((outcome, files.persist()?))
    }

    /// Plays a cell, on the threads of the pool that it is called in.
    ///
    /// # Errors
    /// [`AssuranceError::Unknown`] for a method or an injection that there is not, [`AssuranceError::Invalid`] for parameters of the
    /// method, [`AssuranceError::Bench`] for episodes that cannot be run.
    pub fn play(&self, asked: &Play<'_>, logs: RunLogs<'_>) -> Result<RunOutcome, AssuranceError> {
        self.play_while(asked, logs, None)
    }

    fn play_while(
        &self,
        asked: &Play<'_>,
        logs: RunLogs<'_>,
        probe: Option<Probe<'_>>,
    ) -> Result<RunOutcome, AssuranceError> {
        let Play { cell, seed, episodes, without, clean } = *asked;
        let unknown = |what, name: &str| AssuranceError::Unknown { what, name: name.to_owned(), known: String::new() };
        let without = Without::of(without);
        let method =
            self.registry.coordination_method(cell.method).map_err(|_| unknown("coordination method", cell.method))?;
        let injection = self.registry.injection(cell.injection).map_err(|_| unknown("injection", cell.injection))?;
        let mut given = Settings::default();
        let schema = method.params_schema();
        if schema.contains("\"signed\"") {
            given.0.insert("signed".to_owned(), Setting::Text(without.bus.clone()));
        }
        let settings = self.methods.settings(cell.method, given).map_err(|error| AssuranceError::Invalid {
            file: labtrust_coordination::catalogue::FILE.to_owned(),
            place: cell.method.to_owned(),
            problem: error.to_string(),
        })?;
        let facts = carrier(method);
        let task = Ablation::new(self.task, without.lab);
        let run = BenchmarkRun {
            task: &task,
            lab: Arc::clone(&self.lab),
            policy: self.policy,
            episodes,
            base_seed: seed,
            timing: None,
            max_steps: None,
            strict_signatures: false,
            threads: None,
            metrics: &self.metrics,
            scale: Some(cell.scale),
            cast: Cast {
                method: Some(Direction { directing: Directing::Everybody, method, settings: &settings, facts: &facts }),
                // To a task that takes none, no injection is nothing.
                injection: (self.task.accepts_injections() || cell.injection != NONE).then_some(injection),
                without: &without.run,
                clean,
                ..Cast::default()
            },
            git_sha: self.git_sha.clone(),
        };
        Ok(run.run_while(logs, &|| (), probe)?)
    }
}

/// What brings a method: the program, or a file with its digest.
#[must_use]
pub fn carrier(method: &dyn CoordinationMethod) -> Map<String, Value> {
    let facts = match method.origin() {
        None => json!({ "carrier": "compiled_in" }),
        Some(origin) => json!({ "carrier": origin.carrier, "version": origin.version, "sha256": origin.sha256 }),
    };
    match facts {
        Value::Object(facts) => facts,
        _ => Map::new(),
    }
}
