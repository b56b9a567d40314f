//! Loads plugins that are files of their own, and keeps them to their limits.
//!
//! A [`Carrier`] is a file that was loaded and checked: [`wasm::load`] reads, checks and compiles a WebAssembly file. A kind
//! of plugin is an adapter over any carrier: [`LoadedMethod`] is a
//! [`CoordinationMethod`](labtrust_plugin::method::CoordinationMethod) like any other. A file that breaks a rule is
//! refused with the rule's name; one that fails at work is dealt with as the study says ([`OnTrap`]). The program itself
//! never fails with it. Nothing here knows a laboratory: it passes messages.

mod carrier;
mod failure;
mod guard;
mod method;
pub mod wasm;

pub use carrier::{Carrier, Instance, KINDS, ManifestError, read_manifest};
pub use failure::Failure;
pub use guard::{OnTrap, OnTrapError};
pub use method::LoadedMethod;
