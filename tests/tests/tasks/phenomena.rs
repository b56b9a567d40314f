//! What each task names, and the figure that changes when it is taken out.

use super::support::{for_each_specimen, mean, number, total};
use labtrust_contract::Metrics;
use labtrust_kernel::ClockMode;
use serde_json::{Map, Value, json};

/// A task, what it names taken out of it, and the figure that must change.
pub(crate) struct Phenomenon {
    pub(crate) id: &'static str,
    pub(crate) timing: ClockMode,
    pub(crate) without: fn(&mut Map<String, Value>),
    pub(crate) attackers_stay: bool,
    pub(crate) figure: fn(&Metrics) -> f64,
    /// Whether the figure is larger with it than without.
    pub(crate) raises: bool,
}

/// When the STAT tubes of a morning were released, on average [s]. Which they are is written in their ids here.
pub(crate) fn stat_released_s(metrics: &Metrics) -> f64 {
    let released = metrics["released_s"].as_object().expect("a map");
    let stat: Vec<f64> =
        released.iter().filter(|(id, _)| id.starts_with("STAT_")).filter_map(|(_, at_s)| at_s.as_f64()).collect();
    mean(&stat)
}

/// Writes the priority into the id, so that the tubes can be followed when the priority is gone.
pub(crate) fn mark_stat(state: &mut Map<String, Value>) {
    for_each_specimen(state, |specimen| {
        if specimen["priority_class"] == "STAT" {
            specimen["specimen_id"] = json!(format!("STAT_{}", specimen["specimen_id"].as_str().unwrap_or_default()));
        }
    });
}

pub(crate) fn phenomena() -> Vec<Phenomenon> {
    use ClockMode::{Explicit, Simulated};
    let p95 = |metrics: &Metrics| number("p95_turnaround_s")(metrics);
    let blocked = |metrics: &Metrics| total(metrics, "attacker_blocked_by_reason_code");
    let stat_becomes_routine = |state: &mut Map<String, Value>| {
        mark_stat(state);
        for_each_specimen(state, |specimen| specimen["priority_class"] = json!("ROUTINE"));
    };
    let phenomenon = |id, timing, without, figure: fn(&Metrics) -> f64, raises| Phenomenon {
        id,
        timing,
        without,
        attackers_stay: true,
        figure,
        raises,
    };
    vec![
        // Arrivals over time: without them all tubes come at once and wait for each other.
        phenomenon(
            "throughput_sla",
            Explicit,
            |state| for_each_specimen(state, |specimen| specimen["arrival_ts_s"] = json!(0)),
            p95,
            false,
        ),
        phenomenon("stat_insertion", Explicit, stat_becomes_routine, stat_released_s, false),
        phenomenon("stat_insertion", Simulated, stat_becomes_routine, stat_released_s, false),
        phenomenon("qc_cascade", Explicit, |state| state["planned_controls"][0]["outcome"] = json!("pass"), p95, true),
        phenomenon("qc_cascade", Simulated, |state| state["planned_controls"][0]["outcome"] = json!("pass"), p95, true),
        Phenomenon { attackers_stay: false, ..phenomenon("adversarial_disruption", Explicit, |_| {}, blocked, true) },
        phenomenon(
            "multi_site_stat",
            Simulated,
            |state| _ = state.remove("transport_required"),
            |metrics| {
                let released = metrics["released_s"].as_object().expect("a map");
                released.iter().find(|(id, _)| id.ends_with("_0")).and_then(|(_, at_s)| at_s.as_f64()).unwrap_or(1500.0)
            },
            true,
        ),
        Phenomenon { attackers_stay: false, ..phenomenon("insider_key_misuse", Explicit, |_| {}, blocked, true) },
        phenomenon("device_outage_surge", Simulated, |state| _ = state.remove("device_outages"), p95, true),
        phenomenon(
            "reagent_stockout",
            Explicit,
            |state| _ = state.remove("reagent_initial_stock"),
            |metrics| number("throughput")(metrics),
            false,
        ),
        // Arrivals over time again.
        phenomenon(
            "coord_scale",
            Explicit,
            |state| for_each_specimen(state, |specimen| specimen["arrival_ts_s"] = json!(0)),
            |metrics| {
                let released = metrics["released_s"].as_object().expect("a map");
                released.values().filter_map(Value::as_f64).fold(0.0, f64::max)
            },
            true,
        ),
    ]
}
