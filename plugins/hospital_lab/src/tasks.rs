//! Benchmark tasks: what an episode starts from, who works in it, and the figures it is measured against.
//!
//! A task is a file with one [`LabTask`] value; how a value becomes a state and a crew is in `common`. The states
//! depend on the seed and the partner's calibration only, and are drawn from named streams, one for counts, one for
//! arrivals, one for priorities, so that a changed range in one place moves nothing in another.

mod adversarial_disruption;
mod common;
mod coord;
mod device_outage_surge;
mod insider_key_misuse;
mod late_courier;
mod multi_site_stat;
mod qc_cascade;
mod reagent_stockout;
mod stat_insertion;
mod throughput_sla;

pub use adversarial_disruption::ADVERSARIAL_DISRUPTION;
pub use common::{Job, LabTask, Outage, PlannedControl, Post, Workload};
pub use coord::{COORD_RISK, COORD_SCALE, CoordTask};
pub use device_outage_surge::DEVICE_OUTAGE_SURGE;
pub use insider_key_misuse::INSIDER_KEY_MISUSE;
pub use late_courier::LATE_COURIER;
pub use multi_site_stat::MULTI_SITE_STAT;
pub use qc_cascade::QC_CASCADE;
pub use reagent_stockout::REAGENT_STOCKOUT;
pub use stat_insertion::STAT_INSERTION;
pub use throughput_sla::THROUGHPUT_SLA;
