//! Attacks that need more than a note. Each is compiled in, under its attack and the name that the suite gives it; a name
//! that is not here runs nothing.
//!
//! One exercise stands for one attack: two attacks that the published suite gives one name have an exercise each.

mod campaigns;
mod evidence;
mod flow;
mod misled;
mod roles;
mod tools;

use super::defences::{Course, Defences};
use super::model::Attack;
use super::scene::Bench;
use super::trial::{Came, Trial};
use crate::AssuranceError;
use labtrust_plugin::Registry;
use std::collections::BTreeSet;

/// What an exercise works with.
#[derive(Clone, Copy)]
pub struct Grounds<'a> {
    /// The laboratory.
    pub bench: &'a Bench,
    /// What is compiled in.
    pub registry: &'a Registry,
    /// The attack.
    pub attack: &'a Attack,
    /// Seed of episodes.
    pub seed: u64,
    /// Controls that the whole run does without.
    pub taken: &'a BTreeSet<String>,
}

impl<'a> Grounds<'a> {
    fn defences(&self, course: Course) -> Defences<'a> {
        Defences { control: &self.attack.control_id, course, taken: self.taken }
    }

    /// What came of the courses with everything, with the control alone, and with nothing.
    fn courses(
        &self,
        mut play: impl FnMut(&Defences<'a>) -> Result<Came, AssuranceError>,
    ) -> Result<[Came; 3], AssuranceError> {
        Ok([
            play(&self.defences(Course::All))?,
            play(&self.defences(Course::Alone))?,
            play(&self.defences(Course::Nothing))?,
        ])
    }
}

type Exercise = fn(&Grounds<'_>) -> Result<Trial, AssuranceError>;

/// Every exercise: attack, name, what it does.
const EXERCISES: [(&str, &str, Exercise); 21] = [
    ("SEC-TOOL-001", "tests.test_tool_sandbox", tools::hostile_answers),
    ("SEC-TOOL-002", "tests.test_tool_sandbox::test_tool_sandbox_stress_egress_and_caps", tools::around_limits),
    ("SEC-TOOL-003", "tests.test_tool_sandbox::test_unregistered_tool_denied", tools::unregistered),
    (
        "SEC-TOOL-DATACLASS-001",
        "tests.test_tool_sandbox::test_data_class_violation_phi_not_allowed",
        tools::data_classes,
    ),
    ("SEC-TOOL-UNVERIFIED-001", "tests.test_tool_sandbox::test_unregistered_tool_denied", tools::look_alikes),
    ("SEC-FLOW-INEF-001", "tests.test_flow_risks::test_flow_inefficiency_metrics_computed", flow::detours),
    ("SEC-FLOW-PROGRESS-001", "tests.test_flow_risks::test_flow_progress_no_release_zero_throughput", flow::circles),
    ("SEC-TOOL-EXECFAIL-001", "tests.test_tool_execution_failure", tools::failures),
    ("SEC-TOOL-MISPARAM-001", "tests.test_llm_misparam_rejected", campaigns::invented_values),
    ("SEC-TOOL-MISPARAM-FUZZ-001", "tests.test_tool_arg_fuzz", tools::changed_arguments),
    ("SEC-TOOL-MISUSE-001", "tests.test_tool_sandbox::test_tool_misuse_wrong_device_blocked", campaigns::wrong_things),
    (
        "SEC-TOOL-SELECT-001",
        "tests.test_tool_sandbox::test_tool_selection_wrong_tool_blocked_by_registry",
        campaigns::wrong_tools,
    ),
    ("SEC-COORD-001", "tests.test_coordination_identity_bus", campaigns::bus),
    ("SEC-MEM-001", "tests.test_memory_hardening", campaigns::memory),
    ("SEC-COORD-RT-001", "tests.test_coord_red_team_definitions", campaigns::spoof_and_replay),
    ("SEC-COORD-RT-002", "tests.test_coord_red_team_definitions", campaigns::collusion),
    ("SEC-OBS-001", "tests.test_export_receipts", evidence::turned_bits),
    (
        "SEC-DATA-PROV-001",
        "tests.test_export_receipts::test_evidence_bundle_manifest_has_tool_registry_fingerprint",
        evidence::other_registry,
    ),
    (
        "SEC-DATA-PROV-002",
        "tests.test_data_provenance_r_data_002::test_poisoned_observation_blocked_or_constrained",
        campaigns::slow_poison,
    ),
    ("SEC-DETECTOR-001", "tests.test_detector_advisor_taskh", misled::detector),
    ("SEC-RBAC-001", "exercises.rbac_denies_by_default", roles::denied_by_default),
];

/// The exercise of an attack under a name.
///
/// # Errors
/// [`AssuranceError::Unknown`] naming what there is.
pub fn find(attack_id: &str, test_ref: &str) -> Result<Exercise, AssuranceError> {
    let found = EXERCISES.iter().find(|(attack, name, _)| (*attack, *name) == (attack_id, test_ref));
    found.map(|(.., exercise)| *exercise).ok_or_else(|| AssuranceError::Unknown {
        what: "exercise",
        name: format!("{attack_id} {test_ref}"),
        known: EXERCISES.map(|(attack, ..)| attack).join(", "),
    })
}

/// Attack and name of every exercise.
pub fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    EXERCISES.into_iter().map(|(attack, name, _)| (attack, name))
}
