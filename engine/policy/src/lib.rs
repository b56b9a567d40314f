//! Policy directories: where the rules of an episode come from, and what is wrong with them.
//!
//! Start at [`PolicyStore`]: open one ([`PolicyStore::resolve`]), put overlays on it
//! ([`PolicyStore::with_domain`], [`PolicyStore::with_partner`]), then read typed parts of it
//! ([`PolicyStore::section`]). [`validate`] tells an author everything that is wrong. Every complaint is a [`PolicyError`] that names the file, the line and what to do.
//! The only crate that opens policy files. It knows their names and how overlays merge, but not what a
//! role, a zone or an analyser is: those types belong to the crates that use them.

mod builtin;
mod directory;
mod error;
mod fingerprint;
mod nearest;
mod overlay;
mod parse;
mod profile;
mod references;
mod required;
mod section;
mod source;
mod store;
mod validate;

pub use error::{Located, PolicyError};
pub use nearest::nearest;
pub use overlay::{CONDITIONS_STUDY, COORDINATION_STUDY, OFFICIAL_PACK};
pub use profile::LabProfile;
pub use required::{FALLBACK_FILES, REQUIRED_DIRECTORIES, REQUIRED_FILES};
pub use source::{Consumed, Origin, Source};
pub use store::{POLICY_DIR_VARIABLE, PolicyStore};
pub use validate::{Finding, places_of, schema_complaints, schema_path, schemas, validate};
