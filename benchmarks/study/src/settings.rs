//! What a study says of injections and sizes, as a policy: the injector and the task read it where they always do.

use crate::StudyError;
use crate::spec::{Injection, Phases, Scale};
use labtrust_policy::{PolicyError, PolicyStore};
use labtrust_redteam::catalogue::COMPOUNDS;
use labtrust_redteam::settings::{STUDY, load};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// How one injection of a cell is set; of a compound, one of its parts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// The injection.
    pub injection_id: String,
    /// How hard it tries, 0 to 1.
    pub intensity: f64,
    /// Tells apart runs of one injection on one seed.
    pub seed_offset: u64,
    /// When it acts, where the spec says; the policy says it otherwise.
    #[serde(flatten)]
    pub phases: Phases,
}

/// How an injection of a spec is set: the spec first, then the policy, then what is usual. Nothing of the baseline.
///
/// # Errors
/// [`StudyError::Policy`].
pub fn parts(policy: &PolicyStore, injection: &Injection) -> Result<Vec<Part>, StudyError> {
    let compound = COMPOUNDS.iter().find(|compound| compound.id == injection.id);
    let single = [injection.id.as_str()];
    let ids: &[&str] = compound.map_or(&single, |compound| compound.children);
    let of = |id: &&str| {
        let usual = load(policy, id)?;
        Ok(Part {
            injection_id: (*id).to_owned(),
            intensity: injection.intensity.unwrap_or(usual.intensity),
            seed_offset: injection.seed_offset.unwrap_or(usual.seed_offset),
            phases: injection.phases.clone(),
        })
    };
    ids.iter().filter(|id| **id != crate::spec::NONE).map(of).collect()
}

/// The policy with the sizes of a study beside its own. Overlays are put on again.
///
/// # Errors
/// [`StudyError::Policy`].
pub fn with_scales<'s>(
    policy: &PolicyStore,
    scales: impl Iterator<Item = &'s Scale>,
) -> Result<PolicyStore, StudyError> {
    use crate::spec::{CONFIGS, TOP};
    let configs: Vec<&Value> = scales.filter_map(|scale| scale.config.as_ref()).collect();
    if configs.is_empty() {
        return Ok(policy.clone());
    }
    let mut document: Value = policy.section_or_builtin(CONFIGS, Some(TOP))?;
    if let Some(known) = document["configs"].as_array_mut() {
        known.extend(configs.into_iter().cloned());
    }
    // JSON is YAML.
    Ok(overlaid(policy, CONFIGS, &json!({ TOP: document }))?)
}

/// The policy with the injections of a cell set as the study says.
///
/// # Errors
/// [`StudyError::Policy`].
pub fn with_parts(policy: &PolicyStore, parts: &[Part]) -> Result<PolicyStore, StudyError> {
    if parts.is_empty() {
        return Ok(policy.clone());
    }
    let mut document: Value = policy.section_or_builtin(STUDY, None)?;
    let mut injections: Vec<Value> = document["injections"].as_array().cloned().unwrap_or_default();
    for part in parts {
        let said = serde_json::to_value(part).unwrap_or_default();
        match injections.iter_mut().find(|entry| entry["injection_id"] == part.injection_id.as_str()) {
            Some(Value::Object(entry)) => {
                entry.extend(said.as_object().into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())))
            }
            _ => injections.push(said),
        }
    }
    document["injections"] = Value::Array(injections);
    Ok(overlaid(policy, STUDY, &document)?)
}

/// The policy with another document at `path`, and its overlays on it again.
pub(crate) fn overlaid(policy: &PolicyStore, path: &str, document: &Value) -> Result<PolicyStore, PolicyError> {
    let mut changed = policy.with_text(path, &document.to_string());
    if let Some(domain) = policy.domain() {
        changed = changed.with_domain(domain)?;
    }
    if let Some(partner) = policy.partner() {
        changed = changed.with_partner(partner)?;
    }
    Ok(changed)
}
