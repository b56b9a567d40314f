//! How a laboratory is driven.

use super::{Action, Outcome, Symbols, WorldView};
use labtrust_contract::StepResult;
use labtrust_kernel::Memory;
use labtrust_policy::{PolicyError, PolicyStore};
use serde_json::{Map, Value};
use std::{collections::BTreeMap, sync::Arc};

/// Why an episode could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// The initial state is not what it should be.
    #[error("initial state: {0}")]
    InitialState(String),
    /// The episode's roster or keys contradict the policy.
    #[error("initial state: {message}")]
    Roster {
        /// What is wrong.
        message: String,
    },
}

/// Why a query could not be answered.
#[derive(Debug, thiserror::Error)]
#[error("Unsupported query: {0}")]
pub struct QueryError(pub String);

/// Chain values, borrowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainValues<'a> {
    /// Hash of the first record.
    pub head_hash: &'a str,
    /// Hash of the newest record.
    pub last_hash: &'a str,
    /// Hash of the record before the newest.
    pub prev_hash: &'a str,
    /// Records [count].
    pub length: u64,
}

/// Everything about one step, for those who watch: metrics, logs, evidence.
pub struct StepFacts<'a> {
    /// The event; absent when its map could not be read as one.
    pub action: Option<&'a Action>,
    /// What came of it.
    pub outcome: &'a Outcome,
    /// The event as canonical JSON: as received, or as the typed form writes it.
    pub event: &'a [u8],
    /// Chain values after the step.
    pub chain: ChainValues<'a>,
    /// The interner.
    pub symbols: &'a Symbols,
}

/// Watches steps, those of the laboratory itself included, in chain order.
pub trait Observer {
    /// One step was decided.
    fn on_step(&mut self, facts: &StepFacts<'_>);
}

/// Watches nothing.
impl Observer for () {
    fn on_step(&mut self, _facts: &StepFacts<'_>) {}
}

/// Times of an episode.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TimingSummary {
    /// `explicit` or `simulated`.
    pub timing_mode: &'static str,
    /// Simulated clock [s]; absent in explicit timing.
    pub episode_time_s: Option<u64>,
    /// Busy time of devices that finished a run [s], rounded up; empty in explicit timing.
    pub device_busy_s: BTreeMap<String, u64>,
}

/// SHA-256 over everything that an episode remembers and that can make a difference to what happens next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StateDigest(pub [u8; 32]);

/// A laboratory that is told events as they are written, one episode at a time: what scenarios, vectors and recorded
/// traces need, and all that the frozen reference can do.
pub trait Engine: Send {
    /// Starts an episode.
    ///
    /// # Errors
    /// [`LabError`] when the initial state cannot be used; the engine is then unusable until the next reset.
    fn reset(&mut self, initial_state: &Map<String, Value>, seed: u64) -> Result<(), LabError>;

    /// Begins a batch: where signatures cover the chain head of a batch, it is the one of this moment.
    fn begin_batch(&mut self);

    /// The bytes that a signature of `event` covers if it is played in this batch; `None` when it is no event at all.
    fn signing_payload(&mut self, event: &Map<String, Value>) -> Option<Vec<u8>>;

    /// Applies one event in raw form: the map itself is what is hashed.
    fn play(&mut self, event: &Map<String, Value>) -> StepResult;

    /// Answers a query expression.
    ///
    /// # Errors
    /// [`QueryError`] when the expression is none that is known (or has no meaning in the timing mode).
    fn query(&mut self, expression: &str) -> Result<Value, QueryError>;

    /// Times so far.
    fn timing_summary(&mut self) -> TimingSummary;

    /// Lets everything happen that is due up to `t_s` [s], then digests what the episode remembers: the stores, the
    /// calendar, the random streams, but neither the record nor the time. `None` from an engine that cannot.
    fn digest_at(&mut self, t_s: i64) -> Option<StateDigest> {
        self.memory_at(t_s).map(|memory| StateDigest(memory.digest()))
    }

