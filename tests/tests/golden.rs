//! The golden scenarios: in our own words under the built-in policy, and as the reference wrote them under its policy.

use labtrust_bench::scenario::{Runner, ScenarioReport, Semantics, Suite, load};
use labtrust_hospital_lab::reference::FrozenEngine;
use labtrust_plugin::lab::Engine;
use labtrust_policy::PolicyStore;
use labtrust_tests::{load as load_lab, reference_policy};
use std::path::PathBuf;

/// Chain length and newest hash at the end, as the reference has them. Left out: those whose events are signed here.
const CHAINS: &[(&str, u64, &str)] = &[
    ("GS-001", 12, "f1226f4a3ae4d992a6584ff09d91195bab58882947e03a34ddcdf4fbcd1efdf0"),
    ("GS-002", 6, "4a8da1d901c6931ca380fc873061b960f3ffa524eb66ecc2c35fa2c65a17313f"),
    ("GS-003", 2, "9d35e262f20b613c6cfe0c6d8815b32c121e508abc3ba036b849bf951f45f25e"),
    ("GS-004", 2, "cea315b83a24aed0e84b2cb1c9f89c9b6773ccb844e26ee0a120d129d53048e9"),
    ("GS-005", 1, "a52e4a932e07748156ee693be8f5fdffd31930f5931349bac391c7ce6f73d284"),
    ("GS-006", 4, "f07c845c255186f31cc97d779f7fbdfe8091ca569af9a47bde6a2f5d2ca18c63"),
    ("GS-007", 1, "5e7cf99958c983eb10a7b72de5fcc08d95e152f313eb05bddffcfc4d0bafc90b"),
    ("GS-008", 1, "c15bb55d5ed941a91c01ddcf40c5ed7d5980179957f4f1e3c26e946f088fca6e"),
    ("GS-009", 3, "6e043e9cef52519f86e5098afe1cd143e8fb19e985d9c239cf7732d23e279d12"),
    ("GS-010", 1, "5afd23766a6fedc2885614b8cf0bc1b29ed491adf56d166ba6807e7f6f349167"),
    ("GS-011", 1, "9576ef640f5541ae6ff0db1711f66be824588f13d529d37e6daa6a35e788d12c"),
    ("GS-012", 2, "d17513cbc9637dd53a3f61294757b272964b3212c50b982b084b989a5f70ca1c"),
    ("GS-013", 2, "d7f0e8da1a4c29306401e97e4c423728b5116b31470044533d7e10f30af0e0a1"),
    ("GS-014", 7, "c0fe7a67e17b1a7a299d1bf682a1665dfddbbcba28c002de23f1c61df85d0a95"),
    ("GS-015", 2, "2113501b91636fa84223712c129773d3a7e08d7f48b70add1da507c3a684dc6d"),
    ("GS-016", 5, "6267f3a91f980301e7ce84d2c0336e349ae995155186f04c41fbfd25a769aa70"),
    ("GS-017", 2, "e53ffcb10c91bfea58c6862af32d39f587e5de02f47d0ed4f8c84f395e4d7ac9"),
    ("GS-018", 1, "e76297fd632303d54df5f1a793b2c05ce4c22944b19528ff027ad6dd25fac035"),
    ("GS-019", 0, ""),
    ("GS-020", 1, "d44b294d4b0339fc2e727622872ba70a0dcd68d70398df28f89327f641158772"),
    ("GS-021", 1, "07b58536015f1139aac0b205d933736ba7d5cb2c74a44cacdfbf7680ea64cefd"),
    ("GS-022", 2, "fb9201dd3fde7d2707fbf0d3d90276a07d23ea3b0a17fa7e5e44d37925297c91"),
    ("GS-CRIT-023", 2, "68f08321826dde3d628c8d899f87e27b705a87ed04c034ca289e1233b06ad107"),
    ("GS-CRIT-024", 2, "2e0c8ba5d5b3bf94e61a5f410a0d4ba86bf3fc3d09662c71bc721c282da8a643"),
    ("GS-CRIT-025", 5, "af17db2f08526e4c04a182fbbfbf47cc678ecb0138ba80e5680e59af4744f67e"),
    ("GS-TRANSPORT-001", 4, "6d1488526664361ba4621bf9b9465200573401c1490a7fcd990d54f3b04a57db"),
    ("GS-TRANSPORT-002", 2, "2ebf5409ccb04bdd3ab90c6e9b4716743b414a75ac76e894c39ade38fe6237f6"),
    ("GS-COC-003", 0, ""),
    ("GS-RBAC-028", 0, ""),
    ("GS-RBAC-029", 0, ""),
    ("GS-SIG-026", 0, ""),
    ("GS-SIG-027", 0, ""),
    ("GS-EXPORT-001", 2, "67d3e317d1a313467ba75d3972aa4bd8cc6af7ccddbbbcb899fdd9e3ea9bc076"),
];

/// Plays everything; all of it has to pass.
fn play(suites: &[Suite], policy: &PolicyStore, semantics: Semantics) -> Vec<ScenarioReport> {
    let runner = Runner::new(policy, semantics).expect("the policy loads");
    let mut engine: Box<dyn Engine> = match semantics {
        Semantics::Sound => load_lab(policy).engine(),
        Semantics::Reference => Box::new(FrozenEngine::new(policy).expect("the policy loads")),
    };
    let scenarios = suites.iter().flat_map(|suite| &suite.scenarios);
    let reports: Vec<ScenarioReport> = scenarios.map(|scenario| runner.run(scenario, engine.as_mut())).collect();
    for report in &reports {
        assert!(report.passed, "{semantics:?} {} {:#?}", report.scenario_id, report.failures);
    }
    assert_eq!(reports.len(), 35);
    assert_eq!(reports.iter().map(|report| report.step_reports.len()).sum::<usize>(), 102);
    reports
}

fn golden() -> Vec<Suite> {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../scenarios/golden");
    let mut suites = load(std::slice::from_ref(&directory)).expect("the scenarios load");
    // What is below is about clauses, and has a test of its own.
    suites.retain(|suite| suite.path.parent() == Some(directory.as_path()));
    suites
}

#[test]
fn the_golden_scenarios_hold_in_the_laboratory_and_in_the_frozen_reference() {
    for semantics in [Semantics::Sound, Semantics::Reference] {
        play(&golden(), &PolicyStore::builtin(), semantics);
    }
}

#[test]
fn the_reference_s_own_suite_holds_under_its_policy_and_ends_with_its_hashes() {
    let Some(directory) = reference_policy() else { return };
    let policy = PolicyStore::open(&directory).expect("the policy loads");
    let suite = load(&[directory.join("golden/golden_scenarios.v0.1.yaml")]).expect("the suite loads");
    play(&suite, &policy, Semantics::Sound);
    let reports = play(&suite, &policy, Semantics::Reference);
    for (id, length, hash) in CHAINS {
        let report = reports.iter().find(|report| report.scenario_id == *id).expect("the suite has it");
        let chain = &report.step_reports.last().expect("it has steps").hashchain;
        assert_eq!((chain.length, chain.last_event_hash.as_str()), (*length, *hash), "{id}");
    }
}
