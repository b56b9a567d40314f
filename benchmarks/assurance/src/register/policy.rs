//! What the policy says of risks, of what exercises them, and of what is claimed.

use crate::AssuranceError;
use labtrust_policy::PolicyStore;
use labtrust_redteam::catalogue::{self, COMPOUNDS};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// The risks.
pub const RISKS: &str = "risks/risk_registry.v0.1.yaml";
/// What exercises each risk.
pub const COVERAGE: &str = "risks/risk_coverage_registry.v0.1.yaml";
/// What to run where evidence is needed.
pub const PLAN: &str = "risks/required_bench_plan.v0.1.yaml";
/// Cells that may be without evidence for a time.
pub const WAIVERS: &str = "risks/waivers.v0.1.yaml";
/// How far each method covers each risk.
pub const MATRIX: &str = "coordination/method_risk_matrix.v0.1.yaml";
/// Which injections speak of which risk in a study.
pub const MAPPINGS: &str = "coordination/risk_to_injection_map.v0.1.yaml";
/// What covers each risk.
pub const SECURITY_MAP: &str = "security/security_coverage_map.v0.1.yaml";
/// The claims of safety.
pub const CLAIMS: &str = "safety_case/claims.v0.1.yaml";
/// The security attack suite.
pub const SUITE: &str = "golden/security_attack_suite.v0.1.yaml";

/// A risk.
#[derive(Clone, Debug, Deserialize)]
pub struct Risk {
    /// Its id.
    pub risk_id: String,
    /// What it is called.
    pub name: String,
    /// What it is about.
    pub category: String,
    /// Injections that exercise it.
    #[serde(default)]
    pub suggested_injections: Vec<String>,
    /// Everything else that is said of it, as it stands there.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

/// How far a method covers a risk, by what is known of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Covers {
    /// It does.
    Covered,
    /// In part.
    PartiallyCovered,
    /// It does not.
    Uncovered,
    /// The risk is none of this method.
    NotApplicable,
}

impl Covers {
    /// Its name in documents.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Covered => "covered",
            Self::PartiallyCovered => "partially_covered",
            Self::Uncovered => "uncovered",
            Self::NotApplicable => "not_applicable",
        }
    }
}

/// A cell of the method-risk matrix.
#[derive(Clone, Debug, Deserialize)]
pub struct MatrixCell {
    /// The method.
    pub method_id: String,
    /// The risk.
    pub risk_id: String,
    /// How far it is covered.
    pub coverage: Covers,
    /// Why that is thought.
    #[serde(default)]
    pub rationale: String,
    /// Whether that has to be shown.
    #[serde(default)]
    pub required_bench: bool,
}

/// What a run has to show before it counts.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Validity {
    /// Highest one-sided 95 % bound of the rate of success of an attack on integrity, 0 to 1.
    pub max_attack_success_upper_95: f64,
    /// Fewest episodes of an attack that is judged by what it costs [count].
    pub min_episodes: u64,
    /// Highest share of honest events that may be refused for reasons of security, 0 to 1.
    pub max_false_positive_rate: f64,
}

impl Default for Validity {
    fn default() -> Self {
        Self { max_attack_success_upper_95: 0.05, min_episodes: 20, max_false_positive_rate: 0.01 }
    }
}

/// Where evidence of a cell comes from.
#[derive(Clone, Debug, Deserialize)]
pub struct Source {
    /// Runs of a method under an injection, or the suite.
    pub kind: SourceKind,
    /// The injection.
    #[serde(default)]
    pub injection_id: Option<String>,
    /// The attack of the suite.
    #[serde(default)]
    pub attack_id: Option<String>,
    /// What to run.
    #[serde(default)]
    pub cmd: Option<String>,
    /// The same without the controls that are meant to stop it.
    #[serde(default)]
    pub cmd_without: Option<String>,
}

/// What kind of run evidence comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    /// Episodes of a method under an injection.
    CoordRisk,
    /// An attack of the suite.
    SecuritySuite,
}

/// A row of the plan.
#[derive(Clone, Debug, Deserialize)]
pub struct PlanRow {
    /// The method.
    pub method_id: String,
    /// The risk.
    pub risk_id: String,
    /// Where evidence comes from.
    pub evidence: Source,
}

/// The plan.
#[derive(Clone, Debug, Deserialize)]
pub struct Plan {
    /// What a run has to show.
    #[serde(default)]
    pub validity: Validity,
    /// What to run for which cell.
    pub cells: Vec<PlanRow>,
}

