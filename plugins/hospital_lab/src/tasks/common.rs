//! How a task's figures become an initial state and a crew.

mod arrivals;
mod crew;
mod state;

pub use arrivals::Workload;
pub(super) use crew::{CREW, CREW_AND_ADVERSARY};
pub use crew::{Job, Post};
pub(super) use labtrust_plugin::TaskSpec;

use labtrust_plugin::{AgentSeat, Task};
use serde_json::{Map, Value};

/// Simulated seconds a step [s].
pub(super) const DT_S: u32 = 10;
/// The agent set of the workflow baseline.
pub(super) const WORKFLOW: &str = "scripted_workflow_v1";
/// Agents that the published configuration names.
pub(super) const SCRIPTED: &[&str] = &["ops_0", "runner_0", "runner_1"];
/// Reagents that no episode of routine work uses up [uses].
pub(super) const ROUTINE_STOCK: &[(&str, f64)] =
    &[("R_CHEM_CORE", 1000.0), ("R_HAEM_CORE", 500.0), ("R_COAG_CORE", 400.0)];

/// A task of this laboratory, as data.
pub struct LabTask {
    /// The task's id.
    pub id: &'static str,
    /// Begins the ids of its specimens, `TA_<seed>_<i>`.
    pub prefix: &'static str,
    /// How much arrives when, unless a partner's calibration says otherwise.
    pub workload: Workload,
    /// Status of a specimen when it arrives.
    pub status: &'static str,
    /// How many specimens, counted from the first, wait at the acute site for transport [count].
    pub sent_from_elsewhere: usize,
    /// Reagent stock that replaces the policy's [uses].
    pub reagent_stock: &'static [(&'static str, f64)],
    /// Who works, in the order in which they act within a step.
    pub crew: &'static [Post],
    /// The fixed facts.
    pub spec: TaskSpec,
}

impl Task for LabTask {
    fn id(&self) -> &'static str {
        self.id
    }

    fn spec(&self) -> &TaskSpec {
        &self.spec
    }

    fn initial_state(&self, seed: u64, calibration: Option<&Map<String, Value>>) -> Map<String, Value> {
        state::initial_state(self, seed, calibration)
    }

    fn agents(&self) -> Vec<AgentSeat> {
        self.crew.iter().map(Post::seat).collect()
    }

    fn signing_seed(&self, episode_seed: u64, agent_id: &str) -> Option<([u8; 32], String)> {
        self.crew
            .iter()
            .any(|post| post.agent_id == agent_id)
            .then(|| (crew::signing_seed(episode_seed, agent_id), crew::key_id(agent_id)))
    }
}
