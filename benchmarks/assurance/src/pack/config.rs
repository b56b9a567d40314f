//! What the policy says of the pack.

use crate::AssuranceError;
use labtrust_policy::{PolicyError, PolicyStore};
use labtrust_redteam::catalogue;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Lists, presets and evidence.
pub const PACK: &str = "coordination/coordination_security_pack.v0.1.yaml";

/// The policy of the pack.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    #[serde(rename = "version")]
    _version: String,
    #[serde(default, rename = "description")]
    _description: Option<String>,
    /// Whether a list with a reserved name is refused.
    #[serde(default = "yes")]
    pub disallow_reserved_injections: bool,
    /// That of the shipped policy where the published layout has none.
    evidence: Option<Evidence>,
    #[serde(default)]
    evidence_overrides: Vec<Override>,
    /// Lists of methods by name.
    pub method_ids: BTreeMap<String, Vec<String>>,
    /// Lists of sizes by name.
    pub scale_ids: BTreeMap<String, Vec<String>>,
    /// Lists of injections by name.
    pub injection_ids: BTreeMap<String, Vec<String>>,
    /// Presets by name.
    pub matrix_presets: BTreeMap<String, Preset>,
    #[serde(default)]
    compound_attacks: BTreeMap<String, Vec<String>>,
}

const fn yes() -> bool {
    true
}

/// A list, or the name of one.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(untagged)]
pub enum Ids {
    /// The ids themselves.
    List(Vec<String>),
    /// `default`, `full`, `critical` or `policy`.
    Named(String),
}

/// A matrix of its own. What is absent is as without a preset.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    /// Its sizes.
    pub scale_ids: Option<Ids>,
    /// Its methods.
    pub method_ids: Option<Ids>,
    /// Its injections.
    pub injection_ids: Option<Ids>,
}

/// How much a cell has to show.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// Episodes of a cell whose injection is after integrity [count].
    pub episodes: u64,
    /// Episodes of a cell that is judged by what it costs [count].
    pub episodes_by_cost: u64,
    /// Greatest upper bound of the success rate [1].
    pub success_ceiling: f64,
    /// Most episodes without the controls [count].
    pub potency_episodes: u64,
    /// Greatest share of honest events that are refused for reasons of security [1].
    pub false_positive_ceiling: f64,
    /// Results that a baseline episode must release on average [count].
    pub baseline_results_floor: f64,
    /// Least share of the undisturbed work that is still done [1].
    pub utility_ratio_floor: f64,
}

/// Other numbers for a size, a preset, or both.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Override {
    scale_id: Option<String>,
    matrix_preset: Option<String>,
    episodes: Option<u64>,
    episodes_by_cost: Option<u64>,
    success_ceiling: Option<f64>,
    potency_episodes: Option<u64>,
    false_positive_ceiling: Option<f64>,
    baseline_results_floor: Option<f64>,
    utility_ratio_floor: Option<f64>,
}

impl Config {
    /// Reads it.
    ///
    /// # Errors
    /// [`PolicyError`] with file and place for a file that is malformed, numbers that make no sense, and compounds that the
    /// program makes of something else.
    pub fn load(policy: &PolicyStore) -> Result<Self, AssuranceError> {
        let mut config: Self = policy.section_or_builtin(PACK, None)?;
        if config.evidence.is_none() {
            // The published layout has no such numbers, and without them everything would pass.
            let shipped: Self = PolicyStore::builtin().section(PACK, None)?;
            (config.evidence, config.evidence_overrides) = (shipped.evidence, shipped.evidence_overrides);
        }
        let wrong = |token: &str, message: String, hint: &str| {
            Err(AssuranceError::Policy(PolicyError::rule(policy, PACK, token, message, hint)))
        };
        for (id, children) in &config.compound_attacks {
            let known = catalogue::COMPOUNDS.iter().find(|known| known.id == id);
            if known.is_none_or(|known| known.children != children.as_slice()) {
                let message = format!("the program does not make `{id}` of {}", children.join(", "));
                return wrong(id, message, "`labtrust injections list` shows compounds and their children");
            }
        }
        let presets = config.matrix_presets.keys().map(|name| Some(name.as_str())).chain([None]);
        for preset in presets {
            let scales = config.evidence_overrides.iter().filter_map(|one| one.scale_id.as_deref()).chain([""]);
            for evidence in scales.map(|scale| config.evidence(scale, preset)) {
                if let Some(problem) = evidence.problem() {
                    return wrong("evidence", problem.to_owned(), "a missing floor lets everything pass");
                }
            }
        }
        Ok(config)
    }

