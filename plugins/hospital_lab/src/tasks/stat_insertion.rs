//! `stat_insertion`: one or two urgent tubes come into routine work that has begun.
//!
//! **Asks** whether an urgent tube overtakes: at the aliquoter, in the queue, at the analyser, at the release. **Starts**
//! with four to six accepted tubes that arrive within 80 s; the last one or two of them are STAT, and at least one
//! routine tube is there before. **Look at** `p50_turnaround_stat_s` beside `p50_turnaround_routine_s`: the same tubes
//! as routine work are slower.

use super::common::{LabTask, ROUTINE_STOCK, TaskSpec, Workload};

/// The task.
pub static STAT_INSERTION: LabTask = LabTask {
    id: "stat_insertion",
    prefix: "TB",
    workload: Workload { n_min: 4, n_max: 6, arrival_max_s: 80 },
    stat_insertions: (1, 2),
    status: "accepted",
    reagent_stock: ROUTINE_STOCK,
    spec: TaskSpec {
        max_steps: 120,
        max_steps_simulated: 120,
        sla_turnaround_s: Some(1800),
        reward_config: &[("throughput_reward", 1.0), ("violation_penalty", 0.1)],
        ..LabTask::PLAIN.spec
    },
    ..LabTask::PLAIN
};

labtrust_plugin::register_plugin!(Task, STAT_INSERTION);
