//! Loads plugins that are files of their own, and keeps them to their limits.
//!
//! A [`Carrier`] is a file that was loaded and checked: [`wasm::load`] reads, checks and compiles a WebAssembly file,
//! [`native::load`] takes a shared library into the process, [`isolated::load`] into one of its own. A kind of plugin is an adapter over any carrier: [`LoadedMethod`] is a
//! [`CoordinationMethod`](labtrust_plugin::method::CoordinationMethod) like any other. A file that breaks a rule is
//! refused with the rule's name; one that fails at work is dealt with as the study says ([`OnTrap`]). The program itself
//! never fails with it. Nothing here knows a laboratory: it passes messages.

mod carrier;
#[cfg(any(feature = "wasm", all(unix, feature = "native")))]
mod digest;
mod failure;
mod guard;
#[cfg(all(unix, feature = "native"))]
pub mod isolated;
mod method;
#[cfg(all(unix, feature = "native"))]
pub mod native;
#[cfg(feature = "wasm")]
pub mod wasm;
#[cfg(all(unix, feature = "native"))]
mod words;

pub use carrier::{Carrier, Instance, KINDS, ManifestError, read_manifest};
pub use failure::Failure;
pub use guard::{OnTrap, OnTrapError};
pub use method::LoadedMethod;
