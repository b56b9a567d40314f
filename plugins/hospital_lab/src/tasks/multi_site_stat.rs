//! `multi_site_stat`: one urgent tube waits at the acute site while the hub works on its own.
//!
//! **Asks** whether the transport is arranged at once and the hub keeps a centrifuge for the tube that comes late: the
//! way takes 540 to 660 s, the spin 600 s, the horizon is 1500 s. **Starts** with three to five tubes, the first of
//! them at `SITE_ACUTE` from the beginning and of class STAT (the name promises one), the others arriving at the hub.

use super::common::{LabTask, TaskSpec, Workload};

/// The task.
pub static MULTI_SITE_STAT: LabTask = LabTask {
    id: "multi_site_stat",
    prefix: "TE",
    workload: Workload { n_min: 3, n_max: 5, arrival_max_s: 100 },
    sent_from_elsewhere: 1,
    spec: TaskSpec {
        max_steps: 150,
        max_steps_simulated: 150,
        sla_turnaround_s: Some(2400),
        reward_config: &[("throughput_reward", 1.0), ("violation_penalty", 0.1)],
        ..LabTask::PLAIN.spec
    },
    ..LabTask::PLAIN
};

labtrust_plugin::register_plugin!(Task, MULTI_SITE_STAT);
