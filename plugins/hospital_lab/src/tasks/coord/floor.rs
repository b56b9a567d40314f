//! The floor of a scale: the policy's rooms with as many devices as the scale says.

use super::scale::Scale;
use crate::tasks::common::crew::{HALL_A, HALL_B};
use labtrust_plugin::TaskError;
use labtrust_policy::PolicyStore;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const ZONES: &str = "zones/zone_layout_policy.v0.1.yaml";
const EQUIPMENT: &str = "equipment/equipment_registry.v0.1.yaml";
const ALIQUOTER: &str = "ALIQUOTER";

/// Rooms and devices, as the engine reads them from an initial state.
#[derive(Debug, Clone)]
pub(super) struct Floor {
    /// `zone_layout`, `equipment_registry`, `failure_models`.
    pub effective_policy: Value,
    /// Ids of the devices, by type and number.
    pub devices: Vec<String>,
    /// Halls with analysers.
    pub halls: Vec<&'static str>,
}

impl Floor {
    /// The floor of a scale under a policy.
    ///
    /// # Errors
    /// [`TaskError`] when the policy cannot be read or has no such type of device.
    pub(super) fn of(policy: &PolicyStore, scale: &Scale) -> Result<Self, TaskError> {
        let mut layout = unwrapped(policy.value(ZONES)?, "zone_layout_policy");
        let mut equipment = unwrapped(policy.value(EQUIPMENT)?, "equipment_registry");
        let mut types: BTreeMap<&str, u32> = scale.devices.iter().map(|(kind, n)| (kind.as_str(), *n)).collect();
        // The published sizes forget the bench at which every separated tube gets its aliquot.
        let benches = types.entry(ALIQUOTER).or_default();
        *benches = (*benches).max(1);
        let (mut placement, mut instances, mut devices, mut halls) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (kind, n) in types {
            if equipment["device_types"].get(kind).is_none() {
                let scale = scale.id.clone().unwrap_or_default();
                return Err(TaskError::BadScale { scale, message: format!("there is no type of device {kind}") });
            }
            let zone = zone_of(kind);
            if n > 0 && [HALL_A, HALL_B].contains(&zone) && !halls.contains(&zone) {
                halls.push(zone);
            }
            for number in 1..=n {
                let id = format!("DEV_{kind}_{number:04}");
                placement.push(json!({ "device_id": id, "zone_id": zone }));
                instances.push(json!({
                    "device_id": id, "device_type": kind, "zone_id": zone, "capacity": 1, "parallel_units": 1,
                }));
                devices.push(id);
            }
        }
        halls.sort_unstable();
        let narrowed = scale.world.narrow(&mut layout);
        narrowed.map_err(|message| TaskError::BadScale { scale: scale.id.clone().unwrap_or_default(), message })?;
        if let Some(outage) = scale.world.outages.iter().find(|outage| !devices.contains(&outage.device)) {
            let message = format!("the device {} breaks, but there are only {}", outage.device, devices.join(", "));
            return Err(TaskError::BadScale { scale: scale.id.clone().unwrap_or_default(), message });
        }
        layout["device_placement"] = placement.into();
        equipment["device_instances"] = instances.into();
        // The policy's failures and maintenance are of devices that are not here.
        let failures = json!({ "version": "0.1", "device_failures": {}, "maintenance_schedule": [] });
        let effective_policy =
            json!({ "zone_layout": layout, "equipment_registry": equipment, "failure_models": failures });
        Ok(Self { effective_policy, devices, halls })
    }
}

/// The room of a type of device, by the first word of its name.
fn zone_of(kind: &str) -> &'static str {
    match kind.split('_').next() {
        Some("CENTRIFUGE") => "Z_CENTRIFUGE_BAY",
        Some(ALIQUOTER) => "Z_ALIQUOT_LABEL",
        Some("COAG") => HALL_B,
        _ => HALL_A,
    }
}

/// A section that may come with or without its top key.
fn unwrapped(mut value: Value, key: &str) -> Value {
    match value.get_mut(key) {
        Some(inner) => inner.take(),
        None => value,
    }
}