/// A cell that may be without evidence for a time.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waiver {
    /// The method.
    pub method_id: String,
    /// The risk.
    pub risk_id: String,
    /// Why.
    pub why: String,
    /// Its last day.
    pub expires_on: String,
    /// The role that takes the risk.
    pub approved_by: String,
}

/// What exercises a risk.
#[derive(Clone, Debug, Deserialize)]
pub struct CoverageRow {
    /// The risk.
    pub risk_id: String,
    /// Injections that do.
    #[serde(default)]
    pub injection_ids: Vec<String>,
    /// Attacks that do.
    #[serde(default)]
    pub attack_ids: Vec<String>,
    /// Why nothing can.
    #[serde(default)]
    pub not_applicable_justification: Option<String>,
}

/// An injection or an attack by which a risk is covered.
#[derive(Clone, Debug, Deserialize)]
pub struct CoveredBy {
    /// `injection` or `attack_suite`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its id.
    #[serde(rename = "ref")]
    pub id: String,
}

/// What covers a risk.
#[derive(Clone, Debug, Deserialize)]
pub struct SecurityEntry {
    /// The risk.
    pub risk_id: String,
    /// What does.
    #[serde(default)]
    pub covered_by: Vec<CoveredBy>,
    /// Whether nothing can.
    #[serde(default)]
    pub non_applicable: bool,
    /// Why.
    #[serde(default)]
    pub notes: String,
}

/// Injections of a risk in a study.
#[derive(Clone, Debug, Deserialize)]
pub struct Mapping {
    /// The risk.
    pub risk_id: String,
    /// The injections.
    pub injection_ids: Vec<String>,
}

/// A control of the suite.
#[derive(Clone, Debug, Deserialize)]
pub struct Control {
    /// Its id.
    pub control_id: String,
    /// What it is called.
    pub name: String,
    /// What it does.
    #[serde(default)]
    pub description: Option<String>,
}

/// An attack of the suite, as far as the register is concerned.
#[derive(Clone, Debug, Deserialize)]
pub struct Attack {
    /// Its id.
    pub attack_id: String,
    /// The risk that it exercises.
    pub risk_id: String,
    /// The control that is meant to stop it.
    pub control_id: String,
}

/// The suite.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Suite {
    /// Its controls.
    #[serde(default)]
    pub controls: Vec<Control>,
    /// Its attacks, in order.
    #[serde(default)]
    pub attacks: Vec<Attack>,
}

/// A claim of safety.
#[derive(Clone, Debug, Deserialize)]
pub struct Claim {
    /// Its id.
    pub claim_id: String,
    /// Its version.
    #[serde(default = "first_version")]
    pub claim_version: String,
    /// What is claimed.
    pub statement: String,
    /// Controls that it rests on: ids of the suite, or names.
    #[serde(default)]
    pub controls: Vec<String>,
    /// Tests behind it.
    #[serde(default)]
    pub tests: Vec<String>,
    /// Where it shows.
    #[serde(default)]
    pub artifacts: Vec<String>,
    /// How to show it.
    #[serde(default)]
    pub commands: Vec<String>,
    /// Commands that write what the conditions read.
    #[serde(default)]
    pub commands_native: Vec<String>,
    /// Artefacts whose digests the case lists.
    #[serde(default)]
    pub artifacts_expected: Option<Vec<String>>,
    /// What has to hold.
    #[serde(default)]
    pub conditions: Vec<Condition>,
}

/// Something that has to hold of an artefact.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// What it is called.
    pub id: String,
    /// The file that it is about, below the directory of artefacts.
    #[serde(default)]
    pub artifact: Option<String>,
    /// Where in the file, as a JSON pointer.
    #[serde(default)]
    pub pointer: Option<String>,
    /// What stands there.
    #[serde(default)]
    pub equals: Option<Value>,
    /// The least number that may stand there.
    #[serde(default)]
    pub at_least: Option<f64>,
    /// What members of every entry of the list there are.
    #[serde(default)]
    pub every: Option<Map<String, Value>>,
    /// Whether the list there is empty.
    #[serde(default)]
    pub is_empty: Option<bool>,
    /// As what kind of evidence the file is judged: `security_suite`, `coordination_pack`.
    #[serde(default)]
    pub evidence: Option<String>,
    /// How many findings the policy has.
    #[serde(default)]
    pub policy_findings: Option<u64>,
    /// A file or a directory that has to be there.
    #[serde(default)]
    pub file: Option<String>,
}

fn first_version() -> String {
    "0.1".to_owned()
}

