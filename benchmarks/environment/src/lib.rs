//! Episodes for learners: an agent sends an index and gets numbers back.
//!
//! Start at [`World`], which is what all episodes of one kind share; [`Environment`] is one episode after the other,
//! [`Batch`] is many at once in one buffer. An episode is the harness's own
//! ([`Episode`](labtrust_bench::Episode)), so that one seed and the same decisions give the record that a benchmark run
//! gives. This crate knows nothing of any learner and of no other language.

mod batch;
mod environment;
mod error;
pub mod floor_plan;
mod masks;
mod reward;
mod world;

pub use batch::{Autoreset, Batch, Rows};
pub use environment::{Environment, StepCounts};
pub use error::EnvironmentError;
pub use reward::{UnknownWeight, Weights};
pub use world::{Terms, World};
