//! Runs benchmarks: episodes, what is measured in them, and the files that come out.
//!
//! Start at [`BenchmarkRun`], which runs the episodes of a task in parallel and returns a results file. One episode is
//! [`run_episode`]; what is measured in it is in [`metrics`]; its log lines are made in [`log`]. A result depends on
//! the task, the policy, the seeds and the timing, and on nothing else: not on threads, machine, clock or directory.

mod ablation;
pub mod agent_process;
pub mod approvals;
mod building;
pub mod checkpoint;
pub mod date;
pub mod diff;
pub mod direction;
mod disturbance;
mod episode;
mod error;
pub mod files;
pub mod isolation;
pub mod log;
pub mod metrics;
pub mod official;
pub mod results;
mod run;
pub mod run_controls;
pub mod scaling;
pub mod scenario;
pub mod seeds;
pub mod sites;
pub mod stats;
pub mod summary;
pub mod telemetry;
#[cfg(test)]
mod testing;
pub mod trace_check;
pub mod validate;

pub use ablation::{Ablation, Without};
pub use building::Building;
pub use direction::{Directing, Direction};
pub use disturbance::is_alarm;
pub use episode::{Cast, CleanCourses, Episode, EpisodeOutcome, EpisodeSetup, Turn, run_episode};
pub use error::BenchError;
pub use run::{BenchmarkRun, Probe, RunLogs, RunOutcome, timing_of};
