//! How long the steps of a run take, by the clock on the wall.
//!
//! A laboratory that is like another one and looks at the clock around every call. What it measures goes into the
//! manifest of the run and nowhere else: results have the same bytes with it and without.

use labtrust_contract::StepResult;
use labtrust_plugin::lab::{
    Action, ChainValues, Engine, LabEngine, LabError, LoadedLab, Memory, Observer, Outcome, QueryError, StateDigest,
    Symbols, TimingSummary, WorldView,
};
use serde_json::{Map, Value, json};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Durations of the steps of all episodes, in no order.
#[derive(Debug, Default)]
struct Samples {
    step: Vec<Duration>,
    observation: Vec<Duration>,
}

/// A laboratory whose steps are timed.
pub(super) struct TimedLab {
    inner: Arc<dyn LoadedLab>,
    samples: Arc<Mutex<Samples>>,
}

impl TimedLab {
    pub(super) fn new(inner: Arc<dyn LoadedLab>) -> Self {
        Self { inner, samples: Arc::default() }
    }

    /// Mean and 95th percentile of the steps so far [ms], to three decimals. A step is what the laboratory does in a
    /// round of the agents, without building their observation and without their thinking.
    pub(super) fn figures(&self) -> Map<String, Value> {
        let mut samples = self.samples.lock().unwrap_or_else(PoisonError::into_inner);
        let mut map = Map::new();
        map.insert("steps".to_owned(), json!(samples.step.len()));
        let Samples { step, observation } = &mut *samples;
        for (name, values) in [("step", step), ("obs", observation)] {
            values.sort_unstable();
            let Some(p95) = values.get((values.len() * 95 / 100).min(values.len().saturating_sub(1))) else { continue };
            let mean = values.iter().sum::<Duration>() / u32::try_from(values.len()).unwrap_or(u32::MAX);
            map.insert(format!("{name}_ms_mean"), json!(milliseconds(mean)));
            map.insert(format!("{name}_ms_p95"), json!(milliseconds(*p95)));
        }
        map
    }
}

fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

impl LoadedLab for TimedLab {
    fn engine(&self) -> Box<dyn LabEngine> {
        let (inner, samples) = (self.inner.engine(), Arc::clone(&self.samples));
        Box::new(TimedEngine { inner, samples, round: None, turn: false, observing: Duration::ZERO })
    }

    fn under(&self, common: &Map<String, Value>) -> Result<Arc<dyn LoadedLab>, LabError> {
        Ok(Arc::new(Self { inner: self.inner.under(common)?, samples: Arc::clone(&self.samples) }))
    }
}

struct TimedEngine {
    inner: Box<dyn LabEngine>,
    samples: Arc<Mutex<Samples>>,
    /// Time of the round so far.
    round: Option<Duration>,
    /// Whether agents were given a turn in it; what is left to happen at the end of an episode is no round.
    turn: bool,
    observing: Duration,
}

impl TimedEngine {
    fn end_round(&mut self) {
        let turn = std::mem::take(&mut self.turn);
        if let Some(round) = self.round.take().filter(|_| turn) {
            let mut samples = self.samples.lock().unwrap_or_else(PoisonError::into_inner);
            samples.step.push(round);
            samples.observation.push(self.observing);
        }
        self.observing = Duration::ZERO;
    }

    fn add(&mut self, spent: Duration) {
        if let Some(round) = &mut self.round {
            *round += spent;
        }
    }
}

impl Engine for TimedEngine {
    fn reset(&mut self, initial_state: &Map<String, Value>, seed: u64) -> Result<(), LabError> {
        (self.round, self.turn, self.observing) = (None, false, Duration::ZERO);
        self.inner.reset(initial_state, seed)
    }

    fn begin_batch(&mut self) {
        self.turn = true;
        self.inner.begin_batch();
    }

    fn signing_payload(&mut self, event: &Map<String, Value>) -> Option<Vec<u8>> {
        self.inner.signing_payload(event)
    }

    fn play(&mut self, event: &Map<String, Value>) -> StepResult {
        self.inner.play(event)
    }

    fn query(&mut self, expression: &str) -> Result<Value, QueryError> {
        self.inner.query(expression)
    }

    fn timing_summary(&mut self) -> TimingSummary {
        // The episode is over.
        self.end_round();
        self.inner.timing_summary()
    }

    fn digest_at(&mut self, t_s: i64) -> Option<StateDigest> {
        self.inner.digest_at(t_s)
    }

    fn memory_at(&mut self, t_s: i64) -> Option<Memory> {
        self.inner.memory_at(t_s)
    }
}

impl LabEngine for TimedEngine {
    fn advance_to(&mut self, t_s: i64, observer: &mut dyn Observer) {
        self.end_round();
        let begun = Instant::now();
        self.inner.advance_to(t_s, observer);
        self.round = Some(begun.elapsed());
    }

    fn batch_head(&self) -> &str {
        self.inner.batch_head()
    }

    fn write_signing_payload(&self, action: &Action, out: &mut Vec<u8>) {
        self.inner.write_signing_payload(action, out);
    }

    fn note_signature(&mut self, public: &[u8; 32], signature: &[u8; 64], payload: &[u8]) {
        self.inner.note_signature(public, signature, payload);
    }

    fn step(&mut self, action: &Action, observer: &mut dyn Observer) {
        let begun = Instant::now();
        self.inner.step(action, observer);
        self.add(begun.elapsed());
    }

    fn step_raw(&mut self, event: &Map<String, Value>, observer: &mut dyn Observer) -> StepResult {
        let begun = Instant::now();
        let result = self.inner.step_raw(event, observer);
        self.add(begun.elapsed());
        result
    }

    fn outcome(&self) -> &Outcome {
        self.inner.outcome()
    }

    fn result(&self) -> StepResult {
        self.inner.result()
    }

    fn chain(&self) -> ChainValues<'_> {
        self.inner.chain()
    }

    fn observe(&mut self, view: &mut WorldView) {
        let begun = Instant::now();
        self.inner.observe(view);
        self.observing += begun.elapsed();
    }

    fn most_releasable(&self, horizon_s: i64, dt_s: u32) -> Option<u32> {
        self.inner.most_releasable(horizon_s, dt_s)
    }

    fn announce(&mut self, specimen: &Map<String, Value>) -> Result<(), LabError> {
        self.inner.announce(specimen)
    }

    fn go_unrecorded(&mut self) {
        self.inner.go_unrecorded();
    }

    fn symbols(&self) -> &Symbols {
        self.inner.symbols()
    }

    fn symbols_mut(&mut self) -> &mut Symbols {
        self.inner.symbols_mut()
    }
}
