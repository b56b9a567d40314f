//! Benchmark tasks: what an episode starts from, who works in it, and the figures it is measured against.
//!
//! A task is a file with one [`LabTask`] value; how a value becomes a state and a crew is in `common`. The states
//! depend on the seed and the partner's calibration only, and are drawn from named streams, one for counts, one for
//! arrivals, one for priorities, so that a changed range in one place moves nothing in another.

mod adversarial_disruption;
mod common;
mod multi_site_stat;
mod throughput_sla;

pub use adversarial_disruption::ADVERSARIAL_DISRUPTION;
pub use common::{Job, LabTask, Post, Workload};
pub use multi_site_stat::MULTI_SITE_STAT;
pub use throughput_sla::THROUGHPUT_SLA;
