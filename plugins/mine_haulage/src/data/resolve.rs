//! From a merged scenario and the site as it stands to a [`Scenario`]: overrides applied, ids resolved, rules held.

use super::error::DataError;
use super::merged::Merged;
use super::records::{hold, known_hint};
use crate::rules::{self, MOST_TRUCKS, Rule};
use crate::scenario::{LaneModel, Scenario};
use crate::site::{NodeId, ServiceTime, Site, Truck, minutes};
use labtrust_kernel::SimDuration;
use std::collections::BTreeMap;

/// Trucks beyond the site's list, when a scenario asks for more and does not say that they may be made.
const CLONE_HINT: &str = "list more trucks, or set fleet.clone_beyond_list to let the last one be repeated";

pub(crate) fn scenario(merged: &Merged<'_>, site: &Site) -> Result<Scenario, DataError> {
    let document = &merged.document;
    let simulation = document.simulation.clone().unwrap_or_default();
    let routing = document.routing.clone().unwrap_or_default();
    let production = document.production.clone().unwrap_or_default();
    let dispatching = document.dispatching.clone().unwrap_or_default();
    let stochasticity = document.stochasticity.clone().unwrap_or_default();
    let fleet = document.fleet.clone().unwrap_or_default();

    only(merged, "routing.objective", routing.objective.as_deref(), "shortest_time")?;
    only(merged, "production.objective", production.objective.as_deref(), "maximise_ore_to_crusher")?;
    only(merged, "dispatching.tie_breaker", dispatching.tie_breaker.as_deref(), "shortest_expected_cycle_time")?;
    let distributions = [
        ("stochasticity.loading_time_distribution", &stochasticity.loading_time_distribution),
        ("stochasticity.dumping_time_distribution", &stochasticity.dumping_time_distribution),
    ];
    for (path, distribution) in distributions {
        only(merged, path, distribution.as_deref(), "normal_truncated")?;
    }

    let shift_h = needed(merged, "simulation.shift_length_hours", simulation.shift_length_hours)?;
    let warmup_min = simulation.warmup_minutes.unwrap_or(0.0);
    let replications = needed(merged, "simulation.replications", simulation.replications)?;
    let cv = needed(merged, "stochasticity.travel_time_noise_cv", stochasticity.travel_time_noise_cv)?;
    let trucks = needed(merged, "fleet.truck_count", fleet.truck_count)?;
    held(merged, "simulation.shift_length_hours", shift_h, rules::SHIFT_HOURS)?;
    held(merged, "simulation.warmup_minutes", warmup_min, rules::WARMUP_MIN)?;
    held(merged, "simulation.replications", f64::from(replications), rules::REPLICATIONS)?;
    held(merged, "stochasticity.travel_time_noise_cv", cv, rules::NOISE_CV)?;
    held(merged, "fleet.truck_count", f64::from(trucks), rules::TRUCKS)?;

    let mut site = site.clone();
    let wanted = usize::try_from(trucks).unwrap_or(MOST_TRUCKS);
    if wanted > site.trucks.len() {
        if !fleet.clone_beyond_list.unwrap_or(false) {
            let problem = format!("{wanted} trucks are asked for, the site lists {}", site.trucks.len());
            return Err(merged.place("fleet.truck_count").wrong(problem, CLONE_HINT));
        }
        clone_trucks(&mut site.trucks, wanted);
    }
    overrides(merged, &mut site)?;
    stated_services_agree(merged, &site)?;

    let node = |path: &str, id: &str| find(merged, path, "nodes", site.nodes.iter().map(|node| node.id.as_str()), id);
    let sources = needed(merged, "production.ore_sources", production.ore_sources)?;
    let ore_sources = sources.iter().map(|id| Ok(node_id(node("production.ore_sources", id)?)));
    let ore_sources = ore_sources.collect::<Result<Vec<_>, DataError>>()?;
    if ore_sources.is_empty() {
        return Err(merged.place("production.ore_sources").wrong("no source is named", "name at least one node"));
    }
    let destination = needed(merged, "production.dump_destination", production.dump_destination)?;
    let dump_destination = node_id(node("production.dump_destination", &destination)?);
    let lane_model = match &routing.lane_model {
        None => LaneModel::default(),
        Some(name) => name.parse().map_err(|_| {
            let known = LaneModel::ALL.iter().map(|model| model.as_str());
            let problem = format!("{name:?} is no lane model");
            merged.place("routing.lane_model").wrong(problem, known_hint("lane models", known, name))
        })?,
    };
    Ok(Scenario {
        id: merged.id.to_owned(),
        description: document.description.clone().unwrap_or_default(),
        inherits: merged.ancestors.clone(),
        shift: minutes(shift_h * 60.0),
        warmup: if warmup_min > 0.0 { minutes(warmup_min) } else { SimDuration::ZERO },
        replications,
        base_seed: needed(merged, "simulation.base_random_seed", simulation.base_random_seed)?,
        fleet: wanted,
        travel_time_noise_cv: cv,
        lane_model,
        road_capacity_enabled: routing.road_capacity_enabled.unwrap_or(true),
        allow_bypass: routing.allow_bypass.unwrap_or(true),
        dispatch: needed(merged, "dispatching.policy", dispatching.policy)?,
        ore_sources,
        dump_destination,
        site,
    })
}

