//! The one list that links every compiled-in plugin into a program.
//!
//! Registration happens next to each plugin's type; the linker drops a crate that nobody mentions, so each is mentioned
//! here. A program calls [`registry`] and never names a plugin crate itself.

use labtrust_coordination as _;
use labtrust_hospital_lab as _;
use labtrust_learned as _;
use labtrust_mine_haulage as _;
use labtrust_model_agents as _;
use labtrust_plugin::{Registry, RegistryError};
use labtrust_redteam as _;

/// The registry of everything that is compiled in.
///
/// # Errors
/// [`RegistryError::Duplicate`] when two plugins of one kind have one id.
pub fn registry() -> Result<Registry, RegistryError> {
    Registry::linked()
}
