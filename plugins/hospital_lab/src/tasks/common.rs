//! How a task's figures become an initial state and a crew.

mod arrivals;
pub(super) mod crew;
mod specimen;
mod state;

pub use arrivals::Workload;
pub(super) use crew::{CREW, CREW_AND_ADVERSARY, CREW_AND_INSIDER};
pub use crew::{Job, Post};
pub(super) use labtrust_plugin::TaskSpec;
pub(super) use specimen::specimen;

use labtrust_plugin::{AgentSeat, Opening, SigningKey, Task};
use serde_json::{Map, Value, json};

/// Simulated seconds a step [s].
pub(super) const DT_S: u32 = 10;
/// The agent set of the workflow baseline.
pub(super) const WORKFLOW: &str = "scripted_workflow_v1";
/// Agents that the published configuration names.
pub(super) const SCRIPTED: &[&str] = &["ops_0", "runner_0", "runner_1"];
/// Reagents that no episode of routine work uses up [uses].
pub(super) const ROUTINE_STOCK: &[(&str, f64)] =
    &[("R_CHEM_CORE", 1000.0), ("R_HAEM_CORE", 500.0), ("R_COAG_CORE", 400.0)];
/// Chemistry only, the workload of the published tasks: panels and their weights.
pub(super) const CHEMISTRY: &[(&str, u32)] = &[("BIOCHEM_PANEL_CORE", 1)];

/// A control that is planned for a device.
#[derive(Clone, Copy, Debug)]
pub struct PlannedControl {
    /// The device.
    pub device: &'static str,
    /// Due when so many runs have ended since the control before it.
    pub after_runs: u32,
    /// What it gives, `pass` or `fail`.
    pub outcome: &'static str,
}

/// A time in which a device is broken; in simulated timing only.
#[derive(Clone, Copy, Debug)]
pub struct Outage {
    /// The device.
    pub device: &'static str,
    /// It breaks [s].
    pub start_s: u32,
    /// It works again [s].
    pub end_s: u32,
}

/// A task of this laboratory, as data.
pub struct LabTask {
    /// The task's id.
    pub id: &'static str,
    /// Begins the ids of its specimens, `TA_<seed>_<i>`.
    pub prefix: &'static str,
    /// How much arrives when, unless a partner's calibration says otherwise.
    pub workload: Workload,
    /// Fewest and most of the specimens that are STAT and come last [count]; at least one is routine and comes before.
    pub stat_insertions: (i64, i64),
    /// Fewest and most of the specimens that come too late [count]: separated before they were sent, and past their
    /// stability when they arrive. They are the first.
    pub late: (i64, i64),
    /// Panels and how often each is ordered, as weights.
    pub panels: &'static [(&'static str, u32)],
    /// Status of a specimen when it arrives.
    pub status: &'static str,
    /// How many specimens, counted from the first, wait at the acute site for transport [count].
    pub sent_from_elsewhere: usize,
    /// Reagent stock that replaces the policy's [uses].
    pub reagent_stock: &'static [(&'static str, f64)],
    /// Controls that are planned.
    pub controls: &'static [PlannedControl],
    /// Outages that the episode brings with it.
    pub outages: &'static [Outage],
    /// Whether every event that changes something has to be signed.
    pub strict_signatures: bool,
    /// Who works, in the order in which they act within a step.
    pub crew: &'static [Post],
    /// The fixed facts.
    pub spec: TaskSpec,
}

impl LabTask {
    /// A task in which nothing out of the ordinary happens; to be completed with id, workload, crew and facts.
    pub(super) const PLAIN: Self = Self {
        id: "",
        prefix: "",
        workload: Workload { n_min: 0, n_max: 0, arrival_max_s: 0 },
        stat_insertions: (0, 0),
        late: (0, 0),
        panels: CHEMISTRY,
        status: "arrived_at_reception",
        sent_from_elsewhere: 0,
        reagent_stock: &[],
        controls: &[],
        outages: &[],
        strict_signatures: false,
        crew: CREW,
        spec: TaskSpec {
            max_steps: 0,
            max_steps_simulated: 0,
            dt_s: DT_S,
            sla_turnaround_s: None,
            attack_start_step: None,
            timing_mode: "explicit",
            reward_config: &[],
            scripted_agents: SCRIPTED,
            agent_set: WORKFLOW,
            baseline_id: "scripted_ops_v1",
        },
    };
}

impl Task for LabTask {
    fn id(&self) -> &'static str {
        self.id
    }

    fn spec(&self) -> &TaskSpec {
        &self.spec
    }

    fn facts(&self) -> Map<String, Value> {
        let panels: Map<String, Value> =
            self.panels.iter().map(|(panel, weight)| ((*panel).to_owned(), json!(weight))).collect();
        let mut facts = Map::from_iter([("panel_weights".to_owned(), Value::Object(panels))]);
        if self.crew.iter().any(|post| matches!(post.job, Job::Insider)) {
            facts.insert("insider_attack_steps".to_owned(), json!(crate::agents::INSIDER_ATTACK_STEPS));
        }
        if self.strict_signatures {
            facts.insert("strict_signatures".to_owned(), json!(true));
        }
        facts
    }

    fn initial_state(&self, seed: u64, calibration: Option<&Map<String, Value>>) -> Map<String, Value> {
        state::initial_state(self, seed, calibration)
    }

    fn agents(&self, _opening: &Opening<'_>) -> Vec<AgentSeat> {
        self.crew.iter().map(Post::seat).collect()
    }

    fn signing_keys(&self, episode_seed: u64, agent_id: &str) -> Vec<SigningKey> {
        let of = |agent_id: &str| (crew::signing_seed(episode_seed, agent_id), crew::key_id(agent_id));
        match self.crew.iter().find(|post| post.agent_id == agent_id) {
            None => Vec::new(),
            Some(post) => {
                let own = std::iter::once(of(agent_id));
                own.chain(post.job.other_keys(episode_seed)).collect()
            }
        }
    }
}
