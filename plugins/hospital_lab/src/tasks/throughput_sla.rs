//! `throughput_sla`: three to six accepted routine tubes in the first minute, released within an hour of arrival.
//!
//! **Asks** how much of a small morning batch leaves the laboratory before the horizon. **Starts** with tubes that
//! were accepted before they arrive, so reception has nothing to do. **Tight** in simulated timing: the spin alone
//! takes 600 of the 800 s, and a tube that misses the second centrifuge unit is lost to the episode.

use super::common::{LabTask, ROUTINE_STOCK, TaskSpec, Workload};

/// The task.
pub static THROUGHPUT_SLA: LabTask = LabTask {
    id: "throughput_sla",
    prefix: "TA",
    workload: Workload { n_min: 3, n_max: 6, arrival_max_s: 50 },
    status: "accepted",
    reagent_stock: ROUTINE_STOCK,
    spec: TaskSpec {
        max_steps: 80,
        max_steps_simulated: 80,
        sla_turnaround_s: Some(3600),
        reward_config: &[("throughput_reward", 1.0), ("schedule_reward", 0.1)],
        ..LabTask::PLAIN.spec
    },
    ..LabTask::PLAIN
};

labtrust_plugin::register_plugin!(Task, THROUGHPUT_SLA);
