//! What an extension author depends on: the traits of the plugin kinds, the registry, and the laboratory's
//! vocabulary ([`lab`]): actions, outcomes, the shared view of the world.
//!
//! A domain registers a [`lab::LabDomain`], a task a [`Task`], a group of figures a [`metric::Metric`], a set of agents an
//! [`AgentSet`], a disturbance an [`Injection`]; all are found by id through [`Registry`]. This crate
//! contains no simulation: no world, no calendar, no rule of any laboratory.

mod agent_set;
mod injection;
pub mod lab;
pub mod metric;
mod registry;
mod task;

pub use agent_set::{AgentSet, Vacancy};
pub use injection::{Injection, Injector, NoInjection, Turn};
pub use inventory;
pub use registry::{Plugin, Registration, Registry, RegistryError};
pub use task::{AgentSeat, Opening, SigningKey, Task, TaskError, TaskSpec};
