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
/// Share of urgent specimens.
const STAT_RATE: f64 = 0.1;
/// All work of a scale is chemistry, because that is what its devices measure.
const PANEL: &str = "BIOCHEM_PANEL_CORE";

/// Reagent for any number of runs [uses]: running out of it is another task.
const REAGENT: f64 = 1_000_000.0;

/// The state: a function of scale, floor and seed.
pub(super) fn initial_state(scale: &Scale, floor: &Floor, dt_s: i64, seed: u64) -> Map<String, Value> {
    let workers = workers(scale, seed);
    let agents: Vec<Value> = workers
        .iter()
        .enumerate()
        .map(|(i, (id, _))| json!({ "agent_id": id, "zone_id": ZONES[i % ZONES.len()] }))
        .collect();
    let roster: Map<String, Value> = workers.iter().map(|(id, role)| (id.clone(), (*role).into())).collect();
    let keys: Vec<Value> = workers.iter().map(|(id, role)| crew::key_entry(seed, id, role)).collect();
    let state = json!({
        "system": { "now_s": 0, "downtime_active": false },
        "agents": agents,
        "specimens": specimens(scale, i64::from(scale.horizon_steps) * dt_s, seed),
        "tokens": [],
        "reagent_initial_stock": { "R_CHEM_CORE": REAGENT },
        "effective_policy": floor.effective_policy,
        "workflow": "enforced",
        "roster": { "roles": {}, "agents": roster },
        "keys": keys,
        "_scale_config_sanitized": scale.to_json(),
        "_scale_device_ids": floor.devices,
        "_scale_zone_ids": ZONES,
    });
    match state {
        Value::Object(map) => map,
        _ => unreachable!("an object was written"),
    }
}

/// The workers with their roles. How many of each is the scale's; who it is, and so where they start, is the seed's.
fn workers(scale: &Scale, seed: u64) -> Vec<(String, &str)> {
    let counts = roles::deal(&scale.role_mix, scale.agents);
    let mut dealt: Vec<&str> = counts.into_iter().flat_map(|(role, n)| std::iter::repeat_n(role, n as usize)).collect();
    Streams::new(seed).stream("task.roles", "coord").shuffle(&mut dealt);
    (1u32..).zip(dealt).map(|(number, role)| (format!("A_WORKER_{number:04}"), role)).collect()
}

/// What arrives: a backlog of a quarter to all of what the rate makes expect, and the rest over the whole episode.
#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "seconds and arrivals of an episode")]
fn specimens(scale: &Scale, horizon_s: i64, seed: u64) -> Vec<Value> {
    let expected = (scale.specimens_per_min * horizon_s as f64 / 60.0) as i64;
    let streams = Streams::new(seed);
    let backlog = streams.stream("task.count", "coord").between(expected / 4, expected.max(1));
    let later = (expected - backlog).max(0);
    let (mut times, mut urgency) = (streams.stream("task.arrivals", "coord"), streams.stream("task.priority", "coord"));
    (0..backlog + later)
        .map(|i| {
            let latest_s = if i < backlog { horizon_s.min(BACKLOG_S) } else { horizon_s };
            let (at_s, stat) = (times.between(0, latest_s), urgency.bernoulli(STAT_RATE));
            specimen(&format!("S_COORD_{seed}_{i}"), PANEL, at_s, "arrived_at_reception", stat)
        })
        .collect()
}
