//! What the built-in policy says, read again by simple means, so that rules do not ask the engine that they judge.

use labtrust_policy::PolicyStore;
use serde_json::Value;
use std::sync::LazyLock;

/// The files that rules look at.
pub(super) struct Facts {
    roles: Value,
    tokens: Value,
    layout: Value,
    equipment: Value,
    ladder: Value,
    reasons: Value,
    reagents: Value,
    stability: Value,
}

pub(super) static FACTS: LazyLock<Facts> = LazyLock::new(|| {
    let store = PolicyStore::builtin();
    let read = |path: &str, key: &str| {
        let value = store.value(path).expect("the built-in policy is complete");
        if key.is_empty() { value } else { value[key].clone() }
    };
    Facts {
        roles: read("rbac/rbac_policy.v0.1.yaml", "rbac_policy"),
        tokens: read("tokens/token_registry.v0.1.yaml", "token_registry"),
        layout: read("zones/zone_layout_policy.v0.1.yaml", "zone_layout_policy"),
        equipment: read("equipment/equipment_registry.v0.1.yaml", "equipment_registry"),
        ladder: read("critical/escalation_ladder.v0.2.yaml", ""),
        reasons: read("reason_codes/reason_code_registry.v0.1.yaml", "reason_code_registry"),
        reagents: read("reagents/reagent_policy.v0.1.yaml", "reagent_policy"),
        stability: read("stability/stability_policy.v0.1.yaml", ""),
    }
});

/// Whether a list of texts holds one.
pub(super) fn lists(list: &Value, text: &str) -> bool {
    list.as_array().into_iter().flatten().any(|item| item == text)
}

fn entry<'a>(list: &'a Value, key: &str, id: &str) -> &'a Value {
    list.as_array().into_iter().flatten().find(|entry| entry[key] == id).unwrap_or(&Value::Null)
}

impl Facts {
    /// The role of an agent by the policy, empty when it has none.
    pub(super) fn role(&self, agent: &str) -> &str {
        self.roles["agents"][agent].as_str().unwrap_or_default()
    }

    /// The entry of a token type.
    pub(super) fn token_type(&self, kind: &str) -> &Value {
        &self.tokens["token_types"][kind]
    }

    pub(super) fn is_zone(&self, zone: &str) -> bool {
        entry(&self.layout["zones"], "zone_id", zone).is_object()
    }

    pub(super) fn door(&self, door: &str) -> &Value {
        entry(&self.layout["doors"], "door_id", door)
    }

    /// Whether a way leads from one zone to another.
    pub(super) fn adjacent(&self, from: &str, to: &str) -> bool {
        let edges = self.layout["graph_edges"].as_array().into_iter().flatten();
        from == to
            || edges
                .into_iter()
                .any(|edge| (edge["from"] == from && edge["to"] == to) || (edge["from"] == to && edge["to"] == from))
    }

    /// The zone of a device, empty when it has none.
    pub(super) fn device_zone(&self, device: &str) -> &str {
        entry(&self.layout["device_placement"], "device_id", device)["zone_id"].as_str().unwrap_or_default()
    }

    pub(super) fn is_device(&self, device: &str) -> bool {
        entry(&self.equipment["device_instances"], "device_id", device).is_object()
    }

    /// The type of a device, empty when there is no such device.
    pub(super) fn device_type(&self, device: &str) -> &str {
        entry(&self.equipment["device_instances"], "device_id", device)["device_type"].as_str().unwrap_or_default()
    }

    /// Whether a device is an analyser that does not run this panel.
    pub(super) fn runs_other_panels(&self, device: &str, panel: &str) -> bool {
        let kind = self.device_type(device);
        kind.ends_with("_ANALYZER")
            && !lists(&self.equipment["panel_workload_map"][panel]["analyzer_device_types"], kind)
    }

    /// Tubes that a device takes at once [count].
    pub(super) fn batch(&self, device: &str) -> u64 {
        let kind = &self.equipment["device_types"][self.device_type(device)];
        kind["batch_model"]["max_batch_size"].as_u64().unwrap_or(1)
    }

    /// The reagent that a run of a panel takes, and how much; nothing for an unknown panel.
    pub(super) fn reagent(&self, panel: &str) -> Option<(&str, f64)> {
        let need = &self.reagents["panel_requirements"][panel];
        need["reagent_id"].as_str().zip(need["quantity_per_run"].as_f64())
    }

    /// How much there is of a reagent in the beginning.
    pub(super) fn stock(&self, reagent: &str) -> f64 {
        entry(&self.reagents["reagents"], "reagent_id", reagent)["initial_stock"].as_f64().unwrap_or(0.0)
    }

    /// Time out of the temperature band that is forgiven [s].
    pub(super) fn grace_s(&self) -> i64 {
        self.stability["defaults"]["out_of_band_grace_minutes"].as_i64().unwrap_or(0) * 60
    }

    /// The tier of a role, by its index.
    pub(super) fn tier_of(&self, role: &str) -> Option<i64> {
        entry(&self.ladder["tiers"], "role", role)["tier_index"].as_i64()
    }

    /// How long one waits for a tier [s].
    pub(super) fn wait_s(&self, tier: i64) -> i64 {
        let tiers = self.ladder["tiers"].as_array().into_iter().flatten();
        let tier = tiers.into_iter().find(|entry| entry["tier_index"] == tier);
        tier.and_then(|tier| tier["max_ack_wait_s"].as_i64()).unwrap_or(0)
    }

    /// Whether the registry lets an emit follow from a refusal with this code, by the code or by its severity.
    pub(super) fn follows(&self, code: &str, emit: &str) -> bool {
        let entry = entry(&self.reasons["codes"], "code", code);
        let own = &entry["default_actions"];
        let severity = entry["severity"].as_str().unwrap_or_default();
        let actions = match own.as_array() {
            Some(own_actions) if !own_actions.is_empty() => own,
            _ => &self.reasons["enforcement_defaults"][severity],
        };
        // An older spelling of the same.
        lists(actions, emit) || (emit == "SECURITY_INCIDENT_LOG" && lists(actions, "INCIDENT_LOG"))
    }
}
