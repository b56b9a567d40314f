//! One episode: agents decide on a shared snapshot, their decisions become events, the laboratory answers.
//!
//! Step i of an episode has the time (i + 1) * dt. What is due by then happens first; then every agent decides on the
//! same snapshot; then the events are applied in the order of the seats. Nothing after the horizon counts.

mod forged;
mod seat;
mod stepwise;
mod watch;

pub use stepwise::{Episode, Turn};

use crate::BenchError;
use crate::approvals::ApprovalHook;
use crate::direction::Direction;
use crate::log::EpisodeLog;
use labtrust_contract::Metrics;
use labtrust_kernel::ClockMode;
use labtrust_plugin::lab::LabEngine;
use labtrust_plugin::metric::Metric;
use labtrust_plugin::{AgentSet, Course, Injection, Injector, Task};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Who acts in the episodes of a run, and what disturbs them. By default the task's own agents, undisturbed.
#[derive(Clone, Copy, Default)]
pub struct Cast<'a> {
    /// Who sits in the seats instead of the task's own agents; attackers stay.
    pub agents: Option<&'a dyn AgentSet>,
    /// What directs all of them but attackers, whoever they are.
    pub method: Option<Direction<'a>>,
    /// What disturbs them.
    pub injection: Option<&'a dyn Injection>,
    /// Who answers when one of them asks for an approval; nobody when absent.
    pub approvals: Option<&'a ApprovalHook>,
    /// Names of controls that are not the laboratory's and that a disturbed run does without: of the run
    /// ([`RunControl`](crate::run_controls::RunControl)), of models and of their memory.
    pub without: &'a [String],
    /// Where the undisturbed courses of disturbed episodes are kept, for several injections to be judged by; each run has
    /// its own when absent.
    pub clean: Option<&'a CleanCourses>,
}

/// The undisturbed courses of episodes, by seed, so that several injections are judged by one and the same course without
/// playing it again: those that have one in common ([`Injection::clean_course`]).
///
/// One store is for one task, size, method and set of controls: everything but the injection and the seed is the same.
#[derive(Default)]
pub struct CleanCourses(Mutex<BTreeMap<(String, u64), Kept>>);

/// A course that somebody has played, or will.
type Kept = Arc<OnceLock<Course>>;

impl CleanCourses {
    /// The course of a seed under injections with `whose` clean course; plays it when nobody has before.
    fn of(
        &self,
        whose: &str,
        seed: u64,
        play: impl FnOnce() -> Result<Course, BenchError>,
    ) -> Result<Course, BenchError> {
        let key = (whose.to_owned(), seed);
        let place = Arc::clone(self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default());
        if let Some(course) = place.get() {
            return Ok(course.clone());
        }
        // Two may play it at once; they find the same.
        let course = play()?;
        Ok(place.get_or_init(|| course).clone())
    }
}

/// What distinguishes one episode of a run from another, and what they share.
#[derive(Clone, Copy)]
pub struct EpisodeSetup<'a> {
    /// The task.
    pub task: &'a dyn Task,
    /// The episode's seed.
    pub seed: u64,
    /// Steps of the episode [count].
    pub max_steps: u32,
    /// Who moves time.
    pub timing: ClockMode,
    /// Require signatures even where the task does not.
    pub strict_signatures: bool,
    /// The partner's calibration, handed to the task.
    pub calibration: Option<&'a Map<String, Value>>,
    /// What the episode is measured by.
    pub metrics: &'a [&'a dyn Metric],
    /// Who acts and what disturbs them.
    pub cast: Cast<'a>,
}

impl<'a> EpisodeSetup<'a> {
    /// The injection, where it is one that does something.
    fn injection(&self) -> Option<&'a dyn Injection> {
        self.cast.injection.filter(|injection| !injection.is_idle())
    }
}

/// What came of an episode.
#[derive(Debug, Clone, PartialEq)]
pub struct EpisodeOutcome {
    /// Its metrics.
    pub metrics: Metrics,
    /// Hash of its last record.
    pub chain_head: String,
    /// Specimens with a released result [count].
    pub throughput: u64,
    /// Specimens of the episode [count].
    pub specimens_total: u64,
    /// Actions of agents [count].
    pub actions_attempted: u64,
}

