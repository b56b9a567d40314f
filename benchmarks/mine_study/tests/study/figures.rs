//! Figures of one file against those of another.

use super::support::{interval, make, near, number, read, rows, small, spec, summary};
use serde_json::Value;

const SCENARIOS: [&str; 6] = ["baseline", "crusher_slowdown", "ramp_closed", "ramp_upgrade", "trucks_4", "trucks_12"];

fn column(scenario: &str, column: &str) -> Vec<f64> {
    let all = rows(&small("results.csv"));
    all.iter().filter(|row| row["scenario_id"] == scenario).map(|row| number(row, column)).collect()
}

#[test]
fn the_summary_follows_from_the_results() {
    let summary = summary();
    assert_eq!(summary["benchmark_id"], "001_synthetic_mine_throughput");
    assert_eq!(summary["scenarios"].as_object().unwrap().len(), SCENARIOS.len());
    for scenario in SCENARIOS {
        let entry = &summary["scenarios"][scenario];
        assert_eq!(entry["replications"], 4);
        let (mean, low, high) = interval(&column(scenario, "total_tonnes_delivered"));
        near(&entry["total_tonnes_mean"], mean);
        near(&entry["total_tonnes_ci95_low"], low);
        near(&entry["total_tonnes_ci95_high"], high);
        let (mean, low, _) = interval(&column(scenario, "tonnes_per_hour"));
        near(&entry["tonnes_per_hour_mean"], mean);
        near(&entry["tonnes_per_hour_ci95_low"], low);
        near(&entry["tonnes_per_hour_mean"], entry["total_tonnes_mean"].as_f64().unwrap() / 8.0);
        for (key, name) in [
            ("average_cycle_time_min", "average_truck_cycle_time_min"),
            ("truck_utilisation_mean", "average_truck_utilisation"),
            ("crusher_utilisation", "crusher_utilisation"),
            ("average_loader_queue_time_min", "average_loader_queue_time_min"),
            ("average_crusher_queue_time_min", "average_crusher_queue_time_min"),
        ] {
            near(&entry[key], interval(&column(scenario, name)).0);
        }
        for loader in ["L_N", "L_S"] {
            let mean = interval(&column(scenario, &format!("{loader}_utilisation"))).0;
            near(&entry["loader_utilisation"][loader], mean);
        }
    }
}

#[test]
fn rows_are_replications_with_seeds_that_count_up_and_tonnes_that_are_dumps() {
    for scenario in SCENARIOS {
        assert_eq!(column(scenario, "replication"), [0.0, 1.0, 2.0, 3.0]);
        assert_eq!(column(scenario, "random_seed"), [12_345.0, 12_346.0, 12_347.0, 12_348.0]);
        let dumps = column(scenario, "completed_dumps");
        let tonnes = column(scenario, "total_tonnes_delivered");
        assert!(dumps.iter().zip(&tonnes).all(|(dumps, tonnes)| dumps * 100.0 == *tonnes && *dumps > 50.0));
    }
}

#[test]
fn differences_are_taken_seed_by_seed() {
    let table = rows(&small("paired_differences.csv"));
    for scenario in &SCENARIOS[1..] {
        for name in ["total_tonnes_delivered", "average_crusher_queue_time_min", "average_truck_cycle_time_min"] {
            let row = table.iter().find(|row| row["scenario_id"] == *scenario && row["metric"] == name).unwrap();
            let (one, other) = (column(scenario, name), column("baseline", name));
            let differences: Vec<f64> = one.iter().zip(&other).map(|(one, other)| one - other).collect();
            let (mean, low, high) = interval(&differences);
            near(&number(row, "mean_difference").into(), mean);
            near(&number(row, "ci95_low").into(), low);
            near(&number(row, "ci95_high").into(), high);
            near(&number(row, "relative_difference").into(), mean / interval(&other).0);
            assert_eq!((row["pairs"].as_str(), row["baseline_id"].as_str()), ("4", "baseline"));
            assert_eq!(row["excludes_zero"], (low > 0.0 || high < 0.0).to_string());
        }
    }
    assert_eq!(table.len(), 5 * 6, "every metric of every scenario but the baseline");
    assert_eq!(summary()["paired_differences"].as_array().unwrap().len(), table.len());
}

#[test]
fn pairs_are_tighter_than_scenarios_on_their_own() {
    let table = rows(&small("paired_differences.csv"));
    let row = table.iter().find(|row| row["scenario_id"] == "ramp_upgrade" && row["unit"] == "t").unwrap();
    let paired = number(row, "ci95_high") - number(row, "ci95_low");
    let (_, low, high) = interval(&column("ramp_upgrade", "total_tonnes_delivered"));
    assert!(paired < high - low, "{paired} is not below {}", high - low);
}

