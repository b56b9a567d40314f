//! What a plugin's file begins with: `use labtrust_plugin::prelude::*;`.

pub use crate::agent::Agent;
pub use crate::method::Method;
pub use crate::mine::{Dispatch, DispatchRequest, LoaderId, LoaderOption, MineSite};
pub use crate::params;
pub use crate::params::NoParams;
pub use crate::wire::{
    Act, Choice, Decision, DeviceStatus, Observation, Priority, Problem, ProblemKind, Site, Specimen, Stage,
};

#[cfg(feature = "native")]
pub use crate::export_native;
#[cfg(feature = "wasm")]
pub use crate::export_wasm;
#[cfg(feature = "compiled-in")]
pub use crate::{register_agent, register_dispatch, register_method};
