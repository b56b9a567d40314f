//! Reason codes: why the world said no.
//!
//! Codes that the engine itself produces are constants in [`codes`]; what a code means (severity, what follows from
//! it) is policy, read into a [`ReasonCodeRegistry`]. Codes that a policy directory lacks are added from a built-in
//! table ([`ReasonCodePolicy::builtin`]) and never replace an entry of the policy. What happens on a refusal beyond
//! the denial itself is up to [`ReasonCodeHandler`]s.

mod builtin;
pub mod codes;
mod handler;

pub use handler::{
    IncidentLog, ReasonCodeHandler, ReasonCodeHandlerRegistration, ReasonCodeHandlers, RefusalFacts, RefusalSink,
};

use crate::TrustError;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How bad a refusal is, worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Severity {
    /// Hard stop: patient safety or integrity.
    #[serde(rename = "P0_STOP")]
    P0Stop,
    /// Isolate and block release.
    #[serde(rename = "P1_QUARANTINE")]
    P1Quarantine,
    /// Hold until someone has looked.
    #[serde(rename = "P2_HOLD_REVIEW")]
    P2HoldReview,
    /// Goes on, but is logged.
    #[serde(rename = "P3_WARN")]
    P3Warn,
    /// Counted only.
    #[serde(rename = "P4_METRIC")]
    P4Metric,
}

impl Severity {
    /// The name in policy files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::P0Stop => "P0_STOP",
            Self::P1Quarantine => "P1_QUARANTINE",
            Self::P2HoldReview => "P2_HOLD_REVIEW",
            Self::P3Warn => "P3_WARN",
            Self::P4Metric => "P4_METRIC",
        }
    }
}

/// One code of the registry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReasonCodeEntry {
    /// The code; never renamed or reused.
    pub code: String,
    /// Its family.
    pub namespace: String,
    /// How bad it is.
    pub severity: Severity,
    /// A sentence that a technician understands.
    #[serde(default)]
    pub description: String,
    /// Actions that can be refused with it.
    #[serde(default)]
    pub triggers: Vec<String>,
    /// What follows from it; empty means the default of its severity.
    #[serde(default)]
    pub default_actions: Vec<String>,
    /// Class of the quality record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iso_record_class: Option<String>,
    /// No token lifts it.
    #[serde(default)]
    pub non_overridable: bool,
    /// Approvals that lift it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub override_allowed_with: Vec<String>,
    /// Where the rule comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_anchor: Option<String>,
    /// Remarks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

/// The body of `reason_code_registry` in `policy/reason_codes/reason_code_registry.v0.1.yaml`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReasonCodePolicy {
    /// Version of the registry.
    #[serde(default)]
    pub version: String,
    /// Rules for the people who add codes.
    #[serde(default)]
    pub design_rules: Vec<String>,
    /// Families that codes may belong to.
    #[serde(default)]
    pub namespaces: Vec<String>,
    /// What each severity means.
    #[serde(default)]
    pub severity_scale: BTreeMap<String, String>,
    /// What follows from a refusal, by severity.
    #[serde(default)]
    pub enforcement_defaults: BTreeMap<Severity, Vec<String>>,
    /// The codes.
    #[serde(default)]
    pub codes: Vec<ReasonCodeEntry>,
}

impl ReasonCodePolicy {
    /// The codes that this engine produces and the reference's registry lacks.
    #[must_use]
    pub fn builtin() -> Self {
        builtin::policy()
    }
}

/// Reason codes, ready to look up.
#[derive(Clone, Debug, Default)]
pub struct ReasonCodeRegistry {
    entries: Vec<ReasonCodeEntry>,
    by_code: FxHashMap<String, u32>,
    enforcement_defaults: BTreeMap<Severity, Vec<String>>,
}

impl ReasonCodeRegistry {
    /// Compiles the registry of a policy.
    ///
    /// # Errors
    /// A code that is listed twice; a code of a namespace that the registry does not list.
    pub fn compile(policy: &ReasonCodePolicy) -> Result<Self, TrustError> {
        let mut registry = Self { enforcement_defaults: policy.enforcement_defaults.clone(), ..Self::default() };
        for entry in &policy.codes {
            if !policy.namespaces.is_empty() && !policy.namespaces.contains(&entry.namespace) {
                return Err(TrustError::Undefined {
                    what: "namespace",
                    name: entry.namespace.clone(),
                    place: format!("reason code {}", entry.code),
                    hint: crate::error::nearest_hint(&entry.namespace, policy.namespaces.iter().map(String::as_str)),
                });
            }
            if !registry.add(entry) {
                return Err(TrustError::Duplicate {
                    what: "reason code",
                    name: entry.code.clone(),
                    place: "the reason code registry".to_owned(),
                    hint: "keep one of the two entries".to_owned(),
                });
            }
        }
        Ok(registry)
    }

    /// Adds the codes of `other` that are missing here; an entry that is here already stays as it is. Returns how many
    /// were added [count].
    pub fn merge_missing(&mut self, other: &ReasonCodePolicy) -> usize {
        for (severity, actions) in &other.enforcement_defaults {
            self.enforcement_defaults.entry(*severity).or_insert_with(|| actions.clone());
        }
        other.codes.iter().filter(|entry| self.add(entry)).count()
    }

