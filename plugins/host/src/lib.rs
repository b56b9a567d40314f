//! Loads plugins that are files of their own, and keeps them to their limits.
//!
//! [`wasm::load`] reads, checks and compiles a WebAssembly file; what comes of it is a
//! [`CoordinationMethod`](labtrust_plugin::method::CoordinationMethod) like any other. A module that breaks a rule is
//! refused with the rule's name ([`wasm::Refusal`]); one that fails at work is dealt with as the study says
//! ([`OnTrap`]). The program itself never fails with it. Nothing here knows a laboratory: it passes messages.

mod guard;
pub mod wasm;

pub use guard::{OnTrap, OnTrapError};
