//! Loads plugins that are files of their own, and keeps them to their limits.
//!
//! A [`Carrier`] is a file that was loaded and checked: `wasm::load` reads, checks and compiles a WebAssembly file,
//! `native::load` takes a shared library into the process, `isolated::load` into one of its own; `load` finds out which
//! it is. A kind of
//! plugin is an adapter over any carrier: [`LoadedMethod`] is a
//! [`CoordinationMethod`](labtrust_plugin::method::CoordinationMethod) like any other, [`LoadedDispatch`] a
//! [`DispatchPolicy`](labtrust_plugin::mine::DispatchPolicy). A file that breaks a rule is
//! refused with the rule's name; one that fails at work is dealt with as the study says ([`OnTrap`]). The program itself
//! never fails with it. Nothing here knows a laboratory: it passes messages.

mod agent;
mod carrier;
mod check;
mod conversation;
#[cfg(any(feature = "wasm", all(unix, feature = "native")))]
mod digest;
mod dispatch;
mod failure;
mod guard;
#[cfg(all(unix, feature = "native"))]
pub mod isolated;
mod kind;
#[cfg(feature = "wasm")]
mod load;
mod method;
#[cfg(all(unix, feature = "native"))]
pub mod native;
mod schema;
#[cfg(feature = "wasm")]
pub mod wasm;
mod words;

pub use carrier::{Carrier, Instance, KINDS, ManifestError, read_manifest};
pub use check::{Check, check_dispatch, check_method};
pub use dispatch::LoadedDispatch;
pub use failure::Failure;
pub use guard::{OnTrap, OnTrapError};
pub use kind::Loaded;
#[cfg(feature = "wasm")]
pub use load::{LoadError, LoadOptions, RegisterError, load, register};
pub use method::LoadedMethod;
pub use schema::SchemaError;
