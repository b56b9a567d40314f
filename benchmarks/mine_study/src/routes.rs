//! The ways that trucks are sent: in words, in minutes, and whether a road is part of them.

use crate::arms::Arm;
use labtrust_mine_haulage::Scenario;
use labtrust_mine_haulage::site::{EdgeId, LoaderId, NodeId};

/// A way from node to node.
#[derive(Clone, Debug)]
pub(crate) struct Way {
    pub(crate) from: String,
    /// A loader, or the dump point.
    pub(crate) to: String,
    pub(crate) loaded: bool,
    /// Nodes on the way, both ends included.
    pub(crate) nodes: Vec<String>,
    pub(crate) edges: Vec<EdgeId>,
    pub(crate) distance_m: f64,
    /// Of the fleet's first truck, without noise and without other trucks [min].
    pub(crate) minutes: f64,
}

/// The ways of an arm: from the trucks' starts, from the dump point, and loaded to it.
pub(crate) fn ways(arm: &Arm) -> Vec<Way> {
    let (model, scenario) = (&arm.model, arm.scenario());
    let site = &scenario.site;
    let dump = site.dump(model.dump());
    let mut origins: Vec<NodeId> = scenario.trucks().iter().map(|truck| truck.start).collect();
    origins.push(dump.node);
    let mut seen = Vec::new();
    origins.retain(|origin| {
        !seen.contains(origin) && {
            seen.push(*origin);
            true
        }
    });
    let loaders = || (0..).map(LoaderId).zip(&site.loaders);
    let mut ways = Vec::new();
    for origin in origins {
        for (id, loader) in loaders() {
            if let Some(edges) = model.way_to_loader(origin, id) {
                ways.push(way(scenario, origin, &loader.id, false, edges));
            }
        }
    }
    for (id, loader) in loaders() {
        if let Some(edges) = model.way_to_dump(id) {
            ways.push(way(scenario, loader.node, &dump.id, true, edges));
        }
    }
    ways
}

fn way(scenario: &Scenario, from: NodeId, to: &str, loaded: bool, edges: &[EdgeId]) -> Way {
    let site = &scenario.site;
    let mut nodes = vec![site.node(from).id.clone()];
    nodes.extend(edges.iter().map(|edge| site.node(site.edge(*edge).to).id.clone()));
    let factor = scenario.trucks().first().map_or(1.0, |truck| {
        truck.availability * if loaded { truck.loaded_speed_factor } else { truck.empty_speed_factor }
    });
    let nominal_s: f64 = edges.iter().map(|edge| site.edge(*edge).nominal_s()).sum();
    Way {
        from: site.node(from).id.clone(),
        to: to.to_owned(),
        loaded,
        nodes,
        edges: edges.to_vec(),
        distance_m: edges.iter().map(|edge| site.edge(*edge).distance_m).sum(),
        minutes: nominal_s / 60.0 / factor,
    }
}

/// What loaders and dump point could do at most without a pause, over the shift [t].
///
/// A mean service without a break: expected throughput cannot pass it, whatever fleet and roads are.
pub(crate) fn station_ceiling(arm: &Arm) -> f64 {
    let (model, scenario) = (&arm.model, arm.scenario());
    let site = &scenario.site;
    let shift_min = scenario.shift.as_secs_f64() / 60.0;
    let dump = site.dump(model.dump());
    let crushed = shift_min / dump.service.mean_min * f64::from(dump.capacity);
    let takes_part = |id: LoaderId| model.way_to_dump(id).is_some();
    let loaded: f64 = (0..)
        .map(LoaderId)
        .zip(&site.loaders)
        .filter(|(id, _)| takes_part(*id))
        .map(|(_, loader)| shift_min / loader.service.mean_min * loader.availability * f64::from(loader.capacity))
        .sum();
    let trucks = scenario.trucks();
    let payload = trucks.iter().map(|truck| truck.payload_tonnes).fold(0.0, f64::max);
    crushed.min(loaded) * payload
}
