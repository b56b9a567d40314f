//! The file as it is written.

use super::Injection;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    pub(super) study_id: String,
    #[serde(default, rename = "version")]
    _version: Option<String>,
    #[serde(default, rename = "description")]
    _description: Option<String>,
    #[serde(default)]
    pub(super) seed_base: Option<u64>,
    #[serde(default)]
    pub(super) episodes_per_cell: Option<u32>,
    #[serde(default)]
    pub(super) scales: Vec<Dimension>,
    #[serde(default)]
    pub(super) methods: Vec<MethodEntry>,
    #[serde(default)]
    pub(super) risks: Vec<String>,
    #[serde(default)]
    pub(super) injections: Vec<InjectionEntry>,
    #[serde(default)]
    pub(super) waived_risks: Vec<WaivedEntry>,
}

/// One dimension of the sizes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Dimension {
    pub(super) name: String,
    pub(super) values: Vec<Value>,
}

/// A method: its id, or a map with it.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "a method is an id, or a map with method_id")]
pub(super) enum MethodEntry {
    Id(String),
    Map {
        #[serde(alias = "method")]
        method_id: String,
    },
}

impl MethodEntry {
    pub(super) fn into_id(self) -> String {
        match self {
            Self::Id(id) | Self::Map { method_id: id } => id,
        }
    }
}

/// When an injection acts, as far as the spec says; the names are those of `injections.v0.2.yaml`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phases {
    /// `full`, `early`, `mid` or `late`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application_phase: Option<String>,
    /// Last step of the early phase.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub early_step_cap: Option<u32>,
    /// First step of the late phase.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late_step_min: Option<u32>,
}

/// An injection: its id, or a map with it and how it is set.
#[derive(Debug, Deserialize)]
#[serde(
    untagged,
    expecting = "an injection is an id, or a map with injection_id, intensity (0 to 1) and seed_offset (0 or more)"
)]
pub(super) enum InjectionEntry {
    Id(String),
    Map {
        injection_id: String,
        #[serde(default)]
        intensity: Option<f64>,
        #[serde(default)]
        seed_offset: Option<u64>,
        #[serde(flatten)]
        phases: Phases,
    },
}

impl InjectionEntry {
    pub(super) fn into_injection(self) -> Injection {
        match self {
            Self::Id(id) => Injection { id, intensity: None, seed_offset: None, phases: Phases::default() },
            Self::Map { injection_id, intensity, seed_offset, phases } => {
                Injection { id: injection_id, intensity, seed_offset, phases }
            }
        }
    }
}

/// A risk that needs no injection: its id, or a map with it and a reason.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "a waived risk is an id, or a map with risk_id and reason")]
pub(super) enum WaivedEntry {
    Id(String),
    Map {
        risk_id: String,
        #[serde(default, rename = "reason")]
        _reason: Option<String>,
    },
}

impl WaivedEntry {
    pub(super) fn into_id(self) -> String {
        match self {
            Self::Id(id) | Self::Map { risk_id: id, .. } => id,
        }
    }
}
