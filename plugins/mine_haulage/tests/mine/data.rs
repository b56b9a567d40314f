//! The built-in mine, its directory and the reference's data are the same mine; changes go where they are sent.

use crate::common::scenario;
use labtrust_mine_haulage::{LaneModel, MineData, Scenario, change_value};
use serde_json::Value;
use std::path::{Path, PathBuf};

pub(crate) fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../benchmarks/001_synthetic_mine_throughput/data")
}

const IDS: [&str; 6] = ["baseline", "crusher_slowdown", "ramp_closed", "ramp_upgrade", "trucks_4", "trucks_12"];

#[test]
fn the_directory_and_the_built_in_mine_are_the_same() {
    let (built_in, directory) = (MineData::built_in(), MineData::load_dir(&directory()).unwrap());
    assert_eq!(built_in.scenario_ids(), IDS);
    assert_eq!(directory.scenario_ids(), IDS);
    assert_eq!(built_in.site(), directory.site());
    for id in IDS {
        assert_eq!(built_in.scenario(id, &[]).unwrap(), directory.scenario(id, &[]).unwrap(), "{id}");
    }
}

/// Everything but the sentences.
fn figures(mut scenario: Scenario) -> Scenario {
    scenario.description.clear();
    for node in &mut scenario.site.nodes {
        node.name.clear();
        node.note.clear();
    }
    for edge in &mut scenario.site.edges {
        edge.note.clear();
    }
    scenario
}

#[test]
fn the_references_data_is_the_same_mine() {
    let reference = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/reference/mine");
    if !reference.is_dir() {
        eprintln!("skipped: the reference's data is not at {}", reference.display());
        return;
    }
    let data = MineData::load_dir(&reference).unwrap();
    assert_eq!(data.scenario_ids(), IDS);
    for id in IDS {
        assert_eq!(figures(data.scenario(id, &[]).unwrap()), figures(scenario(id)), "{id}");
    }
}

#[test]
fn a_scenario_inherits_what_it_does_not_say() {
    let (baseline, closed) = (scenario("baseline"), scenario("ramp_closed"));
    assert_eq!(closed.inherits, ["baseline"]);
    assert_eq!((closed.fleet, closed.base_seed, closed.replications), (8, 12_345, 30));
    assert_eq!(closed.shift_hours(), 8.0);
    assert_eq!(closed.site.closed_edges(), ["E03_UP", "E03_DOWN"]);
    assert!(baseline.site.closed_edges().is_empty());
    // Sections are laid over each other key by key: the capacity stays.
    let upgraded = scenario("ramp_upgrade").site;
    let ramp = upgraded.edges.iter().find(|edge| edge.id == "E03_UP").unwrap();
    assert_eq!((ramp.capacity, ramp.max_speed_kph, ramp.distance_m), (999, 28.0, 950.0));
}

#[test]
fn changes_reach_every_kind_of_value() {
    let data = MineData::built_in();
    let changed = |path, value: &str| data.scenario("ramp_upgrade", &[(path, change_value(value))]).unwrap();
    assert_eq!(changed("fleet.truck_count", "6").fleet, 6);
    // Steps of a range are floats.
    assert_eq!(data.scenario("baseline", &[("fleet.truck_count", Value::from(6.0))]).unwrap().fleet, 6);
    let ramp = |scenario: &Scenario| {
        let edge = scenario.site.edges.iter().find(|edge| edge.id == "E03_UP").unwrap();
        (edge.capacity, edge.max_speed_kph)
    };
    assert_eq!(ramp(&changed("edge_overrides.E03_UP.capacity", "2")), (2, 28.0));
    assert_eq!(ramp(&changed("edge_overrides.E03_UP.max_speed_kph", "30.5")), (999, 30.5));
    let closed = changed("edge_overrides.E04_TO_CRUSH.closed", "true");
    assert_eq!(closed.site.closed_edges(), ["E04_TO_CRUSH"]);
    let crusher = changed("dump_point_overrides.D_CRUSH.mean_dump_time_min", "5");
    assert_eq!((crusher.site.dumps[0].service.mean_min, crusher.site.dumps[0].service.sd_min), (5.0, 0.8));
    assert_eq!(changed("loader_overrides.L_N.capacity", "2").site.loaders[0].capacity, 2);
    assert_eq!(changed("truck_overrides.T03.payload_tonnes", "150").site.trucks[2].payload_tonnes, 150.0);
    assert_eq!(changed("truck_overrides.T03.start_node", "J1").site.trucks[2].start.0, 1);
    assert_eq!(changed("routing.lane_model", "shared_physical_road").lane_model, LaneModel::SharedPhysicalRoad);
    assert_eq!(changed("dispatching.policy", "shortest_queue").dispatch, "shortest_queue");
    assert_eq!(changed("simulation.warmup_minutes", "30").warmup.as_nanos(), 1_800_000_000_000);
    assert!(!changed("routing.road_capacity_enabled", "false").road_capacity_enabled);
    assert_eq!(changed("node_overrides.PARK.capacity", "30").site.nodes[0].capacity, Some(30));
    // The later of two changes counts.
    let twice = [("fleet.truck_count", 5.into()), ("fleet.truck_count", 7.into())];
    assert_eq!(data.scenario("baseline", &twice).unwrap().fleet, 7);
}

#[test]
fn trucks_beyond_the_list_are_made_only_when_asked_for() {
    let data = MineData::built_in();
    let sixteen = ("fleet.truck_count", Value::from(16));
    let error = data.scenario("baseline", std::slice::from_ref(&sixteen)).unwrap_err();
    assert_eq!(error.to_string(), "the change fleet.truck_count=16: 16 trucks are asked for, the site lists 12");
    assert_eq!(error.hint(), Some("list more trucks, or set fleet.clone_beyond_list to let the last one be repeated"));
    let scenario = data.scenario("baseline", &[sixteen, ("fleet.clone_beyond_list", true.into())]).unwrap();
    assert_eq!(scenario.fleet, 16);
    let ids: Vec<_> = scenario.trucks()[11..].iter().map(|truck| truck.id.as_str()).collect();
    assert_eq!(ids, ["T12", "T13", "T14", "T15", "T16"]);
    assert_eq!(scenario.site.trucks[15].payload_tonnes, 100.0);
}

#[test]
fn text_of_a_change_is_a_number_a_truth_or_itself() {
    assert_eq!(change_value("4"), Value::from(4));
    assert_eq!(change_value("0.25"), Value::from(0.25));
    assert_eq!(change_value("true"), Value::from(true));
    assert_eq!(change_value("shortest_queue"), Value::from("shortest_queue"));
    assert_eq!(change_value("[1]"), Value::from("[1]"));
}
