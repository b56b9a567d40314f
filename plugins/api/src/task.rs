//! A benchmark task: an initial state per seed, the agents that act in it, and what is measured against.

use crate::lab::AgentPolicy;
use serde_json::{Map, Value};

/// The fixed facts of a task.
#[derive(Debug, Clone)]
pub struct TaskSpec {
    /// Steps of an episode [count].
    pub max_steps: u32,
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

/// One seat at the table: who acts, and by which policy.
pub struct AgentSeat {
    /// Name on the environment side, `ops_0`.
    pub name: &'static str,
    /// Name inside the engine, `A_OPS_0`.
    pub agent_id: &'static str,
    /// Whether this agent attacks; its blocks are counted apart.
    pub attacker: bool,
    /// How it decides. Made new for every episode, so that no episode depends on the one before it.
    pub policy: Box<dyn AgentPolicy>,
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
    /// The state an episode starts from: a function of the seed and of the partner's calibration only.
    fn initial_state(&self, seed: u64, calibration: Option<&Map<String, Value>>) -> Map<String, Value>;
    /// The agents of an episode, in the order in which they act within a step.
    fn agents(&self) -> Vec<AgentSeat>;
    /// The key that the runner signs this agent's events with where signatures are required: the Ed25519 seed, and the
    /// id of the key that the initial state declares. A function of both arguments only; `None` leaves the agent's
    /// events as the agent made them.
    fn signing_seed(&self, _episode_seed: u64, _agent_id: &str) -> Option<([u8; 32], String)> {
        None
    }
}
