//! The initial state of an episode in the published form.

use super::{LabTask, arrivals, crew, specimen};
use labtrust_kernel::Streams;
use serde_json::{Map, Value, json};

/// Site where specimens that need transport wait, and the site that analyses them.
const ACUTE_SITE: &str = "SITE_ACUTE";
const HUB_SITE: &str = "SITE_HUB";
/// How long before its arrival a specimen that comes too late was separated [s]: a little more than the 6 h that serum
/// keeps at room temperature. It was collected half an hour before that.
const LATE_S: i64 = 6 * 3600 + 600;
const LATE_COLLECTED_S: i64 = LATE_S + 1800;

/// The state: a function of task, seed and calibration.
pub(super) fn initial_state(task: &LabTask, seed: u64, calibration: Option<&Map<String, Value>>) -> Map<String, Value> {
    let mut arrivals = arrivals::draw(task.id, task.workload, seed, calibration);
    insert_stat(task, seed, &mut arrivals);
    let late = count_late(task, seed, arrivals.len());
    let mut panels = Streams::new(seed).stream("task.panel", task.id);
    let weights: u64 = task.panels.iter().map(|&(_, weight)| u64::from(weight)).sum();
    let specimens: Vec<Value> = arrivals
        .into_iter()
        .enumerate()
        .map(|(i, arrival)| {
            let id = specimen_id(task, seed, i);
            let panel = panel(task.panels, panels.below(weights.max(1)));
            if i < task.sent_from_elsewhere {
                // It waits at the other site from the beginning, and it is what the transport is for.
                specimen(&id, panel, 0, task.status, true)
            } else if i < late {
                let mut late = specimen(&id, panel, arrival.at_s, "separated", arrival.stat);
                late["collection_ts_s"] = json!(arrival.at_s - LATE_COLLECTED_S);
                late["separated_ts_s"] = json!(arrival.at_s - LATE_S);
                late
            } else {
                specimen(&id, panel, arrival.at_s, task.status, arrival.stat)
            }
        })
        .collect();
    let transports: Vec<Value> = (0..task.sent_from_elsewhere.min(specimens.len()))
        .map(|i| {
            json!({ "specimen_ids": [specimen_id(task, seed, i)], "origin_site": ACUTE_SITE, "dest_site": HUB_SITE })
        })
        .collect();
    let agents: Vec<Value> =
        task.crew.iter().map(|post| json!({ "agent_id": post.agent_id, "zone_id": post.zone })).collect();

    let mut state = Map::new();
    let mut put = |key: &str, value: Value| state.insert(key.to_owned(), value);
    put("system", json!({ "now_s": 0, "downtime_active": false }));
    put("agents", agents.into());
    put("specimens", specimens.into());
    put("tokens", json!([]));
    if !task.reagent_stock.is_empty() {
        put("reagent_initial_stock", task.reagent_stock.iter().copied().collect());
    }
    if !transports.is_empty() {
        put("transport_required", transports.into());
    }
    if !task.controls.is_empty() {
        let plan = task.controls.iter().map(|control| {
            json!({
                "device_id": control.device, "after_runs": control.after_runs, "outcome": control.outcome,
            })
        });
        put("planned_controls", plan.collect());
    }
    if !task.outages.is_empty() {
        let outages = task.outages.iter().map(
            |outage| json!({ "device_id": outage.device, "start_ts_s": outage.start_s, "end_ts_s": outage.end_s }),
        );
        put("device_outages", outages.collect());
    }
    if task.strict_signatures {
        put("strict_signatures", true.into());
    }
    put("workflow", "enforced".into());
    put("roster", crew::roster(task.crew));
    put("keys", crew::keys(task.crew, seed));
    state
}

/// How many specimens come too late; at least one comes in time.
fn count_late(task: &LabTask, seed: u64, specimens: usize) -> usize {
    let (least, most) = task.late;
    if most <= 0 {
        return 0;
    }
    let drawn = Streams::new(seed).stream("task.late", task.id).between(least, most);
    usize::try_from(drawn).unwrap_or(0).min(specimens.saturating_sub(1))
}

/// Makes the last arrivals STAT, where the task inserts some: at least one routine tube is there before each of them.
fn insert_stat(task: &LabTask, seed: u64, arrivals: &mut [arrivals::Arrival]) {
    let (least, most) = task.stat_insertions;
    let Some(first_s) = arrivals.iter().map(|arrival| arrival.at_s).min().filter(|_| arrivals.len() > 1 && most > 0)
    else {
        return;
    };
    let wanted = Streams::new(seed).stream("task.stat", task.id).between(least, most);
    let count = usize::try_from(wanted).unwrap_or(0).min(arrivals.len() - 1);
    let mut by_time: Vec<usize> = (0..arrivals.len()).collect();
    by_time.sort_by_key(|&i| (arrivals[i].at_s, i));
    for &i in by_time.iter().rev().take(count) {
        arrivals[i].stat = true;
        arrivals[i].at_s = arrivals[i].at_s.max(first_s + 1);
    }
}

