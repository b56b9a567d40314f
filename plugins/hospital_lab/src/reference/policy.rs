//! The policy files of the reference, read as value trees.
//!
//! Reading is lenient as it is there: what is missing, unreadable or lacks its top key falls back to a default.

use super::value::at;
use labtrust_policy::{PolicyError, PolicyStore};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Every file that is read: path and top key (`""`: the whole document).
const FILES: [(&str, &str); 15] = [
    ("tokens/token_registry.v0.1.yaml", "token_registry"),
    ("zones/zone_layout_policy.v0.1.yaml", "zone_layout_policy"),
    ("critical/critical_thresholds.v0.1.yaml", "critical_thresholds"),
    ("critical/escalation_ladder.v0.2.yaml", ""),
    ("equipment/equipment_registry.v0.1.yaml", "equipment_registry"),
    ("equipment/failure_models.v0.1.yaml", "failure_models"),
    ("stability/stability_policy.v0.1.yaml", ""),
    ("invariants/invariant_registry.v1.0.yaml", ""),
    ("reagents/reagent_policy.v0.1.yaml", "reagent_policy"),
    ("sites/sites_policy.v0.1.yaml", "sites_policy"),
    ("enforcement/enforcement_map.v0.1.yaml", ""),
    ("keys/key_registry.v0.1.yaml", "key_registry"),
    ("rbac/rbac_policy.v0.1.yaml", "rbac_policy"),
    ("security/agent_capabilities.v0.1.yaml", "agent_capabilities"),
    ("state_tool_capability_map.v0.1.yaml", "state_tool_capability_map"),
];

/// The policy of an engine.
#[derive(Clone, Debug)]
pub(super) struct Policy {
    files: Arc<BTreeMap<&'static str, Map<String, Value>>>,
    store: PolicyStore,
}

impl Policy {
    /// Reads every file once.
    ///
    /// # Errors
    /// None: a file that cannot be used counts as missing. The store itself was refused on opening if it is no policy.
    pub(super) fn read(store: &PolicyStore) -> Result<Self, PolicyError> {
        let mut files = BTreeMap::new();
        for (path, top) in FILES {
            let Ok(Value::Object(mut document)) = store.value(path) else { continue };
            let body = if top.is_empty() { Some(Value::Object(document)) } else { document.remove(top) };
            if let Some(Value::Object(body)) = body {
                files.insert(path, body);
            }
        }
        Ok(Self { files: Arc::new(files), store: store.clone() })
    }

    /// The body of a file.
    fn file(&self, path: &str) -> Option<&Map<String, Value>> {
        self.files.get(path)
    }

    /// Schema of the arguments of a tool.
    pub(super) fn schema(&self, reference: &str) -> Option<Value> {
        self.store.value(reference).ok()
    }

    pub(super) fn for_episode<'a>(&'a self, initial: &'a Map<String, Value>) -> EpisodePolicy<'a> {
        EpisodePolicy { policy: self, initial }
    }
}

/// The policy as one episode sees it: what the initial state brings comes before the files.
#[derive(Clone, Copy, Debug)]
pub(super) struct EpisodePolicy<'a> {
    policy: &'a Policy,
    initial: &'a Map<String, Value>,
}