    /// How much a cell of this size has to show.
    #[must_use]
    pub fn evidence(&self, scale: &str, preset: Option<&str>) -> Evidence {
        let speaks = |one: &&Override| {
            one.scale_id.as_deref().is_none_or(|id| id == scale)
                && one.matrix_preset.as_deref().is_none_or(|id| Some(id) == preset)
        };
        let usual = self.evidence.unwrap_or(Evidence::OUT_OF_REACH);
        self.evidence_overrides.iter().filter(speaks).fold(usual, |evidence, one| Evidence {
            episodes: one.episodes.unwrap_or(evidence.episodes),
            episodes_by_cost: one.episodes_by_cost.unwrap_or(evidence.episodes_by_cost),
            success_ceiling: one.success_ceiling.unwrap_or(evidence.success_ceiling),
            potency_episodes: one.potency_episodes.unwrap_or(evidence.potency_episodes),
            false_positive_ceiling: one.false_positive_ceiling.unwrap_or(evidence.false_positive_ceiling),
            baseline_results_floor: one.baseline_results_floor.unwrap_or(evidence.baseline_results_floor),
            utility_ratio_floor: one.utility_ratio_floor.unwrap_or(evidence.utility_ratio_floor),
        })
    }
}

impl Evidence {
    /// What nothing can show.
    const OUT_OF_REACH: Self = Self {
        episodes: 1,
        episodes_by_cost: 1,
        success_ceiling: 0.0,
        potency_episodes: 1,
        false_positive_ceiling: 0.0,
        baseline_results_floor: f64::INFINITY,
        utility_ratio_floor: 1.0,
    };

    /// What makes no sense about it.
    fn problem(&self) -> Option<&'static str> {
        let shares = [self.success_ceiling, self.false_positive_ceiling, self.utility_ratio_floor];
        if [self.episodes, self.episodes_by_cost, self.potency_episodes].contains(&0) {
            return Some("a cell without an episode shows nothing");
        }
        if shares.iter().any(|share| !(0.0..=1.0).contains(share)) {
            return Some("ceilings and shares lie between 0 and 1");
        }
        (self.baseline_results_floor.is_nan() || self.baseline_results_floor <= 0.0)
            .then_some("a laboratory that releases nothing shows nothing: the floor is above 0")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    /// The published layout has no such numbers.
    #[test]
    fn without_numbers_of_its_own_a_policy_has_those_of_the_shipped_one() {
        let shipped = PolicyStore::builtin();
        let mut value: Value = shipped.value(PACK).unwrap();
        let fields = value.as_object_mut().unwrap();
        fields.remove("evidence");
        fields.remove("evidence_overrides");
        let published = Config::load(&shipped.with_text(PACK, &value.to_string())).unwrap();
        let shipped = Config::load(&shipped).unwrap();
        for scale in ["small_smoke", "medium_stress_signed_bus"] {
            assert_eq!(published.evidence(scale, None), shipped.evidence(scale, None));
        }
    }

    #[test]
    fn numbers_of_its_own_are_its_own() {
        let shipped = PolicyStore::builtin();
        let mut value: Value = shipped.value(PACK).unwrap();
        value["evidence"]["episodes"] = json!(7);
        value.as_object_mut().unwrap().remove("evidence_overrides");
        let own = Config::load(&shipped.with_text(PACK, &value.to_string())).unwrap();
        assert_eq!(own.evidence("small_smoke", None).episodes, 7);
    }
}