    /// What [`Engine::digest_at`] digests, with names, so that it can be said where two moments differ.
    fn memory_at(&mut self, _t_s: i64) -> Option<Memory> {
        None
    }
}

/// A laboratory that agents act in: typed actions, observations, observers.
pub trait LabEngine: Engine {
    /// Lets everything happen that is due up to `t_s` [s]. Earlier times change nothing.
    fn advance_to(&mut self, t_s: i64, observer: &mut dyn Observer);

    /// The chain head that signatures of this batch cover.
    fn batch_head(&self) -> &str;

    /// Writes the bytes that a signature of `action` covers.
    fn write_signing_payload(&self, action: &Action, out: &mut Vec<u8>);

    /// Takes note of a signature that the caller has just made over `payload`, with a key whose public half is `public`: it need
    /// not be verified to be judged. An engine that listens to nobody verifies it, and finds the same.
    fn note_signature(&mut self, _public: &[u8; 32], _signature: &[u8; 64], _payload: &[u8]) {}

    /// Applies one event.
    fn step(&mut self, action: &Action, observer: &mut dyn Observer);

    /// [`Engine::play`], watched.
    fn step_raw(&mut self, event: &Map<String, Value>, observer: &mut dyn Observer) -> StepResult;

    /// What came of the newest event.
    fn outcome(&self) -> &Outcome;

    /// The newest answer in text form.
    fn result(&self) -> StepResult;

    /// Chain values now.
    fn chain(&self) -> ChainValues<'_>;

    /// Writes the shared view into `view`.
    fn observe(&mut self, view: &mut WorldView);

    /// Most specimens that any crew could release from the present state on until `horizon_s` [s], acting every `dt_s`
    /// [s] and knowing all arrivals. `None` from an engine that has no such bound.
    fn most_releasable(&self, _horizon_s: i64, _dt_s: u32) -> Option<u32> {
        None
    }

    /// Announces a specimen that comes from another laboratory, written as one of an initial state: it is on its way, and
    /// arrives at its `arrival_ts_s`, or at once where that is over.
    ///
    /// # Errors
    /// [`LabError`] when it cannot be read, or has an id that is known.
    fn announce(&mut self, specimen: &Map<String, Value>) -> Result<(), LabError>;

    /// From now on until the next reset nothing goes on record: no event is hashed, and observers are not shown how it
    /// is written. For measurements of what the record costs; nobody could check such an episode.
    fn go_unrecorded(&mut self);

    /// Packs up what the episode remembers, so that of very many laboratories those that nobody works in take little
    /// room. Until it is woken only [`LabEngine::chain`] may be asked; the newest answer is gone after that. `false` from
    /// an engine that cannot, or cannot now: it is as it was.
    fn rest(&mut self) -> bool {
        false
    }

    /// Unpacks what [`LabEngine::rest`] has packed; everything is as it was before. Nothing happens to an engine that is
    /// awake.
    fn wake(&mut self) {}

    /// The interner.
    fn symbols(&self) -> &Symbols;

    /// The interner, to make ids.
    fn symbols_mut(&mut self) -> &mut Symbols;
}

/// A domain whose policy was read and checked; makes engines.
pub trait LoadedLab: Send + Sync {
    /// A new engine. It needs a reset before its first step.
    fn engine(&self) -> Box<dyn LabEngine>;

    /// The same laboratory with what `common` says of floor, devices, roster and keys: what is common to the initial
    /// states of many engines is read and compiled once, and their own states leave it out.
    ///
    /// # Errors
    /// [`LabError`] as a reset with that state would give it.
    fn under(&self, common: &Map<String, Value>) -> Result<Arc<dyn LoadedLab>, LabError>;
}

/// A laboratory domain.
pub trait LabDomain: Send + Sync {
    /// The domain's id.
    fn id(&self) -> &'static str;

    /// Reads and checks the domain's part of a policy directory.
    ///
    /// # Errors
    /// [`PolicyError`] with file and place when a file is missing, malformed or contradicts another.
    fn load(&self, policy: &PolicyStore) -> Result<Arc<dyn LoadedLab>, PolicyError>;
}
