//! Whether a study exercises every risk that needs evidence: looked at before the first cell.

use crate::StudyError;
use crate::spec::CoordinationSpec;
use labtrust_assurance::register::policy::Register;
use labtrust_policy::PolicyStore;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A risk that nothing in the study exercises.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// The risk.
    pub risk_id: String,
    /// Injections that would.
    pub covering_injection_ids: Vec<String>,
    /// The same in words.
    pub message: String,
}

/// What the preflight found; `coverage_missing.json`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// Sorted by risk.
    pub missing: Vec<Missing>,
    /// Risks that some method has to show something of, sorted.
    pub required_risk_ids: Vec<String>,
    /// Injections of the study, sorted.
    pub spec_injection_ids: Vec<String>,
}

impl Coverage {
    /// Looks at a spec.
    ///
    /// # Errors
    /// [`StudyError::Assurance`] for the register of risks.
    pub fn of(spec: &CoordinationSpec, register: &Register) -> Self {
        let required: BTreeSet<&str> = register.required().into_iter().map(|(_, risk)| risk).collect();
        let asked: BTreeSet<&str> = spec.injections.iter().map(|injection| injection.id.as_str()).collect();
        let missing = required.iter().filter(|risk| !spec.waived.contains(**risk)).filter_map(|risk| {
            let covering = covering(register, risk);
            if covering.iter().any(|id| asked.contains(id.as_str())) {
                return None;
            }
            let message = match covering.as_slice() {
                [] => "no injection is known that exercises this risk; waive it with a reason".to_owned(),
                ids => format!("the study has no injection for this risk; add one of {}", ids.join(", ")),
            };
            Some(Missing { risk_id: (*risk).to_owned(), covering_injection_ids: covering, message })
        });
        Self {
            missing: missing.collect(),
            required_risk_ids: required.iter().map(|risk| (*risk).to_owned()).collect(),
            spec_injection_ids: asked.into_iter().map(str::to_owned).collect(),
        }
    }

    /// # Errors
    /// [`StudyError::NotCovered`] naming the risks that are missing.
    pub fn require(&self) -> Result<(), StudyError> {
        match self.missing.is_empty() {
            true => Ok(()),
            false => {
                Err(StudyError::NotCovered { risks: self.missing.iter().map(|one| one.risk_id.clone()).collect() })
            }
        }
    }
}

/// Injections that exercise a risk: those that the map for studies names, or else those that the registry suggests.
fn covering(register: &Register, risk: &str) -> Vec<String> {
    if let Some(mapping) = register.mappings.iter().find(|mapping| mapping.risk_id == risk) {
        return mapping.injection_ids.clone();
    }
    let suggested = register.risks.iter().find(|one| one.risk_id == risk);
    suggested.map(|risk| risk.suggested_injections.clone()).unwrap_or_default()
}

/// The risks that each injection of a study is about: those whose entry in the map for studies names it, in the order of the map;
/// else the label that the spec has at the injection's place; else the injection itself.
#[must_use]
pub fn risks(spec: &CoordinationSpec, register: &Register) -> BTreeMap<String, Vec<String>> {
    let of = |(place, id): (usize, &str)| {
        let naming = register.mappings.iter().filter(|mapping| mapping.injection_ids.iter().any(|named| named == id));
        let mut risks: Vec<String> = naming.map(|mapping| mapping.risk_id.clone()).collect();
        if risks.is_empty() {
            risks.push(spec.risks.get(place).cloned().unwrap_or_else(|| id.to_owned()));
        }
        (id.to_owned(), risks)
    };
    spec.injections.iter().map(|injection| injection.id.as_str()).enumerate().map(of).collect()
}

/// The register of a policy.
///
/// # Errors
/// [`StudyError::Assurance`].
pub fn register(policy: &PolicyStore) -> Result<Register, StudyError> {
    Ok(Register::load(policy)?)
}
