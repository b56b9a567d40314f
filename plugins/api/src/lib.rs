//! What an extension author depends on: the traits of the plugin kinds, the registry, the plugin contract, and the
//! vocabulary of each domain: the laboratory's (`lab`: actions, outcomes, the shared view of the world) and the mine's
//! (`mine`: what a dispatch policy sees and answers).
//!
//! A laboratory registers a `lab::LabDomain`, any other domain a `Domain`, a task a `Task`, a group of figures a
//! `metric::Metric`, a set of agents an `AgentSet`, a disturbance an `Injection`, a way to direct many agents a
//! [`method::Method`], a way to direct one an [`agent::Agent`], a way to send trucks a [`mine::Dispatch`]; all are found by id
//! through `Registry`. The last three may also be files of their own: then they are built without the feature
//! `compiled-in`, and need no more than their trait, [`params`] and [`wire`] ([`sdk`] does the rest). This crate contains no simulation: no world, no calendar, no rule of
//! any laboratory or mine; and it loads nothing: no file, no library, no engine for other people's code.

#[cfg(feature = "native")]
pub mod abi;
pub mod agent;
pub mod method;
pub mod mine;
mod origin;
pub mod params;
pub mod prelude;
pub mod sdk;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod wire;

#[cfg(feature = "compiled-in")]
mod agent_set;
#[cfg(feature = "compiled-in")]
mod domain;
#[cfg(feature = "compiled-in")]
mod injection;
#[cfg(feature = "compiled-in")]
pub mod lab;
#[cfg(feature = "compiled-in")]
pub mod metric;
#[cfg(feature = "compiled-in")]
mod registry;
#[cfg(feature = "compiled-in")]
mod task;
#[cfg(feature = "compiled-in")]
mod wire_tap;

pub use origin::Origin;
#[cfg(feature = "compiled-in")]
pub use {
    agent_set::{AgentSet, Vacancy},
    domain::Domain,
    injection::{
        Course, Credential, Forged, Injection, Injector, NoInjection, Report, Sensors, Terms, Turn, UNTOUCHED,
    },
    inventory,
    registry::{Plugin, Registration, Registry, RegistryError},
    task::{AgentSeat, Opening, Referrals, SigningKey, Sites, Task, TaskError, TaskSpec},
    wire_tap::{Fate, Heard, Parcel, Passing, SharedTap, Taint, WireTap, Written},
};