#[test]
fn bottlenecks_are_ranked_and_their_shares_are_of_one_whole() {
    let summary = summary();
    for scenario in SCENARIOS {
        let listed = summary["scenarios"][scenario]["top_bottlenecks"].as_array().unwrap();
        let figure = |entry: &Value, key: &str| entry[key].as_f64().unwrap();
        assert!(listed.len() >= 3, "{scenario}");
        for pair in listed.windows(2) {
            let percent = |entry: &Value| libm::round(figure(entry, "utilisation") * 100.0);
            let ordered = percent(&pair[0]) > percent(&pair[1])
                || figure(&pair[0], "queue_time_share") >= figure(&pair[1], "queue_time_share");
            assert!(ordered && percent(&pair[0]) >= percent(&pair[1]), "{scenario}: {pair:?}");
        }
        let shares: f64 = listed.iter().map(|entry| figure(entry, "queue_time_share")).sum();
        assert!(shares > 0.5 && shares <= 1.000_01, "{scenario}: {shares}");
    }
    assert_eq!(summary["scenarios"]["crusher_slowdown"]["top_bottlenecks"][0]["resource_id"], "D_CRUSH");
}

#[test]
fn the_other_lane_model_has_rows_of_its_own() {
    let table = rows(&small("lane_models.csv"));
    let tonnes = |scenario: &str, model: &str| -> Vec<f64> {
        let of = |row: &&std::collections::BTreeMap<String, String>| {
            row["scenario_id"] == scenario && row["lane_model"] == model
        };
        table.iter().filter(of).map(|row| number(row, "total_tonnes_delivered")).collect()
    };
    let summary = summary();
    for scenario in SCENARIOS {
        assert_eq!(tonnes(scenario, "per_direction"), column(scenario, "total_tonnes_delivered"));
        let shared = tonnes(scenario, "shared_physical_road");
        let entry = &summary["lane_models"][scenario]["shared_physical_road"];
        near(&entry["total_tonnes"]["mean"], interval(&shared).0);
        let differences: Vec<f64> =
            shared.iter().zip(tonnes(scenario, "per_direction")).map(|(one, other)| one - other).collect();
        near(&entry["difference"]["ci95_low"], interval(&differences).1);
    }
}

#[test]
fn a_sweep_stops_gaining_where_the_paired_interval_reaches_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut spec = spec(&["baseline"], 4);
    spec.sweep = Some("fleet.truck_count=5..11:2".parse().unwrap());
    spec.event_log = false;
    make(&spec, &dir.path().join("s")).unwrap();
    let text = read(&dir.path().join("s"), "sweep.csv");
    let table = rows(&text);
    let values: Vec<f64> = table.iter().map(|row| number(row, "fleet.truck_count")).collect();
    assert_eq!(values, [5.0, 7.0, 9.0, 11.0]);
    let gains = |row: &&std::collections::BTreeMap<String, String>| {
        !row["gain_ci95_low"].is_empty() && number(row, "gain_ci95_low") <= 0.0
    };
    let first = table.iter().find(gains).map(|row| number(row, "fleet.truck_count"));
    let first = first.expect("eleven trucks are more than the crusher can take");
    for row in &table {
        assert_eq!(row["saturated"], (number(row, "fleet.truck_count") >= first).to_string());
        assert!(number(row, "total_tonnes_mean") < number(row, "ceiling_tonnes"));
        // 480 min, 3.5 min a dump, 100 t.
        near(&number(row, "ceiling_tonnes").into(), 48_000.0 / 3.5);
    }
    for pair in table.windows(2) {
        let gain = number(&pair[1], "total_tonnes_mean") - number(&pair[0], "total_tonnes_mean");
        near(&number(&pair[1], "gain_mean").into(), gain);
    }
    let svg = read(&dir.path().join("s"), "saturation.svg");
    assert!(svg.contains(&format!("saturated at {first}")), "{svg}");
}

#[test]
fn proposals_come_with_what_they_would_bring() {
    let summary = summary();
    let proposals = summary["additional_scenarios_proposed"].as_array().unwrap();
    assert!(proposals.len() >= 3, "{proposals:?}");
    let tightest = summary["scenarios"]["baseline"]["top_bottlenecks"][0]["resource_id"].as_str().unwrap();
    assert_eq!(proposals[0]["scenario_id"], format!("relieve_{tightest}"));
    for proposal in proposals {
        let mean = proposal["total_tonnes"]["mean"].as_f64().unwrap();
        let gain = proposal["difference_to_baseline"]["mean"].as_f64().unwrap();
        near(&(mean - gain).into(), summary["scenarios"]["baseline"]["total_tonnes_mean"].as_f64().unwrap());
        assert!(!proposal["changes"].as_object().unwrap().is_empty());
    }
    assert!(proposals[0]["difference_to_baseline"]["mean"].as_f64().unwrap() > 0.0, "relief helps");
}
