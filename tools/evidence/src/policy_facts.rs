//! Which rules were in force, as digests: fingerprints of policies and the manifest of the policy pack.

use crate::digest::sha256;
use labtrust_policy::{PolicyError, PolicyStore};
use labtrust_trust::canonical::{self, to_canonical_vec};
use serde_json::{Map, Value, json};

/// A fingerprint that a bundle's manifest can have: its key and the policy file that it is of.
#[derive(Debug, Clone, Copy)]
pub struct Fingerprint {
    /// Key of the manifest.
    pub key: &'static str,
    /// File, relative to the policy directory.
    pub file: &'static str,
}

/// The fingerprint of the tool registry.
pub const TOOLS: Fingerprint = Fingerprint { key: "tool_registry_fingerprint", file: "tool_registry.v0.1.yaml" };
/// The fingerprint of the role policy.
pub const ROLES: Fingerprint = Fingerprint { key: "rbac_policy_fingerprint", file: "rbac/rbac_policy.v0.1.yaml" };
/// The fingerprint of the identity policy of coordination.
pub const COORDINATION: Fingerprint =
    Fingerprint { key: "coordination_policy_fingerprint", file: "coordination_identity_policy.v0.1.yaml" };
/// The fingerprint of the memory policy.
pub const MEMORY: Fingerprint = Fingerprint { key: "memory_policy_fingerprint", file: "memory_policy.v0.1.yaml" };

/// In the order in which they are checked.
pub const FINGERPRINTS: [Fingerprint; 4] = [TOOLS, ROLES, COORDINATION, MEMORY];

/// Files of the policy pack that do not depend on a partner.
const PACK: [&str; 5] = [
    "critical/critical_thresholds.v0.1.yaml",
    "stability/stability_policy.v0.1.yaml",
    "enforcement/enforcement_map.v0.1.yaml",
    "equipment/equipment_registry.v0.1.yaml",
    "critical/escalation_ladder.v0.2.yaml",
];

impl Fingerprint {
    /// The fingerprint under `policy`; `None` where the policy does not have the file.
    ///
    /// # Errors
    /// [`PolicyError`] when the file cannot be read.
    pub fn of(self, policy: &PolicyStore) -> Result<Option<String>, PolicyError> {
        if !policy.contains(self.file) {
            return Ok(None);
        }
        let mut value: Value = policy.value(self.file)?;
        if self.key == ROLES.key {
            let roles = value.get("rbac_policy").cloned().unwrap_or(value);
            let map = |key: &str| roles.get(key).filter(|map| map.is_object()).cloned().unwrap_or_else(|| json!({}));
            value = json!({
                "version": roles.get("version").cloned().unwrap_or_else(|| json!("0.1")),
                "roles": map("roles"), "agents": map("agents"), "action_constraints": map("action_constraints"),
            });
        }
        Ok(Some(canonical::fingerprint(&value)?))
    }
}

/// One fingerprint of those of policy, roles and tools; empty when none is known.
#[must_use]
pub fn combined(policy: &str, roles: Option<&str>, tools: Option<&str>) -> String {
    let parts: Vec<&str> = std::iter::once(policy).chain(roles).chain(tools).collect();
    if let [only] = parts.as_slice() { (*only).to_owned() } else { sha256(parts.join("\n").as_bytes()) }
}

/// The manifest of the policy pack: which files, with their digests, and a digest of all that.
///
/// # Errors
/// [`PolicyError`] when a file cannot be read.
pub fn pack(policy: &PolicyStore, partner: Option<&str>) -> Result<Value, PolicyError> {
    let mut paths: Vec<String> = PACK.iter().map(|path| (*path).to_owned()).collect();
    if let Some(partner) = partner {
        paths.extend(PACK.iter().map(|path| format!("partners/{partner}/{path}")));
        paths.push(format!("partners/{partner}/calibration.v0.1.yaml"));
    }
    paths.retain(|path| policy.contains(path));
    paths.sort_unstable();
    let file = |path: &String| -> Result<Value, PolicyError> {
        Ok(json!({ "path": format!("policy/{path}"), "sha256": sha256(policy.text(path)?.as_bytes()) }))
    };
    let files = paths.iter().map(file).collect::<Result<Vec<_>, _>>()?;
    let mut pack = json!({ "version": "0.1", "partner_id": partner, "files": files });
    pack["root_hash"] = json!(pack_root(&pack));
    Ok(pack)
}

/// The digest over a pack's version, partner and files.
#[must_use]
pub fn pack_root(pack: &Value) -> String {
    let keys = ["version", "partner_id", "files"];
    let field = |key: &&str| ((*key).to_owned(), pack.get(*key).cloned().unwrap_or_default());
    let covered: Map<String, Value> = keys.iter().map(field).collect();
    sha256(&to_canonical_vec(&Value::Object(covered)).unwrap_or_default())
}

/// The digest over what a language model was told; see `spec` of the file `prompt_fingerprint_inputs.v0.1.json`.
#[must_use]
pub fn prompt_digest(inputs: &Value) -> String {
    let text = |key: &str| inputs.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let canonical = |value: &Value| String::from_utf8(to_canonical_vec(value).unwrap_or_default()).unwrap_or_default();
    let state = inputs.get("state_digest_slice").map(canonical).unwrap_or_default();
    let truthy = |value: &&Value| match value {
        Value::Null => false,
        Value::Object(map) => !map.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::String(text) => !text.is_empty(),
        _ => true,
    };
    let policy = match inputs.get("policy_slice").filter(truthy) {
        Some(Value::String(text)) => text.clone(),
        Some(value) => canonical(value),
        None => String::new(),
    };
    let payload = text("allowed_actions_payload_canonical");
    sha256([text("prompt_template_id"), state, payload, policy].join("\n").as_bytes())
}