impl<'a> EpisodePolicy<'a> {
    fn inline(&self, key: &str) -> Option<&'a Value> {
        at(self.initial, "effective_policy").as_object()?.get(key)
    }

    fn map(&self, key: &str, path: &str) -> Option<&'a Map<String, Value>> {
        self.inline(key).and_then(Value::as_object).or_else(|| self.policy.file(path))
    }

    pub(super) fn token_types(&self) -> Map<String, Value> {
        let file = self.policy.file("tokens/token_registry.v0.1.yaml");
        file.and_then(|registry| registry.get("token_types")).and_then(Value::as_object).cloned().unwrap_or_else(|| {
            Map::from_iter([
                ("OVERRIDE_RISK_ACCEPTANCE".to_owned(), json!({"approvals_required": 2, "ttl_s": 3600})),
                ("TOKEN_RESTRICTED_ENTRY".to_owned(), json!({"approvals_required": 1, "ttl_s": 900})),
            ])
        })
    }

    pub(super) fn zone_layout(&self) -> Option<&'a Map<String, Value>> {
        let own = || at(self.initial, "zone_layout").as_object();
        let file = || self.policy.file("zones/zone_layout_policy.v0.1.yaml");
        self.inline("zone_layout").and_then(Value::as_object).or_else(own).or_else(file)
    }

    pub(super) fn critical_thresholds(&self) -> Vec<Value> {
        if let Some(Value::Array(list)) = self.inline("critical_thresholds") {
            return list.clone();
        }
        let file = self.policy.file("critical/critical_thresholds.v0.1.yaml");
        let list = file.and_then(|file| file.get("defaults_rcpath2017").or_else(|| file.get("thresholds")));
        list.and_then(Value::as_array).cloned().unwrap_or_else(|| {
            let row = |analyte: &str, low: f64, high: f64| {
                json!({"analyte_code": analyte, "units": "mmol/L", "low": low, "high": high, "class": "CRIT_A"})
            };
            vec![row("BIOCHEM_POTASSIUM_K", 2.5, 6.5), row("BIOCHEM_SODIUM_NA", 120.0, 160.0)]
        })
    }

    /// The tiers; an inline ladder counts also without tiers.
    pub(super) fn ladder(&self) -> Option<Vec<Value>> {
        let tiers = |map: &Map<String, Value>| at(map, "tiers").as_array().cloned().unwrap_or_default();
        match self.inline("escalation_ladder").and_then(Value::as_object) {
            Some(ladder) => Some(tiers(ladder)),
            None => {
                self.policy.file("critical/escalation_ladder.v0.2.yaml").map(tiers).filter(|tiers| !tiers.is_empty())
            }
        }
    }

    pub(super) fn equipment(&self) -> Option<&'a Map<String, Value>> {
        self.map("equipment_registry", "equipment/equipment_registry.v0.1.yaml")
    }

    pub(super) fn failure_models(&self) -> Option<&'a Map<String, Value>> {
        self.policy.file("equipment/failure_models.v0.1.yaml")
    }

    pub(super) fn stability(&self) -> Map<String, Value> {
        self.map("stability_policy", "stability/stability_policy.v0.1.yaml").cloned().unwrap_or_default()
    }

    /// `None`: no invariant is evaluated.
    pub(super) fn invariants(&self) -> Option<&'a [Value]> {
        let file = self.policy.file("invariants/invariant_registry.v1.0.yaml")?;
        file.get("invariants")?.as_array().map(Vec::as_slice)
    }

    pub(super) fn reagents(&self) -> Option<&'a Map<String, Value>> {
        self.policy.file("reagents/reagent_policy.v0.1.yaml")
    }

    pub(super) fn sites(&self) -> Option<&'a Map<String, Value>> {
        self.map("sites_policy", "sites/sites_policy.v0.1.yaml")
    }

    pub(super) fn enforcement_rules(&self) -> Vec<Value> {
        let map = self.map("enforcement_map", "enforcement/enforcement_map.v0.1.yaml");
        map.and_then(|map| map.get("rules")).and_then(Value::as_array).cloned().unwrap_or_default()
    }

    pub(super) fn keys(&self) -> Vec<Value> {
        let inline = self.inline("key_registry").and_then(Value::as_object).filter(|map| map.contains_key("keys"));
        let map = inline.or_else(|| self.policy.file("keys/key_registry.v0.1.yaml"));
        map.and_then(|map| map.get("keys")).and_then(Value::as_array).cloned().unwrap_or_default()
    }

    pub(super) fn rbac(&self) -> Map<String, Value> {
        self.map("rbac_policy", "rbac/rbac_policy.v0.1.yaml").cloned().unwrap_or_default()
    }

    pub(super) fn capabilities(&self) -> Map<String, Value> {
        self.map("agent_capabilities", "security/agent_capabilities.v0.1.yaml").cloned().unwrap_or_default()
    }

    /// The map of the initial state, else the file, which is read only where the state names a policy directory.
    pub(super) fn state_tools(&self) -> Option<&'a Map<String, Value>> {
        let own = at(self.initial, "state_tool_capability_map").as_object();
        let file = || {
            super::value::truthy(at(self.initial, "policy_root"))
                .then(|| self.policy.file("state_tool_capability_map.v0.1.yaml"))?
        };
        own.map(|map| map.get("state_tool_capability_map").and_then(Value::as_object).unwrap_or(map)).or_else(file)
    }
}
