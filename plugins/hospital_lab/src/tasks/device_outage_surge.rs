//! `device_outage_surge`: more tubes than reception can take, and a chemistry analyser breaks when they reach it.
//!
//! **Asks** whether work goes round a device that is missing. **Starts** with eight to twelve tubes within 200 s, three in
//! five of them chemistry, one haematology, one clotting. `DEV_CHEM_A_01` breaks at 780 s, when the first batch comes out
//! of the centrifuge, and works again at 1500 s; what it runs is lost and what waits there moves to the other chemistry
//! analyser. (The policy's own maintenance windows come on top, `DEV_HAEM_01` among them.) **Timing** is simulated; in
//! explicit timing no device ever breaks. **Look at** `p95_turnaround_s` and `device_utilization`.

use super::common::{LabTask, Outage, TaskSpec, Workload};

/// The task.
pub static DEVICE_OUTAGE_SURGE: LabTask = LabTask {
    id: "device_outage_surge",
    prefix: "TI",
    workload: Workload { n_min: 8, n_max: 12, arrival_max_s: 200 },
    panels: &[("BIOCHEM_PANEL_CORE", 3), ("HAEM_PANEL_CORE", 1), ("COAG_PANEL_CORE", 1)],
    outages: &[Outage { device: "DEV_CHEM_A_01", start_s: 780, end_s: 1500 }],
    spec: TaskSpec {
        max_steps: 200,
        max_steps_simulated: 200,
        sla_turnaround_s: Some(3600),
        timing_mode: "simulated",
        reward_config: &[("throughput_reward", 1.0), ("violation_penalty", 0.1)],
        ..LabTask::PLAIN.spec
    },
    ..LabTask::PLAIN
};

labtrust_plugin::register_plugin!(Task, DEVICE_OUTAGE_SURGE);
