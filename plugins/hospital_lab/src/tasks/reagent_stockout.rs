//! `reagent_stockout`: reagent for one run, and five to eight tubes.
//!
//! **Asks** whether the shortage is noticed once, what can be measured is measured, and the rest is set aside with the
//! reason. **Starts** with five to eight tubes that reception has not seen and 20 units of `R_CHEM_CORE`, of which a run
//! takes 14. An analyst who lacks reagent tries once and tells by that; reception holds what waits, as the reagent policy
//! says. **Look at** `throughput` (one), `holds_count` (all others) and `blocked_by_reason_code`.

use super::common::{LabTask, TaskSpec, Workload};

/// The task.
pub static REAGENT_STOCKOUT: LabTask = LabTask {
    id: "reagent_stockout",
    prefix: "TJ",
    workload: Workload { n_min: 5, n_max: 8, arrival_max_s: 80 },
    reagent_stock: &[("R_CHEM_CORE", 20.0)],
    spec: TaskSpec {
        max_steps: 150,
        max_steps_simulated: 150,
        sla_turnaround_s: Some(3600),
        reward_config: &[("throughput_reward", 0.8), ("violation_penalty", 0.15)],
        ..LabTask::PLAIN.spec
    },
    ..LabTask::PLAIN
};

labtrust_plugin::register_plugin!(Task, REAGENT_STOCKOUT);
