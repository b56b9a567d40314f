//! Studies of mine haulage: scenarios replicated, compared, swept, and told in tables, pictures and prose.
//!
//! Start at [`run_study`], which takes a [`StudySpec`] and leaves a directory. How replications are run is in `arms`,
//! what they are measured by in `figures`, and each file of a study in `write`. Every figure that is told is computed
//! from the run that tells it; the same spec gives the same bytes on any number of threads. Nothing here simulates.

mod animation;
mod arms;
mod bottleneck;
mod draw;
mod error;
mod estimate;
mod figures;
mod out_dir;
mod paired;
mod plan;
mod proposals;
mod routes;
mod spec;
mod study;
mod sweep;
mod write;

pub use error::StudyError;
pub use labtrust_figures::draw::PictureError;
pub use spec::{Animation, Decimal, Lanes, StudySpec, Sweep, SweepError};
pub use study::{ScenarioLine, StudyDone, run_study};

/// The benchmark that the files of a study answer.
pub const BENCHMARK_ID: &str = "001_synthetic_mine_throughput";
