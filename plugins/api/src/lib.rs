//! What an extension author depends on: the traits of the plugin kinds, the registry, and the vocabulary of each
//! domain: the laboratory's ([`lab`]: actions, outcomes, the shared view of the world) and the mine's ([`mine`]: what a
//! dispatch policy sees and answers).
//!
//! A laboratory registers a [`lab::LabDomain`], any other domain a [`Domain`], a task a [`Task`], a group of figures a
//! [`metric::Metric`], a set of agents an [`AgentSet`], a disturbance an [`Injection`], a way to send trucks a [`mine::DispatchPolicy`]; all are found by id through [`Registry`]. This crate
//! contains no simulation: no world, no calendar, no rule of any laboratory or mine.

mod agent_set;
mod domain;
mod injection;
pub mod lab;
pub mod metric;
pub mod mine;
mod registry;
mod task;

pub use agent_set::{AgentSet, Vacancy};
pub use domain::Domain;
pub use injection::{Injection, Injector, NoInjection, Turn};
pub use inventory;
pub use registry::{Plugin, Registration, Registry, RegistryError};
pub use task::{AgentSeat, Opening, SigningKey, Task, TaskError, TaskSpec};
