//! `qc_cascade`: the control of a chemistry analyser fails after its first run.
//!
//! **Asks** whether nothing in doubt leaves the laboratory and everything leaves it in the end. **Starts** with two to
//! four accepted tubes within 30 s. A control of `DEV_CHEM_A_01` is planned after its first run, and by then the device
//! has drifted: the control fails, what the device measured is held, reruns are ordered, waiting work moves to the other
//! chemistry analyser, and after recalibration the control passes. **Look at** `p95_turnaround_s` and
//! `violations_by_invariant_id`: a crew that releases too early is refused or, worse, is not.

use super::common::{LabTask, PlannedControl, ROUTINE_STOCK, TaskSpec, Workload};

/// The task.
pub static QC_CASCADE: LabTask = LabTask {
    id: "qc_cascade",
    prefix: "TC",
    workload: Workload { n_min: 2, n_max: 4, arrival_max_s: 30 },
    status: "accepted",
    reagent_stock: ROUTINE_STOCK,
    controls: &[PlannedControl { device: "DEV_CHEM_A_01", after_runs: 1, outcome: "fail" }],
    spec: TaskSpec { max_steps: 100, max_steps_simulated: 100, ..LabTask::PLAIN.spec },
    ..LabTask::PLAIN
};

labtrust_plugin::register_plugin!(Task, QC_CASCADE);
