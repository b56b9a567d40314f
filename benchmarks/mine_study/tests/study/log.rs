//! The event log against the results, by a reader that knows only its columns.

use super::support::{number, rows, small};
use std::collections::BTreeMap;

#[test]
fn the_log_replays_to_the_tonnes_of_the_results() {
    let text = small("event_log.csv");
    let mut tonnes: BTreeMap<(String, String), f64> = BTreeMap::new();
    let mut last: BTreeMap<(String, String), f64> = BTreeMap::new();
    let mut load: BTreeMap<(String, String, String), f64> = BTreeMap::new();
    let mut kinds = std::collections::BTreeSet::new();
    for row in rows(&text) {
        let run = (row["scenario_id"].clone(), row["replication"].clone());
        let truck = (run.0.clone(), run.1.clone(), row["truck_id"].clone());
        let time = number(&row, "time_min");
        let before = last.insert(run.clone(), time).unwrap_or(0.0);
        assert!(time >= before && time <= 480.0, "time ran back: {row:?}");
        kinds.insert(row["event_type"].clone());
        match row["event_type"].as_str() {
            "loading_finished" => {
                load.insert(truck, number(&row, "payload_tonnes"));
            }
            "dumping_finished" => {
                assert_eq!(row["loaded"], "false");
                assert_eq!(load.remove(&truck), Some(number(&row, "payload_tonnes")), "{row:?}");
                *tonnes.entry(run).or_default() += number(&row, "payload_tonnes");
            }
            _ => assert_eq!(row["loaded"] == "true", load.contains_key(&truck), "{row:?}"),
        }
    }
    assert_eq!(kinds.len(), 11, "{kinds:?}");
    let results = rows(&small("results.csv"));
    assert_eq!(tonnes.len(), results.len());
    for row in results {
        let run = (row["scenario_id"].clone(), row["replication"].clone());
        assert_eq!(tonnes[&run], number(&row, "total_tonnes_delivered"), "{run:?}");
    }
}

#[test]
fn the_log_is_in_the_order_of_scenarios_and_replications() {
    let mut runs: Vec<(String, String)> = Vec::new();
    for row in rows(&small("event_log.csv")) {
        let run = (row["scenario_id"].clone(), row["replication"].clone());
        if runs.last() != Some(&run) {
            runs.push(run);
        }
    }
    let expected: Vec<(String, String)> = rows(&small("results.csv"))
        .into_iter()
        .map(|row| (row["scenario_id"].clone(), row["replication"].clone()))
        .collect();
    assert_eq!(runs, expected);
}
