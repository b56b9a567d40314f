//! How an episode of a scale starts: workers, a backlog, and what arrives later.

use super::{floor::Floor, roles, scale::Scale};
use crate::tasks::common::{crew, specimen};
use labtrust_kernel::Streams;
use serde_json::{Map, Value, json};

/// Rooms in which workers start, in turns.
pub(super) const ZONES: [&str; 6] = [
    "Z_SRA_RECEPTION",
    "Z_SORTING_LANES",
    "Z_PREANALYTICS",
    "Z_ANALYZER_HALL_A",
    "Z_ANALYZER_HALL_B",
    "Z_QC_SUPERVISOR",
];
/// The backlog arrives within this time [s].
const BACKLOG_S: i64 = 100;
/// The panel of a scale that names none: chemistry, because that is what its devices measure.
const PANEL: &str = "BIOCHEM_PANEL_CORE";

/// Reagent for any number of runs [uses]: running out of it is another task.
const REAGENT: f64 = 1_000_000.0;

/// The state: a function of scale, floor and seed.
pub(super) fn initial_state(scale: &Scale, floor: &Floor, dt_s: i64, seed: u64) -> Map<String, Value> {
    let workers = workers(scale, seed);
    let agents = at_their_places(scale, &workers);
    let roster: Map<String, Value> = workers.iter().map(|(id, role)| (id.clone(), (*role).into())).collect();
    let keys: Vec<Value> = workers.iter().map(|(id, role)| crew::key_entry(seed, id, role)).collect();
    let state = json!({
        "system": { "now_s": 0, "downtime_active": false },
        "agents": agents,
        "specimens": specimens(scale, i64::from(scale.horizon_steps) * dt_s, seed, &format!("S_COORD_{seed}_")),
        "tokens": [],
        "reagent_initial_stock": { "R_CHEM_CORE": REAGENT, "R_HAEM_CORE": REAGENT, "R_COAG_CORE": REAGENT },
        "effective_policy": floor.effective_policy,
        "workflow": "enforced",
        "roster": { "roles": {}, "agents": roster },
        "keys": keys,
        "_scale_config_sanitized": scale.to_json(),
        "_scale_device_ids": floor.devices,
        "_scale_zone_ids": ZONES,
    });
    let mut state = state;
    for (key, list) in [("device_outages", scale.world.outages()), ("transport_required", transports(scale, seed))] {
        if !list.is_empty() {
            state[key] = list.into();
        }
    }
    match state {
        Value::Object(map) => map,
        _ => unreachable!("an object was written"),
    }
}

/// The room in which a worker begins.
fn begins(scale: &Scale, worker: usize) -> &str {
    match scale.world.start.as_slice() {
        [] => ZONES[worker % ZONES.len()],
        rooms => &rooms[worker % rooms.len()],
    }
}

/// What the initial states of all laboratories of a scale have in common. In each of them the same workers have the same
/// roles, so that the roster is one.
pub(super) fn common(scale: &Scale, floor: &Floor) -> Map<String, Value> {
    let roster: Map<String, Value> = fixed_workers(scale).into_iter().map(|(id, role)| (id, role.into())).collect();
    Map::from_iter([
        ("effective_policy".to_owned(), floor.effective_policy.clone()),
        ("roster".to_owned(), json!({ "roles": {}, "agents": roster })),
    ])
}

/// What the initial state of one laboratory has of its own.
pub(super) fn own(scale: &Scale, dt_s: i64, seed: u64) -> Map<String, Value> {
    let horizon_s = i64::from(scale.horizon_steps) * dt_s;
    Map::from_iter([
        ("agents".to_owned(), at_their_places(scale, &fixed_workers(scale)).into()),
        ("specimens".to_owned(), specimens(scale, horizon_s, seed, "S_").into()),
        ("reagent_initial_stock".to_owned(), json!({ "R_CHEM_CORE": REAGENT })),
    ])
}

fn at_their_places(scale: &Scale, workers: &[(String, &str)]) -> Vec<Value> {
    let agent = |(i, (id, _)): (usize, &(String, &str))| json!({ "agent_id": id, "zone_id": begins(scale, i) });
    workers.iter().enumerate().map(agent).collect()
}

/// The workers with their roles, as they are dealt.
fn fixed_workers(scale: &Scale) -> Vec<(String, &str)> {
    let counts = roles::deal(&scale.role_mix, scale.agents);
    let dealt = counts.into_iter().flat_map(|(role, n)| std::iter::repeat_n(role, n as usize));
    (1u32..).zip(dealt).map(|(number, role)| (format!("A_WORKER_{number:04}"), role)).collect()
}

/// The workers with their roles. How many of each is the scale's; who it is, and so where they start, is the seed's.
fn workers(scale: &Scale, seed: u64) -> Vec<(String, &str)> {
    let (ids, mut dealt): (Vec<String>, Vec<&str>) = fixed_workers(scale).into_iter().unzip();
    Streams::new(seed).stream("task.roles", "coord").shuffle(&mut dealt);
    ids.into_iter().zip(dealt).collect()
}

/// What arrives: a backlog of a quarter to all of what the rate makes expect, and the rest over the whole episode. Without
/// a backlog all of it arrives over the time that the workload gives.
#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "seconds and arrivals of an episode")]
fn specimens(scale: &Scale, horizon_s: i64, seed: u64, prefix: &str) -> Vec<Value> {
    let workload = &scale.workload;
    let last_s = workload.until_s.unwrap_or(horizon_s).min(horizon_s);
    let expected = (scale.specimens_per_min * last_s as f64 / 60.0) as i64;
    let streams = Streams::new(seed);
    let mut counts = streams.stream("task.count", "coord");
    let backlog = if workload.backlog { counts.between(expected / 4, expected.max(1)) } else { 0 };
    let later = (expected - backlog).max(0);
    let (mut times, mut urgency) = (streams.stream("task.arrivals", "coord"), streams.stream("task.priority", "coord"));
    let mut panels = streams.stream("task.panel", "coord");
    let mut arrivals: Vec<Value> = (0..backlog + later)
        .map(|i| {
            let drawn = if i < backlog {
                times.between(0, horizon_s.min(BACKLOG_S))
            } else {
                workload.moment(times.between(0, workload.moments(last_s)))
            };
            let stat = urgency.bernoulli(workload.stat_share);
            let panel = workload.panel(panels.below(workload.weights().max(1))).unwrap_or(PANEL);
            let mut arrival = specimen(&format!("{prefix}{i}"), panel, drawn, &workload.arrives_as, stat);
            if workload.is_separated() {
                arrival["separated_ts_s"] = json!(drawn);
            }
            arrival
        })
        .collect();
    for (number, stat) in remote_ids(scale, seed).into_iter().zip((0..3).cycle()) {
        arrivals.push(specimen(&number, PANEL, 0, "arrived_at_reception", stat == 0));
    }
    arrivals
}

/// Ids of what waits at another site.
fn remote_ids(scale: &Scale, seed: u64) -> Vec<String> {
    let count = scale.workload.remote.as_ref().map_or(0, |remote| remote.consignment * remote.consignments);
    (0..count).map(|number| format!("S_REMOTE_{seed}_{number}")).collect()
}

/// What has to be fetched from where.
fn transports(scale: &Scale, seed: u64) -> Vec<Value> {
    let Some(remote) = &scale.workload.remote else { return Vec::new() };
    let ids = remote_ids(scale, seed);
    ids.chunks(remote.consignment as usize)
        .map(|ids| json!({ "specimen_ids": ids, "origin_site": remote.site, "dest_site": remote.to }))
        .collect()
}
