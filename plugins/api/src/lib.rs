//! What an extension author depends on: the traits of the plugin kinds, the registry, and the laboratory's
//! vocabulary ([`lab`]): actions, outcomes, the shared view of the world.
//!
//! A domain registers a [`lab::LabDomain`], a task a [`Task`]; both are found by id through [`Registry`]. This crate
//! contains no simulation: no world, no calendar, no rule of any laboratory.

pub mod lab;
mod registry;
mod task;

pub use inventory;
pub use registry::{Plugin, Registration, Registry, RegistryError};
pub use task::{AgentSeat, Task, TaskSpec};