fn needed<T>(merged: &Merged<'_>, path: &str, value: Option<T>) -> Result<T, DataError> {
    value.ok_or_else(|| merged.missing(path))
}

fn held(merged: &Merged<'_>, path: &str, value: f64, rule: Rule) -> Result<f64, DataError> {
    hold(value, rule, || merged.place(path))
}

/// A key that may be written, and has one meaning.
fn only(merged: &Merged<'_>, path: &str, value: Option<&str>, known: &str) -> Result<(), DataError> {
    match value {
        Some(value) if value != known => {
            Err(merged.place(path).wrong(format!("{value:?} is not available"), format!("this model has {known:?}")))
        }
        _ => Ok(()),
    }
}

/// The place of `id` among `known`.
fn find<'a>(
    merged: &Merged<'_>,
    path: &str,
    what: &str,
    known: impl Iterator<Item = &'a str> + Clone,
    id: &str,
) -> Result<usize, DataError> {
    known.clone().position(|known| known == id).ok_or_else(|| {
        merged.place(path).wrong(format!("{id:?} is none of the site's {what}"), known_hint(what, known, id))
    })
}

fn node_id(place: usize) -> NodeId {
    NodeId(u16::try_from(place).expect("a site has at most 10,000 nodes"))
}

/// Repeats the last truck, with the ids that go on counting: T12, T13, and so on.
fn clone_trucks(trucks: &mut Vec<Truck>, wanted: usize) {
    let Some(last) = trucks.last().cloned() else { return };
    let stem = last.id.trim_end_matches(|letter: char| letter.is_ascii_digit()).to_owned();
    let digits = &last.id[stem.len()..];
    let (width, mut number) = (digits.len(), digits.parse::<u64>().unwrap_or(0));
    while trucks.len() < wanted {
        number += 1;
        let id = format!("{stem}{number:0width$}");
        if trucks.iter().all(|truck| truck.id != id) {
            trucks.push(Truck { id, ..last.clone() });
        }
    }
}

/// Writes `value`, if there is one, over `target`.
fn over<T>(target: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *target = value;
    }
}

