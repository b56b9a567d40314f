//! A recorded episode, to be replayed on the engine alone: the action mix of a benchmark log without its agents.

use labtrust_bench::log::{EpisodeLog, LogContext};
use labtrust_bench::{EpisodeSetup, run_episode};
use labtrust_kernel::ClockMode;
use labtrust_plugin::lab::{Action, LabEngine, LoadedLab, Observer, StepFacts};
use labtrust_policy::PolicyStore;
use serde_json::{Map, Value};
use std::sync::Arc;

const SEED: u64 = 42;

/// Every event that an agent of `throughput_sla` sent in one episode.
pub struct Script {
    lab: Arc<dyn LoadedLab>,
    state: Map<String, Value>,
    events: Vec<Map<String, Value>>,
}

/// Counts accepted steps.
#[derive(Debug, Default)]
pub struct Accepted(pub u64);

impl Observer for Accepted {
    fn on_step(&mut self, facts: &StepFacts<'_>) {
        self.0 += u64::from(facts.outcome.accepted);
    }
}

impl Script {
    /// Runs the episode once and keeps its events; with `strict` every event carries a signature that is verified.
    ///
    /// # Panics
    /// When the built-in task does not run.
    #[must_use]
    pub fn record(timing: ClockMode, strict: bool) -> Self {
        let registry = labtrust_builtin::registry().expect("ids are unique");
        let task = registry.task("throughput_sla").expect("the task is compiled in");
        let domain = registry.lab_domain(task.domain()).expect("the domain is compiled in");
        let lab = domain.load(&PolicyStore::builtin()).expect("the built-in policy loads");
        let setup = EpisodeSetup {
            task,
            seed: SEED,
            max_steps: task.spec().max_steps,
            timing,
            strict_signatures: strict,
            calibration: None,
            metrics: &registry.metrics(),
            cast: labtrust_bench::Cast::default(),
        };
        let mut log = EpisodeLog::new(Arc::new(LogContext::default()), 0);
        run_episode(lab.engine().as_mut(), &setup, Some(&mut log)).expect("the episode runs");
        let text = String::from_utf8(log.into_bytes()).expect("a log is text");
        let records = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("a line is JSON"));
        let of_agents = records.filter(|record| record["agent_id"] != "SYSTEM");
        let events = of_agents.map(|record| record["event"].as_object().expect("an event is a map").clone()).collect();
        let mut state = task.initial_state(SEED, None);
        state.insert("timing_mode".into(), timing.as_str().into());
        state.insert("strict_signatures".into(), strict.into());
        Self { lab, state, events }
    }

    /// Events of agents [count].
    #[must_use]
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether no agent did anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// An engine at the beginning of the episode, and the events in typed form.
    ///
    /// # Panics
    /// When the recorded state or an event is refused.
    #[must_use]
    pub fn prepare(&self) -> (Box<dyn LabEngine>, Vec<Action>) {
        let mut engine = self.lab.engine();
        engine.reset(&self.state, SEED).expect("the state is good");
        let read = |event| Action::from_raw(event, engine.symbols_mut()).expect("the event is well-formed");
        let actions = self.events.iter().map(read).collect();
        (engine, actions)
    }

    /// The events as maps.
    #[must_use]
    pub fn events(&self) -> &[Map<String, Value>] {
        &self.events
    }
}

/// Applies typed events, batch by batch as their times say.
pub fn replay(engine: &mut dyn LabEngine, actions: &[Action], observer: &mut dyn Observer) {
    let mut now = -1;
    for action in actions {
        if action.t_s != now {
            now = action.t_s;
            engine.advance_to(now, observer);
            engine.begin_batch();
        }
        engine.step(action, observer);
    }
}

/// Applies events in raw form, batch by batch as their times say.
pub fn replay_raw(engine: &mut dyn LabEngine, events: &[Map<String, Value>], observer: &mut dyn Observer) {
    let mut now = Value::Null;
    for event in events {
        if event.get("t_s") != Some(&now) {
            now = event["t_s"].clone();
            engine.advance_to(now.as_i64().unwrap_or(0), observer);
            engine.begin_batch();
        }
        engine.step_raw(event, observer);
    }
}
