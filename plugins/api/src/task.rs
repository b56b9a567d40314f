//! A benchmark task: an initial state per seed, the agents that act in it, and what is measured against.

use crate::lab::AgentPolicy;
use labtrust_policy::{PolicyError, PolicyStore};
use serde_json::{Map, Value};
use std::borrow::Cow;

/// The fixed facts of a task.
#[derive(Debug, Clone)]
pub struct TaskSpec {
    /// Steps of an episode in explicit timing [count].
    pub max_steps: u32,
    /// Steps of an episode in simulated timing [count], where services take time.
    pub max_steps_simulated: u32,
    /// Simulated seconds a step [s].
    pub dt_s: u32,
    /// Turnaround that counts as on time [s].
    pub sla_turnaround_s: Option<u32>,
    /// Step at which an attacker begins, where there is one.
    pub attack_start_step: Option<u32>,
    /// Timing the task insists on unless the caller says otherwise.
    pub timing_mode: &'static str,
    /// Reward weights, copied into the result's `config`.
    pub reward_config: &'static [(&'static str, f64)],
    /// Agents named by the published configuration, copied into the result's `config`.
    pub scripted_agents: &'static [&'static str],
    /// Name of the set of agents that act, copied into the result's `config`.
    pub agent_set: &'static str,
    /// The published baseline id of the task's own agents.
    pub baseline_id: &'static str,
}

impl TaskSpec {
    /// Steps of an episode [count].
    #[must_use]
    pub fn steps(&self, simulated: bool) -> u32 {
        if simulated { self.max_steps_simulated } else { self.max_steps }
    }
}

/// One seat at the table: who acts, and by which policy.
pub struct AgentSeat {
    /// Name on the environment side, `ops_0`.
    pub name: Cow<'static, str>,
    /// Name inside the engine, `A_OPS_0`.
    pub agent_id: Cow<'static, str>,
    /// Whether this agent attacks; its blocks are counted apart.
    pub attacker: bool,
    /// How it decides. Made new for every episode, so that no episode depends on the one before it.
    pub policy: Box<dyn AgentPolicy>,
}

/// What an episode opens with, for whoever makes its agents.
#[derive(Clone, Copy, Debug)]
pub struct Opening<'a> {
    /// The episode's seed.
    pub seed: u64,
    /// Its initial state.
    pub state: &'a Map<String, Value>,
}

/// A key that an agent signs with: the Ed25519 seed, and the id under which the initial state or the policy declares it.
pub type SigningKey = ([u8; 32], String);

/// Why a task cannot be run as it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum TaskError {
    /// The policy cannot be used.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The task has one size only.
    #[error("task {task} has no scales")]
    NoScale {
        /// The task.
        task: &'static str,
    },
    /// There is no such scale.
    #[error("unknown scale: {scale}. Known: [{}]", known.join(", "))]
    UnknownScale {
        /// What was asked for.
        scale: String,
        /// What there is, sorted.
        known: Vec<String>,
    },
    /// The scale contradicts itself or the policy.
    #[error("scale {scale}: {message}")]
    BadScale {
        /// The scale.
        scale: String,
        /// What is wrong.
        message: String,
    },
}

/// Many laboratories alike, the sites of one episode. Each has people, devices and work of its own; what connects them is
/// that some of what one releases goes on to the next for a second opinion.
pub trait Sites: Send + Sync {
    /// How many there are [count], at least one.
    fn count(&self) -> u32;
    /// What their initial states have in common: floor, devices, roster.
    fn common(&self) -> Map<String, Value>;
    /// What the initial state of one has of its own: a function of its seed only.
    fn own(&self, seed: u64) -> Map<String, Value>;
    /// What goes from one to the next.
    fn referrals(&self) -> Referrals;
}

/// What goes from one site of an episode to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Referrals {
    /// Share of the released specimens that the next site sees too [1/1000].
    pub per_mille: u32,
    /// How long a courier takes [s], at least a step.
    pub transport_s: u32,
}

/// A benchmark task.
pub trait Task: Send + Sync {
    /// The task's id.
    fn id(&self) -> &'static str;
    /// The domain it runs in.
    fn domain(&self) -> &'static str {
        "hospital_lab"
    }
    /// Its fixed facts.
    fn spec(&self) -> &TaskSpec;
    /// What else a reader of its results should know, copied into the result's `config`.
    fn facts(&self) -> Map<String, Value> {
        Map::new()
    }
    /// The task under a policy and, where it has several sizes, at one of them. `None` when the task is the same under
    /// every policy.
    ///
    /// # Errors
    /// [`TaskError`] when there is no such scale, or when scale and policy do not fit.
    fn bind(&self, _policy: &PolicyStore, scale: Option<&str>) -> Result<Option<Box<dyn Task>>, TaskError> {
        match scale {
            None => Ok(None),
            Some(_) => Err(TaskError::NoScale { task: self.id() }),
        }
    }
    /// The state an episode starts from: a function of the seed and of the partner's calibration only.
    fn initial_state(&self, seed: u64, calibration: Option<&Map<String, Value>>) -> Map<String, Value>;
    /// The agents of an episode, in the order in which they act within a step.
    fn agents(&self, opening: &Opening<'_>) -> Vec<AgentSeat>;
    /// The laboratories of an episode, where it has many alike; [`Task::initial_state`] is then that of one of them.
    fn sites(&self) -> Option<&dyn Sites> {
        None
    }
    /// Whether the episodes of the task may be disturbed by an injection.
    fn accepts_injections(&self) -> bool {
        false
    }
    /// The keys that this agent has where signatures are required. The runner signs its events with the first, unless an
    /// event names another of them. A function of both arguments only; without keys the agent's events stay as the
    /// agent made them.
    fn signing_keys(&self, _episode_seed: u64, _agent_id: &str) -> Vec<SigningKey> {
        Vec::new()
    }
}
