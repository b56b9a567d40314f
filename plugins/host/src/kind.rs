//! What a loaded plugin is for: the kinds that can be files of their own.

#[cfg(feature = "wasm")]
use crate::RegisterError;
use crate::check::{Check, check_dispatch, check_method};
use crate::{Carrier, LoadedDispatch, LoadedMethod, OnTrap, SchemaError};
use labtrust_plugin::{Plugin, Registry, agent, mine};
use std::sync::Arc;

/// A loaded plugin, by its kind.
pub enum Loaded {
    /// A coordination method.
    Method(LoadedMethod),
    /// An agent policy, as a team.
    Agent(LoadedMethod),
    /// A mine's dispatch policy.
    Dispatch(LoadedDispatch),
}

impl Loaded {
    /// The plugin that `carrier` carries, of the kind that its manifest says.
    ///
    /// # Errors
    /// [`SchemaError`] when what it says of its parameters is no JSON Schema.
    pub fn new(carrier: Arc<dyn Carrier>) -> Result<Self, SchemaError> {
        Ok(match carrier.manifest().kind.as_str() {
            agent::KIND => Self::Agent(LoadedMethod::new(carrier)?),
            mine::KIND => Self::Dispatch(LoadedDispatch::new(carrier)?),
            _ => Self::Method(LoadedMethod::new(carrier)?),
        })
    }

    /// Puts it to work with its default parameters, and says what was found.
    #[must_use]
    pub fn check(&self) -> Vec<Check> {
        match self {
            Self::Method(method) | Self::Agent(method) => check_method(method),
            Self::Dispatch(policy) => check_dispatch(policy),
        }
    }

    /// It as a plugin of the program, for as long as that runs. A fallback is one of its kind in `registry`.
    ///
    /// # Errors
    /// [`RegisterError::Registry`] when there is no such fallback, [`RegisterError::OnTrap`] when its kind cannot deal with
    /// failures like this.
    #[cfg(feature = "wasm")]
    pub(crate) fn plugin(self, registry: &Registry, on_trap: &OnTrap) -> Result<Plugin, RegisterError> {
        let fallback = match on_trap {
            OnTrap::Fallback(id) => Some(id.as_str()),
            OnTrap::EndEpisode | OnTrap::Noop => None,
        };
        // A program loads a handful of plugins, once; nothing is ever unloaded.
        Ok(match self {
            Self::Method(method) => {
                let fallback = fallback.map(|id| registry.coordination_method(id)).transpose()?;
                Plugin::CoordinationMethod(Box::leak(Box::new(method.on_trap(on_trap.clone(), fallback)?)))
            }
            Self::Agent(policy) => {
                let fallback = fallback.map(|id| registry.agent_policy(id)).transpose()?;
                Plugin::AgentPolicy(Box::leak(Box::new(policy.on_trap(on_trap.clone(), fallback)?)))
            }
            Self::Dispatch(policy) => {
                let fallback = fallback.map(|id| registry.mine_dispatch(id)).transpose()?;
                Plugin::MineDispatch(Box::leak(Box::new(policy.on_trap(on_trap, fallback)?)))
            }
        })
    }
}
