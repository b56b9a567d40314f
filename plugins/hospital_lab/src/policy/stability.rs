//! How long a specimen may wait before and after separation.

use super::{Contradiction, STABILITY};
use labtrust_kernel::{Symbol, SymbolMap, Symbols};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The file.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct StabilityFile {
    #[serde(default)]
    defaults: Defaults,
    #[serde(default)]
    panel_rules: BTreeMap<String, PanelRule>,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct Defaults {
    #[serde(default)]
    out_of_band_grace_minutes: i64,
}

#[derive(Debug, Clone, Deserialize)]
struct PanelRule {
    #[serde(default)]
    specimen_state_requirements: StateRequirements,
    #[serde(default)]
    pre_separation_constraints: PreSeparation,
    #[serde(default)]
    post_separation_storage_constraints: PostSeparation,
    #[serde(default)]
    transport_constraints: Transport,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct StateRequirements {
    separation_required: Option<bool>,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct PreSeparation {
    max_time_collection_to_separation_minutes: Option<i64>,
    #[serde(default)]
    breach_handling: BreachHandling,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct BreachHandling {
    reason_code: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct PostSeparation {
    #[serde(default)]
    stability_windows_minutes: BTreeMap<String, i64>,
    #[serde(default)]
    breach_handling: BreachHandling,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct Transport {
    max_time_collection_to_arrival_minutes: Option<i64>,
    #[serde(default)]
    breach_handling: BreachHandling,
}

/// Limits of a panel [s].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Whether the panel is measured in serum or plasma, so that the cells must be spun off first.
    pub separation_required: bool,
    /// Collection to separation; for panels that need none, collection to analysis.
    pub pre_s: i64,
    /// Separation to analysis at room temperature.
    pub ambient_s: i64,
    /// Separation to analysis in the refrigerator.
    pub cold_s: i64,
    /// The invariant that a breach breaks.
    pub invariant: Symbol,
    /// What the policy calls a breach before and after separation.
    pub pre_reason: Option<Symbol>,
    pub post_reason: Option<Symbol>,
}

/// Limits per panel.
#[derive(Debug, Clone)]
pub(crate) struct Stability {
    /// Time out of the temperature band that is forgiven [s].
    pub grace_s: i64,
    panels: SymbolMap<Limits>,
    default: Limits,
}

impl Stability {
    /// Limits of a panel; the defaults where the policy has none.
    pub(crate) fn limits(&self, panel: Option<Symbol>) -> Limits {
        panel.and_then(|panel| self.panels.get(panel)).copied().unwrap_or(self.default)
    }

    pub(crate) fn compile(file: &StabilityFile, symbols: &mut Symbols) -> Result<Self, Contradiction> {
        let default = Limits {
            separation_required: true,
            pre_s: 7_200,
            ambient_s: 21_600,
            cold_s: 86_400,
            invariant: symbols.intern("INV-STAB-BIOCHEM-002"),
            pre_reason: None,
            post_reason: None,
        };
        let mut panels = SymbolMap::default();
        for (panel, rule) in &file.panel_rules {
            let windows = &rule.post_separation_storage_constraints.stability_windows_minutes;
            let window = |names: &[&str], default: i64| {
                names.iter().find_map(|name| windows.get(*name)).map_or(default, |minutes| minutes.saturating_mul(60))
            };
            let separation_required = rule.specimen_state_requirements.separation_required.unwrap_or(true);
            let pre = rule.pre_separation_constraints.max_time_collection_to_separation_minutes;
            // A panel that is not separated has no such window: its clock runs from collection to arrival and beyond.
            let unseparated = rule.transport_constraints.max_time_collection_to_arrival_minutes.unwrap_or(1_440);
            let pre_minutes = pre.unwrap_or(if separation_required { 120 } else { unseparated });
            let post_reason = rule.post_separation_storage_constraints.breach_handling.reason_code.as_deref();
            let pre_reason = match &rule.pre_separation_constraints.breach_handling.reason_code {
                None if !separation_required => rule.transport_constraints.breach_handling.reason_code.as_deref(),
                stated => stated.as_deref(),
            };
            let limits = Limits {
                separation_required,
                pre_s: pre_minutes.saturating_mul(60),
                ambient_s: window(&["AMBIENT_20_25", "AMBIENT_15_25C"], default.ambient_s),
                cold_s: window(&["REFRIGERATED_2_8"], default.cold_s),
                invariant: symbols.intern(&format!("INV-STAB-{}-002", panel.split('_').next().unwrap_or(panel))),
                pre_reason: pre_reason.map(|code| symbols.intern(code)),
                post_reason: post_reason.map(|code| symbols.intern(code)),
            };
            if [limits.pre_s, limits.ambient_s, limits.cold_s].iter().any(|&seconds| seconds < 0) {
                let message = format!("a stability window of {panel} is negative");
                return Err(Contradiction::new(STABILITY, panel, message, "windows are minutes, at least 0"));
            }
            panels.insert(symbols.intern(panel), limits);
        }
        let grace_s = file.defaults.out_of_band_grace_minutes.saturating_mul(60);
        Ok(Self { grace_s, panels, default })
    }
}