    fn add(&mut self, entry: &ReasonCodeEntry) -> bool {
        if self.by_code.contains_key(&entry.code) {
            return false;
        }
        let place = u32::try_from(self.entries.len()).expect("fewer than 2^32 reason codes");
        self.by_code.insert(entry.code.clone(), place);
        self.entries.push(entry.clone());
        true
    }

    /// The entry of `code`.
    #[must_use]
    pub fn get(&self, code: &str) -> Option<&ReasonCodeEntry> {
        self.by_code.get(code).map(|place| &self.entries[*place as usize])
    }

    /// Whether `code` is registered.
    #[must_use]
    pub fn contains(&self, code: &str) -> bool {
        self.by_code.contains_key(code)
    }

    /// How bad `code` is.
    #[must_use]
    pub fn severity(&self, code: &str) -> Option<Severity> {
        self.get(code).map(|entry| entry.severity)
    }

    /// The family of `code`.
    #[must_use]
    pub fn namespace(&self, code: &str) -> Option<&str> {
        self.get(code).map(|entry| entry.namespace.as_str())
    }

    /// Whether no token lifts `code`; `false` for a code that is not registered.
    #[must_use]
    pub fn non_overridable(&self, code: &str) -> bool {
        self.get(code).is_some_and(|entry| entry.non_overridable)
    }

    /// What follows from a refusal with `code`: its own list, or else that of its severity.
    #[must_use]
    pub fn default_actions(&self, code: &str) -> &[String] {
        let Some(entry) = self.get(code) else { return &[] };
        if entry.default_actions.is_empty() {
            self.enforcement_defaults.get(&entry.severity).map_or(&[], Vec::as_slice)
        } else {
            &entry.default_actions
        }
    }

    /// All entries in registry order.
    pub fn iter(&self) -> impl Iterator<Item = &ReasonCodeEntry> {
        self.entries.iter()
    }

    /// How many codes are registered [count].
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether no code is registered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(code: &str, namespace: &str, severity: Severity, actions: &[&str]) -> ReasonCodeEntry {
        ReasonCodeEntry {
            code: code.into(),
            namespace: namespace.into(),
            severity,
            description: String::new(),
            triggers: Vec::new(),
            default_actions: actions.iter().map(|a| (*a).to_owned()).collect(),
            iso_record_class: None,
            non_overridable: false,
            override_allowed_with: Vec::new(),
            source_anchor: None,
            notes: None,
            remedy: None,
        }
    }

    fn policy(codes: Vec<ReasonCodeEntry>) -> ReasonCodePolicy {
        ReasonCodePolicy {
            namespaces: vec!["ROUTE".into(), "RBAC".into()],
            enforcement_defaults: [(Severity::P0Stop, vec!["INCIDENT_LOG".to_owned()])].into(),
            codes,
            ..ReasonCodePolicy::default()
        }
    }

    #[test]
    fn a_code_of_the_policy_is_not_replaced_by_the_built_in_table() {
        let mine = entry(codes::RC_UNKNOWN_ACTION, "RBAC", Severity::P4Metric, &[]);
        let mut registry = ReasonCodeRegistry::compile(&policy(vec![mine])).unwrap();
        let added = registry.merge_missing(&ReasonCodePolicy::builtin());
        assert_eq!(registry.severity(codes::RC_UNKNOWN_ACTION), Some(Severity::P4Metric));
        assert_eq!(added, ReasonCodePolicy::builtin().codes.len() - 1);
        assert!(registry.contains(codes::TOKEN_SCOPE_MISMATCH));
    }

    #[test]
    fn every_code_that_the_reference_registry_lacks_is_in_the_built_in_table() {
        let registry = ReasonCodeRegistry::compile(&ReasonCodePolicy::builtin()).unwrap();
        for code in codes::ADDITIVE {
            assert!(registry.contains(code), "{code}");
        }
        assert_eq!(registry.len(), codes::ADDITIVE.len());
    }

    #[test]
    fn a_code_listed_twice_is_an_error_that_names_it() {
        let twice = entry("RC_X", "ROUTE", Severity::P3Warn, &[]);
        let error = ReasonCodeRegistry::compile(&policy(vec![twice.clone(), twice])).unwrap_err();
        assert_eq!(error.token(), "RC_X");
    }

    #[test]
    fn a_code_of_an_unlisted_namespace_is_an_error_with_the_nearest_name() {
        let wrong = entry("RC_X", "RUOTE", Severity::P3Warn, &[]);
        let error = ReasonCodeRegistry::compile(&policy(vec![wrong])).unwrap_err();
        assert_eq!((error.token(), error.hint()), ("RUOTE", "did you mean `ROUTE`?"));
    }

    #[test]
    fn a_code_without_actions_of_its_own_has_those_of_its_severity() {
        let registry = ReasonCodeRegistry::compile(&policy(vec![
            entry("RC_A", "ROUTE", Severity::P0Stop, &[]),
            entry("RC_B", "ROUTE", Severity::P0Stop, &["BLOCK_ACTION"]),
        ]))
        .unwrap();
        assert_eq!(registry.default_actions("RC_A"), ["INCIDENT_LOG"]);
        assert_eq!(registry.default_actions("RC_B"), ["BLOCK_ACTION"]);
        assert!(registry.default_actions("RC_C").is_empty());
    }
}
