//! `adversarial_disruption`: an ordinary morning with somebody in the sorting lanes who should not be there.
//!
//! **Asks** whether the work goes on and nothing the intruder tries takes effect. **Starts** with three to five tubes
//! that reception has not seen. **The intruder** (`agents/adversary.rs`) holds the task's own role `ROLE_EXTERNAL`,
//! which may walk and open doors and nothing else; its refusals are counted apart from the crew's.

use super::common::{CREW_AND_ADVERSARY, LabTask, TaskSpec, Workload};
use crate::agents::ATTACK_START_STEP;

/// The task.
pub static ADVERSARIAL_DISRUPTION: LabTask = LabTask {
    id: "adversarial_disruption",
    prefix: "TD",
    workload: Workload { n_min: 3, n_max: 5, arrival_max_s: 50 },
    crew: CREW_AND_ADVERSARY,
    spec: TaskSpec {
        max_steps: 80,
        max_steps_simulated: 80,
        sla_turnaround_s: Some(3600),
        attack_start_step: Some(ATTACK_START_STEP),
        reward_config: &[("throughput_reward", 0.5), ("violation_penalty", 0.2), ("blocked_penalty", 0.1)],
        scripted_agents: &["ops_0", "runner_0", "runner_1", "adversary_0"],
        baseline_id: "adversary_v1",
        ..LabTask::PLAIN.spec
    },
    ..LabTask::PLAIN
};

labtrust_plugin::register_plugin!(Task, ADVERSARIAL_DISRUPTION);
