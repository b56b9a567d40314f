//! The laboratory's own sections of a policy directory: typed, checked against each other, compiled to tables.
//!
//! [`PolicyData`] is what the files say; [`LabPolicy`] is what the engine uses: ids interned, graph closed, times as
//! durations. Reading knows files and places; compiling knows only data, so that an episode's overrides (a scenario's
//! own layout, say) go through the same checks.

mod critical;
mod distribution;
mod equipment;
mod measurement;
mod reagents;
mod sites;
mod stability;
mod zones;

pub(crate) use critical::{CriticalPolicy, Criticality, LadderTier};
pub(crate) use distribution::Distribution;
pub(crate) use equipment::{DeviceRole, DeviceSpec, Equipment};
pub(crate) use measurement::{Measurement, Measurements};
pub(crate) use reagents::Reagents;
pub(crate) use sites::Sites;
pub(crate) use stability::Stability;
pub(crate) use zones::{Layout, Way, WayLimit};

use critical::{LadderFile, ThresholdsFile};
use equipment::{EquipmentFile, FailureFile};
use labtrust_kernel::Symbols;
use labtrust_policy::{PolicyError, PolicyStore};
use measurement::MeasurementFile;
use reagents::ReagentFile;
use serde_json::{Map, Value};
use sites::SitesFile;
use stability::StabilityFile;
use zones::ZoneFile;

/// A statement of the policy that contradicts another one.
#[derive(Debug, Clone)]
pub(crate) struct Contradiction {
    /// File in which it stands.
    pub path: &'static str,
    /// The offending text, so that the place can be found.
    pub token: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: String,
}

impl Contradiction {
    fn new(path: &'static str, token: &str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { path, token: token.to_owned(), message: message.into(), hint: hint.into() }
    }
}

const ZONES: &str = "zones/zone_layout_policy.v0.1.yaml";
const EQUIPMENT: &str = "equipment/equipment_registry.v0.1.yaml";
const FAILURES: &str = "equipment/failure_models.v0.1.yaml";
const STABILITY: &str = "stability/stability_policy.v0.1.yaml";
const REAGENTS: &str = "reagents/reagent_policy.v0.1.yaml";
const THRESHOLDS: &str = "critical/critical_thresholds.v0.1.yaml";
const LADDER: &str = "critical/escalation_ladder.v0.2.yaml";
const SITES: &str = "sites/sites_policy.v0.1.yaml";
const MEASUREMENTS: &str = "catalogue/measurement_model.v0.1.yaml";

/// What the files say.
#[derive(Debug, Clone)]
pub(crate) struct PolicyData {
    zones: ZoneFile,
    equipment: EquipmentFile,
    failures: FailureFile,
    stability: StabilityFile,
    reagents: ReagentFile,
    thresholds: ThresholdsFile,
    ladder: LadderFile,
    sites: SitesFile,
    measurements: MeasurementFile,
}

impl PolicyData {
    /// Reads the laboratory's sections.
    pub(crate) fn read(store: &PolicyStore) -> Result<Self, PolicyError> {
        Ok(Self {
            zones: store.section(ZONES, Some("zone_layout_policy"))?,
            equipment: store.section(EQUIPMENT, Some("equipment_registry"))?,
            failures: store.section(FAILURES, Some("failure_models"))?,
            stability: store.section(STABILITY, None)?,
            reagents: store.section(REAGENTS, Some("reagent_policy"))?,
            thresholds: store.section(THRESHOLDS, Some("critical_thresholds"))?,
            ladder: store.section(LADDER, None)?,
            sites: store.section(SITES, Some("sites_policy"))?,
            measurements: store.section_or_builtin(MEASUREMENTS, Some("measurement_model"))?,
        })
    }

    /// The same with the sections that an initial state brings itself; `None` when it brings none.
    ///
    /// `Err` names the key whose value has the wrong shape.
    pub(crate) fn with_overrides(&self, state: &Map<String, Value>) -> Result<Option<Self>, String> {
        let empty = Map::new();
        let effective = state.get("effective_policy").and_then(Value::as_object).unwrap_or(&empty);
        if effective.is_empty() && !state.contains_key("zone_layout") {
            return Ok(None);
        }
        let mut data = self.clone();
        let mut any = false;
        let mut read =
            |key: &str, value: Option<&Value>, set: &mut dyn FnMut(Value) -> Result<(), serde_json::Error>| match value
            {
                None | Some(Value::Null) => Ok(()),
                Some(value) => {
                    any = true;
                    set(value.clone()).map_err(|e| format!("{key}: {e}"))
                }
            };
        let layout = effective.get("zone_layout").or_else(|| state.get("zone_layout"));
        read("zone_layout", layout, &mut |v| serde_json::from_value(v).map(|v| data.zones = v))?;
        read("equipment_registry", effective.get("equipment_registry"), &mut |v| {
            serde_json::from_value(unwrap_key(v, "equipment_registry")).map(|v| data.equipment = v)
        })?;
        read("failure_models", effective.get("failure_models"), &mut |v| {
            serde_json::from_value(unwrap_key(v, "failure_models")).map(|v| data.failures = v)
        })?;
        read("stability_policy", effective.get("stability_policy"), &mut |v| {
            serde_json::from_value(v).map(|v| data.stability = v)
        })?;
        read("critical_thresholds", effective.get("critical_thresholds"), &mut |v| {
            serde_json::from_value(v).map(|list| data.thresholds = ThresholdsFile::from_list(list))
        })?;
        read("escalation_ladder", effective.get("escalation_ladder"), &mut |v| {
            serde_json::from_value(v).map(|v| data.ladder = v)
        })?;
        read("sites_policy", effective.get("sites_policy"), &mut |v| {
            serde_json::from_value(unwrap_key(v, "sites_policy")).map(|v| data.sites = v)
        })?;
        Ok(any.then_some(data))
    }
}

/// A section that may come with or without its top key.
fn unwrap_key(value: Value, key: &str) -> Value {
    match value {
        Value::Object(mut map) if map.contains_key(key) => map.remove(key).unwrap_or(Value::Null),
        other => other,
    }
}

/// What the engine uses.
#[derive(Debug, Clone)]
pub(crate) struct LabPolicy {
    pub layout: Layout,
    pub equipment: Equipment,
    pub stability: Stability,
    pub reagents: Reagents,
    pub critical: CriticalPolicy,
    pub sites: Sites,
    pub measurements: Measurements,
}

impl LabPolicy {
    /// Checks the sections against each other and compiles them.
    pub(crate) fn compile(data: &PolicyData, symbols: &mut Symbols) -> Result<Self, Contradiction> {
        let layout = Layout::compile(&data.zones, symbols)?;
        let equipment = Equipment::compile(&data.equipment, &data.failures, &layout, symbols)?;
        let stability = Stability::compile(&data.stability, symbols)?;
        let reagents = Reagents::compile(&data.reagents, symbols)?;
        let critical = CriticalPolicy::compile(&data.thresholds, &data.ladder, symbols)?;
        let sites = Sites::compile(&data.sites, &layout, symbols)?;
        let measurements = Measurements::compile(&data.measurements, symbols)?;
        Ok(Self { layout, equipment, stability, reagents, critical, sites, measurements })
    }
}
