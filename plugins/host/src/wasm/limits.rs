//! How much a module may use.

use serde::{Deserialize, Serialize};

/// Which arithmetic a module may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Numerics {
    /// Whole numbers only: what it decides cannot depend on how a machine rounds or writes "not a number".
    #[default]
    IntegerOnly,
    /// Floats too, as the engine computes them.
    Floats,
}

/// How much a module may use. The defaults are those of a study that says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Fuel of one decision, with its copying in and out [fuel].
    pub fuel_per_decision: u64,
    /// Fuel for the manifest, and for the beginning of an episode [fuel].
    pub fuel_per_create: u64,
    /// Most memory [MiB].
    pub memory_mib: u32,
    /// Most bytes of one answer [bytes].
    pub reply_bytes: u32,
    /// Which arithmetic it may do.
    pub numerics: Numerics,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            fuel_per_decision: 50_000_000,
            fuel_per_create: 500_000_000,
            memory_mib: 64,
            reply_bytes: 1 << 20,
            numerics: Numerics::IntegerOnly,
        }
    }
}

impl Limits {
    /// Most memory [bytes].
    #[must_use]
    pub const fn memory_bytes(&self) -> u64 {
        (self.memory_mib as u64) << 20
    }
}