/// A file with one list in it, whatever the list is called.
#[derive(Deserialize)]
pub(super) struct List<T> {
    #[serde(
        alias = "risks",
        alias = "cells",
        alias = "coverage",
        alias = "entries",
        alias = "mappings",
        alias = "waivers",
        alias = "claims"
    )]
    pub(super) rows: Vec<T>,
}

/// Everything that the policy says of risks.
#[derive(Clone, Debug)]
pub struct Register {
    /// The partner whose overlay is on the policy.
    pub partner: Option<String>,
    /// The risks, in the order of the file.
    pub risks: Vec<Risk>,
    /// The method-risk matrix.
    pub matrix: Vec<MatrixCell>,
    /// The plan.
    pub plan: Plan,
    /// The waivers.
    pub waivers: Vec<Waiver>,
    /// What exercises each risk.
    pub coverage: Vec<CoverageRow>,
    /// What covers each risk.
    pub security_map: Vec<SecurityEntry>,
    /// Injections of risks in studies.
    pub mappings: Vec<Mapping>,
    /// The claims.
    pub claims: Vec<Claim>,
    /// The suite; none where the policy has none.
    pub suite: Option<Suite>,
}

impl Register {
    /// Reads it.
    ///
    /// # Errors
    /// [`AssuranceError::Policy`] naming file and place.
    pub fn load(policy: &PolicyStore) -> Result<Self, AssuranceError> {
        fn rows<T: serde::de::DeserializeOwned>(
            policy: &PolicyStore,
            path: &str,
            top: Option<&str>,
        ) -> Result<Vec<T>, AssuranceError> {
            Ok(policy.section_or_builtin::<List<T>>(path, top)?.rows)
        }
        let suite = if policy.contains(SUITE) || PolicyStore::builtin().contains(SUITE) {
            Some(policy.section_or_builtin(SUITE, None)?)
        } else {
            None
        };
        Ok(Self {
            partner: policy.partner().map(str::to_owned),
            risks: risks(policy)?,
            matrix: rows(policy, MATRIX, Some("method_risk_matrix"))?,
            plan: policy.section_or_builtin(PLAN, None)?,
            waivers: super::waivers::of_policy(policy)?,
            coverage: rows(policy, COVERAGE, Some("risk_coverage_registry"))?,
            security_map: rows(policy, SECURITY_MAP, None)?,
            mappings: rows(policy, MAPPINGS, None)?,
            claims: rows(policy, CLAIMS, Some("safety_case_claims"))?,
            suite,
        })
    }

    /// The attacks of the suite, none where there is no suite.
    pub fn attacks(&self) -> impl Iterator<Item = &Attack> {
        self.suite.iter().flat_map(|suite| &suite.attacks)
    }

    /// Whether there is such a risk.
    #[must_use]
    pub fn has_risk(&self, id: &str) -> bool {
        self.risks.iter().any(|risk| risk.risk_id == id)
    }

    /// Pairs of method and risk that need evidence, each once, sorted.
    #[must_use]
    pub fn required(&self) -> BTreeSet<(&str, &str)> {
        let required = self.matrix.iter().filter(|cell| cell.required_bench);
        required.map(|cell| (cell.method_id.as_str(), cell.risk_id.as_str())).collect()
    }
}

/// The risks of a policy, in the order of the file.
///
/// # Errors
/// [`AssuranceError::Policy`] naming file and place.
pub fn risks(policy: &PolicyStore) -> Result<Vec<Risk>, AssuranceError> {
    Ok(policy.section_or_builtin::<List<Risk>>(RISKS, Some("risk_registry"))?.rows)
}

/// The single injections that an id stands for: itself, or the parts of a compound; nothing of a name without an actor.
#[must_use]
pub fn parts(injection: &str) -> Vec<&'static catalogue::Entry> {
    let compound = COMPOUNDS.iter().find(|compound| compound.id == injection);
    let ids = compound.map_or_else(|| vec![injection], |compound| compound.children.to_vec());
    let acting = |id: &str| catalogue::entry(id).filter(|_| !catalogue::is_reserved(id));
    ids.into_iter().map(acting).collect::<Option<Vec<_>>>().unwrap_or_default()
}

/// The risks that an injection is an exercise of, sorted.
#[must_use]
pub fn risks_of(injection: &str) -> BTreeSet<&'static str> {
    parts(injection).into_iter().flat_map(|entry| entry.risks.iter().copied()).collect()
}

/// The controls that are meant to stop an injection, sorted.
#[must_use]
pub fn controls_of(injection: &str) -> BTreeSet<&'static str> {
    parts(injection).into_iter().flat_map(|entry| entry.controls.iter().copied()).collect()
}
