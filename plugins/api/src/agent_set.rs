//! Agent sets: who sits in a task's seats instead of the task's own agents. Attackers stay where they are.

use crate::lab::AgentPolicy;

/// A seat that is to be filled.
#[derive(Clone, Copy, Debug)]
pub struct Vacancy<'a> {
    /// The episode's seed.
    pub seed: u64,
    /// Name on the environment side, `ops_0`.
    pub name: &'a str,
    /// Name inside the engine, `A_OPS_0`.
    pub agent_id: &'a str,
}

/// A set of agents, registered under its id.
pub trait AgentSet: Send + Sync {
    /// The id, `random_legal`.
    fn id(&self) -> &'static str;

    /// The baseline id in results; `None` keeps the task's.
    fn baseline_id(&self) -> Option<&str> {
        None
    }

    /// Somebody for a seat; `None` leaves it to the task's own agent.
    fn policy(&self, vacancy: &Vacancy<'_>) -> Option<Box<dyn AgentPolicy>>;
}
