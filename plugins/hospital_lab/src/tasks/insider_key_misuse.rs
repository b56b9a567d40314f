//! `insider_key_misuse`: a runner with a key of his own and keys that he should not have.
//!
//! **Asks** whether the work goes on under strict signatures and nothing the insider tries takes effect. **Starts** with
//! two to four tubes that reception has not seen, and a crew of five, each with a key. **The insider**
//! (`agents/insider.rs`) uses his own key for what his role may not do, forges, repeats, signs with a revoked and with a
//! stolen key. **Horizon**: 500 s in explicit timing as published; the spin alone takes 600 s, so simulated episodes have
//! 1200 s. **Look at** `attacker_blocked_by_reason_code` and `fraction_of_attacks_contained`.

use super::common::{CREW_AND_INSIDER, LabTask, TaskSpec, Workload};

/// The task.
pub static INSIDER_KEY_MISUSE: LabTask = LabTask {
    id: "insider_key_misuse",
    prefix: "TF",
    workload: Workload { n_min: 2, n_max: 4, arrival_max_s: 50 },
    strict_signatures: true,
    crew: CREW_AND_INSIDER,
    spec: TaskSpec {
        max_steps: 50,
        max_steps_simulated: 120,
        sla_turnaround_s: Some(3600),
        attack_start_step: Some(2),
        reward_config: &[("throughput_reward", 0.3), ("violation_penalty", 0.2), ("blocked_penalty", 0.1)],
        scripted_agents: &["ops_0", "runner_0", "adversary_insider_0"],
        baseline_id: "insider_v1",
        ..LabTask::PLAIN.spec
    },
    ..LabTask::PLAIN
};

labtrust_plugin::register_plugin!(Task, INSIDER_KEY_MISUSE);
