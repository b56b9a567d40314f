//! `coord_scale` and `coord_risk`: a laboratory of any size, in which work arrives all the time.
//!
//! **Ask** how well many people of few roles share the work, undisturbed (`coord_scale`) or with an injection
//! (`coord_risk`). A scale (`--scale`, `policy/coordination/scale_configs.v0.1.yaml`) says how many workers, of which
//! roles, with which devices, how much arrives, for how long and in which timing. **Start** with a backlog at reception
//! within the first 100 s; the rest arrives at its time. Nothing is preloaded. Every worker of a role runs the scripted
//! rules of that role and shares the role's work with the others (`agents/team.rs`).

mod floor;
mod roles;
mod scale;
mod scenario;
mod seats;
mod start;

use super::common::{TaskSpec, WORKFLOW, crew};
use floor::Floor;
use labtrust_plugin::{AgentSeat, NoInjection, Opening, Referrals, SigningKey, Sites, Task, TaskError};
use labtrust_policy::PolicyStore;
use scale::Scale;
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

/// A task of scales.
pub struct CoordTask {
    /// The task's id.
    pub id: &'static str,
    /// Whether episodes may be disturbed.
    pub accepts_injections: bool,
    /// The fixed facts at the task's own scale.
    pub spec: TaskSpec,
}

/// The facts of both tasks at their own scale.
const SPEC: TaskSpec = TaskSpec {
    max_steps: scale::OWN_HORIZON_STEPS,
    max_steps_simulated: scale::OWN_HORIZON_STEPS,
    dt_s: super::common::DT_S,
    sla_turnaround_s: Some(3600),
    attack_start_step: None,
    timing_mode: "explicit",
    reward_config: &[("throughput_reward", 1.0), ("violation_penalty", 0.1)],
    scripted_agents: &[],
    agent_set: WORKFLOW,
    baseline_id: "scripted_ops_v1",
};

/// Undisturbed.
pub static COORD_SCALE: CoordTask = CoordTask { id: "coord_scale", accepts_injections: false, spec: SPEC };

/// With an injection.
pub static COORD_RISK: CoordTask = CoordTask {
    id: "coord_risk",
    accepts_injections: true,
    spec: TaskSpec {
        reward_config: &[("throughput_reward", 0.5), ("violation_penalty", 0.2), ("blocked_penalty", 0.1)],
        ..SPEC
    },
};

labtrust_plugin::register_plugin!(Task, COORD_SCALE);
labtrust_plugin::register_plugin!(Task, COORD_RISK);
labtrust_plugin::register_plugin!(Injection, NoInjection);

/// A task at one scale under one policy.
struct ScaledTask {
    id: &'static str,
    accepts_injections: bool,
    spec: TaskSpec,
    scale: Scale,
    floor: Floor,
}

impl ScaledTask {
    fn new(task: &CoordTask, policy: &PolicyStore, scale: Option<&str>) -> Result<Self, TaskError> {
        let scale = scale.map_or_else(|| Ok(Scale::own()), |id| Scale::load(policy, id, task.spec.dt_s))?;
        let spec = TaskSpec {
            max_steps: scale.horizon_steps,
            max_steps_simulated: scale.horizon_steps,
            timing_mode: scale.timing_mode,
            ..task.spec.clone()
        };
        let floor = Floor::of(policy, &scale)?;
        Ok(Self { id: task.id, accepts_injections: task.accepts_injections, spec, scale, floor })
    }
}

impl Sites for ScaledTask {
    fn count(&self) -> u32 {
        self.scale.laboratories()
    }

    fn common(&self) -> Map<String, Value> {
        start::common(&self.scale, &self.floor)
    }

    fn own(&self, seed: u64) -> Map<String, Value> {
        start::own(&self.scale, i64::from(self.spec.dt_s), seed)
    }

    fn referrals(&self) -> Referrals {
        self.scale.referrals.unwrap_or(Referrals { per_mille: 0, transport_s: self.spec.dt_s })
    }
}

/// What a task is that nobody bound to a policy: its own scale under the built-in one.
fn unbound(task: &CoordTask) -> &'static ScaledTask {
    static OWN: LazyLock<[ScaledTask; 2]> = LazyLock::new(|| {
        [&COORD_SCALE, &COORD_RISK].map(|task| {
            ScaledTask::new(task, &PolicyStore::builtin(), None).expect("the built-in policy fits the task's own scale")
        })
    });
    &OWN[usize::from(task.accepts_injections)]
}

impl Task for CoordTask {
    fn id(&self) -> &'static str {
        self.id
    }

    fn spec(&self) -> &TaskSpec {
        &self.spec
    }

    fn facts(&self) -> Map<String, Value> {
        unbound(self).facts()
    }

    fn bind(&self, policy: &PolicyStore, scale: Option<&str>) -> Result<Option<Box<dyn Task>>, TaskError> {
        Ok(Some(Box::new(ScaledTask::new(self, policy, scale)?)))
    }

    fn initial_state(&self, seed: u64, calibration: Option<&Map<String, Value>>) -> Map<String, Value> {
        unbound(self).initial_state(seed, calibration)
    }

    fn agents(&self, opening: &Opening<'_>) -> Vec<AgentSeat> {
        unbound(self).agents(opening)
    }

    fn accepts_injections(&self) -> bool {
        self.accepts_injections
    }

    fn signing_keys(&self, episode_seed: u64, agent_id: &str) -> Vec<SigningKey> {
        unbound(self).signing_keys(episode_seed, agent_id)
    }
}

impl Task for ScaledTask {
    fn id(&self) -> &'static str {
        self.id
    }

    fn spec(&self) -> &TaskSpec {
        &self.spec
    }

    fn facts(&self) -> Map<String, Value> {
        Map::from_iter([
            ("scale_id".to_owned(), json!(self.scale.id)),
            ("scale_config".to_owned(), self.scale.to_json()),
            ("workers_by_role".to_owned(), json!(roles::deal(&self.scale.role_mix, self.scale.agents))),
        ])
    }

    fn initial_state(&self, seed: u64, _calibration: Option<&Map<String, Value>>) -> Map<String, Value> {
        start::initial_state(&self.scale, &self.floor, i64::from(self.spec.dt_s), seed)
    }

    fn sites(&self) -> Option<&dyn Sites> {
        self.scale.referrals.is_some().then_some(self)
    }

    fn agents(&self, opening: &Opening<'_>) -> Vec<AgentSeat> {
        seats::seats(&self.floor, opening)
    }

    fn accepts_injections(&self) -> bool {
        self.accepts_injections
    }

    fn signing_keys(&self, episode_seed: u64, agent_id: &str) -> Vec<SigningKey> {
        vec![(crew::signing_seed(episode_seed, agent_id), crew::key_id(agent_id))]
    }
}