fn overrides(merged: &Merged<'_>, site: &mut Site) -> Result<(), DataError> {
    let document = &merged.document;
    let held = |path: &str, field: &str, value: f64, rule: Rule| held(merged, &format!("{path}.{field}"), value, rule);
    let capacity = |path: &str, value: u32| held(path, "capacity", f64::from(value), rules::CAPACITY);
    let service = |path: &str, kind: &str, service: ServiceTime| {
        held(path, &format!("mean_{kind}_time_min"), service.mean_min, rules::MEAN_MIN)?;
        held(path, &format!("sd_{kind}_time_min"), service.sd_min, rules::SD_MIN)
    };
    for (id, change) in document.node_overrides.iter().flatten() {
        let path = format!("node_overrides.{id}");
        let place = find(merged, &path, "nodes", site.nodes.iter().map(|node| node.id.as_str()), id)?;
        let node = &mut site.nodes[place];
        if change.capacity.is_some() {
            node.capacity = change.capacity;
        }
        if let Some(value) = node.capacity {
            capacity(&path, value)?;
        }
        if change.service_time_mean_min.is_some() || change.service_time_sd_min.is_some() {
            let mut stated = node.service.unwrap_or(ServiceTime { mean_min: 0.0, sd_min: 0.0 });
            over(&mut stated.mean_min, change.service_time_mean_min);
            over(&mut stated.sd_min, change.service_time_sd_min);
            held(&path, "service_time_mean_min", stated.mean_min, rules::MEAN_MIN)?;
            held(&path, "service_time_sd_min", stated.sd_min, rules::SD_MIN)?;
            node.service = Some(stated);
        }
    }
    for (id, change) in document.edge_overrides.iter().flatten() {
        let path = format!("edge_overrides.{id}");
        let place = find(merged, &path, "edges", site.edges.iter().map(|edge| edge.id.as_str()), id)?;
        let edge = &mut site.edges[place];
        over(&mut edge.distance_m, change.distance_m);
        over(&mut edge.max_speed_kph, change.max_speed_kph);
        over(&mut edge.capacity, change.capacity);
        over(&mut edge.closed, change.closed);
        held(&path, "distance_m", edge.distance_m, rules::DISTANCE_M)?;
        held(&path, "max_speed_kph", edge.max_speed_kph, rules::SPEED_KPH)?;
        capacity(&path, edge.capacity)?;
    }
    let nodes: BTreeMap<String, usize> =
        site.nodes.iter().enumerate().map(|(place, node)| (node.id.clone(), place)).collect();
    for (id, change) in document.truck_overrides.iter().flatten() {
        let path = format!("truck_overrides.{id}");
        let place = find(merged, &path, "trucks", site.trucks.iter().map(|truck| truck.id.as_str()), id)?;
        let truck = &mut site.trucks[place];
        over(&mut truck.payload_tonnes, change.payload_tonnes);
        over(&mut truck.empty_speed_factor, change.empty_speed_factor);
        over(&mut truck.loaded_speed_factor, change.loaded_speed_factor);
        over(&mut truck.availability, change.availability);
        if let Some(start) = &change.start_node {
            let path = format!("{path}.start_node");
            let known = nodes.get(start).copied();
            let place =
                known.map_or_else(|| find(merged, &path, "nodes", nodes.keys().map(String::as_str), start), Ok)?;
            truck.start = node_id(place);
        }
        held(&path, "payload_tonnes", truck.payload_tonnes, rules::TONNES)?;
        held(&path, "empty_speed_factor", truck.empty_speed_factor, rules::SPEED_FACTOR)?;
        held(&path, "loaded_speed_factor", truck.loaded_speed_factor, rules::SPEED_FACTOR)?;
        held(&path, "availability", truck.availability, rules::AVAILABILITY)?;
    }
    for (id, change) in document.loader_overrides.iter().flatten() {
        let path = format!("loader_overrides.{id}");
        let place = find(merged, &path, "loaders", site.loaders.iter().map(|loader| loader.id.as_str()), id)?;
        let loader = &mut site.loaders[place];
        over(&mut loader.capacity, change.capacity);
        over(&mut loader.service.mean_min, change.mean_load_time_min);
        over(&mut loader.service.sd_min, change.sd_load_time_min);
        over(&mut loader.availability, change.availability);
        capacity(&path, loader.capacity)?;
        service(&path, "load", loader.service)?;
        held(&path, "availability", loader.availability, rules::AVAILABILITY)?;
    }
    for (id, change) in document.dump_point_overrides.iter().flatten() {
        let path = format!("dump_point_overrides.{id}");
        let place = find(merged, &path, "dump points", site.dumps.iter().map(|dump| dump.id.as_str()), id)?;
        let dump = &mut site.dumps[place];
        over(&mut dump.capacity, change.capacity);
        over(&mut dump.service.mean_min, change.mean_dump_time_min);
        over(&mut dump.service.sd_min, change.sd_dump_time_min);
        capacity(&path, dump.capacity)?;
        service(&path, "dump", dump.service)?;
    }
    Ok(())
}

/// A node's service time is what the site states there; the loader's or dump point's is what counts. A scenario that
/// changes only the node's would change nothing and look as if it had, so that is refused.
fn stated_services_agree(merged: &Merged<'_>, site: &Site) -> Result<(), DataError> {
    let document = &merged.document;
    for (id, change) in document.node_overrides.iter().flatten() {
        let Some(node) = site.nodes.iter().position(|node| node.id == *id).map(node_id) else { continue };
        let Some(stated) = site.node(node).service else { continue };
        if change.service_time_mean_min.is_none() && change.service_time_sd_min.is_none() {
            continue;
        }
        let loaders = site.loaders.iter().filter(|loader| loader.node == node).map(|loader| {
            let changed = document.loader_overrides.iter().flatten().any(|(id, _)| *id == loader.id);
            (format!("loader_overrides.{}", loader.id), loader.service, changed)
        });
        let dumps = site.dumps.iter().filter(|dump| dump.node == node).map(|dump| {
            let changed = document.dump_point_overrides.iter().flatten().any(|(id, _)| *id == dump.id);
            (format!("dump_point_overrides.{}", dump.id), dump.service, changed)
        });
        if let Some((path, service, _)) =
            loaders.chain(dumps).find(|(_, service, changed)| !changed && *service != stated)
        {
            let problem = format!(
                "the node states {} +/- {} min, what stands there takes {} +/- {} min, and that is what counts",
                stated.mean_min, stated.sd_min, service.mean_min, service.sd_min
            );
            let hint = format!("change {path} as well");
            return Err(merged.place(&format!("node_overrides.{id}")).wrong(problem, hint));
        }
    }
    Ok(())
}
