//! Laboratory profiles: an organisation's settings under one name.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::error::PolicyError;
use crate::nearest::nearest;
use crate::parse::quoted;
use crate::store::PolicyStore;

const SUFFIX: &str = ".v0.1.yaml";

/// What `lab_profiles/<id>.v0.1.yaml` says. An absent or null field means the program's default.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct LabProfile {
    /// Version of the file format.
    pub version: Option<String>,
    /// The profile's own id; must be the one in its file name.
    pub profile_id: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// Partner overlay of every run.
    pub partner_id: Option<String>,
    /// Domain of every run.
    pub domain_id: Option<String>,
    /// Benchmark pack, relative to the policy directory.
    pub benchmark_pack_path: Option<String>,
    /// Security attack suite, relative to the policy directory and inside it.
    pub security_suite_path: Option<String>,
    /// Safety case claims, relative to the policy directory and inside it.
    pub safety_claims_path: Option<String>,
    /// Coordination study, relative to the policy directory.
    pub coordination_study_spec_path: Option<String>,
    /// Study of conditions, relative to the policy directory.
    pub study_spec_path: Option<String>,
    /// Registered provider of the security suite.
    pub security_suite_provider_id: Option<String>,
    /// Registered provider of the safety case.
    pub safety_case_provider_id: Option<String>,
    /// Registered metrics aggregator.
    pub metrics_aggregator_id: Option<String>,
    /// Extension packages that must be loaded.
    pub extension_packages: Vec<String>,
    /// Keys of other programs. A misspelt key of ours is refused, not kept here.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

const FIELDS: &[&str] = &[
    "version",
    "profile_id",
    "description",
    "partner_id",
    "domain_id",
    "benchmark_pack_path",
    "security_suite_path",
    "safety_claims_path",
    "coordination_study_spec_path",
    "study_spec_path",
    "security_suite_provider_id",
    "safety_case_provider_id",
    "metrics_aggregator_id",
    "extension_packages",
];

impl LabProfile {
    /// Loads the profile `id` of a policy.
    ///
    /// # Errors
    /// [`PolicyError::UnknownProfile`] with the known ids, [`PolicyError::Parse`], and [`PolicyError::Rule`] when the
    /// file names another id, has a misspelt key, or a path that leaves the policy directory.
    pub fn load(store: &PolicyStore, id: &str) -> Result<Self, PolicyError> {
        let known = Self::known(store);
        if !known.iter().any(|one| one == id) {
            let hint = match nearest(known.iter().map(String::as_str), id) {
                Some(near) => format!("did you mean `{near}`? Known: {}", quoted(&known)),
                None => format!("known: {}", quoted(&known)),
            };
            return Err(PolicyError::UnknownProfile {
                id: id.to_owned(),
                origin: store.source().to_string(),
                known,
                hint,
            });
        }
        let path = format!("lab_profiles/{id}{SUFFIX}");
        let profile: Self = store.section(&path, None)?;
        profile.check(store, &path, id)?;
        Ok(profile)
    }

    /// The ids of all profiles of a policy, in order.
    #[must_use]
    pub fn known(store: &PolicyStore) -> Vec<String> {
        let id = |path: &str| path.strip_prefix("lab_profiles/")?.strip_suffix(SUFFIX).map(str::to_owned);
        store.paths().filter_map(id).collect()
    }

    fn check(&self, store: &PolicyStore, path: &str, id: &str) -> Result<(), PolicyError> {
        if let Some(own) = self.profile_id.as_deref().filter(|own| *own != id) {
            let message = format!("the profile calls itself `{own}`, its file is called `{id}`");
            return Err(PolicyError::rule(store, path, own, message, "make the two equal"));
        }
        for key in self.other.keys() {
            if let Some(near) = nearest(FIELDS.iter().copied(), key) {
                let message = format!("`{key}` is not a key of a lab profile");
                return Err(PolicyError::rule(store, path, key, message, format!("did you mean `{near}`?")));
            }
        }
        for inside in [&self.security_suite_path, &self.safety_claims_path].into_iter().flatten() {
            if inside.starts_with('/') || inside.split(['/', '\\']).any(|part| part == "..") {
                let message = format!("`{inside}` leaves the policy directory");
                let hint = "the security suite and the safety claims belong to the policy; give a path inside it";
                return Err(PolicyError::rule(store, path, inside, message, hint));
            }
        }
        Ok(())
    }
}
