//! A scenario that cannot be simulated is refused, by name.

use crate::common::{exact, line, policy, scenario, seconds};
use labtrust_mine_haulage::site::{LoaderId, NodeId};
use labtrust_mine_haulage::{Model, Scenario};

fn refusal(scenario: &Scenario) -> String {
    Model::new(scenario, policy("nearest_available_loader")).err().expect("it is refused").to_string()
}

fn close(scenario: &mut Scenario, ids: &[&str]) {
    for edge in &mut scenario.site.edges {
        edge.closed |= ids.contains(&edge.id.as_str());
    }
}

#[test]
fn no_way_to_any_loader_names_both_ends_and_the_closed_roads() {
    let mut baseline = scenario("baseline");
    close(&mut baseline, &["E02_UP"]);
    assert_eq!(
        refusal(&baseline),
        "scenario baseline: no open way leads from PARK to LOAD_N or LOAD_S; closed: E02_UP"
    );
}

#[test]
fn no_way_to_the_dump_point_names_both_ends() {
    let mut baseline = scenario("baseline");
    close(&mut baseline, &["E05_TO_CRUSH"]);
    assert_eq!(refusal(&baseline), "scenario baseline: no open way leads from LOAD_N to CRUSH; closed: E05_TO_CRUSH");
}

#[test]
fn a_loader_out_of_reach_is_no_candidate_and_is_named() {
    let mut baseline = scenario("baseline");
    close(&mut baseline, &["E07_TO_LOAD_N"]);
    let model = Model::new(&baseline, policy("nearest_available_loader")).unwrap();
    assert_eq!(model.unreached_loaders(), [LoaderId(0)]);
    let outcome = model.replicate(1, None).unwrap();
    assert_eq!((outcome.loaders[0].arrivals, outcome.loaders[1].arrivals > 0), (0, true));
    assert_eq!(model.way_to_dump(LoaderId(0)), None);
    assert_eq!(model.way_to_loader(NodeId(0), LoaderId(0)), None);
    // One that can be reached and not be left is none either: a truck would be lost there.
    let mut baseline = scenario("baseline");
    close(&mut baseline, &["E09_FROM_LOAD_S"]);
    let model = Model::new(&baseline, policy("nearest_available_loader")).unwrap();
    assert_eq!(model.unreached_loaders(), [LoaderId(1)]);
}

#[test]
fn a_bypass_that_may_not_be_used_is_closed() {
    let mut closed = scenario("ramp_closed");
    closed.allow_bypass = false;
    let said = refusal(&closed);
    assert!(said.starts_with("scenario ramp_closed: no open way leads from PARK to LOAD_N or LOAD_S; closed: E03_UP, E03_DOWN, E15_TO_BYPASS"), "{said}");
}

#[test]
fn nothing_to_load_or_dump_at_is_refused() {
    let mut small = exact(line(1, 999), seconds(100));
    small.ore_sources = vec![NodeId(0)];
    assert_eq!(refusal(&small), "scenario small: no loader stands at N0");
    let mut small = exact(line(1, 999), seconds(100));
    small.dump_destination = NodeId(0);
    assert_eq!(refusal(&small), "scenario small: 0 dump points stand at N0, it takes exactly one");
}

/// Breaks one rule.
type Change = fn(&mut Scenario);

#[test]
fn a_scenario_made_by_a_program_is_held_to_the_rules_of_files() {
    let cases: [(Change, &str); 10] = [
        (|s| s.fleet = 0, "the fleet is 0; it must be from 1 to 1000"),
        (|s| s.fleet = 2, "the fleet is 2; it must be at most 1, the trucks of the site"),
        (|s| s.site.edges[0].distance_m = -1.0, "edge P_OUT distance_m is -1; it must be above 0 and at most 1000000"),
        (
            |s| s.site.edges[0].max_speed_kph = f64::NAN,
            "edge P_OUT max_speed_kph is NaN; it must be above 0 and at most 1000",
        ),
        (|s| s.site.edges[1].capacity = 0, "edge R_OUT capacity is 0; it must be from 1 to 1000000"),
        (|s| s.site.edges[1].to = NodeId(9), "a node of R_OUT is 9; it must be below 3, the number of nodes"),
        (
            |s| s.site.loaders[0].service.mean_min = 0.0,
            "the mean service time of L [min] is 0; it must be above 0 and at most 10000",
        ),
        (
            |s| s.site.trucks[0].loaded_speed_factor = 0.0,
            "truck T01 loaded_speed_factor is 0; it must be above 0 and at most 10",
        ),
        (|s| s.shift = seconds(0), "the shift [h] is 0; it must be above 0 and at most 1000"),
        (|s| s.travel_time_noise_cv = -0.1, "travel_time_noise_cv is -0.1; it must be from 0 to 10"),
    ];
    for (change, said) in cases {
        let mut small = exact(line(1, 999), seconds(100));
        change(&mut small);
        assert_eq!(refusal(&small), format!("scenario small: {said}"));
    }
}
