//! The engine: a policy, and the episode it is in.

use super::episode::Episode;
use super::event::Event;
use super::policy::Policy;
use labtrust_contract::{SignatureVerification, StepResult};
use labtrust_plugin::lab::{LabError, QueryError, TimingSummary};
use labtrust_policy::{PolicyError, PolicyStore};
use serde_json::{Map, Value};

/// The reference engine. It needs a [`Engine::reset`] before its first step.
#[derive(Debug)]
pub struct Engine {
    policy: Policy,
    episode: Option<Episode>,
    /// What the newest signature check found. It outlives steps and even episodes, as in the reference: a
    /// runtime-control step reports that of the step before.
    remembered: Option<SignatureVerification>,
}

impl Engine {
    /// An engine under a policy. Files that are missing or cannot be read count as the reference's defaults; a directory
    /// without rule files was refused by [`PolicyStore::open`].
    ///
    /// # Errors
    /// None so far: everything that this engine cannot read has a default.
    pub fn new(policy: &PolicyStore) -> Result<Self, PolicyError> {
        Ok(Self { policy: Policy::read(policy)?, episode: None, remembered: None })
    }

    /// Starts an episode. The seed has no effect: the random draws of the reference are not bound, and none are made.
    ///
    /// # Errors
    /// [`LabError::InitialState`] when an initial token lacks a field; the engine is then unusable until the next reset.
    pub fn reset(&mut self, initial_state: &Map<String, Value>, _seed: u64) -> Result<(), LabError> {
        self.episode = None;
        self.episode = Some(Episode::start(&self.policy, initial_state)?);
        Ok(())
    }

    fn episode(&self) -> &Episode {
        self.episode.as_ref().expect("an engine is reset before its first step")
    }

    /// Applies one event. The map itself is what is hashed.
    ///
    /// # Panics
    /// When the engine was never reset.
    pub fn step(&mut self, event: &Map<String, Value>) -> StepResult {
        let episode = self.episode.as_mut().expect("an engine is reset before its first step");
        episode.step(event, &mut self.remembered)
    }

    /// Answers a query expression.
    ///
    /// # Errors
    /// [`QueryError`] when the expression is none that is known, or has no meaning in the timing mode.
    ///
    /// # Panics
    /// When the engine was never reset.
    pub fn query(&self, expression: &str) -> Result<Value, QueryError> {
        self.episode().query(expression)
    }

    /// The bytes that a signature of `event` covers now: payload v1, after the newest hash of the chain. `None` when
    /// the event's time is not a whole number.
    ///
    /// # Panics
    /// When the engine was never reset.
    #[must_use]
    pub fn signing_payload(&self, event: &Map<String, Value>) -> Option<Vec<u8>> {
        let episode = self.episode();
        let event = Event::read(event)?;
        Some(episode.keys.payload(&event, &episode.chain.values().last_event_hash))
    }

    /// The role of an agent, roster changes included.
    ///
    /// # Panics
    /// When the engine was never reset.
    #[must_use]
    pub fn agent_role(&self, agent: &str) -> Option<&str> {
        self.episode().rbac.role_of(agent)
    }

    /// Times so far.
    ///
    /// # Panics
    /// When the engine was never reset.
    #[must_use]
    pub fn timing_summary(&self) -> TimingSummary {
        match &self.episode().devices {
            None => TimingSummary { timing_mode: "explicit", ..TimingSummary::default() },
            Some(devices) => TimingSummary {
                timing_mode: "simulated",
                episode_time_s: Some(u64::try_from(devices.clock_s).unwrap_or(0)),
                device_busy_s: devices.busy_s(),
            },
        }
    }
}
