//! Specs: what is read from them, and what is refused with its place.

use super::bench::{POLICY, SPEC, plan, plan_of};
use labtrust_study::StudyError;

fn refused(text: &str) -> String {
    match plan_of(text, &POLICY) {
        Err(StudyError::Policy(error)) => {
            assert!(error.line().is_some(), "it has a place: {error}");
            let help = miette_help(&error);
            format!("{error} / {help}")
        }
        other => panic!("{:?}", other.map(|plan| plan.cells.len())),
    }
}

fn miette_help(error: &labtrust_policy::PolicyError) -> String {
    use labtrust_policy::PolicyError as E;
    match error {
        E::Rule(at) | E::Parse(at) => at.hint.clone().unwrap_or_default(),
        _ => String::new(),
    }
}

#[test]
fn sizes_are_a_product_whose_names_are_sorted_and_whose_values_stand_as_they_were_written() {
    let text = "study_id: s\nscales:\n  - { name: num_agents, values: [2, 4] }\n  - { name: arrival_rate, values: [1.0, 2] }\n";
    let plan = plan(text);
    let ids = ["1.0_num_agents_2", "2_num_agents_2", "1.0_num_agents_4", "2_num_agents_4"];
    assert_eq!(plan.head.scale_ids, ids.map(|id| format!("scale_arrival_rate_{id}")));
    // No methods and no injections: one method, and the baseline.
    assert_eq!((plan.cells.len(), plan.cells[0].config.episodes, plan.head.seed_base), (4, 2, 42));
    assert_eq!(plan.cells[0].cell_id, "scale_arrival_rate_1.0_num_agents_2_centralized_planner_none");
    let config = plan.cells[0].config.scale.config.as_ref().expect("a size of its own");
    assert_eq!((&config["num_devices_per_type"]["CHEM_ANALYZER"], &config["horizon_steps"]), (&2.into(), &200.into()));
    assert_eq!(super::bench::plan("study_id: s\n").head.scale_ids, ["scale_0"]);
}

#[test]
fn a_size_of_the_policy_keeps_its_name_and_may_be_varied() {
    let text =
        |rest: &str| format!("study_id: s\nscales:\n  - {{ name: scale_preset, values: [small_smoke] }}\n{rest}");
    let alone = plan(&text(""));
    assert_eq!(
        (alone.head.scale_ids.as_slice(), &alone.cells[0].config.scale.config),
        (&["small_smoke".to_owned()][..], &None)
    );
    let varied = plan(&text("  - { name: horizon_steps, values: [20] }\n"));
    assert_eq!(varied.head.scale_ids, ["scale_horizon_steps_20_scale_preset_small_smoke"]);
    let config = varied.cells[0].config.scale.config.as_ref().expect("a size of its own");
    assert_eq!((&config["horizon_steps"], &config["role_mix"]["ROLE_RUNNER"]), (&20.into(), &0.5.into()));
}

#[test]
fn what_there_is_not_is_refused_with_its_place_and_the_nearest_name() {
    for (from, to, said, hint) in [
        ("gossip_consensus", "gossip_consensu", "no coordination method gossip_consensu", "`gossip_consensus`"),
        ("INJ-ID-SPOOF-001", "INJ-ID-SPOF-001", "no injection INJ-ID-SPOF-001", "`INJ-ID-SPOOF-001`"),
        ("num_agents", "num_agent", "num_agent is no dimension", "`num_agents`"),
        ("horizon_steps", "num_agents", "num_agents is there twice", "one list"),
        ("values: [30]", "values: []", "no values", "one or more"),
        ("values: [30]", "values: [0]", "horizon_steps makes no sense", "1 or more"),
        ("values: [30]", "values: [30, 30]", "is there twice", "once"),
        ("gossip_consensus", "kernel_auction_edf", "kernel_auction_edf is there twice", "once"),
        ("INJ-COORD-PROMPT-INJECT-001", "INJ-ID-SPOOF-001", "INJ-ID-SPOOF-001 is there twice", "one intensity"),
        ("intensity: 0.5", "intensity: 1.5", "is 1.5", "between 0 and 1"),
        ("episodes_per_cell: 2", "episodes_per_cell: 0", "no episodes", "1 or more"),
        ("episodes_per_cell", "episode_per_cell", "episode_per_cell", ""),
        ("seed_base: 7", "seed_base: -7", "", ""),
    ] {
        let found = refused(&SPEC.replacen(from, to, 1));
        assert!(found.contains(said) && found.contains(hint), "{to}: {found}");
    }
    let preset = "study_id: s\nscales: [{ name: scale_preset, values: [small_smok] }]\n";
    let found = refused(preset);
    assert!(found.contains("no size small_smok") && found.contains("`small_smoke`"), "{found}");
}

#[test]
fn a_risk_that_needs_evidence_and_has_no_injection_is_missing_unless_it_is_waived() {
    let found = plan(SPEC).head.coverage;
    let missing: Vec<&str> = found.missing.iter().map(|one| one.risk_id.as_str()).collect();
    assert!(missing.contains(&"R-TOOL-001") && !missing.contains(&"R-COMMS-001"), "{missing:?}");
    let error = found.require().expect_err("something is missing").to_string();
    assert!(error.contains("R-TOOL-001"), "{error}");
    let tool = found.missing.iter().find(|one| one.risk_id == "R-TOOL-001").expect("it is missing");
    assert!(!tool.covering_injection_ids.is_empty() && tool.message.contains(&tool.covering_injection_ids[0]));

    let waived: Vec<String> =
        missing.iter().map(|risk| format!("  - {{ risk_id: {risk}, reason: elsewhere }}")).collect();
    let all = plan(&format!("{SPEC}waived_risks:\n{}\n", waived.join("\n")));
    all.head.coverage.require().expect("the rest is waived");
    // As many by their injections.
    let covered = format!("{SPEC}  - {{ injection_id: {} }}\n", tool.covering_injection_ids[0]);
    let fewer = plan(&covered).head.coverage.missing;
    assert!(fewer.len() < found.missing.len() && fewer.iter().all(|one| one.risk_id != "R-TOOL-001"));
}

#[test]
fn an_injection_of_no_known_risk_has_the_label_at_its_place_or_its_own_name() {
    let text =
        "study_id: s\nrisks: [R-OWN-001]\ninjections: [none, { injection_id: org.example.crash }, INJ-ID-SPOOF-001]\n";
    let risks = plan(text).head.risks;
    assert_eq!(risks["none"], ["R-OWN-001"]);
    assert_eq!(risks["org.example.crash"], ["org.example.crash"]);
    assert_eq!(risks["INJ-ID-SPOOF-001"], ["R-COMMS-001"]);
}
