//! The benchmark's scenarios give plausible figures, and the comparisons that they are made for.

use crate::common::{mean_tonnes, model, scenario};
use labtrust_mine_haulage::{LaneModel, MineData};
use std::collections::BTreeMap;

#[test]
fn every_scenario_delivers_what_independent_models_deliver() {
    // Ranges of the means of nine independent models over 30 replications [t].
    let ranges = [
        ("baseline", 12_050.0, 13_150.0),
        ("trucks_4", 7_500.0, 8_330.0),
        ("trucks_12", 12_620.0, 13_790.0),
        ("ramp_upgrade", 12_000.0, 13_180.0),
        ("crusher_slowdown", 6_390.0, 7_240.0),
        ("ramp_closed", 11_950.0, 13_110.0),
    ];
    let means: BTreeMap<&str, f64> = ranges.iter().map(|(id, ..)| (*id, mean_tonnes(&scenario(id)))).collect();
    for (id, low, high) in ranges {
        let tonnes = means[id];
        assert!((low..=high).contains(&tonnes), "{id}: {tonnes} t is not from {low} to {high}");
    }
    let mean = |id: &str| means[id];
    assert!(mean("trucks_12") > mean("trucks_4"));
    assert!(mean("baseline") > mean("trucks_4"));
    assert!(mean("ramp_upgrade") >= 0.95 * mean("baseline"));
    assert!(mean("crusher_slowdown") < mean("baseline"));
    assert!(mean("ramp_closed") <= 1.05 * mean("baseline"));
    let (gain, first_gain) = (mean("trucks_12") - mean("baseline"), mean("baseline") - mean("trucks_4"));
    assert!(gain <= 1.25 * first_gain);
    // What the crusher can take from the first to the last minute.
    assert!(means.values().all(|tonnes| *tonnes <= 480.0 / 3.5 * 100.0));
}

#[test]
fn sharing_lanes_costs_a_few_percent_and_never_gains() {
    for id in MineData::built_in().scenario_ids() {
        let mut scenario = scenario(id);
        let apart = mean_tonnes(&scenario);
        scenario.lane_model = LaneModel::SharedPhysicalRoad;
        let ratio = mean_tonnes(&scenario) / apart;
        // Noise of a mean of 30 shifts is a dump or two.
        assert!((0.94..=1.005).contains(&ratio), "{id}: {ratio}");
    }
}

#[test]
fn loaded_trucks_do_not_use_the_ramp() {
    let scenario = scenario("baseline");
    let model = model(&scenario);
    let site = &scenario.site;
    let names = |way: &[labtrust_mine_haulage::site::EdgeId]| {
        way.iter().map(|&edge| site.edge(edge).id.clone()).collect::<Vec<_>>()
    };
    let loaders: Vec<_> = (0..2).map(labtrust_mine_haulage::site::LoaderId).collect();
    for &loader in &loaders {
        assert!(names(model.way_to_dump(loader).unwrap()).iter().all(|road| !road.starts_with("E03")));
    }
    // Why the ramp hardly matters: it is driven once a truck, on the way out to the south face. To the north the bypass
    // is faster.
    let park = site.trucks[0].start;
    let out = |loader| names(model.way_to_loader(park, loader).unwrap());
    assert_eq!(out(loaders[0]), ["E01_OUT", "E02_UP", "E15_TO_BYPASS", "E18_BYPASS_TO_NORTH", "E07_TO_LOAD_N"]);
    assert_eq!(out(loaders[1]), ["E01_OUT", "E02_UP", "E03_UP", "E08_TO_SOUTH", "E09_TO_LOAD_S"]);
    for &loader in &loaders {
        let back = names(model.way_to_loader(scenario.dump_destination, loader).unwrap());
        assert!(back.iter().all(|road| !road.starts_with("E03")), "{back:?}");
    }
}

#[test]
fn the_same_seed_gives_the_same_shift_and_another_seed_another() {
    let model = model(&scenario("trucks_12"));
    assert_eq!(model.replicate(5, None).unwrap(), model.replicate(5, None).unwrap());
    assert_ne!(model.replicate(5, None).unwrap().trucks, model.replicate(6, None).unwrap().trucks);
}

#[test]
fn every_policy_plays_every_scenario() {
    for id in MineData::built_in().scenario_ids() {
        for policy in ["fixed_assignment", "least_expected_cycle", "nearest_available_loader", "shortest_queue"] {
            let mut scenario = scenario(id);
            scenario.dispatch = policy.to_owned();
            let outcome = model(&scenario).replicate(1, None).unwrap();
            outcome.check_books().unwrap();
            assert!(outcome.tonnes > 5_000.0, "{id} {policy}: {}", outcome.tonnes);
        }
    }
}

/// A change of any draw, route, rule or order shows here; so does a platform with other arithmetic.
#[test]
fn the_first_shift_of_every_scenario_is_what_it_always_was() {
    let first = |id: &str| {
        let scenario = scenario(id);
        let outcome = model(&scenario).replicate(scenario.base_seed, None).unwrap();
        (outcome.tonnes, outcome.events, outcome.dump.queue_wait_ns, outcome.trucks[0].cycle_ns)
    };
    // Tonnes, events, time in the crusher's queue [ns], completed cycles of the first truck [ns].
    let always = [
        ("baseline", (13_100.0, 1176, 34_629_547_697_137, 28_414_258_098_684)),
        ("crusher_slowdown", (6_600.0, 622, 115_630_977_229_089, 26_833_301_479_856)),
        ("ramp_closed", (13_000.0, 1174, 34_344_487_973_904, 27_439_796_152_564)),
        ("ramp_upgrade", (13_100.0, 1178, 33_396_523_706_376, 28_247_956_217_012)),
        ("trucks_4", (7_900.0, 703, 2_699_879_576_600, 28_526_008_856_249)),
        ("trucks_12", (13_100.0, 1219, 129_603_198_020_469, 27_830_496_377_262)),
    ];
    for (id, figures) in always {
        assert_eq!(first(id), figures, "{id}");
    }
    // All thirty, by their sum.
    let sums = always.map(|(id, _)| (mean_tonnes(&scenario(id)) * 30.0).round());
    assert_eq!(sums, [390_100.0, 195_800.0, 389_300.0, 391_700.0, 238_200.0, 391_700.0]);
}
