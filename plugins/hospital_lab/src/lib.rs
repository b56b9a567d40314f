//! The hospital laboratory (blood sciences): specimens from reception to released result, under the trust pipeline.
//!
//! Start at [`pipeline`] for what every event goes through, [`actions`] for what each action does, [`lab`] for what
//! happens by itself. [`tasks`] are the benchmark tasks, [`agents`] the scripted roles that work in them. Nothing here
//! reads a file or a wall clock: policy comes compiled, time comes from the caller.

mod actions;
pub mod agents;
mod bound;
mod components;
mod domain;
mod due;
mod entity;
mod initial_state;
mod invariants;
mod lab;
mod names;
mod observe;
mod pipeline;
mod policy;
mod query;
pub mod reference;
mod refusal;
pub mod refusals;
mod shared;
pub mod tasks;
mod tooling;

pub use domain::HospitalLab;
