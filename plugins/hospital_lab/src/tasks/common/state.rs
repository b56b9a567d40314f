//! The initial state of an episode in the published form.

use super::{LabTask, arrivals, crew};
use serde_json::{Map, Value, json};

/// Site where specimens that need transport wait, and the site that analyses them.
const ACUTE_SITE: &str = "SITE_ACUTE";
const HUB_SITE: &str = "SITE_HUB";

/// The state: a function of task, seed and calibration.
pub(super) fn initial_state(task: &LabTask, seed: u64, calibration: Option<&Map<String, Value>>) -> Map<String, Value> {
    let specimens: Vec<Value> = arrivals::draw(task.id, task.workload, seed, calibration)
        .into_iter()
        .enumerate()
        .map(|(i, arrival)| {
            let id = specimen_id(task, seed, i);
            if i < task.sent_from_elsewhere {
                // It waits at the other site from the beginning, and it is what the transport is for.
                specimen(&id, 0, task.status, true)
            } else {
                specimen(&id, arrival.at_s, task.status, arrival.stat)
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
    put("workflow", "enforced".into());
    put("roster", crew::roster(task.crew));
    put("keys", crew::keys(task.crew, seed));
    state
}

fn specimen_id(task: &LabTask, seed: u64, i: usize) -> String {
    format!("{}_{seed}_{i}", task.prefix)
}

/// A biochemistry tube in good order.
fn specimen(id: &str, arrival_s: i64, status: &str, stat: bool) -> Value {
    json!({
        "specimen_id": id,
        "patient_identifiers_hash": format!("pid:hash:{id}"),
        "collection_ts_s": 0,
        "arrival_ts_s": arrival_s,
        "panel_id": "BIOCHEM_PANEL_CORE",
        "container_type": "SERUM_SST",
        "specimen_type": "SERUM",
        "integrity_flags": {
            "leak": false, "clot": false, "hemolysis": false, "insufficient_volume": false, "label_issue": false
        },
        "fill_ratio_ok": true,
        "hazard_flag": false,
        "separated_ts_s": null,
        "temp_band": "AMBIENT_20_25",
        "status": status,
        "priority_class": if stat { "STAT" } else { "ROUTINE" },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tasks::{ADVERSARIAL_DISRUPTION, MULTI_SITE_STAT, THROUGHPUT_SLA};
    use labtrust_plugin::Task;
    use labtrust_trust::keys::Signer;
    use std::collections::{BTreeMap, BTreeSet};

    static TASKS: [&LabTask; 3] = [&THROUGHPUT_SLA, &ADVERSARIAL_DISRUPTION, &MULTI_SITE_STAT];

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
            assert!(distinct.len() > 95, "{}: {} of 100 seeds differ", task.id, distinct.len());
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
        for (task, counts, latest) in [(TASKS[0], 3..=6, 50), (TASKS[1], 3..=5, 50), (TASKS[2], 3..=5, 100)] {
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
            let seats = task.agents();
            assert_eq!(at, seats.iter().map(|seat| seat.agent_id).collect::<Vec<_>>());
            let keys: BTreeMap<_, _> =
                list(&state, "keys").iter().map(|k| (k["agent_id"].as_str().unwrap(), k)).collect();
            assert_eq!(keys.len(), seats.len());
            for seat in seats {
                let role = &state["roster"]["agents"][seat.agent_id];
                assert_eq!(seat.attacker, role == crew::ROLE_EXTERNAL);
                let (secret, key_id) = task.signing_seed(9, seat.agent_id).unwrap();
                let key = keys[seat.agent_id];
                assert_eq!((&key["role_id"], &key["key_id"]), (role, &Value::from(key_id)));
                assert_eq!(key["public_key"], Value::from(Signer::from_seed(secret).public_b64()));
            }
            assert_eq!(task.signing_seed(9, "A_NOBODY"), None);
            assert_ne!(task.signing_seed(9, "A_OPS_0"), task.signing_seed(10, "A_OPS_0"));
        }
    }
}
