//! What several tests need.

use labtrust_kernel::SimDuration;
use labtrust_mine_haulage::site::{DumpPoint, Edge, Loader, Node, NodeId, NodeKind, ServiceTime, Site, Truck};
use labtrust_mine_haulage::{EventLog, LaneModel, MineData, Model, Outcome, Scenario};
use labtrust_plugin::mine::DispatchPolicy;

/// A built-in scenario.
pub(crate) fn scenario(id: &str) -> Scenario {
    MineData::built_in().scenario(id, &[]).unwrap()
}

/// A registered policy.
pub(crate) fn policy(id: &str) -> &'static dyn DispatchPolicy {
    labtrust_builtin::registry().unwrap().mine_dispatch(id).unwrap()
}

/// The model of `scenario` with the policy that it names.
pub(crate) fn model(scenario: &Scenario) -> Model {
    Model::new(scenario, policy(&scenario.dispatch)).unwrap()
}

/// One replication with its log, books checked.
pub(crate) fn logged(scenario: &Scenario, seed: u64) -> (Outcome, EventLog) {
    let mut log = EventLog::new();
    let outcome = model(scenario).replicate(seed, Some(&mut log)).unwrap();
    outcome.check_books().unwrap();
    (outcome, log)
}

/// Mean tonnes of 30 replications from the scenario's seed, books checked.
pub(crate) fn mean_tonnes(scenario: &Scenario) -> f64 {
    let model = model(scenario);
    let tonnes = (0..30).map(|i| {
        let outcome = model.replicate(scenario.base_seed + i, None).unwrap();
        outcome.check_books().unwrap();
        outcome.tonnes
    });
    tonnes.sum::<f64>() / 30.0
}

/// `n` nodes in a row, 100 m apart.
pub(crate) fn nodes(n: u16) -> Vec<Node> {
    let node = |i| Node {
        id: format!("N{i}"),
        name: format!("node {i}"),
        kind: NodeKind::Junction,
        x_m: 100.0 * f64::from(i),
        y_m: 0.0,
        z_m: 0.0,
        capacity: None,
        service: None,
        note: String::new(),
    };
    (0..n).map(node).collect()
}

/// A road on which 10 m take a second, so its length [m] is ten times its drive [s].
pub(crate) fn road(id: &str, from: u16, to: u16, seconds: f64, capacity: u32) -> Edge {
    Edge {
        id: id.to_owned(),
        from: NodeId(from),
        to: NodeId(to),
        distance_m: 10.0 * seconds,
        max_speed_kph: 36.0,
        road_type: "haul".to_owned(),
        capacity,
        closed: false,
        note: String::new(),
    }
}

/// A truck of 40 t that drives at half the limit when it is loaded.
pub(crate) fn truck(number: u16, start: u16) -> Truck {
    Truck {
        id: format!("T{number:02}"),
        payload_tonnes: 40.0,
        empty_speed_factor: 1.0,
        loaded_speed_factor: 0.5,
        availability: 1.0,
        start: NodeId(start),
    }
}

pub(crate) fn service(mean_min: f64, sd_min: f64) -> ServiceTime {
    ServiceTime { mean_min, sd_min }
}

pub(crate) fn loader(id: &str, node: u16, capacity: u32, mean_min: f64) -> Loader {
    Loader {
        id: id.to_owned(),
        node: NodeId(node),
        capacity,
        bucket_tonnes: 40.0,
        service: service(mean_min, 0.0),
        availability: 1.0,
    }
}

pub(crate) fn dump(node: u16, capacity: u32, mean_min: f64) -> DumpPoint {
    DumpPoint {
        id: "D".to_owned(),
        node: NodeId(node),
        kind: "crusher".to_owned(),
        capacity,
        service: service(mean_min, 0.0),
    }
}

pub(crate) const fn seconds(s: u64) -> SimDuration {
    SimDuration::from_secs(s)
}

/// A scenario without any noise: all trucks of `site`, all its loaders, its first dump point.
pub(crate) fn exact(site: Site, shift: SimDuration) -> Scenario {
    let mut ore_sources: Vec<_> = site.loaders.iter().map(|loader| loader.node).collect();
    ore_sources.sort();
    ore_sources.dedup();
    Scenario {
        id: "small".to_owned(),
        description: String::new(),
        inherits: Vec::new(),
        shift,
        warmup: SimDuration::ZERO,
        replications: 1,
        base_seed: 1,
        fleet: site.trucks.len(),
        travel_time_noise_cv: 0.0,
        lane_model: LaneModel::PerDirection,
        road_capacity_enabled: true,
        allow_bypass: true,
        dispatch: "nearest_available_loader".to_owned(),
        ore_sources,
        dump_destination: site.dumps[0].node,
        site,
    }
}

/// Park (0), loader (1), dump (2): 60 s from the park to the loader, 90 s between loader and dump at the limit, 2 min to
/// load, 1 min to dump.
pub(crate) fn line(trucks: u16, capacity: u32) -> Site {
    Site {
        nodes: nodes(3),
        edges: vec![
            road("P_OUT", 0, 1, 60.0, capacity),
            road("R_OUT", 1, 2, 90.0, capacity),
            road("R_BACK", 2, 1, 90.0, capacity),
        ],
        trucks: (1..=trucks).map(|number| truck(number, 0)).collect(),
        loaders: vec![loader("L", 1, 1, 2.0)],
        dumps: vec![dump(2, 1, 1.0)],
    }
}
