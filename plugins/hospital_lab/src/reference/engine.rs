//! The engine: a policy, and the episode it is in.

use super::episode::Episode;
use super::event::Event;
use super::policy::Policy;
use labtrust_contract::{SignatureVerification, StepResult};
use labtrust_plugin::lab::{Engine, LabError, QueryError, TimingSummary};
use labtrust_policy::{PolicyError, PolicyStore};
use serde_json::{Map, Value};

/// The reference engine. It needs a reset before its first step.
#[derive(Debug)]
pub struct FrozenEngine {
    policy: Policy,
    episode: Option<Episode>,
    /// What the newest signature check found. It outlives steps and even episodes, as in the reference: a
    /// runtime-control step reports that of the step before.
    remembered: Option<SignatureVerification>,
}

impl FrozenEngine {
    /// An engine under a policy. Files that are missing or cannot be read count as the reference's defaults; a directory
    /// without rule files was refused by [`PolicyStore::open`].
    ///
    /// # Errors
    /// None so far: everything that this engine cannot read has a default.
    pub fn new(policy: &PolicyStore) -> Result<Self, PolicyError> {
        Ok(Self { policy: Policy::read(policy)?, episode: None, remembered: None })
    }

    fn episode(&self) -> &Episode {
        self.episode.as_ref().expect("an engine is reset before its first step")
    }

    /// The role of an agent, roster changes included.
    ///
    /// # Panics
    /// When the engine was never reset.
    #[must_use]
    pub fn agent_role(&self, agent: &str) -> Option<&str> {
        self.episode().rbac.role_of(agent)
    }
}

impl Engine for FrozenEngine {
    /// The seed has no effect: the random draws of the reference are not bound, and none are made.
    fn reset(&mut self, initial_state: &Map<String, Value>, _seed: u64) -> Result<(), LabError> {
        self.episode = None;
        self.episode = Some(Episode::start(&self.policy, initial_state)?);
        Ok(())
    }

    /// Signatures of the reference cover the newest record, not the head of a batch.
    fn begin_batch(&mut self) {}

    /// Payload v1, after the newest hash of the chain.
    fn signing_payload(&mut self, event: &Map<String, Value>) -> Option<Vec<u8>> {
        let episode = self.episode();
        let event = Event::read(event)?;
        Some(episode.keys.payload(&event, &episode.chain.values().last_event_hash))
    }

    fn play(&mut self, event: &Map<String, Value>) -> StepResult {
        let episode = self.episode.as_mut().expect("an engine is reset before its first step");
        episode.step(event, &mut self.remembered)
    }

    fn query(&mut self, expression: &str) -> Result<Value, QueryError> {
        self.episode().query(expression)
    }

    fn timing_summary(&mut self) -> TimingSummary {
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