/// The panel whose share of the weights `number` falls into.
fn panel(panels: &'static [(&'static str, u32)], number: u64) -> &'static str {
    let mut end = 0;
    let hit = panels.iter().find(|&&(_, weight)| {
        end += u64::from(weight);
        number < end
    });
    hit.or(panels.last()).map_or("BIOCHEM_PANEL_CORE", |&(panel, _)| panel)
}

fn specimen_id(task: &LabTask, seed: u64, i: usize) -> String {
    format!("{}_{seed}_{i}", task.prefix)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tasks::{
        ADVERSARIAL_DISRUPTION, DEVICE_OUTAGE_SURGE, INSIDER_KEY_MISUSE, LATE_COURIER, MULTI_SITE_STAT, QC_CASCADE,
        REAGENT_STOCKOUT, STAT_INSERTION, THROUGHPUT_SLA,
    };
    use labtrust_plugin::{Opening, Task};
    use labtrust_trust::keys::Signer;
    use std::collections::{BTreeMap, BTreeSet};

    static TASKS: [&LabTask; 9] = [
        &THROUGHPUT_SLA,
        &ADVERSARIAL_DISRUPTION,
        &MULTI_SITE_STAT,
        &STAT_INSERTION,
        &QC_CASCADE,
        &INSIDER_KEY_MISUSE,
        &DEVICE_OUTAGE_SURGE,
        &REAGENT_STOCKOUT,
        &LATE_COURIER,
    ];

    fn list<'a>(state: &'a Map<String, Value>, key: &str) -> &'a [Value] {
        state[key].as_array().unwrap()
    }

    #[test]
    fn one_seed_gives_one_state_and_another_seed_another() {
        for task in TASKS {
            assert_eq!(task.initial_state(7, None), task.initial_state(7, None));
            let distinct: BTreeSet<String> = (0..100)
                .map(|seed| {
                    let state = task.initial_state(seed, None);
                    let times = list(&state, "specimens").iter().map(|s| s["arrival_ts_s"].to_string());
                    times.collect::<Vec<_>>().join(" ")
                })
                .collect();
            // Two tubes in half a minute leave few different mornings.
            assert!(distinct.len() > 90, "{}: {} of 100 seeds differ", task.id, distinct.len());
        }
    }

    #[test]
    fn tasks_of_one_seed_do_not_share_their_arrivals() {
        let times = |task: &LabTask| {
            let state = task.initial_state(3, None);
            list(&state, "specimens").iter().map(|s| s["arrival_ts_s"].as_i64().unwrap()).collect::<Vec<_>>()
        };
        assert_ne!(times(&THROUGHPUT_SLA)[..3], times(&ADVERSARIAL_DISRUPTION)[..3]);
    }

    #[test]
    fn counts_and_arrivals_stay_in_the_published_ranges_over_a_thousand_seeds() {
        let ranges = [
            (3..=6, 50),
            (3..=5, 50),
            (3..=5, 100),
            (4..=6, 80),
            (2..=4, 30),
            (2..=4, 50),
            (8..=12, 200),
            (5..=8, 80),
            (4..=7, 120),
        ];
        for (task, (counts, latest)) in TASKS.into_iter().zip(ranges) {
            let (mut seen, mut last) = (BTreeSet::new(), 0);
            for seed in 0..1000 {
                let state = task.initial_state(seed, None);
                seen.insert(list(&state, "specimens").len());
                for specimen in list(&state, "specimens") {
                    let at = specimen["arrival_ts_s"].as_i64().unwrap();
                    assert!((0..=latest).contains(&at), "{} seed {seed}: {at}", task.id);
                    last = last.max(at);
                }
            }
            assert_eq!((seen, last), (counts.collect(), latest), "{}", task.id);
        }
    }

    #[test]
    fn only_the_task_that_is_about_transport_asks_for_one() {
        let state = MULTI_SITE_STAT.initial_state(42, None);
        assert_eq!(
            state["transport_required"],
            json!([{"specimen_ids": ["TE_42_0"], "origin_site": "SITE_ACUTE", "dest_site": "SITE_HUB"}])
        );
        let urgent: Vec<_> = list(&state, "specimens").iter().map(|s| s["priority_class"] == "STAT").collect();
        assert!(urgent[0] && urgent[1..].iter().all(|stat| !stat));
        assert!(!THROUGHPUT_SLA.initial_state(42, None).contains_key("transport_required"));
        assert!(!ADVERSARIAL_DISRUPTION.initial_state(42, None).contains_key("reagent_initial_stock"));
    }

    #[test]
    fn an_episode_without_specimens_asks_for_no_transport() {
        let none =
            Map::from_iter([("workload_priors".to_owned(), json!({"n_specimens_min": 0, "n_specimens_max": 0}))]);
        let state = MULTI_SITE_STAT.initial_state(1, Some(&none));
        assert!(list(&state, "specimens").is_empty() && !state.contains_key("transport_required"));
    }

    #[test]
    fn every_seat_has_a_position_a_role_and_the_key_it_would_sign_with() {
        for task in TASKS {
            let state = task.initial_state(9, None);
            let at: Vec<_> = list(&state, "agents").iter().map(|a| a["agent_id"].as_str().unwrap()).collect();
            let seats = task.agents(&Opening { seed: 9, state: &state });
            assert_eq!(at, seats.iter().map(|seat| seat.agent_id.as_ref()).collect::<Vec<_>>());
            let keys: BTreeMap<_, _> =
                list(&state, "keys").iter().map(|k| (k["key_id"].as_str().unwrap(), k)).collect();
            for seat in &seats {
                let role = &state["roster"]["agents"][seat.agent_id.as_ref()];
                assert_eq!(seat.attacker, role == crew::ROLE_EXTERNAL || seat.name.contains("insider"));
                let (secret, key_id) = task.signing_keys(9, &seat.agent_id).swap_remove(0);
                let key = keys[key_id.as_str()];
                assert_eq!((&key["role_id"], &key["agent_id"]), (role, &Value::from(seat.agent_id.as_ref())));
                assert_eq!(key["public_key"], Value::from(Signer::from_seed(secret).public_b64()));
            }
            assert_eq!(task.signing_keys(9, "A_NOBODY"), []);
            assert_ne!(task.signing_keys(9, "A_OPS_0"), task.signing_keys(10, "A_OPS_0"));
        }
    }

    #[test]
    fn the_insider_has_his_own_key_his_revoked_one_and_one_that_he_stole() {
        let state = INSIDER_KEY_MISUSE.initial_state(9, None);
        let declared = |id: &str| list(&state, "keys").iter().find(|key| key["key_id"] == id).unwrap();
        let keys = INSIDER_KEY_MISUSE.signing_keys(9, "A_INSIDER_0");
        assert_eq!(keys.len(), 3);
        for (secret, id) in &keys {
            assert_eq!(declared(id)["public_key"], Value::from(Signer::from_seed(*secret).public_b64()), "{id}");
        }
        let of: Vec<_> = keys.iter().map(|(_, id)| (&declared(id)["agent_id"], &declared(id)["status"])).collect();
        assert_eq!(of[0], (&json!("A_INSIDER_0"), &json!("ACTIVE")));
        assert_eq!(of[1], (&json!("A_INSIDER_0"), &json!("REVOKED")));
        assert_eq!(of[2], (&json!("A_RECEPTION_0"), &json!("ACTIVE")));
    }

    #[test]
    fn some_tubes_of_the_late_courier_are_past_their_stability_when_they_come_and_none_of_another_task() {
        let late = |specimen: &&Value| {
            let age_s = |key: &str| specimen["arrival_ts_s"].as_i64().unwrap() - specimen[key].as_i64().unwrap();
            specimen["separated_ts_s"].is_i64()
                && age_s("separated_ts_s") > 6 * 3600
                && age_s("collection_ts_s") > 6 * 3600
        };
        let mut counts = BTreeSet::new();
        for seed in 0..500 {
            let state = LATE_COURIER.initial_state(seed, None);
            let specimens = list(&state, "specimens");
            let of = specimens.iter().filter(late).count();
            assert!(of < specimens.len(), "seed {seed}: something comes in time");
            counts.insert(of);
        }
        assert_eq!(counts, BTreeSet::from([1, 2, 3]));
        assert!(
            TASKS[..8].iter().all(|task| list(&task.initial_state(1, None), "specimens").iter().all(|s| !late(&s)))
        );
    }

    #[test]
    fn stat_tubes_come_after_a_routine_one_and_there_is_always_one() {
        let mut counts = BTreeSet::new();
        for seed in 0..500 {
            let state = STAT_INSERTION.initial_state(seed, None);
            let at = |class: &str| -> Vec<i64> {
                let of = list(&state, "specimens").iter().filter(|s| s["priority_class"] == class);
                of.map(|s| s["arrival_ts_s"].as_i64().unwrap()).collect()
            };
            let (stat, routine) = (at("STAT"), at("ROUTINE"));
            counts.insert(stat.len());
            assert!(stat.iter().min() > routine.iter().min(), "seed {seed}");
        }
        assert_eq!(counts, BTreeSet::from([1, 2]));
    }

    #[test]
    fn panels_are_ordered_as_often_as_their_weights_say() {
        let mut counts: BTreeMap<String, f64> = BTreeMap::new();
        for seed in 0..500 {
            for specimen in list(&DEVICE_OUTAGE_SURGE.initial_state(seed, None), "specimens") {
                *counts.entry(specimen["panel_id"].as_str().unwrap().to_owned()).or_default() += 1.0;
            }
        }
        let (all, weights): (f64, u32) = (counts.values().sum(), DEVICE_OUTAGE_SURGE.panels.iter().map(|p| p.1).sum());
        for (panel, weight) in DEVICE_OUTAGE_SURGE.panels {
            let share = f64::from(*weight) / f64::from(weights);
            assert!((counts[*panel] / all - share).abs() < 0.03, "{panel}: {counts:?}");
        }
    }
}