/// Runs one episode on `engine`, whatever ran on it before. `log` gets a line for every step.
///
/// The outcome is a function of `setup` and of the engine's policy. An episode with an injection is run twice: first with
/// the injection disarmed, for the course that its effects are measured against. That one is not logged.
///
/// # Errors
/// [`BenchError::OpenWorkflow`], [`BenchError::Lab`] or [`BenchError::SeatWithoutAgent`] when the task's initial state
/// cannot be used; [`BenchError::Method`] when the method cannot begin.
pub fn run_episode(
    engine: &mut dyn LabEngine,
    setup: &EpisodeSetup<'_>,
    mut log: Option<&mut EpisodeLog>,
) -> Result<EpisodeOutcome, BenchError> {
    let Some(injection) = setup.injection() else {
        return Ok(play(engine, setup, log, false)?.outcome);
    };
    let play_clean = |engine: &mut dyn LabEngine| -> Result<Course, BenchError> {
        let clean = play(engine, setup, None, false)?;
        let course = clean.disturbed.map(|(_, course)| course).unwrap_or_default();
        Ok(Course { metrics: clean.outcome.metrics, ..course })
    };
    let clean_course = match setup.cast.clean {
        Some(courses) => courses.of(injection.clean_course(), setup.seed, || play_clean(&mut *engine))?,
        None => play_clean(&mut *engine)?,
    };
    let Played { mut outcome, disturbed } = play(engine, setup, log.as_deref_mut(), true)?;
    if let Some((mut injector, mut course)) = disturbed {
        course.metrics = outcome.metrics.clone();
        if let Some(report) = injector.report(&course, &clean_course) {
            outcome.metrics.insert("sec".to_owned(), Value::Object(report.sec));
            outcome.metrics.insert("robustness".to_owned(), Value::Object(report.robustness));
            if let Some(log) = log {
                log.tell_truth(&report.ledger)?;
            }
        }
    }
    Ok(outcome)
}

/// One run of an episode, and of one with an injection what it is judged by.
struct Played {
    outcome: EpisodeOutcome,
    disturbed: Option<(Box<dyn Injector>, Course)>,
}

/// Plays an episode; of one with an injection, with it or with it disarmed.
fn play(
    engine: &mut dyn LabEngine,
    setup: &EpisodeSetup<'_>,
    mut log: Option<&mut EpisodeLog>,
    armed: bool,
) -> Result<Played, BenchError> {
    let mut episode = Episode::open(engine, setup, log.as_deref_mut().map(EpisodeLog::take), armed)?;
    while episode.look(engine, &mut ()) {
        episode.act(engine, &mut (), &mut |_, _| Turn::Own);
    }
    let (played, written) = episode.finish(engine);
    if let (Some(log), Some(written)) = (log, written) {
        *log = written;
    }
    Ok(played)
}

/// The task's state with what the run decides: timing, workflow guards, signatures.
fn initial_state(setup: &EpisodeSetup<'_>, armed: bool) -> Result<Map<String, Value>, BenchError> {
    let mut state = setup.task.initial_state(setup.seed, setup.calibration);
    if let Some(workflow) = state.get("workflow").and_then(Value::as_str).filter(|workflow| *workflow != "enforced") {
        let (task, workflow) = (setup.task.id().to_owned(), workflow.to_owned());
        return Err(BenchError::OpenWorkflow { task, workflow });
    }
    if let Some(hook) = setup.cast.approvals {
        hook.introduce(&mut state, setup.seed);
    }
    state.insert("workflow".to_owned(), json!("enforced"));
    state.insert("timing_mode".to_owned(), json!(setup.timing.as_str()));
    // Nobody is believed on their word where somebody may be about who lies.
    if setup.strict_signatures || setup.injection().is_some() {
        state.insert("strict_signatures".to_owned(), json!(true));
    }
    if let Some(injection) = setup.injection().filter(|_| armed) {
        injection.prepare(&mut state, setup.seed);
    }
    Ok(state)
}
